"""Asking the target: read-only, bounded, and never longer than it may take."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from . import conditions, counting, looking
from .limits import Budget, NoTimeError, limited

TOTAL = 60.0
"""Seconds that all questions together may take, unless it is said otherwise."""

PART = 20_000
"""Rows that are looked at where all of them would take too long."""

_WORDS = {
    "rows": "rows in {table}",
    "values": "non-null values in {table}.{column}",
    "nulls": "NULLs in {table}.{column}",
    "duplicates": "values that {table} ({columns}) holds more than once",
    "orphans": "rows of {table} ({columns}) without a row in {referred_table}",
    "violations": "rows of {table} that break {expression}",
    "misfits": "values in {table}.{column} that do not fit {type}",
    "rounded": "values in {table}.{column} that {type} would round",
    "uncastable": "values in {table}.{column} that are no {type}",
    "outside": "values in {table}.{column} that are none of the new ones",
    "size": "size of {table} in rows",
    "highest": "highest number in {table}.{column}",
    "oldest_transaction": "age in seconds of the oldest open transaction",
    "dependents": "what depends on {table}.{column}",
    "incoming": "foreign keys to {table}",
    "triggers": "triggers on {table}",
    "foreign_keys_on": "PRAGMA foreign_keys",
    "lost_on_recreate": "what a batch block does not carry over from {table}",
    "sql_mode": "sql_mode is strict",
    "invalid_indexes": "invalid indexes on {table}",
    "time_zone": "the session's time zone is not UTC",
    "tables": "tables there are",
    "attributes": "attributes of {table}.{column}",
    "exists": "tables named {table}",
    "type_exists": "types named {name}",
    "needed_by_key": "foreign keys that need the index {name} of {table}",
    "emptied_too": "tables that are emptied with {table} by CASCADE",
}


def probe(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Answer questions about the data and the catalogue.

    Args:
        loaded: The project.
        args: `questions` (each shaped as `findings.Question`), `bound` (rows at which counting
            stops), `seconds` (that one question may take) and `total` (that all of them may).

    Returns:
        `facts`: one dict a question, in order, shaped as `findings.Fact`. A question that cannot
        be answered has a null count, and says why.
    """
    facts: list[dict[str, Any]] = []

    def ask(_: Any, context: Any) -> list[Any]:
        if not facts:
            facts.extend(answers(context.connection, args))
        return []

    loaded.run_env(ask, dont_mutate=True)
    return {"facts": facts}


def answers(connection: Any, args: dict[str, Any]) -> list[dict[str, Any]]:
    """One fact a question, asked over this connection."""
    budget = Budget(float(args.get("seconds", 5)), float(args.get("total", TOTAL)))
    bound = int(args.get("bound", 100_000))
    return [_fact(connection, q, bound, budget) for q in args["questions"]]


def _fact(connection: Any, asked: dict[str, Any], bound: int, budget: Budget) -> dict[str, Any]:
    known = {"question": in_words(asked), "asked": asked, "count": None}
    try:
        missing = _missing(connection, asked)
        if missing is None:
            return {**known, **_answer(connection, asked, bound, budget)}
    except (conditions.NotAskedError, NoTimeError) as error:
        missing = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, the answer is then unknown
        missing = f"could not be counted: {type(error).__name__}"
    return {**known, "question": f"{known['question']} ({missing})"}


def in_words(asked: dict[str, Any]) -> str:
    """The question, as a person reads it."""
    table = ".".join(n for n in (asked.get("schema"), asked.get("table")) if n)
    told = {**asked, "table": table, "columns": ", ".join(asked.get("columns") or ())}
    words = _WORDS[asked["probe"]].format_map({"column": None, **told})
    return words.replace(".None", "")


def _missing(connection: Any, asked: dict[str, Any]) -> str | None:
    if asked["probe"] in looking.NO_TABLE:
        return None
    inspector: Any = sa.inspect(connection)
    table, schema = asked["table"], asked.get("schema")
    if not inspector.has_table(table, schema=schema):
        return "no such table"
    named = {*(asked.get("columns") or ()), asked.get("column")} - {None}
    if not named:
        return None
    names = {c["name"] for c in inspector.get_columns(table, schema=schema)}
    return None if named <= names else "no such column"


def _answer(connection: Any, asked: dict[str, Any], bound: int, budget: Budget) -> dict[str, Any]:
    look = looking.LOOKS.get(asked["probe"])
    seconds = budget.seconds
    if look is not None:
        with limited(connection, seconds):
            return look(connection, asked, bound)
    began = time.monotonic()
    try:
        with limited(connection, seconds):
            found = counting.count(connection, asked, bound)
    except Exception:
        if time.monotonic() - began < seconds / 2:
            raise
        return _in_part(connection, asked, budget)
    return {**found, "sample": _sample(connection, asked, budget) if found["count"] else []}


def _in_part(connection: Any, asked: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """What the first rows say where all of them took too long: some is certain, none is not."""
    with limited(connection, budget.seconds):
        found = counting.count(connection, asked, PART, part=PART)
    if not found["count"]:
        reason = f"could not be counted: it took too long; none among {PART} rows"
        raise conditions.NotAskedError(reason)
    return {"count": found["count"], "at_least": True, "looked": PART}


def _sample(connection: Any, asked: dict[str, Any], budget: Budget) -> list[str]:
    """Keys of a few of the rows; the count stands without them."""
    try:
        with limited(connection, budget.seconds):
            return counting.sample(connection, asked)
    except Exception:  # noqa: BLE001 - whatever a driver raises, there is then no sample
        return []
