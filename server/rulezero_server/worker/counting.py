"""Counting rows, up to a bound, and the keys of a few of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .conditions import column, condition, literal

_SAMPLE = 3

_WITHOUT_KEYS = frozenset({"rows", "values"})


def count(
    connection: Any, asked: dict[str, Any], bound: int, *, part: int | None = None
) -> dict[str, Any]:
    """How many there are, and whether the counting stopped at `bound`.

    Args:
        connection: Where to ask.
        asked: The question.
        bound: The count at which there is no need to know more.
        part: Look at no more rows than this.
    """
    bounded = _found(connection, asked, part).limit(bound + 1).subquery("counted")
    counted = connection.execute(sa.select(sa.func.count()).select_from(bounded)).scalar()
    return {"count": min(counted, bound), "at_least": counted > bound}


def _found(connection: Any, asked: dict[str, Any], part: int | None) -> Any:
    if asked["probe"] == "duplicates":
        return _groups(asked, part)
    source = _source(asked, part)
    rows: Any = sa.select(literal("1").label("found")).select_from(source)
    where = _where(connection, asked, source)
    return rows if where is None else rows.where(where)


def _where(connection: Any, asked: dict[str, Any], source: Any) -> Any:
    if asked["probe"] == "orphans":
        return _parentless(asked, source)
    return condition(connection, asked)


def _table(asked: dict[str, Any], *names: str) -> Any:
    return sa.table(asked["table"], *map(column, names), schema=asked.get("schema"))


def _source(asked: dict[str, Any], part: int | None) -> Any:
    names = asked["columns"] if asked["probe"] == "orphans" else ()
    table = _table(asked, *names)
    if part is None:
        return table
    wanted: Any = table.c if names else [literal("*")]
    return sa.select(*wanted).select_from(table).limit(part).subquery("part")


def _groups(asked: dict[str, Any], part: int | None) -> Any:
    """One row for each combination of values that stands more than once; NULLs are never equal."""
    columns = [column(name) for name in asked["columns"]]
    rows: Any = sa.select(*columns).select_from(_source(asked, part))
    filled = rows.where(sa.and_(*(c.isnot(None) for c in columns)))
    return filled.group_by(*columns).having(sa.func.count() > 1)


def _parentless(asked: dict[str, Any], child: Any) -> Any:
    """A row whose key is complete and names no row of the referred table."""
    parent: Any = sa.table(
        asked["referred_table"],
        *map(column, asked["referred_columns"]),
        schema=asked.get("referred_schema"),
    ).alias("referred")
    pairs = zip(asked["columns"], asked["referred_columns"])
    same = sa.and_(*(parent.c[there] == child.c[here] for here, there in pairs))
    filled = (child.c[name].isnot(None) for name in asked["columns"])
    found: Any = sa.select(literal("1")).select_from(parent).where(same)
    return sa.and_(*filled, sa.not_(sa.exists(found.correlate(child))))


def sample(connection: Any, asked: dict[str, Any]) -> list[str]:
    """Primary keys of some of the rows: keys, never values of other columns."""
    names = _key(connection, asked)
    if not names or asked["probe"] in _WITHOUT_KEYS:
        return []
    if asked["probe"] == "duplicates":
        rows = _doubled(asked, names)
    else:
        table = _table(asked, *names, *asked.get("columns") or ())
        keys = [table.c[name] for name in names]
        where = _where(connection, asked, table)
        rows = sa.select(*keys).where(where).order_by(*keys).limit(_SAMPLE)
    return [", ".join(str(v) for v in row) for row in connection.execute(rows)]


def _key(connection: Any, asked: dict[str, Any]) -> list[str]:
    inspector: Any = sa.inspect(connection)
    key = inspector.get_pk_constraint(asked["table"], schema=asked.get("schema"))
    names: list[str] = key.get("constrained_columns") or []
    # A key that is made of what is asked about would tell its values.
    return [] if set(names) & set(asked.get("columns") or ()) else names


def _doubled(asked: dict[str, Any], names: list[str]) -> Any:
    twice: Any = _groups(asked, None).limit(1).subquery("twice")
    table = _table(asked, *names, *asked["columns"])
    same = sa.and_(*(twice.c[name] == table.c[name] for name in asked["columns"]))
    keys = [table.c[name] for name in names]
    return sa.select(*keys).select_from(table.join(twice, same)).order_by(*keys).limit(_SAMPLE)
