"""The rows of a database as sums, so that two moments can be compared and no value is kept.

A value counts as what it says: 1 and '1' are the same, so that a column that only changed its type
has not changed its values.
"""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, cast

import sqlalchemy as sa

from . import tables

_BATCH = 1000
"""Rows that are fetched at once."""

_LARGE = 20_000_000
"""Bytes of a table from which on its rows are not fetched all at once."""

_TABLES = 100
"""Tables that are asked at once whether they hold a row; SQLite takes up to 500."""

_KEYS = 5
_LONGEST_KEY = 60
"""How many keys are told, and their characters."""

_NULL = 0
_MASK = (1 << 64) - 1

_WORD = 8
"""Bytes of a value's sum."""


@dataclass
class Rows:
    """The rows of one table: held by their keys, or only summed.

    `held` is None where the table has no primary key, or more rows than are held one by one. Sums
    of whole columns do not depend on the order of the rows.
    """

    place: tables.Place
    columns: tuple[str, ...]
    key: tuple[str, ...]
    count: int = 0
    held: dict[Any, bytes] | None = None
    sums: list[int] = field(default_factory=list)  # pyright: ignore[reportUnknownVariableType]
    filled: list[int] = field(default_factory=list)  # pyright: ignore[reportUnknownVariableType]


def take(
    connection: Any, left_out: tuple[str | None, str], most: int, go_on: Callable[[], bool]
) -> tuple[dict[tables.Place, Rows], list[str]]:
    """The rows of every table but one.

    Args:
        connection: An open connection.
        left_out: The schema (None for the default one) and name of Alembic's own table.
        most: Rows of a table that are held one by one.
        go_on: Whether there is time left.

    Returns:
        The rows by table, and the names of tables that there was no time for, or no way to read.
    """
    found: dict[tables.Place, Rows] = {}
    missed: list[str] = []
    listed = [table for table in tables.listed(connection) if table.place != left_out]
    empty = _empty(connection, listed)
    found.update((table.place, _none(table)) for table in listed if table.place in empty)
    wanted = [table for table in listed if table.place not in empty]
    while wanted:
        tried: list[tables.Table] = []
        with suppress(Exception), apart(connection):  # whatever a driver raises of one table
            for table in wanted:
                tried.append(table)
                if go_on():
                    found[table.place] = _read(connection, table, most)
        wanted = wanted[len(tried) :]
        missed += [table.name for table in tried if table.place not in found]
    return found, missed


def _empty(connection: Any, listed: list[tables.Table]) -> set[tables.Place]:
    """The tables without a row, asked many at once: of a large schema most are, as a rule."""
    # PostgreSQL gives a table that never held a row no page at all.
    found = {table.place for table in listed if table.size == 0}
    others = [table.place for table in listed if table.size != 0]
    for first in range(0, len(others), _TABLES):
        found |= _without_rows(connection, others[first : first + _TABLES])
    return found


def _without_rows(connection: Any, places: list[tables.Place]) -> set[tables.Place]:
    one = cast("Any", sa.literal_column("1"))
    asked: list[Any] = []
    for number, (schema, table) in enumerate(places):
        there: Any = sa.exists(sa.select(one).select_from(sa.table(table, schema=schema)))
        asked.append(sa.select(cast("Any", sa.literal_column(str(number))), there))
    try:
        with apart(connection):
            filled = {row[0] for row in connection.execute(sa.union_all(*asked)) if row[1]}
    except Exception:  # noqa: BLE001 - a table that cannot be asked is told of when it is read
        return set()
    return {place for number, place in enumerate(places) if number not in filled}


def _none(table: tables.Table) -> Rows:
    width = len(table.columns)
    rows = Rows(table.place, table.columns, table.key, held={} if table.key else None)
    rows.sums, rows.filled = [0] * width, [0] * width
    return rows


def _read(connection: Any, table: tables.Table, most: int) -> Rows:
    rows = _none(table)
    _sum(connection, table, most, rows)
    return rows


@contextmanager
def apart(connection: Any) -> Generator[None, None, None]:
    """While it lasts a question that fails leaves PostgreSQL's transaction usable."""
    nested = connection.dialect.name == "postgresql" and not _autocommits(connection)
    with connection.begin_nested() if nested else nullcontext():
        yield


def _autocommits(connection: Any) -> bool:
    return connection.get_isolation_level() == "AUTOCOMMIT"


def _sum(connection: Any, table: tables.Table, most: int, rows: Rows) -> None:
    schema, name = table.place
    columns: list[Any] = [sa.column(c) for c in table.columns]
    chosen: Any = cast("Any", sa.select(*columns)).select_from(sa.table(name, schema=schema))
    if (table.size or 0) > _LARGE and not _autocommits(connection):
        chosen = chosen.execution_options(yield_per=_BATCH)
    place = [table.columns.index(column) for column in table.key]
    pack = Struct(f"{len(table.columns)}Q").pack
    for batch in connection.execute(chosen).partitions(_BATCH):
        sums = [[_of(value) for value in row] for row in batch]
        rows.count += len(sums)
        for at, column in enumerate(zip(*sums)):
            rows.sums[at] = (rows.sums[at] + sum(column)) & _MASK
            rows.filled[at] += len(column) - column.count(_NULL)
        if rows.count > most:
            rows.held = None
        if rows.held is not None:
            rows.held.update((_key(row, place), pack(*values)) for row, values in zip(batch, sums))


