"""Changes in phases while an application is at work, and a backfill that is killed half-way."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A15")]

ROWS = 12_000
"""More than two batches of a backfill."""

LOCK_TIMEOUT = 3.0
"""Seconds that a phase waits for a lock, as its file says."""

MADE = (
    "CREATE TABLE orders (id SERIAL PRIMARY KEY, amount VARCHAR(20) NOT NULL DEFAULT '0', "
    "status VARCHAR(10) NOT NULL, note VARCHAR(30) DEFAULT 'none', legacy DATE NOT NULL)"
)
INDEXED = (
    "CREATE INDEX ix_orders_amount ON orders (amount)",
    "CREATE INDEX ix_orders_status ON orders (status, id)",
    "CREATE INDEX ix_orders_legacy ON orders (legacy)",
    "ALTER TABLE orders ADD CONSTRAINT known CHECK (status IN ('new', 'paid'))",
)
FILLED = (
    "INSERT INTO orders (amount, status, note, legacy) SELECT g::text, 'new', "
    f"CASE WHEN mod(g, 2) = 0 THEN 'x' END, '2020-01-01' FROM generate_series(1, {ROWS}) g"
)
WANTED = """\
sa.Column("id", sa.Integer, primary_key=True),
sa.Column("amount", sa.Numeric(10, 2), nullable=False, server_default="0"),
sa.Column("state", sa.String(10), nullable=False),
sa.Column("note", sa.String(30), nullable=False, server_default="none"),
sa.Index("ix_orders_amount", "amount"),
sa.Index("ix_orders_state", "state", "id"),
"""


@dataclass(frozen=True, kw_only=True)
class Version:
    """A release of the application: how it adds, changes and reads rows."""

    add: bytes
    change: bytes
    read: bytes


FIRST = Version(
    add=b"INSERT INTO orders (amount, status, legacy) VALUES ('1.50', 'new', '2021-01-01')",
    change=b"UPDATE orders SET amount = '7', status = 'paid', note = NULL WHERE id = %s",
    read=b"SELECT sum(amount::numeric), max(status), max(legacy) FROM orders WHERE id > %s",
)
NO_NULL = replace(FIRST, change=FIRST.change.replace(b"NULL", b"'n'"))
WRITES_STATE = Version(
    add=b"INSERT INTO orders (amount, state, note, legacy) VALUES ('1.50', 'new', 'n', now())",
    change=b"UPDATE orders SET amount = '7', state = 'paid', note = 'n' WHERE id = %s",
    read=b"SELECT sum(amount::numeric), max(status), max(note) FROM orders WHERE id > %s",
)
READS_STATE = Version(
    add=b"INSERT INTO orders (amount, state) VALUES (1.50, 'new')",
    change=b"UPDATE orders SET amount = 7, state = 'paid', note = 'n' WHERE id = %s",
    read=b"SELECT sum(amount::numeric), max(state), max(note) FROM orders WHERE id > %s",
)

AT_WORK = (
    (FIRST, FIRST),
    (NO_NULL, WRITES_STATE),
    (WRITES_STATE, READS_STATE),
    (READS_STATE, READS_STATE),
)
"""Before each phase: what its deployment leaves running beside what is deployed already."""


@dataclass(kw_only=True)
class Instance:
    """One of the application's processes: it is never still, whatever release runs there."""

    url: str
    number: int
    release: Version = FIRST
    stop: threading.Event = field(default_factory=threading.Event)
    failed: list[str] = field(default_factory=list[str])
    slowest: float = 0.0
    writes: int = 0
    rows: int = 0

    def run(self) -> None:
        """Add, change, read and delete rows until it is told to stop."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for turn in itertools.count():
                began = time.monotonic()
                try:
                    self._turn(connection, turn)
                except psycopg.Error as error:
                    self.failed.append(str(error))
                self.slowest = max(self.slowest, time.monotonic() - began)
                if self.stop.wait(0.05):
                    return

    def _turn(self, connection: Any, turn: int) -> None:
        release, number = self.release, self.number
        with connection.transaction():
            connection.execute(release.add)
            # Downwards: rows are locked in another order than a backfill takes them in.
            for row in (ROWS - turn % 500, 501 + number * 100 + turn % 50, 3):
                connection.execute(release.change, (row,))
        connection.execute(release.read, (ROWS - 100,))
        self.rows += 1
        if turn % 4 == 0:
            gone = (
                b"DELETE FROM orders WHERE id = (SELECT max(id) FROM orders WHERE mod(id, 2) = %s)"
            )
            deleted = connection.execute(gone, (number,))
            self.rows -= deleted.rowcount
        self.writes += 5


@contextlib.contextmanager
def at_work(url: str) -> Generator[tuple[Instance, Instance]]:
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    instances = Instance(url=plain, number=0), Instance(url=plain, number=1)
    threads = [threading.Thread(target=one.run) for one in instances]
    for thread in threads:
        thread.start()
    try:
        yield instances
    finally:
        for one in instances:
            one.stop.set()
        for thread in threads:
            thread.join(30)


@pytest.fixture
def orders(shop: Any) -> Any:
    shop.database(MADE, *INDEXED, FILLED)
    shop.models(WANTED)
    return shop


async def written(host: Any) -> list[str]:
    analysis = await host.call("analyze")
    call = {"analysis_id": analysis["analysis_id"], "message": "orders", "strategy": "safer"}
    asked = await host.call("generate", **call)
    given = await host.call("confirm", plan_id=asked["plan_id"])
    made = await host.call("generate", token=given["token"], **call)
    return [made["path"], *made["also"]]


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
async def test_no_write_fails_or_waits_long_while_four_changes_are_made(
    orders: Any, near: Callable[..., Any], yes: Any
) -> None:
    """Another type, another name, NOT NULL and a drop, with every deployment between."""
    async with near(orders.folder, answer=yes) as host:
        assert len(await written(host)) == 4
        with at_work(orders.url) as application:
            for one, other in AT_WORK:
                application[0].release, application[1].release = one, other
                done = await host.applied((await host.call("review"))["plan_id"])
                assert (done["status"], done["verified"]) == ("applied", True), done["message"]
    assert [one.failed for one in application] == [[], []]
    assert min(one.writes for one in application) > 4 * 5
    assert max(one.slowest for one in application) < LOCK_TIMEOUT
    count = ROWS + sum(one.rows for one in application)
    assert orders.rows("SELECT count(*) FROM orders") == [(count,)]
    assert [c for (c,) in orders.rows(COLUMNS)] == ["amount", "id", "note", "state"]
    held = orders.rows(HELD)
    assert held == [("ix_orders_amount",), ("ix_orders_state",), ("known",), ("orders_pkey",)]
    kept = "id BETWEEN 1000 AND 2000 AND (amount <> id OR state <> 'new' OR note NOT IN (%s))"
    assert orders.rows(f"SELECT id FROM orders WHERE {kept % WAS}") == []
    changed = orders.rows("SELECT amount, state, note FROM orders WHERE id = 3")
    assert [(float(a), s, n) for a, s, n in changed] == [(7, "paid", "n")]
    added = orders.rows(f"SELECT DISTINCT amount, state FROM orders WHERE id > {ROWS}")
    assert {(float(a), s) for a, s in added} <= {(1.5, "new")}


COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY 1"
)
HELD = (
    "SELECT indexname FROM pg_indexes WHERE tablename = 'orders' UNION ALL "
    "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'orders'::regclass "
    "ORDER BY 1"
)
WAS = "CASE WHEN mod(id, 2) = 0 THEN 'x' ELSE 'none' END"


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
async def test_a_backfill_that_was_killed_goes_on_where_it_was(
    orders: Any, near: Callable[..., Any], yes: Any
) -> None:
    orders.models(AMOUNT_ALONE)
    async with near(orders.folder, answer=yes) as host:
        files = [orders.folder / path for path in await written(host)]
        await host.applied((await host.call("review"))["plan_id"])
        text = files[1].read_text("utf-8")
        slow = text.replace("BATCH = 5000", "BATCH = 50").replace("PAUSE = 0.05", "PAUSE = 0.5")
        files[1].write_text(slow, "utf-8")
        _killed(orders, files[1])
        # The server may have finished the batch that it was at.
        done = orders.rows("SELECT id, xmin::text FROM orders WHERE amount_new IS NOT NULL")
        assert 50 <= len(done) < ROWS
        files[1].write_text(text, "utf-8")
        review = await host.call("review")
        assert (await host.applied(review["plan_id"]))["status"] == "applied"
    again = orders.rows("SELECT id, xmin::text FROM orders")
    assert set(done) <= set(again)
    assert orders.rows("SELECT count(*) FROM orders WHERE amount_new IS NULL") == [(0,)]


AMOUNT_ALONE = """\
sa.Column("id", sa.Integer, primary_key=True),
sa.Column("amount", sa.Numeric(10, 2), nullable=False, server_default="0"),
sa.Column("status", sa.String(10), nullable=False),
sa.Column("note", sa.String(30), server_default="none"),
sa.Column("legacy", sa.Date, nullable=False),
sa.Index("ix_orders_amount", "amount"),
sa.Index("ix_orders_status", "status", "id"),
sa.Index("ix_orders_legacy", "legacy"),
"""


def _killed(shop: Any, file: Path) -> None:
    """Run the backfill by Alembic itself, and kill it once it has changed rows."""
    command = [sys.executable, "-m", "alembic", "upgrade", "+1"]
    process = subprocess.Popen(command, cwd=file.parents[2], env={**os.environ})
    begun = "SELECT count(*) >= 50 FROM orders WHERE amount_new IS NOT NULL"
    while process.poll() is None and shop.rows(begun) == [(False,)]:
        pass
    assert process.poll() is None
    process.kill()
    process.wait(30)
