"""The calls of alembic's `op` and of a batch block's: read, written anew, and reversed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst

from rulezero_tools.recipes.page import (
    CannotBeFixedError,
    Page,
    Spot,
    is_batch,
    literal,
    manager,
    named,
)

_PLACES: Mapping[str, tuple[str, ...]] = {
    "create_index": ("index_name", "table_name", "columns"),
    "drop_index": ("index_name", "table_name"),
    "create_foreign_key": (
        "constraint_name",
        "table_name",
        "referent_table",
        "local_cols",
        "remote_cols",
    ),
    "create_unique_constraint": ("constraint_name", "table_name", "columns"),
    "create_check_constraint": ("constraint_name", "table_name", "condition"),
    "create_primary_key": ("constraint_name", "table_name", "columns"),
    "drop_constraint": ("constraint_name", "table_name", "type_"),
    "alter_column": ("table_name", "column_name"),
    "add_column": ("table_name", "column"),
    "drop_column": ("table_name", "column_name"),
    "create_table": ("table_name",),
    "drop_table": ("table_name",),
    "rename_table": ("old_table_name", "new_table_name"),
    "execute": ("sqltext",),
}
"""The leading arguments of each operation, as alembic documents them; a batch has no table."""

_ALIASES = {"source_table": "table_name", "source_schema": "schema", "sqltext": "sqltext"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One operation as it is written.

    `given` are its arguments by name, as source text, in the order in which they stand; `more` the
    positional ones behind the named places. `table` and `schema` are those of the batch block where
    it stands in one.
    """

    verb: str
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    more: tuple[str, ...] = ()
    node: Any = None

    def text(self, name: str) -> Any:
        """The value of an argument that is a literal; None for all else."""
        source = self.given.get(name)
        return None if source is None else literal(cst.parse_expression(f"({source})"))

    def names(self, name: str) -> tuple[str, ...] | None:
        """The names in a list that is a literal; None for all else."""
        listed = self.text(name)
        return tuple(map(str, listed)) if isinstance(listed, list | tuple) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a literal

    @property
    def table(self) -> str | None:
        """The table's name, where it is a literal."""
        return self.text("table_name")

    @property
    def qualified(self) -> str | None:
        """The table's name with its schema, for SQL."""
        schema, table = self.text("schema"), self.table
        if table is None or ("schema" in self.given and schema is None and not self._no_schema):
            return None
        return f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)

    @property
    def _no_schema(self) -> bool:
        return self.given.get("schema") == "None"

    def having(self, **more: str) -> "Call":
        """With these arguments, as source text, in place of or behind those it has."""
        return replace(self, given={**self.given, **more})

    def without(self, *names: str) -> "Call":
        """Without these arguments."""
        return replace(self, given={k: v for k, v in self.given.items() if k not in names})

    def source(self) -> str:
        """As a call of `op`."""
        places = _PLACES[self.verb]
        lead = [self.given[name] for name in places if name in self.given]
        if self.verb == "drop_index":
            lead = [self.given["index_name"]]
        rest = {k: v for k, v in self.given.items() if k not in places}
        if self.verb == "drop_index" and "table_name" in self.given:
            rest = {"table_name": self.given["table_name"], **rest}
        if self.verb == "drop_constraint" and "type_" in self.given:
            lead, rest = lead[:2], {"type_": self.given["type_"], **rest}
        schema = rest.pop("schema", "None")
        if schema != "None":
            rest["source_schema" if self.verb == "create_foreign_key" else "schema"] = schema
        return _laid_out(f"op.{self.verb}", [*lead, *self.more, *_words(rest)])

    def in_batch(self, name: str = "batch_op") -> str:
        """As a call of a batch block's `name`."""
        places = [p for p in _PLACES[self.verb] if p not in {"table_name", "type_"}]
        lead = [self.given[p] for p in places if p in self.given]
        rest = {k: v for k, v in self.given.items() if k not in {*places, "table_name", "schema"}}
        call = _laid_out(f"{name}.{self.verb}", [*lead, *self.more, *_words(rest)])
        return call.replace("op.f(", f"{name}.f(") if name != "op" else call


LONG_LINE = 84
"""Characters of a call from which on each argument stands on a line of its own."""


