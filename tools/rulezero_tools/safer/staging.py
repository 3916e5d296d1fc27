"""Which revisions of a sequence can be planned now: those whose time shows in the database."""

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from rulezero_policies.errors import PhaseNotReady
from rulezero_policies.findings import Fact, Question
from rulezero_policies.text import visible
from rulezero_tools.planning import Draft, refused
from rulezero_tools.ports import Session
from rulezero_tools.records import Revision, Trace

_TOO_LONG = "took too long; none among"
"""How a count ends that a limit cut off before it found anything."""

_ENDS = (
    "This plan ends before {revision} ({phase}): each phase of a sequence is planned by itself, "
    "once what it needs shows in the database."
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a revision says of itself. It was written by nobody who is trusted."""

    phase: str
    number: int
    deployed: tuple[str, ...] = ()
    asked: tuple[Question, ...] = ()
    triggers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How much of what waits is planned, with what has to be said and attested for it."""

    count: int
    warnings: tuple[str, ...] = ()
    deployed: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = field(default=())


def staged(
    session: Session, waiting: tuple[Revision, ...]
) -> tuple[tuple[Revision, ...], tuple[Trace, ...], Stage]:
    """What of `waiting` is planned now, how it was seen running, and what is to be said of it.

    Raises:
        PhaseNotReady: What the next one needs does not show in the database.
        ProjectError: A revision cannot be read.
    """
    traces = session.project.trace([r.id for r in waiting])
    stage = _stage(session, waiting, traces)
    return waiting[: stage.count], traces[: stage.count], stage


def _stage(session: Session, waiting: tuple[Revision, ...], traces: tuple[Trace, ...]) -> Stage:
    """Hold the next revision of a sequence against the database; every one is a plan of its own.

    Raises:
        PhaseNotReady: What it needs does not show in the database, or it cannot be read.
    """
    claims = [_claim(session, trace) for trace in traces]
    cut = next((n for n, c in enumerate(claims) if n and c and c.number > 1), len(claims))
    warnings: tuple[str, ...] = ()
    if cut < len(claims):
        later = claims[cut]
        phase = later.phase if later else ""
        warnings = (_ENDS.format(revision=waiting[cut].id, phase=visible(phase, limit=20)),)
    first = claims[0] if claims else None
    if first is None:
        return Stage(count=cut, warnings=warnings)
    facts = session.project.probe(first.asked) if first.asked else ()
    unsure = _shown(session, waiting[0], first, facts)
    attested = tuple(_attested(d) for d in first.deployed)
    return Stage(
        count=cut, warnings=(*attested, *unsure, *warnings), deployed=first.deployed, facts=facts
    )


def apart(
    waiting: tuple[Revision, ...], traces: tuple[Trace, ...]
) -> tuple[tuple[Revision, ...], ...]:
    """What waits, cut where each later phase of a sequence begins: no two are ever one plan."""
    later = {t.revision for t in traces if _is_later(t)}
    cuts = [n for n, r in enumerate(waiting) if n and r.id in later]
    return tuple(waiting[a:b] for a, b in pairwise((0, *cuts, len(waiting))))


def _is_later(trace: Trace) -> bool:
    try:
        return trace.tree.phase is not None and _read(json.loads(trace.tree.phase)).number > 1
    except (AttributeError, KeyError, TypeError, ValueError):
        return True


def said(draft: Draft, stage: Stage) -> Draft:
    """`draft` with what its stage adds to it."""
    return replace(
        draft,
        warnings=(*stage.warnings, *draft.warnings),
        facts=(*draft.facts, *(f for f in stage.facts if f not in draft.facts)),
        deployed=stage.deployed,
    )


def _attested(deployed: str) -> str:
    return (
        f"No database shows whether this is deployed everywhere: {visible(deployed, limit=300)}. "
        "Say yes only if it is."
    )


def _claim(session: Session, trace: Trace) -> Claim | None:
    if trace.tree.phase is None:
        return None
    try:
        return _read(json.loads(trace.tree.phase))
    except (AttributeError, KeyError, TypeError, ValueError):
        reason = "its safer_phase is not what rulezero wrote"
        error = PhaseNotReady(revision=trace.revision, phase="unknown phase", reason=reason)
        raise refused(session, None, error) from None


def _read(said: dict[str, Any]) -> Claim:
    holds = [(str(table), str(condition)) for table, condition in said["holds"]]
    triggers = tuple((str(table), str(name)) for table, name in said["triggers"])
    held = [Question(probe="violations", table=t, expression=c) for t, c in holds]
    tables = dict.fromkeys(table for table, _ in triggers)
    return Claim(
        phase=str(said["phase"]),
        number=int(said["number"]),
        deployed=tuple(str(d) for d in said["deployed"]),
        asked=(*held, *(Question(probe="triggers", table=t) for t in tables)),
        triggers=triggers,
    )


def _shown(
    session: Session, revision: Revision, claim: Claim, facts: tuple[Fact, ...]
) -> tuple[str, ...]:
    """What has to be there is; what was not counted to the end is said."""
    found = {f.asked.table: f.names for f in facts if f.asked.probe == "triggers"}
    missing = [f"no trigger {n} is on {t}" for t, n in claim.triggers if n not in found.get(t, ())]
    counted = [f for f in facts if f.asked.probe == "violations"]
    missing += [_failed(f) for f in counted if f.count != 0 and _TOO_LONG not in f.question]
    if missing:
        error = PhaseNotReady(
            revision=revision.id, phase=claim.phase, reason=visible("; ".join(missing), limit=600)
        )
        raise refused(session, None, error)
    return tuple(
        f"Not every row was looked at: {visible(f.question, limit=300)}. The revision itself "
        "counts them all before it changes anything."
        for f in counted
        if f.count is None
    )


def _failed(fact: Fact) -> str:
    keys = f" (keys {', '.join(fact.sample)})" if fact.sample else ""
    if fact.count is None:
        return f"it could not be told how many {fact.question}"
    return f"{fact.amount} {fact.question}{keys}"
