"""The mapped classes of the project: which table each maps, and which attribute which column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import mapperlib

from .load import Loaded


def models(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """The classes that are mapped once env.py has run.

    Returns:
        `models`: dicts shaped as `references.ModelClass`, by name.
    """

    def load(_: Any, __: Any) -> list[Any]:
        return []

    loaded.run_env(load, dont_mutate=True)
    found = [shown for mapper in mappers() for shown in _shown(mapper)]
    return {"models": sorted(found, key=lambda m: (m["name"], m["table"]))}


def mappers() -> Iterator[Any]:
    """Every mapper that there is."""
    # SQLAlchemy has no public way to every registry; without it no class is known.
    every: Any = getattr(mapperlib, "_all_registries", tuple)
    for registry in every():
        yield from registry.mappers


def _shown(mapper: Any) -> Iterator[dict[str, Any]]:
    for table in mapper.tables:
        if isinstance(table, sa.Table):
            yield {
                "name": mapper.class_.__name__,
                "table": str(table.name),
                "schema": None if table.schema is None else str(table.schema),
                "attributes": list(_attributes(mapper, table)),
            }


def _attributes(mapper: Any, table: Any) -> Iterator[tuple[str, str]]:
    for column in table.columns:
        if column in mapper._columntoproperty:  # noqa: SLF001 - its public form raises for others
            yield str(mapper.get_property_by_column(column).key), str(column.name)
