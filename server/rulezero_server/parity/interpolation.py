"""`${KEY}` in compose files and shells: which keys a text asks for, and what it comes to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<how>:?[-?+])?)"
)

_DEEPEST = 8
"""Defaults inside defaults."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One key that a text asks for. `default` is what stands for it; None where nothing does."""

    key: str
    required: bool = False
    default: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a text comes to, and the keys that nothing was known of."""

    value: str = field(repr=False)
    open: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Part:
    asked: Asked | None = None
    literal: str = field(default="", repr=False)
    how: str = ""


def asked(text: str) -> Iterator[Asked]:
    """Every key that a text asks for, those inside defaults too."""
    for part in _parts(text):
        if part.asked is not None:
            yield part.asked
            yield from asked(part.literal)


def resolve(text: str, values: Mapping[str, str], depth: int = 0) -> Outcome:
    """What a text comes to with these values, as Docker Compose has it."""
    found: list[str] = []
    missing: list[str] = []
    for part in _parts(text):
        one = _one(part, values, depth)
        found.append(one.value)
        missing.extend(one.open)
    return Outcome(value="".join(found), open=tuple(dict.fromkeys(missing)))


def _one(part: _Part, values: Mapping[str, str], depth: int) -> Outcome:
    if part.asked is None:
        return Outcome(value=part.literal)
    given = values.get(part.asked.key)
    there = given is not None and (given != "" or not part.how.startswith(":"))
    if part.how.endswith("+"):
        return _inner(part, values, depth) if there else Outcome(value="")
    if there and given is not None:
        return Outcome(value=given)
    if part.how.endswith("-"):
        return _inner(part, values, depth)
    return Outcome(value="", open=(part.asked.key,))


def _inner(part: _Part, values: Mapping[str, str], depth: int) -> Outcome:
    return Outcome(value="") if depth > _DEEPEST else resolve(part.literal, values, depth + 1)


def _parts(text: str) -> Iterator[_Part]:
    at = 0
    while match := _REFERENCE.search(text, at):
        yield _Part(literal=text[at : match.start()])
        at = match.end()
        if match["escaped"]:
            yield _Part(literal="$")
            continue
        how, other = match["how"] or "", ""
        if match["braced"]:
            other, at = _to_brace(text, at)
        yield _Part(
            asked=_asked(match["plain"] or match["braced"], how, other), how=how, literal=other
        )
    yield _Part(literal=text[at:])


def _asked(key: str, how: str, other: str) -> Asked:
    return Asked(
        key=key,
        required=how.endswith("?"),
        default=other if how.endswith("-") else "" if how.endswith("+") else None,
    )


def _to_brace(text: str, start: int) -> tuple[str, int]:
    """The text up to the brace that closes the one before `start`, and where it goes on."""
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return text[start:at], at + 1
    return text[start:], len(text)
