"""What waits is tried on a shadow before anybody is asked; and what that showed, as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rulezero_policies import judged, rehearsed, words
from rulezero_policies.estimates import told
from rulezero_policies.failures import place, said
from rulezero_policies.findings import Finding
from rulezero_policies.holding import held
from rulezero_policies.operations import Operation
from rulezero_policies.rehearsal import Judged, NotRehearsed, Rehearsal, Sent
from rulezero_policies.rehearsed import Direction, Trial
from rulezero_tools import results
from rulezero_tools.planning import Draft
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, Trace


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What the first way of a rehearsal does and the way back, as they were read."""

    direction: Direction
    first: tuple[Operation, ...]
    back: tuple[Operation, ...]


def upgrading(traces: Sequence[Trace]) -> Ways:
    """Up, and down again."""
    return Ways(
        direction="upgrade",
        first=tuple(o for t in traces for o in t.upgrade),
        back=tuple(o for t in reversed(traces) for o in t.downgrade),
    )


def downgrading(traces: Sequence[Trace]) -> Ways:
    """Down, and up again.

    Args:
        traces: What is undone, the newest first.
    """
    return Ways(
        direction="downgrade",
        first=tuple(o for t in traces for o in t.downgrade),
        back=tuple(o for t in reversed(traces) for o in t.upgrade),
    )


def tried(
    session: Session,
    seen: Description,
    draft: Draft,
    ways: Ways,
    files: Mapping[str, bytes],
    progress: Callable[[str], None],
) -> Draft:
    """`draft` with what a rehearsal of it showed; as it is where the session has no rehearser.

    Args:
        session: The project, the store and the caller.
        seen: The project as it stands.
        draft: What is to be rehearsed.
        ways: What it does.
        files: The bytes that the plan is made of: those are run.
        progress: Is told what is being done.

    Raises:
        ProjectError: The project cannot be loaded.
    """
    if session.rehearser is None:
        return draft
    answer = session.rehearser.rehearse(
        direction="undo" if draft.kind == "undo" else ways.direction,
        start=seen.database.current,
        to=draft.to_revision,
        identity=seen.database.identity,
        files=files,
        progress=progress,
        **({"skip": draft.skip, "statements": draft.statements} if draft.continues else {}),
    )
    if isinstance(answer, NotRehearsed):
        none = judged.none(answer, back=ways.direction == "downgrade")
        return replace(draft, rehearsal=none, warnings=(*draft.warnings, rehearsed.warning(answer)))
    return _judged(seen, draft, ways, answer)


def _judged(seen: Description, draft: Draft, ways: Ways, answer: Rehearsal) -> Draft:
    trial = Trial(
        rehearsal=answer,
        dialect=seen.database.identity.dialect,
        direction=ways.direction,
        first=ways.first,
        back=ways.back,
        revisions=draft.revisions,
        to_head=set(seen.heads) == set(draft.to_revisions or (draft.to_revision,)),
        facts=draft.facts,
    )
    found = rehearsed.findings(trial, draft.findings)
    return replace(
        draft,
        findings=found,
        warnings=_standing(draft, found, ways.first),
        rehearsal=judged.judge(trial),
    )


def _standing(
    draft: Draft, found: Sequence[Finding], operations: Sequence[Operation]
) -> tuple[str, ...]:
    """The warnings without those of findings that the rehearsal refuted."""
    before = words.critical_warnings(draft.findings, operations)
    after = words.critical_warnings(found, operations)
    return tuple(w for w in draft.warnings if w not in before or w in after)


