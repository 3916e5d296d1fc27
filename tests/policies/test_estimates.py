"""How long it may take on the target follows from the shadow, or is said not to."""

from typing import Any

import pytest

from rulezero_policies.estimates import estimates, told
from rulezero_policies.rehearsal import Estimate, Lock, Sent, Shadow, TableSize

EXCLUSIVE = (Lock(relation='"users"', mode="AccessExclusiveLock"),)


def shadow(**more: Any) -> Shadow:
    values: dict[str, Any] = {"table": "users", "rows": 2_000, "target": 2_000_000, **more}
    size = TableSize(**values)
    return Shadow(where="here", rows="a sample", whole=False, real=True, sizes=(size,))


def sent(**more: Any) -> Sent:
    values: dict[str, Any] = {"leg": "upgrade", "sql": "ALTER TABLE users ...", "start": 0.0}
    values |= {"seconds": 0.1, "line": 9, "locks": EXCLUSIVE, **more}
    return Sent(**values)


def one(*statements: Sent, on: Shadow | None = None, dialect: str = "postgresql") -> Estimate:
    (found,) = estimates(statements, "upgrade", on or shadow(), dialect)
    return found


def test_time_grows_with_the_rows_and_is_a_range() -> None:
    found = one(sent())
    assert (found.low, found.high) == (50.0, 300.0)
    assert told(found) == (
        "users (line 9): an estimate of 50.0 s to 5 min on 2,000,000 rows (100 ms here on 2,000); "
        "reads and writes wait meanwhile"
    )


@pytest.mark.parametrize("change", [{"seconds": 0.001}, {}])
def test_what_was_too_quick_tells_nothing(change: dict[str, Any]) -> None:
    few = shadow() if change else shadow(rows=10)
    found = one(sent(**change), on=few)
    assert (found.low, found.high) == (None, None)
    assert "too quick to tell for 2,000,000 rows" in told(found)


def test_what_was_quick_on_all_the_rows_need_not_be_told() -> None:
    quick = sent(seconds=0.001)
    assert estimates([quick], "upgrade", shadow(rows=2_000, target=None), "postgresql") == ()
    assert estimates([quick], "upgrade", shadow(rows=0, target=0), "postgresql") == ()
    assert estimates([quick], "upgrade", shadow(rows=10, target=5_000), "postgresql") == ()


def test_only_its_own_leg_and_what_others_wait_for_count() -> None:
    weak = sent(locks=(Lock(relation="users", mode="RowExclusiveLock"),))
    other = sent(locks=(Lock(relation="jobs", mode="AccessExclusiveLock"),))
    back = sent(leg="downgrade")
    assert estimates([weak, other, back, sent(locks=None)], "upgrade", shadow(), "") == ()


def test_a_rewrite_or_a_build_counts_without_locks() -> None:
    rewritten = one(sent(locks=None, rewrites=("users",)))
    assert (rewritten.table, rewritten.blocks) == ("users", "")
    assert "wait meanwhile" not in told(rewritten)
    built = one(sent(sql="CREATE INDEX ix ON users (email)", locks=(), builds=("ix",)))
    assert built.table == "users"
    copied = sent(sql="ALTER TABLE app.users ADD COLUMN x INT", locks=None, algorithm="COPY")
    assert one(copied, on=shadow(schema="app"), dialect="mysql").table == "app.users"
    instant = sent(sql="ALTER TABLE users ADD COLUMN x INT", locks=None, algorithm="INSTANT")
    assert estimates([instant], "upgrade", shadow(), "mysql") == ()


def test_a_lock_against_writers_is_told_as_one() -> None:
    share = sent(locks=(Lock(relation="users", mode="ShareLock"),))
    assert told(one(share)).endswith("; writes wait meanwhile")


def test_hours_are_said_in_hours() -> None:
    found = one(sent(seconds=20.0, line=None))
    assert "users: an estimate of 2.8 h to 16.7 h on" in told(found)
