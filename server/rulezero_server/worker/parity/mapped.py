"""The columns of the models, as a record has to mirror them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..load import Loaded  # noqa: TID252 - the worker runs under another package name
from ..models import mappers  # noqa: TID252


def mapped(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """Every table that env.py hands to Alembic.

    Returns:
        `tables`: by name (with its schema, where it has one), lists shaped as `stores.Column`.
    """
    found: dict[str, Any] = {}

    def look(_: Any, context: Any) -> list[Any]:
        given = context.opts.get("target_metadata")
        several: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]  # pyright: ignore[reportUnknownArgumentType] - SQLAlchemy's
        for metadata in several:
            for table in metadata.tables.values() if metadata is not None else ():
                found[str(table.key)] = list(_columns(table))
        return []

    loaded.run_env(look, dont_mutate=True, every=True)
    return {"tables": found}


def _columns(table: Any) -> Iterator[dict[str, Any]]:
    named = {
        str(column.name): str(mapper.get_property_by_column(column).key)
        for mapper in mappers()
        if table in mapper.tables
        for column in table.columns
        if column in mapper._columntoproperty  # noqa: SLF001 - its public form raises for others
    }
    for column in table.columns:
        yield {
            "name": str(column.name),
            "nullable": bool(column.nullable),
            "filled": _is_filled(table, column),
            "attribute": named.get(str(column.name)),
        }


def _is_filled(table: Any, column: Any) -> bool:
    """Whether it gets a value that nobody gives."""
    given = (column.server_default, column.default, getattr(column, "computed", None))
    return any(g is not None for g in given) or column is table._autoincrement_column  # noqa: SLF001
