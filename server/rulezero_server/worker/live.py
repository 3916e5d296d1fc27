"""The live catalogue, for reading: what there is, by whoever made it."""

from __future__ import annotations

from typing import Any

from . import things
from .load import Loaded


def listing(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """Everything that the database's catalogue names, Alembic's own table left out.

    Returns:
        `things`: dicts shaped as `rehearsal.Thing`; None for a kind of database that is not known.
    """
    found: list[list[dict[str, Any]] | None] = []

    def look(_: Any, context: Any) -> list[Any]:
        found.append(listed(context))
        return []

    loaded.run_env(look, dont_mutate=True)
    return {"things": found[0]}


def listed(context: Any) -> list[dict[str, Any]] | None:
    """The catalogue behind Alembic's context, as `listing` has it."""
    table = (context.version_table_schema, context.version_table)
    try:
        return things.things(context.connection, table)
    except KeyError:
        return None
