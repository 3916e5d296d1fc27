"""What `check_parity` answers with, as a client or a pipeline reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast

from rulezero_tools.parity.found import Found
from rulezero_tools.parity.verdict import Verdict, notes, verdict

MOST = 15
"""Entries of a list that a model is shown; the rest is counted in `not_shown`."""


@dataclass(frozen=True, kw_only=True)
class MissingView:
    """A key that an environment lacks, and who needs it (places in the code, environments)."""

    service: str
    environment: str
    key: str
    needed_by: tuple[str, ...]
    required: bool


@dataclass(frozen=True, kw_only=True)
class PlacedView:
    """A key at a place: what is said of it depends on the list it stands in."""

    service: str
    environment: str
    key: str
    place: str


@dataclass(frozen=True, kw_only=True)
class ConflictView:
    """A key with several values; each entry of `services` sees one of them."""

    key: str
    environment: str
    services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EnvironmentView:
    """Settings: names and places only, never a value."""

    missing: tuple[MissingView, ...]
    unused: tuple[PlacedView, ...]
    conflicts: tuple[ConflictView, ...]
    duplicates: tuple[PlacedView, ...]
    placeholders: tuple[PlacedView, ...]


@dataclass(frozen=True, kw_only=True)
class ColumnView:
    """A column that production lacks; `revision` is the one that waits and brings it."""

    table: str
    column: str
    revision: str | None


@dataclass(frozen=True, kw_only=True)
class SchemaView:
    """Production's schema. `drift` null: not known."""

    missing: tuple[ColumnView, ...]
    extra: tuple[str, ...]
    drift: tuple[str, ...] | None
    pending: tuple[str, ...]
    risk: str


@dataclass(frozen=True, kw_only=True)
class FlagState:
    """A flag in one environment: on, off, other, absent or unknown; and what it gates."""

    name: str
    environment: str
    state: str
    gates: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TriedView:
    """A store or a smoke test: what it is, how it ended, and what was seen."""

    name: str
    service: str
    outcome: str
    seen: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SharedView:
    """A key with the service it stays with, or with those that share it."""

    service: str
    key: str


@dataclass(frozen=True, kw_only=True)
class ConsolidationView:
    """Keys that go to the root file, and those that stay."""

    shared: tuple[str, ...]
    kept: tuple[SharedView, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ParityResult:
    """PASS or FAIL, with the reasons that a new plan needs, and the five sections as `report`."""

    verdict: Verdict
    reasons: tuple[str, ...]
    environment: EnvironmentView
    schema: SchemaView
    flags: tuple[FlagState, ...]
    stores: tuple[TriedView, ...]
    smoke: tuple[TriedView, ...]
    consolidation: ConsolidationView
    notes: tuple[str, ...]
    report: str
    next_step: str
    not_shown: int = 0


def viewed(found: Found, reasons: Sequence[str], *, report: str, next_step: str) -> ParityResult:
    """What was found, as it is shown; nothing is cut."""
    return ParityResult(
        verdict=verdict(reasons),
        reasons=tuple(reasons),
        environment=_environment(found),
        schema=_schema(found),
        flags=tuple(
            FlagState(
                name=flag.name,
                environment=one.environment,
                state=one.state,
                gates=tuple(dict.fromkeys(f"{gate.kind} {gate.name}" for gate in flag.gates)),
            )
            for flag in found.flags
            for one in flag.states
        ),
        stores=tuple(
            TriedView(
                name=one.name,
                service=one.service,
                outcome="failed" if one.reasons else "ok",
                seen=one.reasons or (f"exercise: {one.exercise.outcome}",),
            )
            for one in found.stores
        ),
        smoke=tuple(
            TriedView(name=one.name, service=one.service, outcome=one.outcome, seen=(one.told,))
            for one in found.smoke
        ),
        consolidation=_consolidation(found),
        notes=notes(found),
        report=report,
        next_step=next_step,
    )


def _environment(found: Found) -> EnvironmentView:
    gap = found.gap
    return EnvironmentView(
        missing=tuple(
            MissingView(
                service=one.service,
                environment=one.environment,
                key=one.key,
                needed_by=one.needed_by,
                required=one.required,
            )
            for one in gap.missing
        ),
        unused=tuple(_placed(one, f"{one.path}:{one.line}") for one in gap.unused),
        conflicts=tuple(
            ConflictView(
                key=one.key,
                environment=one.environment,
                services=tuple(", ".join(group) for group in one.services),
            )
            for one in gap.conflicts
        ),
        duplicates=tuple(
            _placed(one, f"{one.path}:{', '.join(map(str, one.lines))}") for one in gap.duplicates
        ),
        placeholders=tuple(_placed(one, f"{one.path}:{one.line}") for one in gap.hollow),
    )


def _placed(one: Any, place: str) -> PlacedView:
    return PlacedView(service=one.service, environment=one.environment, key=one.key, place=place)


def _schema(found: Found) -> SchemaView:
    if found.schema is None:
        return SchemaView(missing=(), extra=(), drift=None, pending=(), risk="unknown")
    gaps = found.schema.databases
    known = all(gap.drift is not None for gap in gaps)
    risks = [gap.risk for gap in gaps]
    return SchemaView(
        missing=tuple(
            ColumnView(table=one.table, column=one.column, revision=one.revision)
            for one in found.schema.missing
        ),
        extra=tuple(f"{one.kind} {one.subject}" for one in found.schema.extra),
        drift=tuple(one.text for one in found.schema.drift) if known else None,
        pending=tuple(revision for gap in gaps for revision in gap.pending),
        risk=next((risk for risk in ("CRITICAL", "WARNING") if risk in risks), "SAFE"),
    )


def _consolidation(found: Found) -> ConsolidationView:
    plan = found.consolidation
    return ConsolidationView(
        shared=tuple(one.key for one in plan.shared if one.moves),
        kept=tuple(SharedView(service=one.service, key=one.key) for one in plan.kept),
        conflicts=tuple(one.key for one in plan.conflicts),
    )


def shortened(result: ParityResult) -> ParityResult:
    """`result` as a model is shown it: long lists cut, and what was cut counted."""
    short, cut = _cut(result)
    return replace(short, not_shown=cut)


def _cut(value: Any) -> tuple[Any, int]:
    changed: dict[str, Any] = {}
    cut = 0
    values: dict[str, Any] = {f.name: getattr(value, f.name) for f in fields(value)}
    for name, inner in values.items():
        if is_dataclass(inner):
            changed[name], more = _cut(cast("Any", inner))
            cut += more
    lists: dict[str, tuple[Any, ...]] = {k: v for k, v in values.items() if type(v) is tuple}
    for name, long in lists.items():
        changed[name] = long[:MOST]
        cut += max(0, len(long) - MOST)
    return replace(value, **changed), cut
