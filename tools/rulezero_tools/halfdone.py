"""What a run left of a revision that the version table does not count: to go on from, or undo."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rulezero_policies.inverses import inverse
from rulezero_policies.plan import Plan
from rulezero_policies.text import visible
from rulezero_tools.records import Sent

LONGEST = 160
"""Characters of a statement in a sentence."""

MOST = 20
"""Statements that are named one by one."""

_RETURNS = re.compile(r"\breturning\b", re.IGNORECASE)


def committed(sent: Sequence[Sent]) -> tuple[Sent, ...]:
    """The statements that changed the database for good; what Alembic notes of itself left out."""
    return tuple(
        s for s in sent if s.landed in {"committed", "in part"} and not s.reads and not s.version
    )


@dataclass(frozen=True, kw_only=True)
class Half:
    """A revision that was begun and not finished.

    `done` are its committed statements in order, those of earlier runs first; `cut` what failed or
    was cut off and left something all the same. `why_not` says why no plan can go on from here.
    """

    revision: str | None
    done: tuple[str, ...]
    cut: tuple[Sent, ...]
    why_not: str | None = None


def uncounted(plan: Plan, sent: Sequence[Sent], current: Sequence[str] | None) -> tuple[Sent, ...]:
    """What was committed of a revision that the version table does not count yet."""
    done = counted(plan, sent, current)
    return tuple(s for s in committed(sent) if s.revision not in done and not _ours(plan, s))


def counted(plan: Plan, sent: Sequence[Sent], current: Sequence[str] | None) -> set[str | None]:
    """The revisions of the plan that the version table counts as run."""
    done = {s.revision for s in sent if s.heads is not None and s.landed == "committed"}
    if plan.kind == "upgrade":
        done.update(current or ())
    return done


def _ours(plan: Plan, one: Sent) -> bool:
    """Whether a statement is one that the plan itself sent before its revisions."""
    return one.revision is None and one.text in plan.statements


def half(plan: Plan, sent: Sequence[Sent], current: Sequence[str] | None) -> Half | None:
    """What the run of an upgrade or downgrade left half done; None where it left nothing so."""
    left = uncounted(plan, sent, current)
    passed = counted(plan, sent, current)
    revision = next((r for r in plan.revisions if r not in passed), None)
    earlier = plan.skip if plan.revisions[:1] == (revision,) else ()
    if not left and not earlier:
        return None
    return Half(
        revision=revision,
        done=(*earlier, *(s.text for s in left if s.landed == "committed")),
        cut=tuple(s for s in left if s.landed == "in part"),
        why_not=_why_not(left, sent, revision),
    )


def _why_not(left: Sequence[Sent], sent: Sequence[Sent], revision: str | None) -> str | None:
    """Why what is left of the revision cannot be told from what is done."""
    changing = [s for s in sent if s.revision == revision and _changes(s)]
    if revision is None or any(s.revision != revision for s in left):
        return "what is committed was sent outside the revision that is half done"
    if any(s.landed in {"in doubt", "running"} for s in changing):
        return "it is not known of every statement whether it took effect"
    if tuple(changing[: len(left)]) != tuple(left):
        return "something between the committed statements was rolled back"
    if any(_RETURNS.search(s.text) for s in left):
        return "a committed statement gave back rows, which what follows may need"
    return None


def _changes(one: Sent) -> bool:
    return not one.reads and not one.version and one.landed != "skipped"


def cleared(found: Half, dialect: str) -> tuple[str, ...] | None:
    """SQL that removes what was cut off, so that it can be sent again; None where it is not plain.

    An index that a concurrent build left INVALID keeps its name, and serves nobody.
    """
    made = [inverse(s.text, dialect, half_done=True) for s in found.cut]
    plain = tuple(m for m in made if m is not None and m.startswith("DROP INDEX IF EXISTS"))
    return plain if len(plain) == len(made) else None


def undoing(
    plan: Plan, sent: Sequence[Sent], current: Sequence[str] | None
) -> tuple[str, ...] | None:
    """SQL that undoes what a run left half done, newest first; None where it is not all plain."""
    if plan.kind == "undo":
        gone = {s.text for s in committed(sent)}
        return tuple(text for text in plan.statements if text not in gone)
    found, dialect = half(plan, sent, current), plan.database.dialect
    if found is None or (found.why_not and found.revision is None):
        return None
    made = [inverse(s.text, dialect, half_done=True) for s in found.cut]
    made += [inverse(text, dialect) for text in reversed(found.done)]
    plain = tuple(m for m in made if m is not None)
    return plain if plain and len(plain) == len(made) else None


def way_on(plan: Plan, sent: Sequence[Sent], current: Sequence[str] | None) -> str | None:
    """Which call plans the rest of a revision; None where none does."""
    found = half(plan, sent, current) if plan.kind != "undo" else None
    if found is None or found.why_not or cleared(found, plan.database.dialect) is None:
        return None
    tool = "rollback" if plan.kind == "downgrade" else "review"
    return (
        f"Mend what failed, then call `{tool}` with resume={plan.plan_id}: its plan runs what is "
        f"left of revision {found.revision}, and {not_again(found)}"
    )


def way_back(plan: Plan, sent: Sequence[Sent], current: Sequence[str] | None) -> str | None:
    """Which call plans the way back to before the half-done revision; None where none does."""
    statements = undoing(plan, sent, current)
    if not statements:
        return None
    shown = "; ".join(f"`{_short(text)}`" for text in statements[:MOST])
    return f"Call `rollback` with undo={plan.plan_id}: its plan sends {shown}."


def not_again(found: Half) -> str:
    """What a plan that goes on does not send, after a comma."""
    if not found.done:
        return "sends again what was cut off."
    many = len(found.done)
    what = "this statement, which is" if many == 1 else f"these {many} statements, which are"
    shown = "; ".join(f"`{_short(text)}`" for text in found.done[:MOST])
    return f"does not send {what} committed already: {shown}."


def _short(text: str) -> str:
    return visible(" ".join(text.split()), limit=LONGEST)
