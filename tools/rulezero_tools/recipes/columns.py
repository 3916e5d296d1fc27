"""Columns that rows which are there already must have a value for."""

import re

from rulezero_policies.operations import Operation
from rulezero_policies.steps import becomes_not_null
from rulezero_tools.recipes.calls import call_at, columns_in, quoted, with_keyword
from rulezero_tools.recipes.constraints import execute
from rulezero_tools.recipes.page import CannotBeFixedError
from rulezero_tools.recipes.recipe import Case, Cured, Recipe


def _operation(case: Case, kind: str) -> Operation:
    found = (o for o in case.scene.upgrade if o.line == case.finding.line and o.kind == kind)
    named = [o for o in found if o.subject == case.finding.subject]
    if not named or named[0].column is None:
        raise CannotBeFixedError("the step could not be found again")
    return named[0]


def _server_default(case: Case) -> Cured:
    operation = _operation(case, "add_column")
    name, table = operation.column.name if operation.column else "", operation.table or ""
    default = case.defaults.get((table, name))
    if default is None:
        raise CannotBeFixedError(
            f"which value the rows that are there get in {operation.subject} is yours to choose: "
            "the models name none that is a constant. Give the column a default there, or write "
            "server_default= into the revision"
        )
    _, call = call_at(case.page, case.finding.line, "add_column")
    column = columns_in(call.node).get(name)
    if column is None:
        raise CannotBeFixedError("the column is not written as sa.Column(...) in the step itself")
    text = case.page.swapped((column, with_keyword(column, "server_default", default)))
    return Cured(
        text=text,
        what=f"{operation.subject} has the default of the models as server_default={default}: "
        "rows that are there get it",
    )


_CONSTANT = re.compile(r"(?:[-+]?\d+(?:\.\d+)?|'(?:[^']|'')*'|true|false)(?:::[\w ]+)?", re.I)


def _backfill(case: Case) -> Cured:
    operation = _operation(case, "alter_column")
    if not becomes_not_null(operation):
        raise CannotBeFixedError("the step could not be found again")
    default = _default(case, operation)
    if default is None:
        raise CannotBeFixedError(
            f"which value the rows with NULL in {operation.subject} get is yours to choose. Write "
            f'op.execute("{_fill(operation.qualified, _column(operation), "...")}") before the '
            "step; in batches where the table is large"
        )
    spot, call = call_at(case.page, case.finding.line, "alter_column")
    fill = case.page.statement(
        execute(_fill(call.qualified or operation.qualified, quoted(_column(operation)), default))
    )
    return Cured(
        text=case.page.before(spot, fill),
        what=f"rows with NULL in {operation.subject} get its server default first",
    )


def _fill(table: str, column: str, value: str) -> str:
    return f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL"  # noqa: S608 - the text


def _column(operation: Operation) -> str:
    return operation.column.name if operation.column else ""


def _default(case: Case, operation: Operation) -> str | None:
    """The constant that the column has as its server default at this point, as SQL."""
    earlier = case.scene.upgrade[: case.scene.upgrade.index(operation) + 1]
    found = operation.column.server_default if operation.column else None
    for step in (*case.scene.earlier, *earlier):
        same = (step.schema, step.table) == (operation.schema, operation.table)
        if not same or step.column is None or step.column.name != _column(operation):
            continue
        if step.kind == "add_column":
            found = step.column.server_default
        elif change := step.change("server_default"):
            found = change.after
    return found if found and _CONSTANT.fullmatch(found.strip()) else None


RECIPES = (
    Recipe(
        rules=("not-null-without-default", "mysql-implicit-default"),
        cure=_server_default,
        defaults=True,
        gives="writes the models' own default as server_default, where it is a constant",
    ),
    Recipe(
        rules=("set-not-null",),
        cure=_backfill,
        gives="fills the NULLs with the column's server default, where it has one",
    ),
)
