"""The report: the five sections of a parity check, in their order, in Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from rulezero_policies.parity.audit import Row
from rulezero_policies.parity.flags import FlagView
from rulezero_policies.parity.schema import DatabaseGap
from rulezero_policies.text import visible
from rulezero_tools.parity import verdict
from rulezero_tools.parity.found import Found

SECTIONS = (
    "Environment Gap Report",
    "Schema Impact Analysis",
    "Consolidation Plan",
    "Implementation",
    "Verification & Rollback",
)

SHOWN = 12
"""Lines of one list that the report shows; the rest is counted."""

_LONGEST = 400
"""Characters of one line."""


def report(found: Found, reasons: Sequence[str], steps: Sequence[str]) -> str:
    """All five sections, and the verdict above them.

    Args:
        found: What was seen.
        reasons: Why it is a FAIL; empty for a PASS.
        steps: What is done next, in order.
    """
    bodies = (
        _environment(found),
        _schema(found),
        _consolidation(found),
        _implementation(steps),
        _verification(found),
    )
    parts = [f"**{verdict.verdict(reasons)}**", "", *_lines(reasons, "nothing stands between them")]
    for title, body in zip(SECTIONS, bodies, strict=True):
        parts += ["", f"## {title}", "", *body]
    return "\n".join(parts)


def _lines(items: Iterable[str], none: str) -> Iterator[str]:
    """A list cut where it gets long; `none` where there is nothing."""
    found = list(items)
    yield from (f"- {visible(text, limit=_LONGEST)}" for text in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"- and {len(found) - SHOWN} more"
    if not found:
        yield f"- {none}"


def _titled(title: str, items: Iterable[str], none: str = "none") -> Iterator[str]:
    yield f"**{title}**"
    yield from _lines(items, none)


def _environment(found: Found) -> Iterator[str]:
    where = found.layout.production
    missing = (
        f"{one.service or 'root'}: `{one.key}` ({'required' if one.required else 'not required'}; "
        f"{', '.join(one.needed_by) or 'declared'})"
        for one in found.gap.missing
    )
    yield from _titled(f"Missing in {where}", missing)
    hollow = (f"`{one.key}` in {one.path}:{one.line}: {one.shape}" for one in found.gap.hollow)
    yield from _titled("Without a value", hollow)
    yield from _titled("Differing between services", _conflicts(found))
    yield from _titled("Set more than once", _duplicates(found))
    yield from _titled("Set, and nothing was found to use it", _unused(found))
    yield from _titled("Flags", _flags(found.flags))
    rows = [row for row in found.gap.audit if _is_uneven(row)]
    yield from _titled("Services that see different things", map(_row, rows))


def _unused(found: Found) -> Iterator[str]:
    for one in found.gap.unused:
        doubt = "" if one.certain else " (some code reads names that it makes up while it runs)"
        yield f"`{one.key}` in {one.path}:{one.line}{doubt}"


def _is_uneven(row: Row) -> bool:
    """Whether services that share a key do not see the same; a key of one service is its own."""
    seen = {cell for _, cell in row.cells if cell != "absent"}
    shared = sum(cell != "absent" for _, cell in row.cells) > 1
    return "unknown" in seen or (shared and (row.equal is False or len(seen) > 1))


def _row(row: Row) -> str:
    cells = ", ".join(f"{service} {cell}" for service, cell in row.cells)
    return f"`{row.key}`: {cells}{'; the values differ' if row.equal is False else ''}"


def _conflicts(found: Found) -> Iterator[str]:
    for one in found.gap.conflicts:
        groups = " | ".join(", ".join(group) for group in one.services)
        meant = f" (also in {', '.join(one.elsewhere)})" if one.elsewhere else ""
        yield f"`{one.key}` in {one.environment}: {groups}{meant}"


def _duplicates(found: Found) -> Iterator[str]:
    for one in found.gap.duplicates:
        lines = ", ".join(map(str, one.lines))
        values = "different values" if one.conflicting else "the same value"
        yield f"`{one.key}` in {one.path}, lines {lines}: {values}"


def _flags(flags: Iterable[FlagView]) -> Iterator[str]:
    """Services that share their code share its flags: each is told once."""
    told: dict[tuple[str, str], list[str]] = {}
    for flag in flags:
        told.setdefault((flag.name, _standing_of(flag)), []).append(flag.service)
    for (name, text), services in told.items():
        yield f"`{name}` ({', '.join(services)}): {text}"


def _standing_of(flag: FlagView) -> str:
    states = ", ".join(f"{one.environment} {one.state} ({one.why})" for one in flag.states)
    named = dict.fromkeys(f"{one.kind} {one.name}" for one in flag.gates)
    gates = f"; gates {', '.join([*named][:5])}" if named else ""
    return f"{states or 'set nowhere'}{gates}"


def _schema(found: Found) -> Iterator[str]:
    if found.schema is None:
        yield f"- {found.no_schema or 'no database was compared'}"
        return
    for gap in found.schema.databases:
        yield from _titled(_standing(gap), _changes(gap))
    differences = (
        f"{one.environment}: {visible(thing.text)}"
        for one in found.schema.against
        for thing in one.differences
    )
    yield from _titled("Against other environments", differences)
    yield from _titled("In production and in no model (nothing is dropped)", _extras(found))
    drift = None if any(gap.drift is None for gap in found.schema.databases) else found.schema.drift
    none = "not known" if drift is None else "none"
    yield from _titled("Not as the revisions made it", (one.text for one in drift or ()), none)


def _standing(gap: DatabaseGap) -> str:
    at = ", ".join(gap.current) or "base"
    waits = f"waiting {', '.join(gap.pending)}" if gap.pending else "nothing waits"
    return f"{gap.name or 'Database'} ({gap.dialect or 'not reached'}): at {at}, {waits}"


def _changes(gap: DatabaseGap) -> Iterator[str]:
    if gap.error:
        yield gap.error
    yield from (f"{visible(one.subject)}: {visible(one.description)}" for one in gap.changes)


def _extras(found: Found) -> Iterator[str]:
    for one in found.schema.extra if found.schema else ():
        yield f"{one.kind} {one.subject} (made {one.made})"


def _consolidation(found: Found) -> Iterator[str]:
    plan = found.consolidation
    shared = (
        f"`{one.key}` ({', '.join(one.services)}){'' if one.moves else f': stays, {one.reason}'}"
        for one in plan.shared
    )
    yield from _titled(f"Shared and equal: to {plan.root}", shared)
    conflicts = (f"`{one.key}`: {', '.join(one.services)}" for one in plan.conflicts)
    yield from _titled("Conflicts, for a person to decide", conflicts)
    kept = (f"`{one.key}` with {one.service}: {one.reason}" for one in plan.kept)
    yield from _titled("Stays with its service", kept)


def _implementation(steps: Sequence[str]) -> Iterator[str]:
    if not steps:
        yield "- nothing to do"
    yield from (f"{n}. {visible(text, limit=_LONGEST)}" for n, text in enumerate(steps, 1))


def _verification(found: Found) -> Iterator[str]:
    for tried in found.safety:
        name = f" ({tried.name})" if tried.name else ""
        checks = (f"{one.name}: {one.state}, {one.text}" for one in tried.checks)
        yield from _titled(f"On a shadow of production{name}", checks)
    stores = (
        f"{one.name} ({one.fallback}): {'; '.join(one.reasons) or f'ok, {one.exercise.outcome}'}"
        for one in found.stores
    )
    yield from _titled("Fallback stores", stores, "none declared or found")
    smoke = (f"{one.name} ({one.target}): {one.outcome}, {one.told}" for one in found.smoke)
    yield from _titled("Smoke tests", smoke, found.not_run or "none declared")
    yield from _titled("To know", verdict.notes(found))
    yield "- Rollback: every applied plan answers with the command that takes it back."
