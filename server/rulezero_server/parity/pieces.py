"""The pieces of a settings text, as python-dotenv's parser cuts it."""

import io
import re
from collections.abc import Iterator

from dotenv.parser import Binding, parse_stream

from rulezero_policies.parity.editing import Piece, Text

MARK = "\ufeff"
"""The byte order mark that some editors write first."""

_LEAD = re.compile(r"\s*[\r\n]")


def pieces(text: str) -> Text:
    """`text` (without its byte order mark) in pieces; joined they are the text again."""
    return tuple(piece for binding in _bindings(text) for piece in _pieces(binding))


def values(text: str) -> dict[str, str | None]:
    """What python-dotenv reads, before anything is interpolated; of no use outside this package."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return {b.key: b.value for b in _bindings(plain) if b.key is not None}


def unread(text: str) -> int:
    """How many lines python-dotenv passes over as no binding and no comment."""
    return sum(binding.error for binding in _bindings(text))


def _bindings(text: str) -> Iterator[Binding]:
    return parse_stream(io.StringIO(text, newline=""))


def _pieces(binding: Binding) -> Iterator[Piece]:
    raw = binding.original.string
    found = _LEAD.match(raw)
    lead, rest = (raw[: found.end()], raw[found.end() :]) if found else ("", raw)
    if lead:
        yield Piece(kind="blank", raw=lead)
    if not rest:
        return
    if binding.error:
        yield Piece(kind="unread", raw=rest)
    elif binding.key is not None:
        yield Piece(kind="binding", raw=rest, key=binding.key)
    else:
        yield Piece(kind="comment" if "#" in rest else "blank", raw=rest)