def _laid_out(function: str, arguments: list[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= LONG_LINE:
        return line
    return "".join((f"{function}(\n", *(f"    {a},\n" for a in arguments), ")"))


def _words(given: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in given.items()]


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def quoted(name: str) -> str:
    """A name for SQL; in double quotes where it is not plain."""
    plain = name and not name[0].isdigit() and set(name) <= _PLAIN
    return name if plain else '"{}"'.format(name.replace('"', '""'))


def _expression(statement: Any) -> Any:
    """The call that a statement is, if it is nothing else."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    inner = statement.body[0]
    return inner.value if isinstance(inner, cst.Expr | cst.Assign) else None


def read(page: Page, statement: Any, batch: cst.With | None = None) -> Call | None:
    """The operation that a statement is; None where it is none, or is not written plainly.

    Args:
        page: Where it stands.
        statement: The statement.
        batch: The batch block around it.
    """
    node = _expression(statement)
    verb = named(node)
    owner: Any = getattr(node.func, "value", None) if node and verb in _PLACES else None
    if not isinstance(owner, cst.Name | cst.Attribute):
        return None
    alias = batch_name(batch) if batch is not None else None
    if page.code(owner) not in {"op", "alembic.op", alias}:
        return None
    inside = alias is not None and page.code(owner) == alias
    if any(a.star for a in node.args):
        return None
    return _named(page, node, verb, batch if inside else None)


def _named(page: Page, node: cst.Call, verb: str, batch: cst.With | None) -> Call:
    places = [p for p in _PLACES[verb] if batch is None or p != "table_name"]
    given: dict[str, str] = {}
    more: list[str] = []
    for argument in node.args:
        value = page.code(argument.value)
        if argument.keyword is not None:
            word = argument.keyword.value
            given[_ALIASES.get(word, word)] = value
        elif len(given) < len(places):
            given[places[len(given)]] = value
        else:
            more.append(value)
    if batch is not None:
        alias = f"{batch_name(batch)}.f("
        given = {k: v.replace(alias, "op.f(") for k, v in given.items()}
        given = {**_target(page, batch), **given}
    return Call(verb=verb, given=given, more=tuple(more), node=node)


def batch_name(batch: cst.With) -> str | None:
    """What a batch block calls its `batch_op`."""
    name = batch.items[0].asname
    return name.name.value if name is not None and isinstance(name.name, cst.Name) else None


def _target(page: Page, batch: cst.With) -> dict[str, str]:
    """The table and schema of a batch block, as arguments."""
    found: dict[str, str] = {}
    for number, argument in enumerate(manager(batch).args):
        word = (
            argument.keyword.value
            if argument.keyword
            else ("table_name", "schema")[number : number + 1]
        )
        name = word if isinstance(word, str) else next(iter(word), "")
        if name in {"table_name", "schema"}:
            found[name] = page.code(argument.value)
    return found


def call_at(page: Page, line: int | None, *verbs: str) -> tuple[Spot, Call]:
    """The operation at a line.

    Raises:
        CannotBeFixedError: The line holds no call of these that is written plainly.
    """
    spot = page.at(line)
    call = read(page, spot.statement, spot.batch)
    if call is None or call.verb not in verbs:
        raise CannotBeFixedError("the step is not written as one plain call of op")
    if not spot.plain:
        raise CannotBeFixedError("the step stands in a loop, a branch or another block")
    return spot, call


def with_keyword(call: cst.Call, name: str, value: str) -> cst.Call:
    """A call with a keyword argument set, in the layout that its arguments have."""
    new = cst.Arg(
        keyword=cst.Name(name),
        value=cst.parse_expression(value),
        equal=cst.AssignEqual(
            whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
        ),
    )
    for number, argument in enumerate(call.args):
        if argument.keyword is not None and argument.keyword.value == name:
            changed = argument.with_changes(value=new.value)
            return call.with_changes(args=(*call.args[:number], changed, *call.args[number + 1 :]))
    first = call.args[0] if call.args else None
    if first is None:
        return call.with_changes(args=(new,))
    if name == "constraint_name" and first.keyword is None:
        return call.with_changes(args=(first.with_changes(value=new.value), *call.args[1:]))
    return call.with_changes(args=(*call.args[:-1], *_appended(call, new)))


def _appended(call: cst.Call, new: cst.Arg) -> tuple[cst.Arg, cst.Arg]:
    """The last argument and one behind it; a comment stays with the argument that it is beside."""
    last, none = call.args[-1], cst.SimpleWhitespace("")
    comma: Any = last.comma
    end = getattr(comma, "whitespace_after", None)
    if not isinstance(end, cst.ParenthesizedWhitespace):
        space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        kept = last.with_changes(comma=space, whitespace_after_arg=none)
        return kept, new.with_changes(whitespace_after_arg=last.whitespace_after_arg)
    line = end.with_changes(last_line=_indent(call))
    closing = cst.ParenthesizedWhitespace(indent=end.indent, last_line=end.last_line)
    kept = last.with_changes(comma=comma.with_changes(whitespace_after=line))
    return kept, new.with_changes(comma=cst.Comma(whitespace_after=closing))


def _indent(call: cst.Call) -> cst.SimpleWhitespace:
    """What stands before an argument that begins a line."""
    before: list[Any] = [getattr(a.comma, "whitespace_after", None) for a in call.args[:-1]]
    for space in (*reversed(before), call.whitespace_before_args):
        if isinstance(space, cst.ParenthesizedWhitespace):
            return space.last_line
    return cst.SimpleWhitespace("    ")


def rewritten(page: Page, spot: Spot, call: Call, **more: str) -> Any:
    """The statement of a call with arguments added; in its own layout, unless it leaves a batch."""
    if spot.batch is not None:
        new = page.statement(call.having(**more).source())
        return new.with_changes(leading_lines=spot.statement.leading_lines)
    node = call.node
    for name, value in more.items():
        node = node if call.given.get(name) == value else with_keyword(node, name, value)
    return spot.statement.deep_replace(call.node, node)


def columns_in(call: cst.Call) -> dict[str, cst.Call]:
    """The `sa.Column(...)` calls among the arguments of a call, by the column's name."""
    found: dict[str, cst.Call] = {}
    for argument in call.args:
        inner = argument.value
        if isinstance(inner, cst.Call) and named(inner) == "Column" and inner.args:
            name = literal(inner.args[0].value)
            if isinstance(name, str):
                found[name] = inner
    return found


def operations(page: Page, function: str) -> tuple[tuple[Any, cst.With | None, Call | None], ...]:
    """Every statement of a function, those of its batch blocks one by one, with what it is."""
    found: list[tuple[Any, cst.With | None, Call | None]] = []
    for statement in page.body(function):
        if is_batch(statement):
            batch: Any = statement
            found += [(s, batch, read(page, s, batch)) for s in batch.body.body]
        else:
            found.append((statement, None, read(page, statement)))
    return tuple(found)
