"""What names the tables as they stand, so that it can be told whether they were put back."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import text

from . import identity

_ASKED = {
    # Each table that is put back is a new one, with another number.
    "postgresql": "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'"
    " ORDER BY c.oid",
    # Copied over, a file's schema counts as changed; so it does after every other change of it.
    "sqlite": "PRAGMA schema_version",
    # To the second: a table that is put back was not made in the second that it stood in before.
    "mysql": "SELECT table_name, CAST(create_time AS CHAR) FROM information_schema.tables"
    " WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY table_name",
}


def mark(loaded: Any, _args: dict[str, Any]) -> dict[str, Any]:
    """The `mark` of the database that env.py opens; None where it has none."""
    seen: list[str | None] = []

    def look(_: Any, context: Any) -> list[Any]:
        seen.append(of(context.connection))
        return []

    loaded.run_env(look, dont_mutate=True)
    return {"mark": seen[0]}


def of(connection: Any) -> str | None:
    """The mark of the database that a connection is to."""
    kind = identity.dialect(connection)
    asked = _ASKED.get("mysql" if kind == "mariadb" else kind)
    if asked is None:
        return None
    rows = [[str(value) for value in row] for row in connection.execute(text(asked))]
    return hashlib.sha256(repr(rows).encode()).hexdigest()
