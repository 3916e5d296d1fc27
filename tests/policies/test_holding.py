"""How long which lock is held."""

from typing import Any

import pytest

from rulezero_policies.holding import blocks, held
from rulezero_policies.rehearsal import Lock, Sent


def sent(sql: str, start: float, *locks: tuple[str, str], **more: Any) -> Sent:
    taken = tuple(Lock(relation=relation, mode=mode) for relation, mode in locks)
    given: dict[str, Any] = {"leg": "upgrade", "seconds": 0.5, "transaction": 1, "locks": taken}
    given.update(more)
    return Sent(sql=sql, start=start, **given)


def spans(*statements: Sent) -> list[tuple[str, str, float, float]]:
    return [(h.relation, h.mode, h.start, h.end) for h in held(statements)]


def test_a_lock_is_held_until_the_end_of_its_transaction() -> None:
    found = spans(
        sent("ALTER TABLE users ADD c int", 0.0, ("users", "AccessExclusiveLock")),
        sent("UPDATE users SET c = 1", 1.0),
        sent("ALTER TABLE tasks ADD c int", 2.0, ("tasks", "AccessExclusiveLock"), transaction=2),
    )
    assert found == [
        ("users", "AccessExclusiveLock", 0.0, 1.5),
        ("tasks", "AccessExclusiveLock", 2.0, 2.5),
    ]


def test_a_transaction_of_another_leg_is_another_transaction() -> None:
    up = sent("ALTER TABLE users ADD c int", 0.0, ("users", "AccessExclusiveLock"))
    down = sent("SELECT 1", 4.0, leg="downgrade")
    assert spans(up, down) == [("users", "AccessExclusiveLock", 0.0, 0.5)]


def test_outside_a_transaction_it_is_held_while_the_statement_runs() -> None:
    one = sent("VACUUM users", 1.0, ("users", "ShareUpdateExclusiveLock"), transaction=None)
    (only,) = held((one, sent("SELECT 1", 9.0, transaction=None)))
    assert (only.start, only.end, only.seconds, only.blocks) == (
        1.0,
        1.5,
        0.5,
        "other schema changes",
    )


def test_the_strongest_lock_of_a_relation_counts_from_when_it_was_taken() -> None:
    found = spans(
        sent("SELECT * FROM users", 0.0, ("users", "AccessShareLock")),
        sent("CREATE INDEX i ON users (c)", 1.0, ("users", "ShareLock")),
        sent("UPDATE users SET c = 1", 2.0, ("users", "RowExclusiveLock")),
    )
    assert found == [("users", "ShareLock", 1.0, 2.5)]


def test_what_the_leg_made_itself_is_left_out() -> None:
    lock = "AccessExclusiveLock"
    found = spans(
        sent('CREATE TABLE "shop"."lines" (id serial)', 0.0, ("shop.lines", lock)),
        sent("ALTER TABLE lines ADD c int", 0.1, ("lines_id_seq", lock), ("lines_pkey", lock)),
        sent("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON users (c)", 0.2, ("i", lock)),
        sent(
            "ALTER TABLE users ADD UNIQUE (c)",
            0.3,
            ("users", lock),
            ("users_c_key", lock),
            builds=("users_c_key",),
        ),
        sent("ALTER TABLE lines_old ADD c int", 0.4, ("lines_old", lock)),
    )
    assert [relation for relation, *_ in found] == ["users", "lines_old"]


def test_statements_whose_locks_could_not_be_seen_have_none() -> None:
    assert spans(sent("VACUUM", 0.0, locks=None, transaction=None)) == []


@pytest.mark.parametrize(
    ("mode", "waits"),
    [
        ("AccessExclusiveLock", "reads and writes"),
        ("ShareLock", "writes"),
        ("RowExclusiveLock", "little"),
        ("MDL_SHARED_NO_WRITE", "writes"),
        ("something new", "reads and writes"),
    ],
)
def test_a_mode_says_who_waits_and_an_unknown_one_is_the_worst(mode: str, waits: str) -> None:
    assert blocks(mode) == waits
