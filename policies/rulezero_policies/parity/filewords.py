"""What people read of a files plan, before and after: paths and keys, never a value."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rulezero_policies.parity.changes import SettingsFile, SettingsPlan, said
from rulezero_policies.text import visible

if TYPE_CHECKING:
    from rulezero_policies.plan import Plan

LINES = 60
"""Lines of a list that an approval request holds."""


def request(plan: "Plan") -> str:
    """The approval request of a files plan."""
    changes = tuple(f"- {visible(c.subject)}: {visible(c.description)}" for c in plan.changes)
    return "\n".join(
        (
            "## Settings Files Ready for Review",
            "",
            f"**Description:** {visible(plan.description)}",
            f"**Risk Level:** {plan.risk}",
            "",
            "### Changes, File by File",
            *_cut(changes),
            "",
            "### Know Before You Approve",
            *(f"- {visible(warning, limit=800)}" for warning in plan.warnings),
            "",
            "### Way Back",
            visible(plan.rollback_command),
            "",
            "---",
            "Should I write these files? (Reply: yes/no)",
        )
    )


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    rest = len(lines) - LINES
    more = (f"- … and {rest} more: have `get_plan`, section changes, shown before you answer",)
    return (*lines[:LINES], *more) if rest > 0 else tuple(lines)


def edits(target: SettingsFile) -> tuple[str, ...]:
    """What is done to one file, a line each, whether it is created or removed first."""
    made = ("is created",) if target.before is None else ()
    gone = ("is removed: it was not there before",) if target.after is None else ()
    whole = not target.operations and not made and not gone
    back = ("gets back what it held before",) if whole else ()
    return (*made, *gone, *back, *map(said, target.operations))


def outcome(settings: SettingsPlan, states: Mapping[str, str], why: str) -> str:
    """How a run ended, file by file."""
    new = [visible(t.path) for t in settings.targets if states[t.path] == "new"]
    old = [visible(t.path) for t in settings.targets if states[t.path] == "old"]
    if not old:
        return f"{why} and every file holds what was approved: {', '.join(new)}."
    if not new:
        return f"{why}. Nothing happened: every file holds what it held ({', '.join(old)})."
    return (
        f"{why}. Part of the plan was applied. Written: {', '.join(new)}. Not written: "
        f"{', '.join(old)}."
    )


def written(plan: "Plan", outcome: str, kept: str | None) -> str:
    """What is said after settings files were written, always with the way back."""
    where = f" What they held before is kept in {visible(kept)}." if kept else ""
    back = f"`rollback` with restore={plan.plan_id!r} plans to put that back."
    return f"{visible(outcome, limit=2000)}{where}\n\n{back}"
