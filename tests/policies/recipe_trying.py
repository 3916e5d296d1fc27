"""A recipe at work on a live database."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from tests.policies.live import Live
from tests.policies.recipe_cases import Tried

from rulezero_policies.findings import Fact
from rulezero_policies.rules import RULES, review
from rulezero_tools.mending import Means, Mended, Version, mend

BY_ID = {rule.id: rule for rule in RULES}
MADE_UP = {"size": 5_000_000, "rows": 5_000_000, "oldest_transaction": 600}
"""What no test can make: a table that is large, and a transaction that is old (seconds)."""


def _told(tried: Tried) -> dict[str, int | None]:
    live = BY_ID[tried.rule].live
    told = {k: v for k, v in MADE_UP.items() if k in live or tried.large}
    return {**told, **dict.fromkeys(tried.unasked)}


def _with(fact: Fact, told: Mapping[str, int | None]) -> Fact:
    probe = fact.asked.probe
    return dataclasses.replace(fact, count=told[probe], names=()) if probe in told else fact


def reading(live: Live, tried: Tried) -> Callable[[str], Version]:
    """What reads a revision, and is told what a test cannot make."""
    told = _told(tried)

    def read(text: str) -> Version:
        scene = live.scene(text)
        facts = tuple(_with(f, told) for f in scene.facts)
        scene = dataclasses.replace(scene, facts=facts)
        return Version(text=text, scene=scene, findings=review(scene))

    return read


def mended(live: Live, tried: Tried, *, everything: bool = False) -> tuple[Version, Mended]:
    """The revision before and after, and the better one written; cured of one rule, or of all."""
    read = reading(live, tried)
    means = Means(read=read, defaults=lambda: {("tasks", "priority"): "'medium'"})
    before = read(tried.text or BY_ID[tried.rule].bad)
    done = mend(before, means, only=[] if everything else [tried.rule])
    read(done.version.text)
    return before, done


def _enforce(raw: Any, _: Any) -> None:
    raw.execute("PRAGMA foreign_keys=ON")


def set_up(live: Live, tried: Tried) -> None:
    """Make the database that a recipe is tried on."""
    if tried.enforces:
        event.listen(live.engine, "connect", _enforce)
    live.run(*tried.setup)
    if tried.rule == "invalid-index":
        with live.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(IntegrityError):
                connection.exec_driver_sql(
                    "CREATE UNIQUE INDEX CONCURRENTLY ix_events_kind ON events (kind)"
                )
