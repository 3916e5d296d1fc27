"""How long a statement may take on the target, from what it took on the shadow: never a promise."""

from collections.abc import Iterator, Sequence

from rulezero_policies import sql
from rulezero_policies.holding import blocks
from rulezero_policies.rehearsal import Estimate, Leg, Sent, Shadow, TableSize

FLOOR_SECONDS = 0.05
"""Below it, what was measured is the statement's fixed cost: nothing follows from it."""

FEWEST_ROWS = 1000
"""With fewer rows, the same: a page or two is read whatever the number."""

LOW, HIGH = 0.5, 3.0
"""The range around rows times seconds a row: sorting grows faster than that, and another machine,
a cold cache and other sessions change it further."""

TOLD_FROM = 10_000
"""Rows on the target below which "too quick to tell" need not be said."""

LONGEST = 200
"""Characters of a statement that are kept."""


def estimates(sent: Sequence[Sent], leg: Leg, shadow: Shadow, dialect: str) -> tuple[Estimate, ...]:
    """One for each statement of `leg` that wrote, built or locked a table of the target."""
    tables = {_name(s.table, s.schema): s for s in shadow.sizes}
    found = (_estimate(s, tables, dialect) for s in sent if s.leg == leg)
    return tuple(e for e in found if e is not None)


def told(estimate: Estimate) -> str:
    """The estimate in a line that calls it one."""
    place = f" (line {estimate.line})" if estimate.line else ""
    rows = f"{estimate.target:,} rows"
    seen = f"{_seconds(estimate.seconds)} here on {estimate.rows:,}"
    wait = f"; {estimate.blocks} wait meanwhile" if estimate.blocks else ""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.table}{place}: too quick to tell for {rows} ({seen})"
    span = f"{_seconds(estimate.low)} to {_seconds(estimate.high)}"
    return f"{estimate.table}{place}: an estimate of {span} on {rows} ({seen}){wait}"


def _estimate(sent: Sent, tables: dict[str, TableSize], dialect: str) -> Estimate | None:
    touched = [tables[n] for n in _relations(sent, dialect) if n in tables]
    largest = max(touched, key=_target, default=None)
    if largest is None or (largest.rows == 0 and not _target(largest)):
        return None
    rows, target = largest.rows, _target(largest)
    tells = sent.seconds >= FLOOR_SECONDS and rows >= FEWEST_ROWS
    if not tells and (target < TOLD_FROM or target <= rows):
        return None
    here = sent.seconds * target / rows if tells else None
    return Estimate(
        table=_name(largest.table, largest.schema),
        sql=sent.sql[:LONGEST],
        revision=sent.revision,
        file=sent.file,
        line=sent.line,
        rows=rows,
        target=target,
        seconds=sent.seconds,
        low=None if here is None else round(here * LOW, 3),
        high=None if here is None else round(here * HIGH, 3),
        blocks=_waiting(sent),
    )


def _target(size: TableSize) -> int:
    return size.rows if size.target is None else size.target


def _relations(sent: Sent, dialect: str) -> Iterator[str]:
    """The relations that the statement wrote anew, built on, or holds so that others wait."""
    yield from (_plain(r) for r in sent.rewrites)
    locks = sent.locks or ()
    yield from (_plain(k.relation) for k in locks if _holds(k.mode))
    if sent.builds or (sent.algorithm or "INSTANT") != "INSTANT":
        # Not every database says whose index it built.
        operations = (o for s in sql.read(sent.sql, dialect) for o in s.operations)
        yield from (o.qualified for o in operations)


def _holds(mode: str) -> bool:
    return blocks(mode) in {"reads and writes", "writes"}


def _waiting(sent: Sent) -> str:
    kinds = {blocks(k.mode) for k in sent.locks or ()}
    return next((k for k in ("reads and writes", "writes") if k in kinds), "")


def _name(table: str, schema: str | None) -> str:
    return f"{schema}.{table}" if schema else table


def _plain(relation: str) -> str:
    return relation.replace('"', "").replace("`", "")


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
