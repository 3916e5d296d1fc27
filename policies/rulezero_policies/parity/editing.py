"""Edits of a settings file's text that leave all the rest of it as it stands, byte for byte.

A text comes in pieces as python-dotenv's parser cut it, and what a binding holds is never looked
at: its raw bytes are carried about whole. Comments, blank lines, quoting, `export`, line ends and a
missing last newline stay.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["blank", "comment", "binding", "unread"]

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_END = re.compile(r"\r\n|\n|\r")
_BLANK = r"[^\S\r\n]"
_SET = re.compile(
    rf"(?P<head>{_BLANK}*(?:export{_BLANK}+)?(?:'[^']+'|[^=#\s]+){_BLANK}*={_BLANK}*)"
    r"(?P<value>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?:(?<==)|(?!#))[^\r\n]*?)"
    rf"(?P<tail>(?:{_BLANK}+#[^\r\n]*|(?<=['\"])#[^\r\n]*)?{_BLANK}*(?:\r\n|\n|\r)?)",
    re.DOTALL,
)
_ON = {
    "0": "1",
    "off": "on",
    "no": "yes",
    "n": "y",
    "f": "t",
    "false": "true",
    "disabled": "enabled",
    "disable": "enable",
    "": "true",
}
"""What is written in place of a flag's word, so that it stays the kind of word that it was."""

LONGEST_COMMENT = 5
"""Lines of an example's comment that go along with a key."""


class NotEditable(ValueError):
    """An edit that cannot be done without changing something else; says why, without values."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a text: whole lines, as they stand there; `unread` is what no parser understood."""

    kind: Kind
    raw: str
    key: str | None = None


Text = tuple[Piece, ...]


def joined(text: Sequence[Piece]) -> str:
    """The text itself."""
    return "".join(piece.raw for piece in text)


def has(text: Sequence[Piece], key: str) -> bool:
    """Whether `key` is set there."""
    return any(piece.key == key for piece in text)


def raw_of(text: Sequence[Piece], key: str) -> str:
    """The line or lines that set `key` and count: the last of them.

    Raises:
        NotEditable: None does.
    """
    return text[_last(text, key)].raw


def add(text: Text, key: str, raw: str, example: Text = ()) -> Text:
    """`text` with the binding `raw` where `example` has `key`, below the example's comment.

    It goes after the nearest key that stands before it there, else before the nearest one that
    stands after it, else to the end.

    Args:
        text: What it is added to.
        key: Which key it sets.
        raw: The binding as it stands in another file, or a made one.
        example: A text whose order and comments are followed.

    Raises:
        NotEditable: The key is set already, or is none that every reader takes.
    """
    check(key)
    if has(text, key):
        raise NotEditable(f"{key} is set there already")
    comments = (Piece(kind="comment", raw=line) for line in _comments(text, example, key))
    binding = Piece(kind="binding", raw=raw, key=key)
    return _insert(text, _place(text, example, key), (*comments, binding))


def remove(text: Text, key: str, note: str) -> Text:
    """`text` with a comment of `note` in place of every line that sets `key`.

    The comment keeps what was said above it from being read as a word about the next key.

    Raises:
        NotEditable: The key is not set there, or is none that every reader takes.
    """
    check(key)
    _last(text, key)
    return tuple(_noted(piece, key, note) if piece.key == key else piece for piece in text)


def comment_out(text: Text, key: str) -> Text:
    """`text` with every line that sets `key` made a comment.

    Raises:
        NotEditable: The key is not set there.
    """
    _last(text, key)
    return tuple(_commented(piece) if piece.key == key else piece for piece in text)


def switch_on(text: Text, key: str) -> Text:
    """`text` with the flag `key` on, in the kind of word that it is off with.

    Raises:
        NotEditable: It is not set there, or not to a word that is known to mean off.
    """
    at = _last(text, key)
    found = _SET.fullmatch(text[at].raw)
    quote, old = _unquoted(found["value"] if found else None)
    word = None if old is None else _ON.get(old.lower())
    if found is None or word is None:
        raise NotEditable(f"what {key} is set to is no word that means off")
    cased = (
        word.upper() if old and old.isupper() else word.title() if old and old.istitle() else word
    )
    piece = replace(text[at], raw=f"{found['head']}{quote}{cased}{quote}{found['tail']}")
    return (*text[:at], piece, *text[at + 1 :])


def check(key: str) -> None:
    """Pass if `key` can stand in a line of its own, with nothing in it that ends one.

    Raises:
        NotEditable: It cannot.
    """
    if _KEY.fullmatch(key) is None:
        raise NotEditable("a key that is no plain name is not edited")


def _unquoted(value: str | None) -> tuple[str, str | None]:
    if value is None or value[:1] not in {"'", '"'}:
        return "", value
    return value[0], value[1:-1]


def _last(text: Sequence[Piece], key: str) -> int:
    for at in range(len(text) - 1, -1, -1):
        if text[at].key == key:
            return at
    raise NotEditable(f"{key} is not set there")


def _place(text: Text, example: Text, key: str) -> int:
    order = [piece.key for piece in example if piece.key]
    at = order.index(key) if key in order else 0
    for earlier in reversed(order[:at]):
        if has(text, earlier):
            return _last(text, earlier) + 1
    for later in order[at + 1 :]:
        if has(text, later):
            return _above(text, next(n for n, p in enumerate(text) if p.key == later))
    return len(text)


def _above(text: Text, at: int) -> int:
    """Where the comments begin that stand right above a binding."""
    while at and text[at - 1].kind == "comment":
        at -= 1
    return at


def _comments(text: Text, example: Text, key: str) -> tuple[str, ...]:
    if not has(example, key):
        return ()
    at = next(n for n, piece in enumerate(example) if piece.key == key)
    above = example[_above(example, at) : at][-LONGEST_COMMENT:]
    there = {piece.raw.strip() for piece in text if piece.kind == "comment"}
    return tuple(piece.raw for piece in above if piece.raw.strip() not in there)


def _insert(text: Text, at: int, added: Text) -> Text:
    end = next((e for e in map(_end, text) if e), "\n")
    lines = tuple(replace(piece, raw=_bare(piece.raw) + end) for piece in added)
    if not at or _end(text[at - 1]):
        return (*text[:at], *lines, *text[at:])
    # Only the last line of a text has no end: that stays so.
    last = replace(text[at - 1], raw=text[at - 1].raw + end)
    return (*text[: at - 1], last, *lines[:-1], replace(lines[-1], raw=_bare(lines[-1].raw)))


def _end(piece: Piece) -> str:
    found = _END.search(piece.raw, max(len(piece.raw) - 2, 0))
    return found[0] if found and found.end() == len(piece.raw) else ""


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


def _noted(piece: Piece, key: str, note: str) -> Piece:
    return Piece(kind="comment", raw=f"# {key}: {note}{_end(piece)}")


def _commented(piece: Piece) -> Piece:
    return Piece(kind="comment", raw=re.sub(r"(?m)^(?=.)|(?<=\r)(?=[^\n])", "# ", piece.raw))
