"""What the journal of a run leaves open, settled by what the database says now."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rulezero_policies.plan import Plan
from rulezero_tools import graph
from rulezero_tools.records import Aftermath, Landed, Sent

_SCHEMA = re.compile(r"\s*(?:create|alter|drop|rename|comment)\b", re.IGNORECASE)
_BY_PARTS = re.compile(r"\bconcurrently\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """What a fresh connection says after a run; `current` is None where it could not be asked.

    `mark` names the tables after a restore. `remaining` is what models and database differ in, None
    where that was not asked, or could not be told for the reason that is `unasked`.
    """

    current: tuple[str, ...] | None
    fingerprint: str | None = None
    aftermath: Aftermath = field(default_factory=Aftermath)
    why: str | None = None
    mark: str | None = None
    remaining: tuple[str, ...] | None = None
    unasked: str | None = None
    revisions: tuple[str, ...] = ()
    """Those that the project has files of."""
    states: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of a files plan: which content each of its files has."""

    def same_schema(self, plan: Plan) -> bool:
        """Whether the schema is known to be the one that was approved."""
        return plan.fingerprint is not None and self.fingerprint == plan.fingerprint


def settled(plan: Plan, sent: Sequence[Sent], seen: ReadBack) -> tuple[Sent, ...]:
    """`sent` with every doubt resolved that the database can resolve."""
    at = plan.from_revisions
    found: list[Sent] = []
    for number, one in enumerate(sent):
        landed = one.landed
        if landed == "in doubt" and not one.reads:
            before = one.schema or _untouched(plan, found)
            heads = _heads(sent[number:], one)
            landed = _of_a_commit(one, heads, at, seen) or _alone(one, before, seen)
        found.append(replace(one, landed=landed))
        if one.heads is not None and landed == "committed":
            at = one.heads
    return tuple(found)


def _heads(following: Sequence[Sent], one: Sent) -> tuple[str, ...] | None:
    """Where the transaction that `one` is part of would put the database."""
    same = [s for s in following if s.landed == one.landed and s.transaction == one.transaction]
    return next((s.heads for s in reversed(same) if s.heads is not None), None)


def _of_a_commit(
    one: Sent, heads: tuple[str, ...] | None, at: tuple[str, ...], seen: ReadBack
) -> Landed | None:
    """By PostgreSQL's own record of the transaction, else by the revision it would have set."""
    known = seen.aftermath.committed.get(one.transaction or "")
    if known is not None:
        return "committed" if known else "rolled back"
    if one.alone or heads is None or seen.current is None:
        return None
    now = graph.at(seen.current)
    if now == graph.at(at) != graph.at(heads):
        return "rolled back"
    return "committed"


def _untouched(plan: Plan, earlier: Sequence[Sent]) -> str | None:
    """The schema that was approved, where nothing before can have changed it."""
    return plan.fingerprint if all(s.reads or s.landed == "rolled back" for s in earlier) else None


def _alone(one: Sent, before: str | None, seen: ReadBack) -> Landed:
    """By whether the schema is still what it was `before` the statement."""
    if None in {seen.fingerprint, before} or not _SCHEMA.match(one.text):
        return "in doubt"
    if seen.fingerprint == before:
        return "rolled back"
    return "in part" if _BY_PARTS.search(one.text) else "committed"
