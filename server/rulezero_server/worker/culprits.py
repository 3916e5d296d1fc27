"""Which rows a failed statement stumbled over: as a question that the probes can put."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from .listing import ddl
from .listing.sql import Word, closing, joined, words

COPY = "_alembic_tmp_"
"""What the copy of a table is called while SQLite's batch mode makes it."""

Asked = dict[str, Any]

NULLS, DUPLICATES, ORPHANS = "nulls", "duplicates", "orphans"
VIOLATIONS, MISFITS, UNCASTABLE = "violations", "misfits", "uncastable"

_QUESTION: Asked = {
    "schema": None, "column": None, "columns": [], "expression": None, "type": None,
    "referred_schema": None, "referred_table": None, "referred_columns": [], "values": [],
    "name": None,
}  # fmt: skip

_TYPE_ENDS = frozenset({"using", "collate", "not", "null", "default", "comment", "check", ","})


class Hit(NamedTuple):
    """What an error says that it hit."""

    table: str | None = None
    schema: str | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    constraint: str | None = None


class Around(NamedTuple):
    """Where to look for what the statement itself does not say.

    `earlier` are the statements before it, in order.
    """

    connection: Any
    earlier: Sequence[str] = ()

    def inspector(self) -> Any:
        """The database as it stands."""
        return sa.inspect(self.connection)

    def copied(self, table: str) -> list[ddl.Constraint]:
        """Constraints of the copy that SQLite's batch mode was filling."""
        for text in reversed(self.earlier):
            if f"{COPY}{table}" in text and text.lstrip().upper().startswith("CREATE TABLE"):
                return ddl.table(text).constraints
        return []


def question(wanted: str, hit: Hit, statement: str, around: Around) -> Asked | None:
    """The question whose answer are the rows in the way; None where none is known.

    Args:
        wanted: The kind of rows, as `findings.Question` has them.
        hit: What the error says.
        statement: That failed.
        around: Where else to look.
    """
    schema, table = place(hit, statement)
    if not table:
        return None
    there = hit._replace(schema=schema, table=table)
    more = _MORE[wanted](there, words(statement), around)
    return None if more is None else {**_QUESTION, "probe": wanted, **_at(there), **more}


def _at(hit: Hit) -> Asked:
    return {"schema": hit.schema, "table": hit.table}


def place(hit: Hit, statement: str) -> tuple[str | None, str | None]:
    """The schema and the table, of the error or else of the statement."""
    schema, table = (hit.schema, hit.table) if hit.table else _named(words(statement))
    return schema, table[len(COPY) :] if table and table.startswith(COPY) else table


def _named(said: list[Word]) -> tuple[str | None, str | None]:
    at = _after(said, "table")
    if at is None and (said[:1] == ["create"] or said[:1] == ["drop"]):
        at = _after(said, "on")
    if at is None:
        at = _after(said, "into") or (1 if said[:1] == ["update"] else None)
    while at is not None and at < len(said) and _is(said[at], "if", "exists", "only", "ignore"):
        at += 1
    if at is None or at >= len(said):
        return None, None
    if said[at + 1 : at + 2] == ["."] and at + 2 < len(said):
        return said[at].raw, said[at + 2].raw
    return None, said[at].raw


def _is(word: Word, *wanted: str) -> bool:
    return not word.quoted and word in wanted


def _after(said: list[Word], *wanted: str) -> int | None:
    """The place after the first time that these words stand one after the other."""
    for n in range(len(said) - len(wanted) + 1):
        if all(_is(w, x) for w, x in zip(said[n:], wanted)):
            return n + len(wanted)
    return None


def _names(said: list[Word], start: int | None) -> list[str]:
    """The names between the parentheses at, or soon after, a place; none where they are more."""
    while start is not None and start < len(said) and not _is(said[start], "("):
        start += 1
    if start is None or start >= len(said):
        return []
    inside = said[start + 1 : closing(said, start)]
    plain = all(_is(word, ",") for word in inside[1::2]) and len(inside) % 2
    return [word.raw for word in inside[::2]] if plain else []


def _nulls(hit: Hit, said: list[Word], _: Around) -> Asked | None:
    altered = _altered(said)
    column = hit.column or altered
    if column is None or (altered and _after(said, "not", "null") is None):
        return None
    return {"column": column}


