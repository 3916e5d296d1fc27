"""How a run ended, in a word and in sentences, and what to do about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rulezero_policies.plan import Plan
from rulezero_policies.text import scrub, visible
from rulezero_tools import graph
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
    kept = committed(sent)
    partly = ending == "partially applied"
    return Judged(
        ending=ending,
        outcome=outcome(plan, report, sent, seen, ending),
        sent=sent,
        resume=_resume(plan, kept, sent, seen) if partly else (),
        undo=_undo(plan, kept, sent, seen) if partly else (),
    )


def committed(sent: Sequence[Sent]) -> tuple[Sent, ...]:
    """The statements that changed the database for good; what Alembic notes of itself left out."""
    return tuple(
        s for s in sent if s.landed in {"committed", "in part"} and not s.reads and not s.version
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
        changes = any(not s.reads for s in sent) or (not sent and report.statements)
        return "rolled back whole" if changes else "nothing happened"
    # Every statement is accounted for, and yet the schema is another one: by whom is not known.
    return "unknown" if sent else "partially applied"


def _arrived(plan: Plan, sent: Sequence[Sent], now: str, seen: ReadBack) -> bool:
    if plan.kind == "discard":
        return plan.to_revision not in seen.revisions
    if plan.kind == "purge":
        return {s.text for s in sent if s.landed == "committed"}.issuperset(plan.statements)
    return now == plan.to_revision


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
        f"{start} The database still says {now}, but part of the revision was applied"
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
    failed = [s for s in sent if s.landed in {"failed", "in part"}]
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


def _resume(
    plan: Plan, kept: Sequence[Sent], sent: Sequence[Sent], seen: ReadBack
) -> tuple[str, ...]:
    half = _half(plan, kept, sent, seen)
    tool = "rollback" if plan.kind == "downgrade" else "review"
    go_on = f"Mend what failed, then call `{tool}`: what is left becomes a plan of its own."
    whole = [named(s) for s in half if s.landed == "committed"]
    cut = tuple(
        f"Remove first what {named(s)} left half done (an INVALID index keeps its name)."
        for s in half
        if s.landed == "in part"
    )
    if not whole:
        return (*cut, go_on)
    again = (
        f"Revision {half[0].revision} is half done and would run again from its start: take out of "
        f"its {plan.kind}() what is committed, or have each of these steps look first whether it "
        f"is done: {'; '.join(whole[:MOST])}."
    )
    return (*cut, again, go_on)


def _undo(
    plan: Plan, kept: Sequence[Sent], sent: Sequence[Sent], seen: ReadBack
) -> tuple[str, ...]:
    half = _half(plan, kept, sent, seen)
    by_hand = tuple(_inverse(s, plan.database.dialect) for s in reversed(half[-MOST:]))
    if graph.at(seen.current or ()) == graph.at(plan.from_revisions):
        return by_hand or ("Compare the schema with the models, and reverse what differs.",)
    tool = "rollback" if plan.kind == "upgrade" else "review"
    back = f"`{plan.rollback_command}`, by way of `{tool}`, `confirm` and `apply`."
    return (*by_hand, back)


def _half(plan: Plan, kept: Sequence[Sent], sent: Sequence[Sent], seen: ReadBack) -> Sequence[Sent]:
    """What was committed of a revision that the version table does not count yet."""
    done = {s.revision for s in sent if s.heads is not None and s.landed == "committed"}
    if plan.kind == "upgrade":
        done.update(seen.current or ())
    return [s for s in kept if s.revision not in done]


_NAME = r"(?P<name>(?:[\w$]+|\"[^\"]+\"|`[^`]+`)(?:\.(?:[\w$]+|\"[^\"]+\"|`[^`]+`))?)"
_COLUMN = r"(?P<column>[\w$]+|\"[^\"]+\"|`[^`]+`)"
_INDEX = r"create\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?"
_INVERSES = tuple(
    (re.compile(r"\s*" + pattern, re.IGNORECASE), inverse)
    for pattern, inverse in (
        (r"create\s+table\s+(?:if\s+not\s+exists\s+)?" + _NAME, "DROP TABLE {name}"),
        (
            rf"alter\s+table\s+{_NAME}\s+add\s+(?:column\s+)?(?!constraint\b){_COLUMN}",
            "ALTER TABLE {name} DROP COLUMN {column}",
        ),
        (
            rf"{_INDEX}{_NAME}\s+on\s+(?P<table>[^\s(]+)",
            "DROP INDEX {name}{on}",
        ),
        (rf"create\s+type\s+{_NAME}", "DROP TYPE {name}"),
        (rf"create\s+(?:or\s+replace\s+)?view\s+{_NAME}", "DROP VIEW {name}"),
    )
)
"""Statements that have one plain inverse; every other one a person has to reverse."""


def _inverse(one: Sent, dialect: str) -> str:
    for pattern, inverse in _INVERSES:
        found = pattern.match(one.text)
        if found:
            parts = found.groupdict()
            on = f" ON {parts.get('table')}" if dialect in {"mysql", "mariadb"} else ""
            return f"`{inverse.format(**parts, on=on)}` reverses {named(one)}"
    return f"Reverse by hand: {named(one)}"
