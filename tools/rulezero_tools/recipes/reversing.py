"""The steps of a function one by one, and what undoes each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import libcst as cst

from rulezero_policies import sql
from rulezero_policies.scene import Scene
from rulezero_tools.recipes.calls import Call, batch_name, read
from rulezero_tools.recipes.page import CannotBeFixedError, Page, is_autocommit, is_batch

Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Item:
    """A statement, the batch or autocommit block around it, and which operation it is."""

    statement: Any
    block: cst.With | None
    call: Call | None


def items(page: Page, function: str) -> tuple[Item, ...]:
    """The statements of a function, those of its blocks one by one."""
    return tuple(_items(page, page.body(function)))


def _items(page: Page, body: Iterable[Any]) -> Iterator[Item]:
    for statement in body:
        if is_batch(statement) or is_autocommit(statement):
            batch = statement if is_batch(statement) else None
            for inner in statement.body.body:
                call = read(page, inner, batch)
                yield Item(statement=inner, block=statement, call=call)
        else:
            yield Item(statement=statement, block=None, call=read(page, statement))


def body_of(found: Sequence[Item]) -> list[Any]:
    """The statements that these items make, each in its block; no comment stands twice."""
    made: list[Any] = []
    used: set[int] = set()
    for _, group in groupby(found, key=lambda i: id(i.block) if i.block else -id(i.statement)):
        same = list(group)
        block = same[0].block
        if block is None:
            made.append(same[0].statement)
            continue
        inside: Any = block.body
        again = {"leading_lines": ()} if id(block) in used else {}
        used.add(id(block))
        body = inside.with_changes(body=tuple(i.statement for i in same))
        made.append(block.with_changes(body=body, **again))
    return made


_MADE = {
    "create_foreign_key": "foreignkey",
    "create_unique_constraint": "unique",
    "create_check_constraint": "check",
    "create_primary_key": "primary",
}


def key(  # noqa: PLR0911 - one line a kind
    call: Call, *, undoing: bool = False
) -> Key | None:
    """What an operation is about, the same for a step and what undoes it."""
    text, table = call.text, str(call.table)
    match call.verb:
        case "create_index" | "drop_index":
            return ("index", str(text("index_name")))
        case "add_column":
            return ("column", table, str(column_name(call)))
        case "drop_column":
            return ("column", table, str(text("column_name")))
        case "create_table" | "drop_table":
            return ("table", table)
        case "alter_column":
            new = text("new_column_name")
            return ("alter", table, str(new if undoing and new else text("column_name")))
        case "rename_table":
            return ("rename", str(text("new_table_name" if undoing else "old_table_name")))
        case verb if verb in {*_MADE, "drop_constraint"}:
            return ("constraint", table, str(text("constraint_name")))
        case _:
            return None


def column_name(call: Call) -> str | None:
    """The name of the column that an add_column adds."""
    source = call.given.get("column") or next(iter(call.more), None)
    inner = cst.parse_expression(source) if source else None
    if not isinstance(inner, cst.Call) or not inner.args:
        return None
    found = Call(verb="", given={"name": cst.Module(body=()).code_for_node(inner.args[0].value)})
    return found.text("name")


def undoing(call: Call) -> Call:
    """The operation that undoes one.

    Raises:
        CannotBeFixedError: What was there before is not said in it.
    """
    place = {k: v for k, v in call.given.items() if k in {"table_name", "schema"}}
    match call.verb:
        case "create_table":
            return Call(verb="drop_table", given=place)
        case "add_column" if column_name(call):
            return Call(verb="drop_column", given={**place, "column_name": repr(column_name(call))})
        case "create_index":
            kept = {"index_name": call.given["index_name"], **place}
            return Call(verb="drop_index", given={**kept, **_concurrently(call)})
        case verb if verb in _MADE and call.given.get("constraint_name") not in {None, "None"}:
            name = call.given["constraint_name"]
            kind = {"type_": repr(_MADE[verb])}
            return Call(verb="drop_constraint", given={"constraint_name": name, **place, **kind})
        case "rename_table":
            old, new = call.given["old_table_name"], call.given["new_table_name"]
            return call.having(old_table_name=new, new_table_name=old)
        case "alter_column":
            return _altered_back(call)
        case _:
            raise CannotBeFixedError(
                f"{call.verb} does not say what was there before: write what undoes it into "
                "downgrade() by hand"
            )


def _concurrently(call: Call) -> dict[str, str]:
    if call.given.get("postgresql_concurrently") != "True":
        return {}
    again = {"if_exists": "True"} if "if_not_exists" in call.given else {}
    return {"postgresql_concurrently": "True", **again}


_PAIRS = (
    ("type_", "existing_type"),
    ("nullable", "existing_nullable"),
    ("server_default", "existing_server_default"),
    ("comment", "existing_comment"),
    ("autoincrement", "existing_autoincrement"),
)


def _altered_back(call: Call) -> Call:
    given = {k: v for k, v in call.given.items() if not k.startswith("postgresql_using")}
    for new, old in _PAIRS:
        if new not in given:
            continue
        after, before = given.pop(new), given.pop(old, None)
        if new == "nullable":
            before = before or {"True": "False", "False": "True"}.get(after)
        if before is None:
            raise CannotBeFixedError(f"alter_column does not say {old}, so there is no way back")
        given |= {new: before, old: after}
    if name := given.get("new_column_name"):
        given |= {"column_name": name, "new_column_name": given["column_name"]}
    return Call(verb="alter_column", given=given)


def undone_by_itself(call: Call, scene: Scene) -> bool:
    """Whether it leaves nothing that would have to be undone: settings, and rows of new columns."""
    if call.verb != "execute":
        table, column = call.table or "", call.text("column_name")
        new = scene.is_new(table, call.text("schema"))
        added = column in scene.added(table, call.text("schema"))
        return call.verb in {"alter_column", *_MADE} and (new or (added and call.verb not in _MADE))
    text = call.text("sqltext")
    return isinstance(text, str) and all(_leaves_nothing(s, scene) for s in sql.statements(text))


def _leaves_nothing(statement: str, scene: Scene) -> bool:
    words = statement.upper().split()
    if words[:1] in (["SET"], ["RESET"], ["ANALYZE"]) or "VALIDATE" in words:
        return True
    change = sql.dml(statement)
    if change is None or not change.table:
        return False
    new = scene.is_new(change.table)
    added = scene.added(change.table)
    return new or (
        change.verb == "UPDATE" and bool(change.columns) and set(change.columns) <= added
    )


def undo_item(page: Page, item: Item, scene: Scene) -> Item | None:
    """The item that undoes one, in a block like its own; None where nothing is to be undone.

    Raises:
        CannotBeFixedError: It is not known how.
    """
    if item.call is None:
        if page.code(item.statement).strip() in {"pass", "..."}:
            return None
        line = page.lines(item.statement)[0]
        raise CannotBeFixedError(
            f"line {line} is no plain call of op, so its way back is not known"
        )
    if undone_by_itself(item.call, scene):
        return None
    back = undoing(item.call)
    block = item.block
    if block is not None and is_batch(block) and back.verb not in {"drop_table", "rename_table"}:
        source = back.in_batch(batch_name(block) or "batch_op")
    else:
        source = back.source()
    alone = "postgresql_concurrently=True" in source
    if block is not None and is_autocommit(block) and not alone:
        block = None
    return Item(statement=page.statement(source), block=block, call=back)
