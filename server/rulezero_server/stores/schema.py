"""Brings the store's own tables to the newest revision, once, and cheaply when they are there."""

from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select

from rulezero_policies.errors import StoreFailed
from rulezero_server.stores.engine import reading, writing
from rulezero_server.stores.tables import SCHEMA, VERSION_TABLE, versions

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 0x72756C65_7A65726F
"""PostgreSQL's advisory lock for our migrations ("rulezero" in ASCII); SQLite's writer is alone."""


def make_ready(engine: Engine) -> None:
    """Migrate the store unless it is at `SCHEMA` already.

    Raises:
        StoreFailed: The store cannot be read or migrated, or a newer rulezero made it.
    """
    with reading(engine) as connection:
        at = _revision(connection)
    if at == SCHEMA:
        return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        _migrate(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(versions.c.version_num)).scalar()


def _migrate(connection: Connection) -> None:
    # Only a store that is new or old pays for Alembic.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, SCHEMA)
    except CommandError as error:
        reason = "a newer rulezero made it, or its schema was changed by hand"
        raise StoreFailed(reason=reason) from error
