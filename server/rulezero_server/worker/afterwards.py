"""What models and database make of each other once a rehearsal has upgraded the shadow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Optional, cast

import sqlalchemy as sa
from sqlalchemy import orm

from . import diff, models, operations, rowsums
from .load import Loaded

ROWS = 20
"""Old rows that are read through each class, where nothing else is said."""


def remaining(loaded: Loaded) -> Optional[list[str]]:  # noqa: UP045 - Python 3.9
    """What autogenerate would still write, a line each; None where it cannot tell."""
    loaded.autogenerates(on=True)
    try:
        revision, dialect = diff.autogenerate(loaded, message=None)
        steps = operations.serialize(diff.operations_of(revision), dialect)
    except Exception:  # noqa: BLE001 - no models, several heads, or not at the last revision
        return None
    finally:
        loaded.autogenerates(on=False)
    return [_words(step) for step in steps]


def _words(step: dict[str, Any]) -> str:
    table = ".".join(part for part in (step.get("schema"), step.get("table")) if part)
    part: dict[str, Any] = step.get("column") or step.get("constraint") or step.get("index") or {}
    name: str = part.get("name") or step.get("name") or ""
    if not name and part.get("columns"):
        name = f"({', '.join(part['columns'])})"
    changed = ", ".join(str(c["attribute"]).replace("_", " ") for c in step.get("changes") or ())
    subject = " ".join(word for word in (table, name) if word)
    if step.get("column"):
        subject = f"{table}.{name}"
    kind = str(step["kind"]).replace("_", " ")
    return f"{kind} {subject}".strip() + (f": {changed}" if changed else "")


def readback(context: Any, most: int, go_on: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Read old rows through every mapped class, as the application would.

    Args:
        context: Alembic's: its models are asked, and no others.
        most: Rows of a class that are read.
        go_on: Whether there is time left.

    Yields:
        Dicts shaped as `rehearsal.ReadBack`; no value of a row stands in one.
    """
    given: Any = context.opts.get("target_metadata")
    known: list[Any] = list(cast("Any", given)) if isinstance(given, (list, tuple)) else [given]
    there = sa.inspect(context.connection)
    for mapper in sorted(models.mappers(), key=lambda m: str(m.class_.__name__)):
        table = mapper.local_table
        mine = isinstance(table, sa.Table) and any(table.metadata is meta for meta in known)
        if mine and go_on() and there.has_table(table.name, schema=table.schema):
            yield _read(context.connection, mapper, most)


def _read(connection: Any, mapper: Any, most: int) -> dict[str, Any]:
    told = {"name": str(mapper.class_.__name__), "table": str(mapper.local_table.fullname)}
    rows, error = _tried(connection, sa.select(mapper.class_).limit(most))
    if error is None:
        return {**told, "rows": rows, "error": None}
    for column in mapper.local_table.columns:
        if _tried(connection, sa.select(column).limit(most))[1] is not None:
            return {**told, "rows": 0, "error": error, "column": str(column.name)}
    return {**told, "rows": 0, "error": error}


def _tried(connection: Any, query: Any) -> tuple[int, str | None]:
    """How many rows a query gives, or the kind of its error: the text may quote a value."""
    try:
        with rowsums.apart(connection), orm.Session(connection) as session:
            return len(session.execute(query).unique().scalars().all()), None
    except Exception as raised:  # noqa: BLE001 - a type's own code may raise anything
        original = getattr(raised, "orig", None)
        return 0, type(original or raised).__name__
