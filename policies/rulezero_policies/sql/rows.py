"""Statements about rows: what a query calls, what an UPDATE, DELETE or INSERT changes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from rulezero_policies.sql.tokens import Cursor, NotSql, grammar

WORDS = frozenset({"SELECT", "WITH", "VALUES", "UPDATE", "DELETE", "INSERT", "REPLACE", "("})
"""How statements begin that are read here."""

_FLAGS = re.IGNORECASE | re.DOTALL
_TAUTOLOGY = re.compile(
    r"\(*\s*(?:TRUE|NOT\s+FALSE|1|(?P<same>\w+|'[^']*')\s*(?:=|<=|>=)\s*(?P=same))\s*\)*", _FLAGS
)
_PURE = re.compile(
    r"(?:jsonb?|array|string|regexp|to|date|time|make|pg_get|pg_table|pg_type|uuid|gen_random|gen"
    r"|st|has|col|obj|format|octet|bit|char|quote|current|convert|inet|host|xml|ts|txid|pg_typeof"
    r"|json_build)_\w+|setval|nextval|currval|lastval|now|concat(?:_ws)?|md5|sha\d+|crypt|encode"
    r"|decode|left|right|lpad|rpad|ltrim|rtrim|btrim|initcap|strpos|position|replace|translate"
    r"|split_part|reverse|repeat|sign|trunc|div|mod|random|width_bucket|cardinality|unnest|hex"
    r"|unhex|ifnull|instr|field|find_in_set|elt|last_insert_id|found_rows|row_count|group_concat"
    r"|substring_index|inet_aton|inet_ntoa|strftime|julianday|datetime|printf|typeof|changes"
    r"|last_insert_rowid|total|rank|row_number|dense_rank|ntile|version|database|uuid|age|isnull",
    re.IGNORECASE,
)
"""Functions of the databases' own that do no more than give a value."""


@dataclass(frozen=True, kw_only=True)
class Dml:
    """One statement that changes rows. `condition` is the text of WHERE; None without one."""

    verb: Literal["UPDATE", "DELETE", "INSERT"]
    schema: str | None
    table: str
    columns: tuple[str, ...] = ()
    condition: str | None = None
    assigned: tuple[tuple[str, tuple[str, ...], bool], ...] = ()
    """What an UPDATE gives each column: the columns read for it, and whether as they are."""
    only_nulls: bool = False
    """Whether it is an UPDATE that only fills what is NULL."""
    only_some: bool = False
    """Whether more than being NULL chooses the rows that it fills."""
    joined: bool = False
    """Whether other tables choose the rows with it."""

    @property
    def everywhere(self) -> bool:
        """Whether it takes every row: no WHERE, or one that is always true."""
        if self.verb == "INSERT" or (self.joined and self.condition is None):
            return False
        return self.condition is None or _TAUTOLOGY.fullmatch(self.condition.strip()) is not None


def insertion(cursor: Cursor) -> Dml | None:
    """A plain INSERT, told without looking at each of its values; None for anything else."""
    words = {t.word for t in cursor.tokens}
    # An upsert overwrites, and a query in it may call anything: both are looked at closely.
    if words & {"ON", "REPLACE", "SELECT", "UPDATE", "DELETE", "WITH"}:
        return None
    if not (cursor.take("INSERT", "INTO") or cursor.take("INSERT", "IGNORE", "INTO")):
        return None
    schema, table = cursor.place()
    return Dml(verb="INSERT", schema=schema, table=table)


@lru_cache(maxsize=2048)
def change(text: str, dialect: str) -> Dml | None:
    """What rows a statement changes; None for a query that changes none.

    Raises:
        NotSql: It cannot be read, calls something that may do anything, or changes more.
    """
    tree = _parsed(text, dialect)
    kind = type(tree).__name__
    if kind in {"Select", "Union", "Intersect", "Except", "Subquery", "Values"}:
        _refuse_effects(tree)
        return None
    _refuse_effects(tree, itself=tree)
    match kind:
        case "Update":
            return _update(tree, grammar(dialect, text))
        case "Delete":
            return _dml("DELETE", tree, grammar(dialect, text))
        case "Insert":
            return _insert(tree)
        case _:
            raise NotSql("it is no statement about rows that is known here")


