"""How a run ended, in a word and in sentences, and what to do about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rulezero_policies.inverses import inverse
from rulezero_policies.plan import Plan
from rulezero_policies.text import scrub, visible
from rulezero_tools import graph, halfdone
from rulezero_tools.halfdone import committed
from rulezero_tools.landing import ReadBack, settled
from rulezero_tools.records import Ending, RunReport, Sent

MOST = 20
"""Statements that are named one by one."""

LONGEST = 160
"""Characters of a statement in a sentence."""


_KIND = re.compile(
    r"\(?(?:\w+\.)*(?P<kind>\w{0,60}(?:Error|Exception)|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+){1,6})[):]"
)
"""How the worker begins what it says of an error: the exception's name, `DuplicateColumn: …`."""


def kind(error: str) -> str:
    """Of a failed run's error only its kind, as the exception that it begins with is called."""
    found = _KIND.match(error)
    return found["kind"] if found else "An error"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An ending with its sentence, the statements as they landed, and the ways on and back."""

    ending: Ending
    outcome: str
    sent: tuple[Sent, ...]
    resume: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()


def judge(plan: Plan, report: RunReport, seen: ReadBack) -> Judged:
    """What is known, in words; what is not known is said to be unknown."""
    sent = settled(plan, report.sent, seen)
    ending = _ending(plan, report, sent, seen)
    partly = ending == "partially applied"
    return Judged(
        ending=ending,
        outcome=outcome(plan, report, sent, seen, ending),
        sent=sent,
        resume=_resume(plan, sent, seen) if partly else (),
        undo=_undo(plan, sent, seen) if partly else (),
    )


def _ending(plan: Plan, report: RunReport, sent: Sequence[Sent], seen: ReadBack) -> Ending:
    if seen.current is None:
        return "unknown"
    now = graph.at(seen.current)
    if _arrived(plan, sent, now, seen):
        return "applied"
    if now != graph.at(plan.from_revisions) or committed(sent):
        return "partially applied"
    if any(s.landed in {"in doubt", "running"} and not s.reads for s in sent):
        return "unknown"
    if seen.same_schema(plan) or plan.fingerprint is None:
        tried = any(not s.reads and s.landed != "skipped" for s in sent)
        changes = tried or (not sent and report.statements)
        return "rolled back whole" if changes else "nothing happened"
    # Every statement is accounted for, and yet the schema is another one: by whom is not known.
    return "unknown" if sent else "partially applied"


def _arrived(plan: Plan, sent: Sequence[Sent], now: str, seen: ReadBack) -> bool:
    if plan.kind == "discard":
        return plan.to_revision not in seen.revisions
    if plan.kind in {"undo", "purge"}:
        return {s.text for s in sent if s.landed == "committed"}.issuperset(plan.statements)
    return now == graph.at(plan.ends_at)


def outcome(
    plan: Plan, report: RunReport, sent: Sequence[Sent], seen: ReadBack, ending: Ending
) -> str:
    """An ending in sentences, with the statements that matter."""
    why, now = _why(report), graph.at(seen.current or ())
    if seen.current is None:
        tried = f" ({scrub(seen.why)})" if seen.why else ""
        return f"Unknown: {why} and the database could not be read back afterwards{tried}."
    if ending == "applied":
        back = f"the database was read back at {now}"
        good = report.error is None and report.state == "ended"
        return f"{back[0].upper()}{back[1:]}." if good else f"{why}, but {back}."
    if report.error is None and report.state == "ended":
        why = f"{why}, but the database was read back at {now}: env.py did not commit all of it"
    start = f"{why}.{_failing(sent)}"
    if ending in {"nothing happened", "rolled back whole"}:
        word = f"{ending[0].upper()}{ending[1:]}"
        schema = "unchanged" if seen.same_schema(plan) else "not known here"
        return f"{start} {word}. The database is still at {now} and its schema is {schema}."
    if ending == "unknown":
        return f"{start} {_unknown(sent, now)}"
    if now != graph.at(plan.from_revisions):
        return f"{start} The database is at {now}: part of the plan was applied.{_listed(sent)}"
    return (
        f"{start} The database still says {now}, but part of the "
        f"{'plan' if plan.kind == 'undo' else 'revision'} was applied"
        f"{_schema_says(plan, seen)}.{_listed(sent)}"
    )


def _schema_says(plan: Plan, seen: ReadBack) -> str:
    return "" if seen.same_schema(plan) else ": its schema is not what it was"


def _why(report: RunReport) -> str:
    if report.error:
        return scrub(report.error).rstrip(".")
    if report.state == "never began":
        return "The run never began"
    if report.state == "died":
        return "The run's process ended before it could say how"
    return "The run reported no error"


def _failing(sent: Sequence[Sent]) -> str:
    failed = [s for s in sent if s.failed or s.landed in {"failed", "in part"}]
    return f" It failed at {named(failed[-1])}." if failed else ""


def named(one: Sent) -> str:
    """A statement with the revision, file and line that sent it."""
    where = ", ".join(
        part for part in (one.revision and f"revision {one.revision}", one.place) if part
    )
    text = visible(" ".join(one.text.split()), limit=LONGEST)
    return f"`{text}`{f' ({where})' if where else ''}"


def _unknown(sent: Sequence[Sent], now: str) -> str:
    doubts = [s for s in sent if s.landed in {"in doubt", "running"} and not s.reads]
    if not doubts:
        return (
            f"Every statement of the run was rolled back and the database is at {now}, but its "
            "schema is not what it was: something else changed it. Unknown: by whom."
        )
    return (
        f"Unknown: the database is at {now}, and neither the run's journal nor the database tells "
        f"whether {named(doubts[-1])} took effect: look at what it changes."
    )


def _listed(sent: Sequence[Sent]) -> str:
    kept = committed(sent)
    if not kept:
        return ""
    more = f" and {len(kept) - MOST} more" if len(kept) > MOST else ""
    return " Committed: " + "; ".join(named(s) for s in kept[:MOST]) + f"{more}."


def _resume(plan: Plan, sent: Sequence[Sent], seen: ReadBack) -> tuple[str, ...]:
    half = halfdone.uncounted(plan, sent, seen.current)
    if plan.kind == "undo":
        return (
            f"Mend what failed, then call `rollback` with undo={plan.plan_id}: it plans the rest.",
        )
    planned = halfdone.way_on(plan, sent, seen.current)
    first = (planned,) if planned else ()
    tool = "rollback" if plan.kind == "downgrade" else "review"
    go_on = f"Mend what failed, then call `{tool}`: what is left becomes a plan of its own."
    whole = [named(s) for s in half if s.landed == "committed"]
    cut = tuple(
        f"Remove first what {named(s)} left half done (an INVALID index keeps its name)."
        for s in half
        if s.landed == "in part"
    )
    if not whole:
        return (*first, *cut, go_on)
    by_hand = "Or by hand: revision" if planned else "Revision"
    again = (
        f"{by_hand} {half[0].revision} is half done and would run again from its start: take out "
        f"of its {plan.kind}() what is committed, or have each of these steps look first whether "
        f"it is done: {'; '.join(whole[:MOST])}."
    )
    return (*first, *cut, again, go_on)


def _undo(plan: Plan, sent: Sequence[Sent], seen: ReadBack) -> tuple[str, ...]:
    half = halfdone.uncounted(plan, sent, seen.current)
    if plan.kind == "undo":
        return ()
    planned = halfdone.way_back(plan, sent, seen.current)
    hand = tuple(_inverse(s, plan.database.dialect) for s in reversed(half[-MOST:]))
    by_hand = (planned,) if planned else hand
    if graph.at(seen.current or ()) == graph.at(plan.from_revisions):
        return by_hand or ("Compare the schema with the models, and reverse what differs.",)
    tool = "rollback" if plan.kind == "upgrade" else "review"
    back = f"`{plan.rollback_command}`, by way of `{tool}`, `confirm` and `apply`."
    return (*by_hand, back)


def _inverse(one: Sent, dialect: str) -> str:
    found = inverse(one.text, dialect, half_done=one.landed == "in part")
    return f"`{found}` reverses {named(one)}" if found else f"Reverse by hand: {named(one)}"
