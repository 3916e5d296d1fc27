"""Constraints that are named where they are made, so that they can be dropped."""

from collections.abc import Iterator
from typing import Any

import libcst as cst

from rulezero_tools.recipes.calls import Call
from rulezero_tools.recipes.constraints import NAME_LENGTH
from rulezero_tools.recipes.page import CannotBeFixedError, Page
from rulezero_tools.recipes.recipe import Case, Cured, Recipe
from rulezero_tools.recipes.reversing import items

_PREFIXES = {
    "create_foreign_key": ("fk", "local_cols", "foreignkey"),
    "create_unique_constraint": ("uq", "columns", "unique"),
    "create_primary_key": ("pk", "", "primary"),
}


def _unnamed(page: Page, function: str, *verbs: str) -> Iterator[Call]:
    for item in items(page, function):
        if item.call and item.call.verb in verbs:
            name = item.call.given.get("constraint_name", "None")
            if name == "None" or name.replace(" ", "") == "op.f(None)":
                yield item.call


def _name(call: Call) -> str:
    """As SQLAlchemy's naming convention for alembic has it."""
    prefix, listed, _ = _PREFIXES[call.verb]
    columns = call.names(listed) if listed else ()
    if call.table is None or columns is None:
        raise CannotBeFixedError("its table or its columns are worked out when it runs")
    parent = [str(call.text("referent_table"))] if call.verb == "create_foreign_key" else []
    return "_".join((prefix, call.table, *columns, *parent))[:NAME_LENGTH]


def _named(call: Call, name: str) -> tuple[cst.CSTNode, Any]:
    first = call.node.args[0]
    return first, first.with_changes(value=cst.SimpleString(repr(name)))


def _kind(drop: Call) -> str | None:
    return drop.text("type_")


def _name_both(case: Case) -> Cured:
    page = case.page
    made = list(_unnamed(page, "upgrade", *_PREFIXES))
    drops = list(_unnamed(page, "downgrade", "drop_constraint"))
    changes = [_named(call, _name(call)) for call in made]
    for drop in drops:
        fitting = [c for c in made if c.table == drop.table and _kind(drop) in {None, _of(c)}]
        if len(fitting) != 1:
            raise CannotBeFixedError(
                "which constraint is meant only the database knows: look its name up there and "
                "write it into drop_constraint"
            )
        changes.append(_named(drop, _name(fitting[0])))
    spot = page.at(case.finding.line)
    if not changes or (spot.function == "upgrade" and "drop" in case.finding.evidence):
        raise CannotBeFixedError("look its name up in the database and write it into the revision")
    names = ", ".join(_name(call) for call in made)
    return Cured(text=page.swapped(*changes), what=f"{names}: named where it is made and dropped")


def _of(call: Call) -> str:
    return _PREFIXES[call.verb][2]


RECIPES = (
    Recipe(
        rules=("unnamed-drop",),
        cure=_name_both,
        gives="names the constraint where the revision makes it and where it drops it",
    ),
)
