"""SQL as tokens of the target's dialect, and a cursor that reads them like a sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
_QUOTED = frozenset({"IDENTIFIER", "STRING"})
_BODIES = frozenset({"TRIGGER", "FUNCTION", "PROCEDURE"})
_EXECUTED_COMMENT = re.compile(r"/\*M?!")


class NotSql(Exception):
    """The text does not follow the dialect as far as it is known here."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text, whether it is a quoted name, a string or plain, and where it stands."""

    text: str
    kind: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """In capitals, where it is no name or string in quotes; else empty."""
        return "" if self.kind in _QUOTED else self.text.upper()


def grammar(dialect: str, text: str) -> str:
    """What sqlglot calls the dialect; where it is not said, backticks are MySQL's."""
    return _DIALECTS.get(dialect) or ("mysql" if "`" in text else "postgres")


@lru_cache(maxsize=4096)
def split(sql: str, dialect: str) -> tuple[tuple[Token, ...], ...]:
    """The statements of `sql` as tokens; comments are left out.

    Raises:
        NotSql: It has no tokens of this dialect, or a comment that MySQL executes.
    """
    if _EXECUTED_COMMENT.search(sql):
        raise NotSql("a comment that MySQL and MariaDB execute")
    parts, current = list[tuple[Token, ...]](), list[Token]()
    for token in _tokens(sql, grammar(dialect, sql)):
        if token.text == ";" and token.kind == "SEMICOLON" and not _in_body(current):
            parts.append(tuple(current))
            current = []
        else:
            current.append(token)
    parts.append(tuple(current))
    return tuple(part for part in parts if part)


def _tokens(sql: str, dialect: str) -> list[Token]:
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - start-up time

    try:
        found: list[Any] = _tokenizer(dialect).tokenize(sql)
    except SqlglotError as error:
        raise NotSql("it is not written in this dialect") from error
    return [word for token in found for word in _words(_token(sql, token), sql)]


@cache
def _tokenizer(dialect: str) -> Any:
    """Sqlglot's tokenizer, made once: it builds its tables whenever a class of it is made."""
    from sqlglot.dialects.dialect import Dialect  # noqa: PLC0415 - start-up time

    speaks: Any = Dialect.get_or_raise(dialect)
    # Otherwise what follows DO, CALL, RESET, ... would be one string.
    whole: Any = type("Tokenizer", (speaks.tokenizer_class,), {"COMMANDS": set[Any]()})
    return whole(dialect=speaks)


def _words(token: Token, sql: str) -> Iterator[Token]:
    """PRIMARY KEY and the like are one token to sqlglot, and words here."""
    if token.kind != "PLAIN" or " " not in token.text:
        yield token
        return
    for found in re.finditer(r"\S+", sql[token.start : token.end + 1]):
        start = token.start + found.start()
        yield Token(found[0], "PLAIN", start, start + len(found[0]) - 1)


def _token(sql: str, token: Any) -> Token:
    kind = str(token.token_type.name)
    shown = kind if kind in {*_QUOTED, "SEMICOLON", "NUMBER"} else "PLAIN"
    if sql[token.start : token.start + 1] in {"'", "$"} and len(token.text) != 1:
        shown = "STRING"
    return Token(str(token.text), shown, int(token.start), int(token.end))


def _in_body(tokens: Sequence[Token]) -> bool:
    """Whether a trigger or function has begun its body and not ended it."""
    words = [t.word for t in tokens]
    made = words[:1] == ["CREATE"] and _BODIES & set(words[:5])
    return bool(made) and "BEGIN" in words and words[-1] != "END"


class Cursor:
    """Reads the tokens of one statement, one phrase after another."""

    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        """Begin at the first of `tokens`, which were made of `sql`."""
        self.sql = sql
        self.tokens = tokens
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether everything was read."""
        return self.at >= len(self.tokens)

    @property
    def next(self) -> str:
        """The next word in capitals; empty at the end and before quotes."""
        return "" if self.done else self.tokens[self.at].word

    def step(self) -> Token:
        """Take the next token, whatever it is.

        Raises:
            NotSql: There is none.
        """
        if self.done:
            raise NotSql("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, *words: str) -> bool:
        """Take these words if they come next, all of them."""
        coming = tuple(t.word for t in self.tokens[self.at : self.at + len(words)])
        if coming != words:
            return False
        self.at += len(words)
        return True

    def any_of(self, *words: str) -> str | None:
        """Take whichever of these words comes next."""
        return self.step().word if self.next in words else None

    def expect(self, *words: str) -> None:
        """Take these words.

        Raises:
            NotSql: Something else comes.
        """
        if not self.take(*words):
            raise NotSql(f"{' '.join(words)} was expected")

    def name(self) -> str:
        """Take one name, without its quotes.

        Raises:
            NotSql: No name comes.
        """
        token = self.step()
        if token.kind != "IDENTIFIER" and not re.fullmatch(r"\w+", token.text):
            raise NotSql("a name was expected")
        if token.kind in {"STRING", "NUMBER"}:
            raise NotSql("a name was expected")
        return token.text

    def place(self) -> tuple[str | None, str]:
        """Take a name that may have a schema before it."""
        first = self.name()
        return (first, self.name()) if self.take(".") else (None, first)

    def group(self) -> "Cursor":
        """Take a group in parentheses; a cursor over what stands in it.

        Raises:
            NotSql: No parenthesis comes, or it is not closed.
        """
        self.expect("(")
        start, depth = self.at, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.step().word, 0)
        return Cursor(self.sql, self.tokens[start : self.at - 1])

    def parts(self) -> "Iterator[Cursor]":
        """What is left, parted at the commas that stand in no parentheses."""
        while not self.done:
            start = self.at
            while not self.done and self.next != ",":
                self.skip()
            yield Cursor(self.sql, self.tokens[start : self.at])
            self.at += 1

    def skip(self) -> None:
        """Take one token, or one whole group."""
        if self.next in {"(", "["}:
            closing = {"(": ")", "[": "]"}[self.step().word]
            while self.next != closing:
                self.skip()
        self.step()

    def until(self, *words: str) -> str:
        """Take everything up to one of these words outside parentheses; its text."""
        start = self.at
        while not self.done and self.next not in words:
            self.skip()
        return self.text_of(self.tokens[start : self.at])

    def rest(self) -> str:
        """Take everything that is left; its text."""
        return self.until()

    @property
    def whole(self) -> str:
        """The text of all tokens, read or not."""
        return self.text_of(self.tokens)

    def text_of(self, tokens: Sequence[Token]) -> str:
        """The source of some tokens that follow each other, without comments, in single spaces."""
        parts, before = list[str](), None
        for token in tokens:
            if before is not None and token.start > before + 1:
                parts.append(" ")
            parts.append(self.sql[token.start : token.end + 1])
            before = token.end
        return "".join(parts)
