"""The steps of a plan one after another, and what each finds when its turn comes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rulezero_policies import sql
from rulezero_policies.findings import Question
from rulezero_policies.operations import Column, Operation

Place = tuple[str | None, str]
"""A table: its schema, if it has one, and its name."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation, and what its table is to the live database before the plan runs.

    `table` (with `schema`) and `column` are the names the live database has, whatever the plan has
    renamed by then. `added` are the columns that the plan added to this table before; `empty` are
    those of them that hold nothing but NULL. `columns` are the names that the plan gave, each with
    the live one (None for a new column). `earlier` are the texts of raw SQL that ran before, None
    for what was not understood.
    """

    operation: Operation
    table: str | None
    schema: str | None
    column: str | None
    new_table: bool
    new_column: bool
    added: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    columns: tuple[tuple[str, str | None], ...] = ()
    earlier: tuple[str | None, ...] = ()

    def live(self, column: str) -> str | None:
        """The name that the live database has for a column of the table; None for a new one."""
        return dict(self.columns).get(column, column)

    def stale(self, *columns: str) -> bool:
        """Whether rows may have changed by now, so that what was counted is not what it meets.

        Args:
            columns: Those whose values matter.
        """
        names = {self.operation.table or "", self.table or ""} - {""}
        return any(
            text is None or (_writes(text, names) and _touches(text, columns))
            for text in self.earlier
        )

    def filled(self, column: str) -> bool:
        """Whether an earlier step gives every NULL of a column of the table a value."""
        changes = (sql.dml(s) for text in self.earlier if text for s in sql.statements(text))
        return any(
            change is not None
            and change.table == self.operation.table
            and change.verb == "UPDATE"
            and column in change.columns
            and (change.everywhere or (change.only_nulls and not change.only_some))
            for change in changes
        )

    @property
    def rows(self) -> Question:
        """How many rows the live table has."""
        return Question(probe="rows", table=self.table or "", schema=self.schema)

    @property
    def values(self) -> Question:
        """How many values the live column holds."""
        return Question(
            probe="values", table=self.table or "", schema=self.schema, column=self.column
        )

    @property
    def nulls(self) -> Question:
        """How many NULLs the live column holds."""
        return Question(
            probe="nulls", table=self.table or "", schema=self.schema, column=self.column
        )


def walk(operations: Iterable[Operation], dialect: str = "") -> Iterator[Step]:
    """Every operation as it finds things; what raw SQL does follows its `execute`."""
    yield from map(_Ledger().take, sql.expand(operations, dialect))


def demands_value(column: Column) -> bool:
    """Whether every existing row needs a value that the definition does not give."""
    return not (column.nullable or column.generated or _counts_up(column) or has_default(column))


def _counts_up(column: Column) -> bool:
    """An integer primary key numbers its rows by itself."""
    kind = column.type.upper()
    return kind.endswith("SERIAL") or (column.primary_key and "INT" in kind)


def has_default(column: Column) -> bool:
    """Whether the database itself has a value for the column."""
    return (column.server_default or "NULL").strip().upper() != "NULL"


def becomes_not_null(operation: Operation) -> bool:
    """Whether an `alter_column` takes NULL away."""
    change = operation.change("nullable")
    return change is not None and _false(change.after) and not _false(change.before)


def _false(word: str | None) -> bool:
    return (word or "").lower() == "false"


@dataclass(kw_only=True)
class _Ledger:
    """What the plan has made of the live tables and columns so far."""

    tables: dict[Place, Place | None] = field(default_factory=dict[Place, Place | None])
    columns: dict[tuple[Place, str], str | None] = field(
        default_factory=dict[tuple[Place, str], str | None]
    )
    empty: set[tuple[Place, str]] = field(default_factory=set[tuple[Place, str]])
    earlier: tuple[str | None, ...] = ()

    def take(self, operation: Operation) -> Step:
        """The step of `operation`, as things stand; then count it in."""
        place: Place = (operation.schema, operation.table or "")
        live = self.tables.get(place, place)
        name = operation.column.name if operation.column else None
        column = self.columns.get((place, name), name) if name else None
        step = Step(
            operation=operation,
            table=live[1] if live else None,
            schema=live[0] if live else None,
            column=column,
            new_table=live is None,
            new_column=name is not None and column is None,
            added=frozenset(c for (p, c), was in self.columns.items() if p == place and not was),
            empty=frozenset(c for p, c in self.empty if p == place),
            columns=tuple((c, was) for (p, c), was in self.columns.items() if p == place),
            earlier=self.earlier,
        )
        self._count(operation, place, name)
        return step

    def _count(self, operation: Operation, place: Place, name: str | None) -> None:
        match operation.kind:
            case "create_table":
                self._forget(place)
                self.tables[place] = None
            case "drop_table":
                self._forget(place)
            case "rename_table":
                self._rename(place, (operation.schema, operation.name or ""))
            case "add_column" if operation.column:
                self._add(place, operation.column)
            case "drop_column" | "alter_column" if name:
                self._alter(place, name, operation)
            case "execute" | "opaque":
                self._fill(operation)
                self.earlier = (*self.earlier, operation.sql)
            case "bulk_insert":
                self.earlier = (*self.earlier, f"INSERT INTO {operation.table}")
            case _:
                return

    def _alter(self, place: Place, name: str, operation: Operation) -> None:
        if operation.kind == "alter_column":
            self._rename_column(place, name, operation)
        else:
            self.columns.pop((place, name), None)
            self.empty.discard((place, name))

    def _fill(self, operation: Operation) -> None:
        """What ran may have given values to the columns it names; to any, where unknown."""
        text = operation.sql
        self.empty = {e for e in self.empty if text is not None and not mentions(text, e[1])}

    def _add(self, place: Place, column: Column) -> None:
        self.columns[place, column.name] = None
        if column.nullable and not column.generated and not has_default(column):
            self.empty.add((place, column.name))

    def _forget(self, place: Place) -> None:
        self.tables.pop(place, None)
        self.columns = {k: v for k, v in self.columns.items() if k[0] != place}
        self.empty = {e for e in self.empty if e[0] != place}

    def _rename(self, old: Place, new: Place) -> None:
        live = self.tables.pop(old, old)
        self.columns = {(new if p == old else p, c): v for (p, c), v in self.columns.items()}
        self.empty = {(new if p == old else p, c) for p, c in self.empty}
        self.tables[new] = live

    def _rename_column(self, place: Place, name: str, operation: Operation) -> None:
        change = operation.change("name")
        if change is None or change.after is None:
            return
        self.columns[place, change.after] = self.columns.pop((place, name), name)
        if (place, name) in self.empty:
            self.empty = (self.empty - {(place, name)}) | {(place, change.after)}


_WRITES = re.compile(
    r"\b(?:UPDATE|DELETE|INSERT|COPY|LOAD|MERGE|REPLACE|TRUNCATE|CALL|DO|EXECUTE)\b", re.IGNORECASE
)


def _writes(text: str, tables: set[str]) -> bool:
    return _WRITES.search(text) is not None and any(mentions(text, t) for t in tables)


_INSERTS = re.compile(r"\b(?:INSERT|COPY|LOAD|MERGE|REPLACE)\b", re.IGNORECASE)


def _touches(text: str, columns: tuple[str, ...]) -> bool:
    """Whether it can change these columns' values, or bring rows with new ones."""
    return not columns or any(mentions(text, c) for c in columns) or bool(_INSERTS.search(text))


def mentions(text: str, name: str) -> bool:
    """Whether `name` stands in `text` as a word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