def view(found: Judged | None) -> results.Rehearsal:
    """The rehearsal of a plan as results show it."""
    if found is None:
        return results.Rehearsal(ran=False)
    if not found.ran:
        return results.Rehearsal(ran=False, reason=found.reason, mend=found.mend)
    return results.Rehearsal(
        ran=True,
        where=found.where,
        rows=found.rows,
        upgrade=found.upgrade,
        downgrade=found.downgrade,
        reupgrade=found.reupgrade,
        schema_restored=found.schema_restored,
        data_restored=found.data_restored,
        differences=tuple(d.text for d in found.differences),
        lost=found.lost,
        remaining=found.remaining,
        not_shown=found.not_shown,
        lacks=found.lacks,
        rewrites=tuple(dict.fromkeys(r for s in found.timeline for r in s.rewrites)),
        locks=_locks(found.timeline),
        estimates=tuple(map(told, found.estimates)),
        timeline=tuple(map(_beat, found.timeline)),
        statements=found.statements,
        seconds=round(found.seconds, 3),
        error=_error(found),
    )


def _locks(sent: Sequence[Sent]) -> tuple[str, ...]:
    """The locks for which others wait, with how long they were held."""
    strong = (h for h in held(sent) if h.blocks != "little")
    return tuple(
        f"{h.mode} on {h.relation} for {h.seconds:.3f} s ({h.leg}): {h.blocks} wait" for h in strong
    )


def _beat(sent: Sent) -> results.Beat:
    return results.Beat(
        leg=sent.leg,
        sql=sent.sql,
        start=round(sent.start, 4),
        seconds=round(sent.seconds, 4),
        place=_place(sent),
        transaction=sent.transaction,
        locks=tuple(f"{k.mode} on {k.relation}" for k in sent.locks or ()),
        rewrites=sent.rewrites,
        builds=sent.builds,
    )


def _place(sent: Sent) -> str:
    file = (sent.file or "").rpartition("/")[2]
    return f"{file}:{sent.line}" if file and sent.line else file or sent.revision or ""


def _error(found: Judged) -> str | None:
    failed = next(iter(found.failed), None)
    if failed is None:
        return None
    keys = f" (keys {', '.join(failed.keys)})" if failed.keys else ""
    return f"{failed.leg} at {place(failed)}: {said(failed)}{keys}"


def text(found: Judged | None) -> str:
    """All that a plan keeps of its rehearsal, for people."""
    if found is None or not found.ran:
        return f"Rehearsal: {judged.line(found)}"
    shown = view(found)
    parts = (
        ("Failed", [_failed(found, n) for n in range(len(found.failed))]),
        ("Not as it was", shown.differences),
        ("Lost", shown.lost),
        ("Models and database still differ", shown.remaining or ()),
        ("Old rows that models no longer read", found.unreadable),
        ("Not shown", shown.not_shown),
        ("The shadow lacks", shown.lacks),
        ("Locks that others wait for", shown.locks),
        ("Estimates for the target", shown.estimates),
        ("Statements", [_line(s) for s in found.timeline]),
    )
    listed = [
        f"{title}:\n" + "\n".join(f"- {one}" for one in many) for title, many in parts if many
    ]
    more = found.statements - len(found.timeline)
    rest = [f"… and {more} more statements"] if more > 0 else []
    return "\n\n".join((f"Rehearsal: {judged.line(found)}", *listed, *rest))


def _failed(found: Judged, number: int) -> str:
    failed = found.failed[number]
    sql = f"\n  {failed.sql}" if failed.sql else ""
    keys = f"; keys of rows in the way: {', '.join(failed.keys)}" if failed.keys else ""
    return f"{failed.leg} at {place(failed)}: {said(failed)}{keys}{sql}"


def _line(sent: Sent) -> str:
    beat = _beat(sent)
    did = (
        *(f"rewrites {r}" for r in beat.rewrites),
        *(f"builds {b}" for b in beat.builds),
        *beat.locks,
        *(() if sent.rows is None else (f"{sent.rows} rows",)),
        *(() if sent.committed else ("rolled back",)),
    )
    note = f" [{'; '.join(did)}]" if did else ""
    return f"{beat.start:8.3f} s +{beat.seconds:.3f} s {beat.leg} {beat.place} {beat.sql}{note}"