def _altered(said: list[Word]) -> str | None:
    """The column of ALTER TABLE … ALTER, MODIFY or CHANGE, as it was called before."""
    for verb in ("alter", "modify", "change"):
        at = _after(said[1:], verb)
        if at is not None:
            at += 1
            at += at < len(said) and _is(said[at], "column")
            return said[at].raw if at < len(said) else None
    return None


def _duplicates(hit: Hit, said: list[Word], around: Around) -> Asked | None:
    columns = list(hit.columns) or _names(said, _unique(said))
    if not columns:
        columns = _of(around.inspector().get_unique_constraints, "column_names", hit)
    return {"columns": columns} if columns else None


def _unique(said: list[Word]) -> int | None:
    if said[:1] == ["create"]:
        return _after(said, "on")
    return _after(said, "unique") or _after(said, "primary", "key")


def _of(getter: Any, key: str, hit: Hit) -> Any:
    """What the catalogue says of the constraint that was hit."""
    listed = getter(hit.table, schema=hit.schema)
    return next((c[key] for c in listed if c["name"] == hit.constraint), None)


def _orphans(hit: Hit, said: list[Word], around: Around) -> Asked | None:
    columns, there = _names(said, _after(said, "foreign", "key")), _after(said, "references")
    if not columns or there is None:
        return _kept_reference(hit, around)
    schema, table = None, said[there].raw
    if said[there + 1 : there + 2] == ["."]:
        schema, table = table, said[there + 2].raw
    referred = _names(said, there)
    if not referred:
        key = around.inspector().get_pk_constraint(table, schema=schema)
        referred = list(key.get("constrained_columns") or ())
    return {
        "columns": columns,
        "referred_schema": schema,
        "referred_table": table,
        "referred_columns": referred,
    }


def _kept_reference(hit: Hit, around: Around) -> Asked | None:
    """A foreign key that was there before: added NOT VALID, and validated now."""
    keys = around.inspector().get_foreign_keys(hit.table, schema=hit.schema)
    key = next((k for k in keys if k["name"] == hit.constraint), None)
    if key is None:
        return None
    return {
        "columns": list(key["constrained_columns"]),
        "referred_schema": key["referred_schema"],
        "referred_table": key["referred_table"],
        "referred_columns": list(key["referred_columns"]),
    }


def _violations(hit: Hit, said: list[Word], around: Around) -> Asked | None:
    at = _after(said, "check")
    if at is not None:
        return {"expression": _plain(said[at + 1 : closing(said, at)])}
    for constraint in around.copied(str(hit.table)):
        if constraint.kind == "CHECK" and hit.constraint in {constraint.name, None}:
            return {"expression": constraint.definition[len("CHECK (") : -1]}
    checks = around.inspector().get_check_constraints
    kept = _of(checks, "sqltext", hit)
    return {"expression": kept} if kept else None


def _plain(said: list[Word]) -> str:
    """An expression as it was written, for a question; names keep their case by quotes alone."""
    shown = [Word(f'"{w.raw}"', "text") if w.quoted else w for w in said]
    return joined(shown)


def _changed(hit: Hit, said: list[Word], _: Around) -> Asked | None:
    """A column that got a type: ALTER … TYPE on PostgreSQL, MODIFY and CHANGE elsewhere."""
    column = hit.column or _altered(said)
    start = _after(said, "type")
    if start is None:
        start = _after(said, "modify") or _after(said, "change")
        start = start and start + (2 if _after(said, "change") else 1) + _is(said[start], "column")
    if column is None or start is None:
        return None
    end = next((n for n in range(start, len(said)) if _is(said[n], *_TYPE_ENDS)), len(said))
    kind = "".join(w if w in {"(", ")", ","} else f" {w}" for w in said[start:end])
    return {"column": column, "type": kind.replace("( ", "(").replace(", ", ",").strip()}


_MORE: dict[str, Callable[[Hit, list[Word], Around], Asked | None]] = {
    NULLS: _nulls,
    DUPLICATES: _duplicates,
    ORPHANS: _orphans,
    VIOLATIONS: _violations,
    MISFITS: _changed,
    UNCASTABLE: _changed,
}
