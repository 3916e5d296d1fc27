"""What a revision really does to a database: let it, and look."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

Values = Mapping[tuple[str, str], Counter[str]]
"""For each table and column, the values that are not NULL, and how often."""

_STRONG = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")


@dataclass(frozen=True, kw_only=True)
class Label:
    """What happened: the error, what was lost, which tables were stored anew, the strongest lock.

    `lost` names the columns whose values, and `rewritten` the tables; `lock` is PostgreSQL's name.
    """

    error: str | None
    lost: tuple[str, ...]
    rewritten: tuple[str, ...]
    lock: str | None


def what_happens(engine: sa.Engine, module: ModuleType) -> Label:
    """Run `upgrade()` for good and compare the database before and after."""
    with engine.connect() as connection:
        before, stored = values(connection), storage(connection)
    error, lock = _run(engine, module)
    with engine.connect() as connection:
        after, now = values(connection), storage(connection)
    return Label(
        error=error,
        lost=tuple(_lost(before, after)),
        rewritten=tuple(sorted(t for t in stored if t in now and stored[t] != now[t])),
        lock=lock,
    )


def _run(engine: sa.Engine, module: ModuleType) -> tuple[str | None, str | None]:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        context = MigrationContext.configure(connection)
        lock: str | None = None
        try:
            with context.begin_transaction(), Operations.context(context):
                module.upgrade()
                lock = _strongest_lock(connection)
            if connection.in_transaction():
                connection.commit()
        except Exception as error:  # noqa: BLE001 - whatever the database or alembic says
            return f"{type(error).__name__}: {error}".splitlines()[0][:200], lock
    return None, lock


def _strongest_lock(connection: sa.Connection) -> str | None:
    """The strongest lock that this transaction holds on a table with rows."""
    if connection.dialect.name != "postgresql":
        return None
    query = (
        "SELECT DISTINCT l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        "WHERE l.pid = pg_backend_pid() AND c.relname IN ('users', 'tasks', 'logs')"
    )
    held = set(connection.exec_driver_sql(query).scalars())
    return next((m for m in reversed(_STRONG) if m in held), None)


def values(connection: sa.Connection) -> Values:
    """Everything that stands in the database's tables."""
    inspector = sa.inspect(connection)
    found: dict[tuple[str, str], Counter[str]] = {}
    for table in inspector.get_table_names():
        names = [c["name"] for c in inspector.get_columns(table)]
        columns: list[Any] = [sa.column(n) for n in names]  # pyright: ignore[reportUnknownVariableType] - SQLAlchemy's
        wanted: Any = sa.select(*columns).select_from(sa.table(table))
        rows: Sequence[Any] = connection.execute(wanted).all()
        for number, name in enumerate(names):
            found[table, name] = Counter(
                f"{row[0]}: {_plain(row[number])}" for row in rows if row[number] is not None
            )
    return found


def _plain(value: Any) -> str:
    """A value as text; how many zeros are written after the point is no loss."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value).rstrip()


def _lost(before: Values, after: Values) -> list[str]:
    """The columns that held what stands nowhere any more, neither there nor under a new name."""
    new = [held for place, held in after.items() if place not in before]
    return [
        f"{table}.{column}"
        for (table, column), held in before.items()
        if held
        and held - after.get((table, column), Counter())
        and not any(not held - other for other in new)
    ]


def storage(connection: sa.Connection) -> dict[str, int]:
    """What changes when a table is stored anew: its file on PostgreSQL, its id on MariaDB."""
    name = connection.dialect.name
    if name == "postgresql":
        query = "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r'"
        query += " AND relnamespace = 'public'::regnamespace"
    elif name == "mysql":
        query = "SELECT substring_index(name, '/', -1), table_id "
        query += "FROM information_schema.innodb_sys_tables "
        query += "WHERE substring_index(name, '/', 1) = database()"
    else:
        return {}
    return {str(n): int(i) for n, i in connection.exec_driver_sql(query).all()}