def _key(row: Sequence[Any], place: Sequence[int]) -> Any:
    return _text(row[place[0]]) if len(place) == 1 else tuple(_text(row[at]) for at in place)


def _of(value: Any) -> int:
    """A value's sum: Python's own hash of text is keyed anew in each process."""
    return _NULL if value is None else (hash(_text(value)) & _MASK) or 1


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    shown = next((show for kinds, show in _SHOWN if isinstance(value, kinds)), str)
    return shown(value)


def _float(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _moment(value: Any) -> str:
    if getattr(value, "tzinfo", None) is not None and isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc)
    return str(value.isoformat()).replace("T", " ")


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _number(value: decimal.Decimal) -> str:
    if not value.is_finite():
        return str(value)
    whole = value == value.to_integral_value()
    return str(int(value)) if whole else format(value.normalize(), "f")


_SHOWN: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    ((bool, int), lambda value: str(int(value))),
    (float, _float),
    (decimal.Decimal, _number),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
    ((datetime.date, datetime.time), _moment),
    ((dict, list), _json),
)
"""How a value is written, so that what says the same is the same."""


def differing(
    before: dict[tables.Place, Rows], after: dict[tables.Place, Rows], *, every: bool
) -> list[dict[str, Any]]:
    """How the rows differ, each table shaped as `rehearsal.RowsDiffer`.

    Args:
        before: The rows at the start.
        after: Those at the end.
        every: Whether tables and columns that are gone count as lost; else what both have is
            compared.
    """
    found = (
        _differs(old, after.get(place), every=every)
        for place, old in before.items()
        if every or place in after
    )
    return [entry for entry in found if entry is not None]


def _differs(old: Rows, new: Rows | None, *, every: bool) -> dict[str, Any] | None:
    if new is None:
        return _entry(old, 0, lost=old.count) if old.count else None
    both = [c for c in old.columns if c in new.columns]
    gone = [c for c in old.columns if c not in new.columns] if every else []
    if old.held is not None and new.held is not None and old.key == new.key:
        return _held(old, new, both, gone)
    return _summed(old, new, both, gone)


def _held(old: Rows, new: Rows, both: list[str], gone: list[str]) -> dict[str, Any] | None:
    before, after = old.held or {}, new.held or {}
    lost, added = [k for k in before if k not in after], [k for k in after if k not in before]
    cut_old, cut_new = _cut(old, both), _cut(new, both)
    changed: list[Any] = []
    columns: set[str] = set()
    for key, values in before.items():
        other = after.get(key)
        if other is None or (cut_old == cut_new and values == other):
            continue
        differing = {
            c for c, a, b in zip(both, cut_old, cut_new)
            if values[a : a + _WORD] != other[b : b + _WORD]
        }  # fmt: skip
        if differing:
            changed.append(key)
            columns |= differing
    if not (lost or added or changed or (gone and before)):
        return None
    return _entry(
        old, new.count, lost=len(lost), added=len(added), changed=len(changed),
        columns=[*(c for c in both if c in columns), *(gone if before else [])],
        keys=[_shown(key) for key in [*lost, *changed, *added][:_KEYS]],
    )  # fmt: skip


def _cut(rows: Rows, columns: list[str]) -> list[int]:
    """Where the sums of these columns begin in a row's."""
    return [rows.columns.index(column) * _WORD for column in columns]


def _summed(old: Rows, new: Rows, both: list[str], gone: list[str]) -> dict[str, Any] | None:
    columns = [c for c in both if _column(old, c) != _column(new, c)]
    missing = gone if old.count else []
    if old.count == new.count and not columns and not missing:
        return None
    same_rows = old.count == new.count
    return _entry(old, new.count, columns=[*(columns if same_rows else []), *missing])


def _column(rows: Rows, column: str) -> tuple[int, int]:
    at = rows.columns.index(column)
    return rows.sums[at], rows.filled[at]


def _shown(key: Any) -> str:
    text = key if isinstance(key, str) else f"({', '.join(key)})"
    return text if len(text) <= _LONGEST_KEY else text[: _LONGEST_KEY - 1] + "…"


def _entry(old: Rows, after: int, **more: Any) -> dict[str, Any]:
    schema, table = old.place
    return {"table": table, "schema": schema, "before": old.count, "after": after, **more}


def emptied(
    before: dict[tables.Place, Rows], after: dict[tables.Place, Rows]
) -> Iterator[dict[str, Any]]:
    """Columns that both have, that held values, and hold none in the rows that there still are."""
    for place, old in before.items():
        new = after.get(place)
        for column in old.columns if new is not None and new.count else ():
            if column not in (new.columns if new else ()):
                continue
            filled = _column(old, column)[1]
            if new is not None and filled and not _column(new, column)[1]:
                yield {"table": place[1], "schema": place[0], "column": column, "values": filled}
