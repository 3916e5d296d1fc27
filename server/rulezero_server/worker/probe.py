"""Counting on the target: read-only, bounded, and never longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa

_SAMPLE = 3

_WORDS = {"rows": "rows in", "values": "non-null values in", "nulls": "NULLs in"}

_EVERY = 10_000
"""SQLite's steps between two looks at the clock."""


def probe(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Answer questions about the data.

    Args:
        loaded: The project.
        args: `questions` (each `probe`, `table`, `schema`, `column`), `bound` (rows at which
            counting stops) and `seconds` (that one question may take).

    Returns:
        `facts`: one dict a question, in order, shaped as `findings.Fact`. A question that cannot
        be answered has a null count, and says why.
    """
    facts: list[dict[str, Any]] = []
    bound, seconds = int(args.get("bound", 100_000)), float(args.get("seconds", 5))

    def ask(_: Any, context: Any) -> list[Any]:
        if not facts:
            facts.extend(_fact(context.connection, q, bound, seconds) for q in args["questions"])
        return []

    loaded.run_env(ask, dont_mutate=True)
    return {"facts": facts}


def _fact(connection: Any, question: dict[str, Any], bound: int, seconds: float) -> dict[str, Any]:
    asked = {k: question.get(k) for k in ("probe", "table", "schema", "column")}
    words = _in_words(asked)
    try:
        missing = _missing(connection, asked)
        if missing is not None:
            return _unknown(asked, f"{words} ({missing})")
        return {"question": words, "asked": asked, **_answer(connection, asked, bound, seconds)}
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, the answer is then unknown
        return _unknown(asked, f"{words} (could not be counted: {type(error).__name__})")


def _unknown(asked: dict[str, Any], words: str) -> dict[str, Any]:
    return {"question": words, "asked": asked, "count": None, "at_least": False, "sample": []}


def _in_words(asked: dict[str, Any]) -> str:
    names = [asked["schema"], asked["table"], None if asked["probe"] == "rows" else asked["column"]]
    return f"{_WORDS[asked['probe']]} {'.'.join(n for n in names if n)}"


def _missing(connection: Any, asked: dict[str, Any]) -> str | None:
    inspector: Any = sa.inspect(connection)
    table, schema = asked["table"], asked["schema"]
    if not inspector.has_table(table, schema=schema):
        return "no such table"
    if asked["probe"] == "rows":
        return None
    names = {c["name"] for c in inspector.get_columns(table, schema=schema)}
    return None if asked["column"] in names else "no such column"


def _answer(connection: Any, asked: dict[str, Any], bound: int, seconds: float) -> dict[str, Any]:
    with _limited(connection, seconds):
        count = connection.execute(_count(asked, bound)).scalar()
        wanted = asked["probe"] == "nulls" and count
        sample = _sample(connection, asked) if wanted else []
    return {"count": min(count, bound), "at_least": count > bound, "sample": sample}


def _count(asked: dict[str, Any], bound: int) -> Any:
    table = sa.table(asked["table"], schema=asked["schema"])
    rows: Any = sa.select(_one()).select_from(table)
    bounded = _condition(rows, asked).limit(bound + 1).subquery("counted")
    return sa.select(sa.func.count()).select_from(bounded)


def _condition(rows: Any, asked: dict[str, Any]) -> Any:
    if asked["probe"] == "rows":
        return rows
    column = _column(asked["column"])
    return rows.where(column.is_(None) if asked["probe"] == "nulls" else column.isnot(None))


def _column(name: str) -> Any:
    column: Any = sa.column(name)  # pyright: ignore[reportUnknownVariableType] - SQLAlchemy's
    return column


def _one() -> Any:
    one: Any = sa.literal_column("1").label("found")  # pyright: ignore[reportUnknownVariableType] - SQLAlchemy's
    return one


def _sample(connection: Any, asked: dict[str, Any]) -> list[str]:
    """Primary keys of some of the rows: keys, never values of other columns."""
    inspector: Any = sa.inspect(connection)
    key = inspector.get_pk_constraint(asked["table"], schema=asked["schema"])
    names: list[str] = key.get("constrained_columns") or []
    if not names:
        return []
    table = sa.table(asked["table"], *(_column(n) for n in names), schema=asked["schema"])
    rows = _condition(sa.select(*table.c), asked).order_by(*table.c).limit(_SAMPLE)
    return [", ".join(str(v) for v in row) for row in connection.execute(rows)]


@contextmanager
def _limited(connection: Any, seconds: float) -> Generator[None, None, None]:
    """Have the server end a question that takes too long, and leave the session usable after."""
    with ExitStack() as stack:
        dialect = connection.dialect
        if dialect.name == "postgresql":
            if connection.get_isolation_level() != "AUTOCOMMIT":
                stack.enter_context(connection.begin_nested())
            _set(connection, f"SET statement_timeout = {int(seconds * 1000)}")
        elif getattr(dialect, "is_mariadb", False):
            _set(connection, f"SET SESSION max_statement_time = {seconds}")
        elif dialect.name == "mysql":
            _set(connection, f"SET SESSION max_execution_time = {int(seconds * 1000)}")
        elif dialect.name == "sqlite":
            stack.enter_context(_sqlite_limit(connection, seconds))
        yield


def _set(connection: Any, statement: str) -> None:
    connection.execute(sa.text(statement))


@contextmanager
def _sqlite_limit(connection: Any, seconds: float) -> Generator[None, None, None]:
    raw = getattr(connection.connection, "dbapi_connection", connection.connection)
    handler = getattr(raw, "set_progress_handler", None)
    if handler is None:  # an asyncio driver keeps its connection on a thread of its own
        yield
        return
    end = time.monotonic() + seconds
    handler(lambda: int(time.monotonic() > end), _EVERY)
    try:
        yield
    finally:
        handler(None, 0)
