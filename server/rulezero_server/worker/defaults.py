"""What the models give a column that nothing is said of, where that is a constant."""

from __future__ import annotations

import enum
import numbers
from collections.abc import Iterator
from typing import Any

from . import models as mapped
from .load import Loaded

LONGEST = 200
"""Characters of a default that is told."""


def defaults(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """The constant defaults of the models' columns, as source of a `server_default=`.

    Returns:
        `defaults`: one dict a column, shaped as `records.ModelDefault`.
    """
    found: list[dict[str, Any]] = []

    def look(_: Any, context: Any) -> list[Any]:
        found.extend(_all(context.opts.get("target_metadata")))
        return []

    loaded.run_env(look, dont_mutate=True)
    return {"defaults": found}


def _all(given: Any) -> Iterator[dict[str, Any]]:
    several: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]  # pyright: ignore[reportUnknownArgumentType] - SQLAlchemy's
    known: list[Any] = [t for m in several if m is not None for t in m.tables.values()]
    tables: list[Any] = known or [t for m in mapped.mappers() for t in m.tables]
    for table in tables:
        for column in getattr(table, "columns", ()):
            source = _of_server(column) or _of_python(column)
            if source is not None and len(source) <= LONGEST:
                yield {"table": str(table.name), "column": str(column.name), "source": source}


def _of_server(column: Any) -> str | None:
    """What the database is to give, where it is plain text."""
    given = getattr(column.server_default, "arg", None)
    if isinstance(given, str):
        return repr(str(given))
    text = getattr(given, "text", None)
    return f"sa.text({str(text)!r})" if isinstance(text, str) else None


def _of_python(column: Any) -> str | None:
    """What SQLAlchemy gives, as the database would."""
    default = column.default
    if not getattr(default, "is_scalar", False):
        return None
    return _source(getattr(column.type, "_valid_lookup", {}), default.arg)


def _source(labels: Any, value: Any) -> str | None:
    if isinstance(value, enum.Enum):
        label = labels.get(value) if labels else None
        return repr(label) if isinstance(label, str) else None
    if isinstance(value, bool):
        return "sa.true()" if value else "sa.false()"
    if isinstance(value, numbers.Number) and not isinstance(value, complex):
        return f"sa.text({str(value)!r})"
    return repr(value) if type(value) is str else None
