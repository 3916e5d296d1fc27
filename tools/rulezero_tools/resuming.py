"""Going on where a run stopped: found in the store, held against the database, made a plan."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rulezero_policies import inverses
from rulezero_policies.errors import NotForThisTool, NothingHalfDone, NoWayOn
from rulezero_policies.operations import Operation, OperationKind
from rulezero_policies.plan import Plan, PlanKind
from rulezero_tools import edits, gate, halfdone, recovering
from rulezero_tools.halfdone import Half
from rulezero_tools.planning import Draft, refused
from rulezero_tools.ports import Session
from rulezero_tools.records import Description, Run, Sent, Trace

_LEFT_NOTHING = frozenset({"rolled back whole", "nothing happened"})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The run that last left something on this database, and whether all is as it left it."""

    plan: Plan
    run: Run
    untouched: bool


def standing(session: Session, seen: Description) -> Standing | None:
    """The last run on this database that left anything; None where none did."""
    for plan, recorded in reversed(edits.runs(session, seen)):
        run = recovering.current(session, plan, recorded)
        if run.ending not in _LEFT_NOTHING:
            return Standing(plan=plan, run=run, untouched=_untouched(run, seen))
    return None


def _untouched(run: Run, seen: Description) -> bool:
    database = seen.database
    known = run.fingerprint is not None and run.current is not None
    same = (run.fingerprint, run.current) == (database.fingerprint, database.current)
    return known and same


def half_done(session: Session, seen: Description) -> Standing | None:
    """The run that left this database half way, as it stands now; None where none did."""
    found = standing(session, seen)
    partly = found is not None and found.run.ending == "partially applied" and found.untouched
    return found if partly else None


def told(found: Standing | None) -> str | None:
    """What to call to go on from a run that stopped half way, or to undo what it left."""
    if found is None:
        return None
    plan, sent, current = found.plan, _sent(found.run), found.run.current
    ways = [
        way
        for way in (halfdone.way_on(plan, sent, current), halfdone.way_back(plan, sent, current))
        if way
    ]
    if not ways:
        return None
    return f"The run of {plan.plan_id} stopped half way. {' '.join(ways)}"


def _sent(run: Run) -> Sequence[Sent]:
    return run.report.sent if run.report else ()


def warned(session: Session, seen: Description, draft: Draft) -> Draft:
    """A draft that would run a revision from its start though half of it is done says so."""
    said = told(half_done(session, seen))
    if said is None:
        return draft
    line = f"{said} This plan runs that revision from its start."
    return replace(draft, warnings=(line, *draft.warnings))


