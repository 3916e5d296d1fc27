"""PASS or FAIL: the reasons that stand between production and the rest, and nothing else."""

from collections.abc import Iterable, Iterator
from typing import Literal

from rulezero_policies.parity.gap import Duplicate, Hollow, Missing
from rulezero_tools.parity.found import Found

Verdict = Literal["PASS", "FAIL"]


_ROWS = "old data reads"


def verdict(reasons: Iterable[str]) -> Verdict:
    """PASS where nothing speaks against it."""
    return "FAIL" if any(True for _ in reasons) else "PASS"


def reasons(found: Found) -> tuple[str, ...]:
    """Why it is a FAIL, what a new plan needs in each; empty for a PASS.

    What could not be tried is a reason as well: it is never taken for a pass.
    """
    return tuple(dict.fromkeys((*_environment(found), *_schema(found), *_verified(found))))


def notes(found: Found) -> tuple[str, ...]:
    """What a person should know, and what is no reason to fail."""
    return tuple(dict.fromkeys((*_softly(found), *_noted(found))))


def _environment(found: Found) -> Iterator[str]:
    yield from found.layout.problems
    for one in found.gap.unknown:
        yield f"what {one.service or 'the root'} sees in {one.environment} is not known: {one.why}"
    for lacking in found.gap.missing:
        if counts(lacking):
            yield f"{_of(lacking.service)} lacks {lacking.key}: {_needed(lacking)}"
    for hollow in found.gap.hollow:
        yield f"{hollow.key} in {hollow.path}:{hollow.line} {_empty(hollow)}"
    for twice in found.gap.duplicates:
        if twice.conflicting and twice.environment == found.layout.production:
            yield _twice(twice)


def counts(one: Missing) -> bool:
    """Whether a missing key is a reason: something reads it, and nothing stands in for it."""
    return one.required or (one.read and one.default is None)


def _needed(one: Missing) -> str:
    places = ", ".join(one.needed_by) or "it is declared"
    return f"the code fails without it ({places})" if one.required else f"others have it ({places})"


def _of(service: str) -> str:
    return service or "the root file"


def _empty(one: Hollow) -> str:
    what = "is a placeholder" if one.shape == "placeholder" else "is empty"
    asked = f", and {', '.join(one.needed_by)} needs a value" if one.needed_by else ""
    return f"{what}: a person fills in the value{asked}"


def _twice(one: Duplicate) -> str:
    lines = ", ".join(map(str, one.lines))
    return f"{one.path} sets {one.key} more than once, to different values (lines {lines})"


def _schema(found: Found) -> Iterator[str]:
    if found.no_schema:
        yield found.no_schema
    if found.schema is not None:
        yield from found.schema.reasons
    for tried in found.safety:
        yield from tried.reasons
        # A protected database lends no rows: that alone must not make every answer a FAIL.
        yield from (f"not known: {one}" for one in tried.unknown if not one.startswith(_ROWS))


def _verified(found: Found) -> Iterator[str]:
    for store in found.stores:
        if not store.guessed:
            yield from store.reasons
    if found.not_run:
        yield found.not_run
    yield from (one.reason for one in found.smoke if one.reason)


def _softly(found: Found) -> Iterator[str]:
    for lacking in found.gap.missing:
        if not counts(lacking):
            places = ", ".join(lacking.needed_by)
            told = "goes by its default" if lacking.read else "nothing was found to read it"
            yield f"{_of(lacking.service)} lacks {lacking.key}: {told} ({places})"
    for conflict in found.gap.conflicts:
        if conflict.environment == found.layout.production:
            groups = " | ".join(", ".join(group) for group in conflict.services)
            yield f"{conflict.key} has different values between services: {groups}"
    for over in found.gap.overrides:
        where = f"{over.own} sets it otherwise than {over.root}"
        yield f"{over.key}: for {over.service}, {where}"
    yield from _of_kind(found)


def _of_kind(found: Found) -> Iterator[str]:
    for other in found.gap.differences:
        kinds = ", ".join(f"{shape} in {where}" for where, shape in other.elsewhere)
        yield f"{other.key} of {other.service} is {other.shape} here, and {kinds}"
    for twice in found.gap.duplicates:
        if not twice.conflicting or twice.environment != found.layout.production:
            yield f"{twice.path} sets {twice.key} on lines {', '.join(map(str, twice.lines))}"


def _noted(found: Found) -> Iterator[str]:
    if found.schema is not None:
        yield from found.schema.notes
        yield from (f"not known: {text}" for text in found.schema.unknown)
    for tried in found.safety:
        yield from tried.notes
        yield from (f"not known: {one}" for one in tried.unknown if one.startswith(_ROWS))
    for store in found.stores:
        yield from store.notes
        if store.guessed:
            yield from (f"{text} (a guess by its name)" for text in store.reasons)
