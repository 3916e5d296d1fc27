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
FILLED = (
    "INSERT INTO orders (amount, status, note, legacy) SELECT g::text, 'new', "
    f"CASE WHEN mod(g, 2) = 0 THEN 'x' END, '2020-01-01' FROM generate_series(1, {ROWS}) g"
)
WANTED = """\
sa.Column("id", sa.Integer, primary_key=True),
sa.Column("amount", sa.Numeric(10, 2), nullable=False, server_default="0"),
sa.Column("state", sa.String(10), nullable=False),
sa.Column("note", sa.String(30), nullable=False, server_default="none"),
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

AT_WORK = ((FIRST, FIRST), (NO_NULL, WRITES_STATE), (WRITES_STATE, READS_STATE), (READS_STATE,) * 2)
"""Before each phase: what its deployment leaves running beside what is deployed already."""


@dataclass(kw_only=True)
class Application:
    """Two instances that are never still, each of the release that runs there at the time."""

    url: str
    running: tuple[Version, Version] = (FIRST, FIRST)
    stop: threading.Event = field(default_factory=threading.Event)
    failed: list[str] = field(default_factory=list[str])
    slowest: float = 0.0
    writes: int = 0
    rows: int = 0

    def instance(self, number: int) -> None:
        """Add, change, read and delete rows until it is told to stop."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for turn in itertools.count():
                if self.stop.is_set():
                    return
                began = time.monotonic()
                try:
                    self._turn(connection, number, turn)
                except psycopg.Error as error:
                    self.failed.append(str(error))
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _turn(self, connection: Any, number: int, turn: int) -> None:
        release = self.running[number]
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
            self.rows -= connection.execute(gone, (number,)).rowcount
        self.writes += 5
        self.stop.wait(0.01)


@contextlib.contextmanager
def at_work(url: str) -> Generator[Application]:
    application = Application(url=url.replace("postgresql+psycopg://", "postgresql://"))
    instances = [threading.Thread(target=application.instance, args=(n,)) for n in (0, 1)]
    for one in instances:
        one.start()
    try:
        yield application
    finally:
        application.stop.set()
        for one in instances:
            one.join(30)


@pytest.fixture
def orders(shop: Any) -> Any:
    shop.database(MADE, FILLED)
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
            for running in AT_WORK:
                application.running = running
                done = await host.applied((await host.call("review"))["plan_id"])
                assert (done["status"], done["verified"]) == ("applied", True), done["message"]
    assert application.failed == []
    assert application.writes > 4 * 5
    assert application.slowest < LOCK_TIMEOUT
    assert orders.rows("SELECT count(*) FROM orders") == [(ROWS + application.rows,)]
    assert [c for (c,) in orders.rows(COLUMNS)] == ["amount", "id", "note", "state"]
    kept = "id BETWEEN 1000 AND 2000 AND (amount <> id OR state <> 'new' OR note NOT IN (%s))"
    assert orders.rows(f"SELECT id FROM orders WHERE {kept % WAS}") == []
    changed = orders.rows("SELECT amount, state, note FROM orders WHERE id = 3")
    assert [(float(a), s, n) for a, s, n in changed] == [(7, "paid", "n")]
    added = orders.rows(f"SELECT DISTINCT amount, state FROM orders WHERE id > {ROWS}")
    assert {(float(a), s) for a, s in added} <= {(1.5, "new")}


COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY 1"
)
WAS = "CASE WHEN mod(id, 2) = 0 THEN 'x' ELSE 'none' END"


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
async def test_a_backfill_that_was_killed_goes_on_where_it_was(
    orders: Any, near: Callable[..., Any], yes: Any
) -> None:
    orders.models(WANTED.replace("state", "status").rpartition("sa.Column")[0] + KEPT)
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


KEPT = 'sa.Column("note", sa.String(30)), sa.Column("legacy", sa.Date, nullable=False)'


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
