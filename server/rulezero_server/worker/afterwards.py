"""What models and database make of each other once a rehearsal has upgraded the shadow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional, cast

import sqlalchemy as sa
from sqlalchemy import orm

from . import diff, models, operations, rowsums
from .load import Loaded

_ROWS = 20
"""Old rows that are read through each class."""


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


def unreadable(context: Any) -> Iterator[str]:
    """Mapped classes of which old rows no longer load, each with the kind of the error.

    Args:
        context: Alembic's: its models are asked, and no others.
    """
    given: Any = context.opts.get("target_metadata")
    known: list[Any] = list(cast("Any", given)) if isinstance(given, (list, tuple)) else [given]
    there = sa.inspect(context.connection)
    for mapper in sorted(models.mappers(), key=lambda m: str(m.class_.__name__)):
        table = mapper.local_table
        mine = isinstance(table, sa.Table) and any(table.metadata is meta for meta in known)
        if mine and there.has_table(table.name, schema=table.schema):
            error = _error(context.connection, mapper)
            if error is not None:
                yield f"{mapper.class_.__name__}: {error}"


def _error(connection: Any, mapper: Any) -> str | None:
    try:
        with rowsums.apart(connection), orm.Session(connection) as session:
            session.execute(sa.select(mapper.class_).limit(_ROWS)).unique().scalars().all()
    except Exception as raised:  # noqa: BLE001 - a type's own code may raise anything
        original = getattr(raised, "orig", None)
        return type(original or raised).__name__
    return None
