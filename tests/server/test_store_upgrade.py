"""A store that an older rulezero made is brought up to date with all it holds."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from rulezero_policies.audit import GENESIS, Entry, chained
from rulezero_policies.grant import Challenge
from rulezero_policies.plan import canonical
from rulezero_server.stores import open_store
from rulezero_server.stores.schema import MIGRATIONS
from rulezero_tools.ports import Store

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def moved(connection: Connection, *, to: str, up: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    (command.upgrade if up else command.downgrade)(config, to)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url, poolclass=NullPool)


@pytest.fixture
def old(engine: Engine, database_url: str) -> Callable[..., Store]:
    """`old(entries=, challenges=)`: a store of revision 0001 with these, opened by this version."""

    def make(
        entries: tuple[Entry, ...] = (), challenges: tuple[Mapping[str, Any], ...] = ()
    ) -> Store:
        with engine.begin() as connection:
            moved(connection, to="0001", up=True)
            for entry in entries:
                row = {"n": entry.sequence, "v": canonical(entry)}
                added = (
                    "INSERT INTO rulezero_audit (sequence, project, value) VALUES (:n, '/p', :v)"
                )
                connection.execute(text(added), row)
            for value in challenges:
                connection.execute(text(ASKED), dict(value) | {"value": json.dumps(value)})
        return open_store(database_url)

    return make


ASKED = (
    "INSERT INTO rulezero_challenges (nonce, plan_digest, principal, expires, answer, value) "
    "VALUES (:nonce, :plan_digest, :principal, :expires, :answer, :value)"
)


def asked(nonce: str, answer: str | None) -> dict[str, Any]:
    return {
        "nonce": nonce,
        "plan_digest": "d" * 64,
        "principal": "ann via test",
        "channel": "form elicitation",
        "created": NOW.isoformat(),
        "expires": (NOW + timedelta(minutes=10)).isoformat(sep=" "),
        "answer": answer,
    }


def trail(count: int) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for number in range(1, count + 1):
        entry = Entry(
            sequence=number,
            at=NOW,
            event="proposed",
            project="/p",
            principal="ann via test",
            plan_id=None,
            detail=f"entry {number}",
            previous=entries[-1].hash if entries else GENESIS,
        )
        entries.append(chained(entry))
    return tuple(entries)


@pytest.mark.proves("D10")
@pytest.mark.parametrize("count", [0, 1, 12])
def test_the_head_is_filled_from_the_trail_that_is_there(
    old: Callable[..., Store], count: int
) -> None:
    kept = trail(count)
    store = old(entries=kept)
    assert store.entries() == kept
    assert store.head() == (count, kept[-1].hash if kept else GENESIS)
    said = store.append(
        at=NOW, event="asked", project="/p", principal="x", plan_id=None, detail="next"
    )
    assert (said.sequence, said.previous) == (count + 1, kept[-1].hash if kept else GENESIS)


def test_an_answered_question_stays_and_an_open_one_is_asked_again(
    old: Callable[..., Store],
) -> None:
    store = old(challenges=(asked("done", "declined"), asked("open", None)))
    first = Challenge(
        nonce="done",
        plan_digest="d" * 64,
        principal="ann via test",
        person="",
        channel="form elicitation",
        needs="client",
        created=NOW,
        expires=NOW + timedelta(minutes=10),
        answer="declined",
        claimed=True,
    )
    assert store.challenge("done") == first
    assert store.challenge("open") is None
    again = replace(first, nonce="again", person="ann", answer=None, claimed=False)
    assert store.open_challenge(again) == again


def test_going_back_keeps_the_answered_questions(engine: Engine, old: Callable[..., Store]) -> None:
    old(challenges=(asked("done", "approved"),)).entries()
    with engine.begin() as connection:
        moved(connection, to="0001", up=False)
        kept = connection.execute(text("SELECT nonce, answer FROM rulezero_challenges")).all()
    assert [tuple(row) for row in kept] == [("done", "approved")]
