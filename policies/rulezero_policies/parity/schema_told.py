"""What a schema gap means: the reasons to fail, what stays unknown, and what to do next."""

from collections.abc import Iterable, Iterator, Sequence

from rulezero_policies.operations import Operation
from rulezero_policies.parity.schema import DatabaseGap, Drift, Missing

_BROUGHT = {
    "waiting": "a revision that waits brings it",
    "applied": "an applied revision made it, and it is gone",
    "none": "no revision brings it: a new one is needed",
    "unknown": "whether a revision brings it could not be told",
}

_REPAIR = (
    "bring the database back to what its revisions make (an object that is gone: by a new revision)"
)


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
    for revision in gap.stray:
        yield f"the database stands at revision {revision}, which no file of the project has"
    if gap.pending:
        yield f"waiting to be applied: {', '.join(gap.pending)}"
    yield from _missing(gap.missing)
    yield from (f"{text}, as the models have it" for text in _others(gap))
    yield from (f"{one.subject}: {one.harm}" for one in gap.extra if one.harm)
    yield from gap.unseen
    known = {(m.schema, m.table, m.column) for m in gap.missing}
    known |= {(m.schema, "", m.table) for m in gap.missing if m.whole}
    yield from (
        one.text
        for one in gap.drift or ()
        if one.what != "added" and (one.schema, one.table, one.name) not in known
    )


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
        if step.kind in {"create_table", "add_column"} or (step.schema, step.table) in new:
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
        if one.what == "added" and (one.schema, one.table, one.name) not in listed
    )


def next_step(environment: str, gaps: Iterable[DatabaseGap]) -> str:
    """What to do first; "" where there is nothing to do."""
    found = tuple(gaps)
    if any(gap.error for gap in found):
        return f"See that the database of {environment!r} can be reached; then compare again."
    if any(gap.stray for gap in found):
        return (
            "Find the files of the revisions that the database stands at (another branch, or a "
            "file that was deleted), bring them to main, and compare again."
        )
    if any(_lacks(gap) for gap in found):
        return (
            "Write what no revision brings as a new one where the database is at head: `analyze`, "
            "`generate`, then `review`; columns nullable or with a server_default."
        )
    if any(gap.pending for gap in found):
        return (
            f"Call `review` with environment {environment!r}; then a person confirms, and `apply` "
            "runs what waits."
        )
    if any(_drifted(gap) for gap in found):
        return f"Show the person what moved, and {_REPAIR}."
    return ""


def _lacks(gap: DatabaseGap) -> bool:
    """Whether the models want what no revision brings."""
    if any(m.brought in {"none", "applied"} for m in gap.missing):
        return True
    return not gap.pending and bool(gap.operations or gap.unseen)


def _drifted(gap: DatabaseGap) -> bool:
    moved: Iterable[Drift] = gap.drift or ()
    return any(one.what != "added" for one in moved) or any(one.harm for one in gap.extra)
