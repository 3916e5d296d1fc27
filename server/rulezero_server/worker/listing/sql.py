"""SQL as words: what two texts that mean the same have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<space>\s+)|(?P<text>[xX]?'(?:[^']|'')*')"
    r"|(?P<quoted>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\])|(?P<name>[^\W\d][\w$]*)"
    r"|(?P<number>\d[\w.]*)|(?P<operator>\|\||<=|>=|<>|!=|==|<<|>>|->>|->|.)",
    re.DOTALL,
)
_NO_SPACE_BEFORE = frozenset({",", ")", ".", "(", ";"})
_NO_SPACE_AFTER = frozenset({"(", "."})
_SPACED = frozenset(
    {"as", "and", "or", "not", "in", "check", "key", "on", "when", "then", "else", "using", "like"}
    | {"values", "exists", "where", "from", "between", "is", "unique", "references", "select", ","}
    | {"=", "<", ">", "+", "-", "*", "/", "||", "<=", ">=", "<>", "!=", "==", "%", "default"}
)
"""Words that a parenthesis does not follow at once: it would read like a call."""


class Word(str):
    """A word of SQL in its plain form: a name without quotes, everything but texts in lower case.

    `raw` is how it is written without its quotes; `quoted` whether it had some.
    """

    raw: str
    quoted: bool

    def __new__(cls, raw: str, kind: str) -> Word:
        """Take `raw` as the pattern found it."""
        plain = _unquoted(raw) if kind == "quoted" else raw
        made = super().__new__(cls, plain if kind == "text" else plain.lower())
        made.raw, made.quoted = plain, kind == "quoted"
        return made


def _unquoted(raw: str) -> str:
    end = raw[-1]
    return raw[1:-1] if end == "]" else raw[1:-1].replace(end * 2, end)


def words(text: str) -> list[Word]:
    """The words of a statement, without comments."""
    return [
        Word(found.group(), str(found.lastgroup))
        for found in _WORD.finditer(text)
        if found.lastgroup not in {"comment", "space"}
    ]


def joined(found: list[Word]) -> str:
    """Words as one line, spaced alike however they were written."""
    shown, last = "", ""
    for word in found:
        tight = word in _NO_SPACE_BEFORE and not word.quoted
        if word == "(":
            tight = last not in _SPACED
        glued = not shown or tight or last in _NO_SPACE_AFTER
        shown += word if glued else f" {word}"
        last = word
    return shown


def bare(found: list[Word]) -> list[Word]:
    """An expression without parentheses around the whole of it."""
    while len(found) > 1 and found[0] == "(" and closing(found, 0) == len(found) - 1:
        found = found[1:-1]
    return found


def closing(found: list[Word], start: int) -> int:
    """Where the parenthesis that opens at `start` closes; the end where it does not."""
    depth = 0
    for position in range(start, len(found)):
        if not found[position].quoted:
            depth += (found[position] == "(") - (found[position] == ")")
        if depth == 0:
            return position
    return len(found) - 1


def parted(found: list[Word]) -> Iterator[list[Word]]:
    """What stands between commas that no parenthesis encloses."""
    part: list[Word] = []
    position = 0
    while position < len(found):
        if found[position] == "," and not found[position].quoted:
            yield part
            part = []
        elif found[position] == "(" and not found[position].quoted:
            end = closing(found, position)
            part += found[position : end + 1]
            position = end
        else:
            part.append(found[position])
        position += 1
    if part:
        yield part