def found(session: Session, seen: Description, plan_id: str, *, way: str) -> Standing:
    """The half-done run of this plan.

    Args:
        session: The project, the store and the caller.
        seen: The project and the database as they stand.
        plan_id: Whose run.
        way: What is to be done with what it left: "resumed" or "undone".

    Raises:
        UnknownPlan: There is no such plan here.
        NothingHalfDone: Its run is not what stands half done there.
        NoWayOn: The database is not as that run left it.
    """
    plan = gate.find_plan(session, plan_id, step="apply")
    last = standing(session, seen)
    if last is None or last.plan.plan_id != plan_id or last.run.ending != "partially applied":
        reason = f"what ran last is {last.plan.plan_id}" if last else "no run left anything there"
        if last is not None and last.plan.plan_id == plan_id:
            reason = f"its run ended: {last.run.ending}" if last.run.ending else "its run goes on"
        raise refused(session, plan, NothingHalfDone(plan_id=plan_id, reason=reason))
    if not last.untouched:
        reason = "the database's schema or revision is not what that run left"
        raise refused(session, plan, NoWayOn(plan_id=plan_id, way=way, reason=reason))
    return last


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is left of a plan whose run stopped in a revision."""

    plan: Plan
    half: Half
    statements: tuple[str, ...]

    def of(self, traces: Sequence[Trace]) -> tuple[Trace, ...]:
        """The traces without the steps that are done."""
        return tuple(self._left(t) if t.revision == self.half.revision else t for t in traces)

    def _left(self, trace: Trace) -> Trace:
        dialect, texts = self.plan.database.dialect, {" ".join(t.split()) for t in self.half.done}
        known = (inverses.operation(text, dialect) for text in self.half.done)
        done = tuple(o for o in known if o is not None)
        back = self.plan.kind == "downgrade"

        def is_left(step: Operation, way: PlanKind) -> bool:
            if step.kind == "execute" and " ".join((step.sql or "").split()) in texts:
                return False
            one = step if back == (way == "downgrade") else _reversed(step)
            return not inverses.is_among(one, done)

        return replace(
            trace,
            upgrade=tuple(o for o in trace.upgrade if is_left(o, "upgrade")),
            downgrade=tuple(o for o in trace.downgrade if is_left(o, "downgrade")),
        )

    def on(self, draft: Draft) -> Draft:
        """The draft of a plan that goes on from here."""
        return replace(
            draft,
            description=f"go on with {self.plan.plan_id}: {draft.description}",
            warnings=(self._warning(), *draft.warnings),
            sql=draft.sql and _without(draft.sql, self.half.done),
            continues=self.plan.plan_id,
            skip=self.half.done,
            statements=self.statements,
        )

    def _warning(self) -> str:
        first = "; ".join(f"`{text}`" for text in self.statements)
        before = f" Before that it sends {first}, for that was cut off." if first else ""
        said = halfdone.not_again(self.half)
        return (
            f"This goes on where the run of {self.plan.plan_id} stopped, in revision "
            f"{self.half.revision}: it {said}{before} Statements are told by their text alone, not "
            "by the values that were sent with them. If the revision sends something else first, "
            "the run stops."
        )


_OPPOSITE: dict[OperationKind, OperationKind] = {
    "create_table": "drop_table",
    "add_column": "drop_column",
    "create_index": "drop_index",
    "create_constraint": "drop_constraint",
}
_OPPOSITES = {**_OPPOSITE, **{back: there for there, back in _OPPOSITE.items()}}


def _reversed(step: Operation) -> Operation:
    return replace(step, kind=_OPPOSITES.get(step.kind, step.kind))


def _without(sql: str, done: Sequence[str]) -> str:
    """Rendered SQL with what is committed already made a comment."""
    for text in done:
        # Rendered and sent, a statement differs in its white space.
        found = re.search(r"\s+".join(map(re.escape, text.split())) + r"\s*;?", sql)
        if found:
            said = "\n".join(f"-- {line}" for line in found[0].splitlines())
            noted = f"-- committed already, not sent again:\n{said}"
            sql = sql[: found.start()] + noted + sql[found.end() :]
    return sql


def rest(session: Session, seen: Description, plan_id: str, *, kind: PlanKind) -> Rest:
    """What is left to run of a plan that stopped half way.

    Args:
        session: The project, the store and the caller.
        seen: The project and the database as they stand.
        plan_id: Whose run stopped.
        kind: Of plan that is being made.

    Raises:
        GateError: That run left nothing half done, the database has moved on since, or what is
            done cannot be told from what is left.
    """
    last = found(session, seen, plan_id, way="resumed")
    plan = last.plan
    if plan.kind != kind:
        tools = {"upgrade": "review", "downgrade": "rollback"}
        tool, right = tools[kind], tools.get(plan.kind, "rollback with undo")
        error = NotForThisTool(plan_id=plan_id, kind=plan.kind, tool=tool, right_tool=right)
        raise refused(session, plan, error)
    half = halfdone.half(plan, _sent(last.run), last.run.current)
    why_not = half.why_not if half else "no revision is half done: plan what waits as usual"
    cleared = halfdone.cleared(half, plan.database.dialect) if half else None
    if cleared is None:
        why_not = why_not or "what was cut off cannot be removed by a statement that is plain"
    if half is None or cleared is None or why_not:
        raise refused(session, plan, NoWayOn(plan_id=plan_id, way="resumed", reason=why_not))
    return Rest(plan=plan, half=half, statements=cleared)


def undoing(session: Session, seen: Description, plan_id: str) -> tuple[Plan, tuple[str, ...]]:
    """The plan whose run stopped half way, and the SQL that undoes what it left, newest first.

    Raises:
        GateError: That run left nothing half done, the database has moved on since, or something
            that it left has no plain inverse.
    """
    last = found(session, seen, plan_id, way="undone")
    statements = halfdone.undoing(last.plan, _sent(last.run), last.run.current)
    if not statements:
        reason = "not everything that is committed has one plain statement that undoes it"
        error = NoWayOn(plan_id=plan_id, way="undone", reason=reason)
        raise refused(session, last.plan, error)
    return last.plan, statements
