"""A downgrade that undoes what its upgrade does: completed, and put in order."""

from collections.abc import Sequence
from typing import Any

import libcst as cst

from rulezero_tools.recipes.page import CannotBeFixedError, Page
from rulezero_tools.recipes.recipe import Case, Cured, Recipe
from rulezero_tools.recipes.reversing import Item, Key, body_of, items, key, undo_item

_BLANK = cst.EmptyLine(indent=False)


def _all_undone(case: Case) -> list[Any]:
    """What undoes every step of upgrade(), the last one first."""
    page = case.page
    undone = [undo_item(page, item, case.scene) for item in reversed(items(page, "upgrade"))]
    found = [item for item in undone if item is not None]
    if not found:
        raise CannotBeFixedError("upgrade() takes no step that could be undone")
    body = body_of(found)
    # Comments of upgrade() tell of upgrade().
    return [statement.with_changes(leading_lines=()) for statement in body]


def _write(case: Case) -> Cured:
    upgrade = case.page.functions.get("upgrade")
    if upgrade is None or "downgrade" in case.page.functions:
        raise CannotBeFixedError("upgrade() or downgrade() is not defined in the file itself")
    block = cst.IndentedBlock(body=_all_undone(case))
    made = upgrade.with_changes(
        name=cst.Name("downgrade"), body=block, leading_lines=(_BLANK, _BLANK)
    )
    text = case.page.swapped((upgrade, (upgrade, made)))
    return Cured(text=text, what="downgrade() undoes every step of upgrade(), the last one first")


def _fill(case: Case) -> Cured:
    page = case.page
    function = page.functions.get("downgrade")
    old = page.body("downgrade")
    if function is None or "upgrade" not in page.functions:
        raise CannotBeFixedError("upgrade() or downgrade() is not defined in the file itself")
    new = _all_undone(case)
    if old:
        new[0] = new[0].with_changes(leading_lines=old[0].leading_lines)
    text = _with_body(page, "downgrade", new)
    return Cured(text=text, what="downgrade() undoes every step of upgrade(), the last one first")


def _with_body(page: Page, name: str, new: Sequence[Any]) -> str:
    """The text with another body of a function; its docstring stays."""
    function = page.functions[name]
    block: Any = function.body
    kept = len(block.body) - len(page.body(name))
    changed = block.with_changes(body=(*block.body[:kept], *new))
    return page.swapped((function, function.with_changes(body=changed)))


def _ranks(page: Page) -> dict[Key, int]:
    """Where in upgrade() each thing is dealt with, the last time."""
    found: dict[Key, int] = {}
    for number, item in enumerate(items(page, "upgrade")):
        about = key(item.call) if item.call else None
        if about is not None:
            found[about] = number
    return found


def _ranked(page: Page) -> list[tuple[int | None, Item]]:
    """The steps of downgrade(), each with the number of the step that it undoes."""
    ranks = _ranks(page)
    return [
        (ranks.get(about) if item.call and (about := key(item.call, undoing=True)) else None, item)
        for item in items(page, "downgrade")
    ]


def _sort(case: Case) -> Cured:
    found = _ranked(case.page)
    if any(rank is None for rank, _ in found):
        raise CannotBeFixedError("not every step of downgrade() undoes one of upgrade()")
    ordered = sorted(found, key=lambda one: one[0] or 0, reverse=True)
    first = found[0][1].statement
    text = _with_body(case.page, "downgrade", body_of([item for _, item in ordered]))
    if ordered[0][1].statement is first and text == case.text:
        raise CannotBeFixedError("it is in the order of upgrade() already")
    return Cured(text=text, what="downgrade() takes its steps in the reverse order of upgrade()")


def _complete(case: Case) -> Cured:
    page = case.page
    spot = page.at(case.finding.line)
    if spot.function != "upgrade":
        raise CannotBeFixedError(
            "this step of downgrade() undoes nothing; whether it is wanted is yours to say"
        )
    number = next(n for n, i in enumerate(items(page, "upgrade")) if i.statement is spot.statement)
    back = undo_item(page, items(page, "upgrade")[number], case.scene)
    if back is None:
        raise CannotBeFixedError("it leaves nothing that could be undone")
    text = inserted(page, back, number)
    return Cured(text=text, what=f"downgrade() undoes the step of line {case.finding.line}, too")


def inserted(page: Page, back: Item, number: int) -> str:
    """The text with a step put into downgrade() where the reverse order has it.

    Args:
        page: The revision.
        back: The step.
        number: The number of the step of upgrade() that it undoes.
    """
    found = _ranked(page)
    before = (n for n, (rank, _) in enumerate(found) if rank is not None and rank < number)
    at = next(before, len(found))
    there = [item for _, item in found]
    if len(there) == 1 and page.code(there[0].statement).strip() == "pass":
        there, at = [], 0
    return _with_body(page, "downgrade", body_of([*there[:at], back, *there[at:]]))


RECIPES = (
    Recipe(rules=("downgrade-missing",), cure=_write, gives="writes downgrade() from upgrade()"),
    Recipe(rules=("downgrade-pass",), cure=_fill, gives="fills downgrade() from upgrade()"),
    Recipe(
        rules=("downgrade-mismatch",),
        cure=_complete,
        gives="adds what undoes the step, where the reverse order has it",
    ),
    Recipe(
        rules=("downgrade-order",),
        cure=_sort,
        gives="puts the steps of downgrade() into the reverse order of upgrade()",
    ),
)
