"""What the database itself says of a run whose process is gone."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import text

from .load import Loaded

PAUSE = 0.1
"""Seconds between two looks at a statement that its server still works on."""

_ALIVE = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity"
    " WHERE pid || ' ' || extract(epoch FROM backend_start) = :id",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE id = :id",
}

_INVALID = """SELECT n.nspname || '.' || c.relname FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid ORDER BY 1 LIMIT 20"""


def aftermath(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Whether the run's sessions live, which of its transactions count, what it left half done.

    Args:
        loaded: The project.
        args: `sessions` (`family` and `id` each), `transactions` (PostgreSQL's numbers), `seconds`
            to wait for sessions to end.

    Returns:
        What `records.Aftermath` holds.
    """
    found: list[dict[str, Any]] = []

    def look(_current: Any, context: Any) -> list[Any]:
        found.append(_look(context.connection, args))
        return []

    loaded.run_env(look)
    return found[0]


def _look(connection: Any, args: dict[str, Any]) -> dict[str, Any]:
    alive = _await(connection, args["sessions"], args["seconds"])
    postgresql = connection.dialect.name == "postgresql"
    numbers: list[str] = args["transactions"] if postgresql else []
    return {
        "alive": alive,
        "committed": {number: _counts(connection, number) for number in numbers},
        "invalid_indexes": [str(n) for n in connection.scalars(text(_INVALID))]
        if postgresql
        else [],
    }


def _await(connection: Any, sessions: list[dict[str, str]], seconds: float) -> bool:
    """Whether a session is still there after `seconds`: no server lets us wait for its end."""
    ends = time.monotonic() + seconds
    while _is_alive(connection, sessions):
        if time.monotonic() > ends:
            return True
        time.sleep(PAUSE)
    return False


def _is_alive(connection: Any, sessions: list[dict[str, str]]) -> bool:
    kind = "postgresql" if connection.dialect.name == "postgresql" else "mysql"
    return any(
        connection.scalar(text(_ALIVE[kind]), {"id": session["id"]})
        for session in sessions
        if session["family"] == kind
    )


def _counts(connection: Any, number: str) -> bool | None:
    """Whether a transaction was committed; None where the server no longer knows."""
    status = connection.scalar(text("SELECT txid_status(:number)"), {"number": int(number)})
    return {"committed": True, "aborted": False}.get(str(status))
