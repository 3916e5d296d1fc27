"""What a schema gap means: the reasons to fail, what stays unknown, and what to do next."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from rulezero_policies.operations import Operation
from rulezero_policies.parity.schema import DatabaseGap, Drift, Missing

_BROUGHT = {
    "waiting": "a revision that waits brings it",
    "applied": "an applied revision made it, and it is gone",
    "none": "no revision brings it: a new one is needed",
    "unknown": "whether a revision brings it could not be told",
}


def reasons(environment: str, gap: DatabaseGap) -> Iterator[str]:
    """Why production's schema is not what the code needs.

    Args:
        environment: What production is called.
        gap: One of its databases.
    """
    where = f"{environment} ({gap.name})" if gap.name else environment
    if gap.error:
        yield f"the database of {where} could not be compared: {gap.error}"
        return
    yield from (f"{where}: {text}" for text in _reasons(gap))


def _reasons(gap: DatabaseGap) -> Iterator[str]:
    if gap.absent:
        yield "there is no file of the database yet: see that its address is right"
    for revision in gap.stray:
        yield f"the database stands at revision {revision}, which no file of the project has"
    if gap.pending:
        yield f"waiting to be applied: {', '.join(gap.pending)}"
    yield from _missing(gap.missing)
    yield from (f"{text}, as the models have it" for text in _others(gap))
    yield from (f"{one.subject}: {one.harm}" for one in gap.extra if one.harm)
    yield from gap.unseen
    told = {*_told(gap), *(_key(step) for step in gap.operations)}
    yield from (d.text for d in gap.drift or () if _counts(d) and _place(d) not in told)


def _counts(drift: Drift) -> bool:
    """Whether something that moved is in anybody's way: what is there besides is not."""
    return drift.what != "added" or drift.in_the_way


_Key = tuple[str | None, str, str]
"""Schema, table ("" for a table itself) and name."""


def _told(gap: DatabaseGap) -> Iterator[_Key]:
    """What is told as missing."""
    for one in gap.missing:
        yield one.schema, one.table, one.column
        if one.whole:
            yield one.schema, "", one.table


def _key(step: Operation) -> _Key:
    part = step.column or step.index or step.constraint
    return step.schema, step.table or "", (part.name if part else None) or ""


def _place(drift: Drift) -> _Key:
    return drift.schema, drift.table, drift.name


def _missing(missing: Sequence[Missing]) -> Iterator[str]:
    whole = dict.fromkeys(_table(one) for one in missing if one.whole)
    for table in whole:
        one = next(m for m in missing if m.whole and _table(m) == table)
        yield f"the table {table} is missing; {_how(one)}"
    for one in missing:
        if not one.whole:
            unsafe = f"; to be safe, {one.safe_form}" if one.safe_form else ""
            yield f"the column {one.subject} is missing; {_how(one)}{unsafe}"


def _table(missing: Missing) -> str:
    return f"{missing.schema}.{missing.table}" if missing.schema else missing.table


def _how(missing: Missing) -> str:
    if missing.revision:
        return f"revision {missing.revision}, which waits, brings it"
    return _BROUGHT[missing.brought]


def _others(gap: DatabaseGap) -> Iterator[str]:
    """Differences to the models beyond what is missing whole, each thing once."""
    new = {(m.schema, m.table) for m in gap.missing if m.whole}
    lacking = {(m.schema, m.table, m.column) for m in gap.missing}
    for step in gap.operations:
        if _brings(step) or (step.schema, step.table) in new:
            continue
        parts = _columns(step)
        if not parts or any((step.schema, step.table, c) not in lacking for c in parts):
            yield _words(step, parts)


def _columns(step: Operation) -> tuple[str, ...]:
    if step.index is not None:
        return step.index.columns
    return step.constraint.columns if step.constraint is not None else ()


def _words(step: Operation, parts: Sequence[str]) -> str:
    if step.kind == "alter_column":
        changed = "; ".join(
            f"{c.attribute.replace('_', ' ')} {c.before or 'none'} is not {c.after or 'none'}"
            for c in step.changes
        )
        return f"the column {step.subject} differs: {changed}"
    part = step.index or step.constraint
    kind = step.constraint.kind.replace("_", " ") if step.constraint else "index"
    name = (part.name if part else None) or f"({', '.join(parts)})"
    if part is None:
        return f"{step.kind.replace('_', ' ')} on {step.subject} is not done"
    return f"the {kind} {name} on {step.qualified} is missing"


def notes(environment: str, gap: DatabaseGap) -> Iterator[str]:
    """What a person should know, and what is no reason to fail."""
    where = f"{environment} ({gap.name})" if gap.name else environment
    for one in gap.extra:
        if one.goes:
            yield (
                f"{where}: {one.subject} is in no model, and a revision that waits takes it away: "
                "its review says what is lost"
            )
    listed = {(e.schema, e.table if e.name else "", e.name or e.table) for e in gap.extra}
    yield from (
        f"{where}: {one.text}"
        for one in gap.drift or ()
        if not _counts(one) and (one.schema, one.table, one.name) not in listed
    )


def next_step(environment: str, gaps: Iterable[DatabaseGap]) -> str:
    """What to do first; "" where there is nothing to do.

    Args:
        environment: What production is called.
        gaps: Its databases.
    """
    found = tuple(gaps)
    for applies, text in _STEPS:
        if any(applies(gap) for gap in found):
            return text.format(environment=repr(environment))
    return ""


def _needs_a_revision(gap: DatabaseGap) -> bool:
    """Whether the models want what no revision makes."""
    if any(m.brought == "none" for m in gap.missing):
        return True
    moved = {*map(_place, gap.drift or ()), *_told(gap)}
    others = any(_key(step) not in moved for step in gap.operations if not _brings(step))
    return not gap.pending and (others or bool(gap.unseen))


def _brings(step: Operation) -> bool:
    return step.kind in {"create_table", "add_column"}


def _drifted(gap: DatabaseGap) -> bool:
    gone = any(m.brought == "applied" for m in gap.missing) or any(e.harm for e in gap.extra)
    return gone or any(map(_counts, gap.drift or ()))


_ERROR = "Mend what the error about {environment} names; then compare again."

_STRAY = (
    "Find the files of the revisions that the database stands at (another branch, or a file that "
    "was deleted), bring them to main, and compare again."
)

_NEW = (
    "Write what no revision brings as a new one where the database is at head: `analyze`, "
    "`generate`, then `review`; columns nullable or with a server_default."
)

_WAITS = (
    "Call `review` with environment {environment}; then a person confirms, and `apply` runs what "
    "waits."
)

_MOVED = (
    "Show the person what moved in {environment}. It is put back by a revision that makes it where "
    "it is gone and passes where it is there; nothing is dropped for it."
)

_UNKNOWN = "Show the person what is missing: which revision brings it could not be told."

_STEPS: tuple[tuple[Callable[[DatabaseGap], bool], str], ...] = (
    (lambda gap: bool(gap.error), _ERROR),
    (lambda gap: bool(gap.stray), _STRAY),
    (_needs_a_revision, _NEW),
    (lambda gap: bool(gap.pending), _WAITS),
    (_drifted, _MOVED),
    (lambda gap: bool(gap.missing), _UNKNOWN),
)
"""What is in the way, the first thing first, and what to do about it."""
