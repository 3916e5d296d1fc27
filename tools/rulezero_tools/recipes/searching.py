"""What queries search by: JSONB in place of JSON, and the indexes that are missing."""

from typing import Any

import libcst as cst

from rulezero_policies.operations import Operation
from rulezero_policies.rules import fk_without_index
from rulezero_policies.rules.rule import POSTGRESQL
from rulezero_tools.recipes.calls import Call, columns_in, read, with_keyword
from rulezero_tools.recipes.constraints import NAME_LENGTH
from rulezero_tools.recipes.downgrades import inserted
from rulezero_tools.recipes.page import CannotBeFixedError, Page, Spot, named
from rulezero_tools.recipes.recipe import Case, Cured, Recipe
from rulezero_tools.recipes.reversing import Item, items, undoing

_DIALECTS = "from sqlalchemy.dialects import postgresql"


def _jsonb(case: Case) -> Cured:
    page = case.page
    spot = page.at(case.finding.line)
    call = read(page, spot.statement, spot.batch)
    if call is None:
        raise CannotBeFixedError("the step is not written as one plain call of op")
    name = case.finding.subject.rpartition(".")[2]
    text = page.swapped(_other_type(page, call, name))
    return Cured(
        text=_importing(text),
        what=f"{case.finding.subject} is JSONB: it can be indexed and searched",
    )


def _other_type(page: Page, call: Call, name: str) -> tuple[cst.CSTNode, Any]:
    if call.verb == "alter_column":
        old = next(a.value for a in call.node.args if a.keyword and a.keyword.value == "type_")
        _check_json(old)
        return call.node, with_keyword(call.node, "type_", _jsonb_of(page, old))
    column = columns_in(call.node).get(name)
    if column is None or len(column.args) < 2:
        raise CannotBeFixedError("the column is not written as sa.Column(...) in the step itself")
    old = column.args[1]
    _check_json(old.value)
    return old, old.with_changes(value=cst.parse_expression(_jsonb_of(page, old.value)))


def _check_json(node: cst.CSTNode) -> None:
    if named(node) != "JSON" and not (
        isinstance(node, cst.Attribute) and node.attr.value == "JSON"
    ):
        raise CannotBeFixedError("its type is not written as JSON in the step itself")


def _jsonb_of(page: Page, node: Any) -> str:
    arguments = node.args if isinstance(node, cst.Call) else ()
    given = [
        page.code(a.value) for a in arguments if a.keyword and a.keyword.value == "astext_type"
    ]
    return f"postgresql.JSONB({''.join(f'astext_type={g}' for g in given)})"


def _importing(text: str) -> str:
    """The text with `postgresql` imported behind the imports that it has."""
    page = Page(text)
    found = [s for s in page.module.body if _imports(s)]
    if any(_DIALECTS in page.code(s) for s in found):
        return text
    if not found:
        raise CannotBeFixedError("the file imports nothing at its top")
    last: Any = found[-1]
    return page.swapped((last, (last, page.statement(_DIALECTS))))


def _imports(statement: Any) -> bool:
    lines = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    return any(isinstance(line, cst.Import | cst.ImportFrom) for line in lines)


def indexed(page: Page, spot: Spot, call: Call) -> str:
    """The text with an index behind a step, and dropped in downgrade() before it is undone."""
    outer: Any = spot.outer
    number = max(n for n, i in enumerate(items(page, "upgrade")) if _within(i, outer))
    back = Item(statement=page.statement(undoing(call).source()), block=None, call=undoing(call))
    text = page.swapped((outer, (outer, page.statement(call.source()))))
    return inserted(Page(text), back, number + 1) if page.body("downgrade") else text


def _within(item: Item, outer: Any) -> bool:
    return item.statement is outer or item.block is outer


def _index(operation: Operation, columns: tuple[str, ...], **more: str) -> Call:
    name = f"ix_{operation.table}_{'_'.join(columns)}"[:NAME_LENGTH]
    schema = {"schema": repr(operation.schema)} if operation.schema else {}
    return Call(
        verb="create_index",
        given={
            "index_name": repr(name),
            "table_name": repr(operation.table),
            "columns": repr(list(columns)),
            **schema,
            **more,
        },
    )


def _gin(case: Case) -> Cured:
    name = case.finding.subject.rpartition(".")[2]
    steps = (o for o in case.scene.upgrade if o.line == case.finding.line and o.table)
    operation = next(steps, None)
    if operation is None:
        raise CannotBeFixedError("the step could not be found again")
    spot = case.page.at(case.finding.line)
    call = _index(operation, (name,), postgresql_using="'gin'")
    return Cured(
        text=indexed(case.page, spot, call), what=f"{case.finding.subject} is found by a GIN index"
    )


def _keys(case: Case) -> Cured:
    """One key after another gets its index: each moves the lines of those behind it."""
    text, names = case.text, list[str]()
    for operation, key in fk_without_index.wanting(case.scene):
        call = _index(operation, key.columns)
        page = Page(text)
        # Behind all else: by then the column is there, whatever made it.
        last = page.at(page.lines(page.body("upgrade")[-1])[0])
        text = indexed(page, last, call)
        names.append(str(call.text("index_name")))
    return Cured(
        text=text, what=f"{', '.join(names)}: rows that refer to a deleted one are found by it"
    )


RECIPES = (
    Recipe(
        rules=("json-type",),
        cure=_jsonb,
        databases=POSTGRESQL,
        declares=True,
        gives="makes the column postgresql.JSONB",
    ),
    Recipe(
        rules=("gin-index",),
        cure=_gin,
        databases=POSTGRESQL,
        declares=True,
        gives="adds the GIN index, and drops it in downgrade()",
    ),
    Recipe(
        rules=("fk-without-index",),
        cure=_keys,
        databases=("postgresql", "sqlite"),
        declares=True,
        gives="adds the index, and drops it in downgrade()",
    ),
)