def _parsed(text: str, dialect: str) -> Any:
    import sqlglot  # noqa: PLC0415 - start-up time
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - start-up time

    one: Any = sqlglot
    try:
        return one.parse_one(text, dialect=grammar(dialect, text))
    except (SqlglotError, RecursionError, ValueError) as error:
        raise NotSql("it is not written in this dialect") from error


def _refuse_effects(tree: Any, itself: Any = None) -> None:
    for node in tree.walk():
        kind = type(node).__name__
        if kind in {"Insert", "Update", "Delete", "Merge", "Copy", "Command", "Into"}:
            if node is not itself:
                raise NotSql("a query in it changes something")
        elif kind == "Anonymous" and not _PURE.fullmatch(str(node.name)):
            raise NotSql(f"it calls {node.name}(), which may do anything")


def _update(tree: Any, speaks: str) -> Dml:
    given = [e for e in tree.expressions if type(e).__name__ == "EQ"]
    own = {"", str(tree.this.name), str(tree.this.alias)}
    parts = _conditions(tree)
    nulls = {str(p.this.name) for p in parts if _is_null(p)}
    return replace(
        _dml("UPDATE", tree, speaks),
        columns=tuple(str(e.this.name) for e in given),
        only_nulls=bool(given)
        and len(given) == len(tree.expressions)
        and all(str(e.this.name) in nulls or _coalesces(e) for e in given),
        only_some=len(parts) > 1 or bool(parts and not nulls),
        assigned=tuple((str(e.this.name), *_read_of(e.expression, own)) for e in given),
    )


def _conditions(tree: Any) -> list[Any]:
    """What has to be true together for a row to be chosen."""
    where = tree.args.get("where")
    return [] if where is None else list(_anded(where.this))


def _anded(condition: Any) -> Iterator[Any]:
    kind = type(condition).__name__
    if kind in {"And", "Paren"}:
        yield from _anded(condition.this)
        if kind == "And":
            yield from _anded(condition.expression)
    else:
        yield condition


def _is_null(condition: Any) -> bool:
    negated = bool(condition.args.get("negate"))
    null = type(condition.expression).__name__ == "Null"
    return type(condition).__name__ == "Is" and null and not negated


def _coalesces(assignment: Any) -> bool:
    """Whether a column gets another value only where it has none."""
    value = assignment.expression
    return type(value).__name__ == "Coalesce" and value.this == assignment.this


def _read_of(value: Any, own: set[str]) -> tuple[tuple[str, ...], bool]:
    """The table's own columns in an expression, and whether it is no more than one of them."""
    found = (n for n in value.walk() if type(n).__name__ == "Column" and str(n.table) in own)
    inner = value.this if type(value).__name__ == "Cast" else value
    return tuple(str(n.name) for n in found), type(inner).__name__ == "Column"


def _dml(verb: Literal["UPDATE", "DELETE"], tree: Any, speaks: str) -> Dml:
    where, table = tree.args.get("where"), tree.this
    others = ("from_", "from", "using")
    joined = any(tree.args.get(o) for o in others)
    return Dml(
        verb=verb,
        schema=str(table.db) or None,
        table=str(table.name),
        condition=None if where is None else str(where.this.sql(dialect=speaks)),
        joined=(joined and where is not None) or bool(table.args.get("joins")),
    )


def _insert(tree: Any) -> Dml:
    conflict = tree.args.get("conflict")
    overwrites = conflict is not None and (conflict.expressions or conflict.args.get("duplicate"))
    if overwrites or tree.args.get("overwrite") or str(tree.args.get("alternative")) == "REPLACE":
        raise NotSql("it overwrites rows that are there")
    table = tree.this.this if type(tree.this).__name__ == "Schema" else tree.this
    return Dml(verb="INSERT", schema=str(table.db) or None, table=str(table.name))
