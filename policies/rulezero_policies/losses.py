"""Which rows and values a rehearsal saw go, and whether the plan says so."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from rulezero_policies import sql
from rulezero_policies.operations import Operation
from rulezero_policies.rehearsal import Leg, Rehearsed, RowsDiffer, Sent

_MARKERS = re.compile(r"%\(\w+\)s|%s|\$\d+|(?<!:):\w+|…")
"""Where a value stood that is not told."""
_HARMLESS = re.compile(
    r"\s*(?:CREATE|COMMENT|GRANT|REVOKE|SET|RESET|PRAGMA|INSERT|ANALYZE|VACUUM|REINDEX|BEGIN|COMMIT"
    r"|SAVEPOINT|RELEASE|LOCK|USE|SHOW)\b",
    re.IGNORECASE,
)
"""How statements begin that take no row and no value away, understood or not."""

Where = Literal["first", "back"]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Something that was there and is not: on the first way, or on the way back.

    `said` is whether the plan says it: it drops the column, deletes the rows. `doubtful` is that
    something was sent which is not understood, and may be what took it.
    """

    table: str
    text: str
    where: Where
    said: bool
    doubtful: bool = False
    values_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Acts:
    """What the statements and the operations of one way take away, by names in lower case."""

    sent: tuple[Sent, ...]
    operations: tuple[Operation, ...]
    dialect: str
    read: tuple[sql.Statement, ...] = field(init=False)

    def __post_init__(self) -> None:
        texts = (_MARKERS.sub("NULL", s.sql) for s in self.sent)
        found = tuple(one for text in texts for one in sql.read(text, self.dialect))
        object.__setattr__(self, "read", found)

    @cached_property
    def dark(self) -> bool:
        """Whether something was sent that is not understood, and may take anything."""
        return any(s.unknown and not _HARMLESS.match(s.text) for s in self.read)

    @cached_property
    def emptied(self) -> frozenset[str]:
        """The tables that a statement deletes rows of."""
        changes = (s.change for s in self.read)
        verbs = (o for s in self.read for o in s.operations if o.verb == "truncate")
        return frozenset(
            (
                *(c.table.lower() for c in changes if c is not None and c.verb == "DELETE"),
                *((o.table or "").lower() for o in verbs),
            )
        )

    @cached_property
    def written(self) -> frozenset[str]:
        """The tables that a statement gives other values: columns follow by triggers, too."""
        changes = (s.change for s in self.read)
        return frozenset(c.table.lower() for c in changes if c is not None and c.verb != "DELETE")

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables that are dropped."""
        drops = (o for o in self.everything if o.kind == "drop_table")
        return frozenset((o.table or "").lower() for o in drops)

    @cached_property
    def columns(self) -> frozenset[tuple[str, str]]:
        """The columns that are dropped."""
        return self._named("drop_column")

    @cached_property
    def retyped(self) -> frozenset[tuple[str, str]]:
        """The columns that get another type, or whose name another column takes."""
        renamed = [o for o in self.everything if o.column and o.change("name")]
        left = {(o.table or "", o.column.name.lower()) for o in renamed if o.column}
        taken = {
            ((o.table or ""), (c.after or "").lower())
            for o in renamed
            if (c := o.change("name")) is not None
        }
        return frozenset((t.lower(), name) for t, name in left & taken) | frozenset(
            ((o.table or "").lower(), o.column.name.lower())
            for o in self.everything
            if o.kind == "alter_column" and o.column and (o.change("type") or not o.changes)
        )

    @cached_property
    def everything(self) -> tuple[Operation, ...]:
        """The operations, with what raw SQL does behind each `execute`."""
        return tuple(sql.expand(self.operations, self.dialect))

    def _named(self, kind: str) -> frozenset[tuple[str, str]]:
        found = (o for o in self.everything if o.kind == kind and o.column)
        return frozenset(
            ((o.table or "").lower(), o.column.name.lower()) for o in found if o.column
        )


def acts(saw: Rehearsed, leg: Leg, operations: Iterable[Operation], dialect: str) -> Acts:
    """What one way does: the statements of `leg`, and the operations that were read of it."""
    sent = tuple(s for s in saw.sent if s.leg == leg)
    return Acts(sent=sent, operations=tuple(operations), dialect=dialect)


def losses(saw: Rehearsed, first: Acts, back: Acts) -> tuple[Loss, ...]:
    """Everything that is gone, what the first way took first."""
    return (*_on_the_way(saw, first), *_after_the_way_back(saw, first, back))


def _on_the_way(saw: Rehearsed, first: Acts) -> Iterator[Loss]:
    for differ in saw.data_there:
        gone, name = _gone(differ), differ.table.lower()
        if gone and name not in first.tables:
            said = name in first.emptied
            yield Loss(
                table=_qualified(differ),
                text=_rows_gone(differ, gone, said=said),
                where="first",
                said=said,
                doubtful=first.dark,
            )
        yield from _changed(differ, saw, first)
    for empty in saw.emptied:
        place = (empty.table.lower(), empty.column.lower())
        said = place[0] in first.written or place in first.retyped | first.columns
        name = f"{empty.schema}.{empty.table}" if empty.schema else empty.table
        by = "set to NULL by the plan" if said else "and no statement sets it to NULL"
        yield Loss(
            table=name,
            text=f"{_counted(empty.values, 'value')} of {name}.{empty.column} became NULL, {by}",
            where="first",
            said=said,
            doubtful=first.dark,
        )


def _changed(differ: RowsDiffer, saw: Rehearsed, first: Acts) -> Iterator[Loss]:
    """Values that are other ones though nothing was sent that says so."""
    table, emptied = differ.table.lower(), {(e.table, e.column) for e in saw.emptied}
    for column in differ.columns:
        place = (table, column.lower())
        explained = table in first.written | first.tables or place in first.retyped | first.columns
        if explained or first.dark:
            continue
        if (differ.table, column) not in emptied:
            rows = "rows" if differ.changed is None else _counted(differ.changed, "row")
            name = f"{_qualified(differ)}.{column}"
            text = f"{name}: other values in {rows}, and no statement writes them"
            yield Loss(
                table=_qualified(differ),
                text=text,
                where="first",
                said=False,
                values_only=True,
            )


def _after_the_way_back(saw: Rehearsed, first: Acts, back: Acts) -> Iterator[Loss]:
    there = {(d.schema, d.table): d for d in saw.data_there}
    for differ in saw.data_back:
        on_the_way = there.get((differ.schema, differ.table))
        table = _qualified(differ)
        if differ.table.lower() in first.tables:
            text = f"{_counted(differ.before, 'row')} of {table}: the table is dropped"
            yield Loss(table=table, text=text, where="first", said=True)
            continue
        gone = _gone(differ) - (_gone(on_the_way) if on_the_way else 0)
        if gone > 0:
            text = _rows_gone(differ, gone, said=False)
            yield Loss(table=table, text=text, where="back", said=False, doubtful=back.dark)
        if differ.added:
            text = f"{_counted(differ.added, 'row')} of {table} that the first way added, and left"
            yield Loss(table=table, text=text, where="first", said=True)
        yield from _values(differ, on_the_way, saw, first, back)


def _values(
    differ: RowsDiffer, there: RowsDiffer | None, saw: Rehearsed, first: Acts, back: Acts
) -> Iterator[Loss]:
    """The columns whose values are not what they were, where rows themselves are still there."""
    table = _qualified(differ)
    rows = "rows" if differ.changed is None else _counted(differ.changed, "row")
    before = {c.lower() for c in there.columns} if there else set[str]()
    before |= {e.column.lower() for e in saw.emptied if e.table == differ.table}
    for column in differ.columns:
        place = (differ.table.lower(), column.lower())
        if place in first.columns:
            text = f"{table}.{column}: its values in {rows}, for the column is dropped"
        elif column.lower() in before:
            text = f"{table}.{column}: changed in {rows}, and not changed back"
        elif place in first.retyped | back.retyped:
            text = f"{table}.{column}: other values in {rows} after both changes of type"
        else:
            text = f"{table}.{column}: other values in {rows}, which only the way back changed"
            yield Loss(
                table=table,
                text=text,
                where="back",
                said=False,
                doubtful=back.dark or place[0] in back.written,
                values_only=True,
            )
            continue
        yield Loss(table=table, text=text, where="first", said=True, values_only=True)


def _gone(differ: RowsDiffer) -> int:
    lost = differ.before - differ.after if differ.lost is None else differ.lost
    return max(lost, 0)


def _rows_gone(differ: RowsDiffer, gone: int, *, said: bool) -> str:
    keys = f" (keys {', '.join(differ.keys)})" if differ.keys else ""
    by = "deleted by the plan" if said else "and no statement deletes them"
    rows = "1 row is gone" if gone == 1 else f"{gone:,} rows are gone"
    return f"{rows} of {differ.before:,} in {_qualified(differ)}{keys}, {by}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _qualified(differ: RowsDiffer) -> str:
    return f"{differ.schema}.{differ.table}" if differ.schema else differ.table
