"""A change in phases while others write, and a backfill that is killed half-way."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A15")]

AMOUNT = 'sa.Column("id", sa.Integer, primary_key=True), sa.Column("amount", {})'
MADE = "CREATE TABLE orders (id SERIAL PRIMARY KEY, amount VARCHAR(20) NOT NULL DEFAULT '0')"
LOCK_TIMEOUT = 3.0
"""Seconds that a phase waits for a lock, as its file says."""


@pytest.fixture
def orders(shop: Any) -> Any:
    shop.database(MADE, "INSERT INTO orders (amount) SELECT g::text FROM generate_series(1, 200) g")
    shop.models(AMOUNT.format("sa.Numeric(10, 2), nullable=False, server_default='0'"))
    return shop


async def written(host: Any) -> list[str]:
    analysis = await host.call("analyze")
    call = {"analysis_id": analysis["analysis_id"], "message": "amount", "strategy": "safer"}
    asked = await host.call("generate", **call)
    given = await host.call("confirm", plan_id=asked["plan_id"])
    made = await host.call("generate", token=given["token"], **call)
    return [made["path"], *made["also"]]


class Writer(threading.Thread):
    """The application: it adds, changes and reads rows for as long as it may, by the live name."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url.replace("postgresql+psycopg://", "postgresql://")
        self.stop = threading.Event()
        self.failed: list[str] = []
        self.slowest, self.count = 0.0, 0

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stop.is_set():
                began = time.monotonic()
                try:
                    connection.execute(b"INSERT INTO orders (amount) VALUES ('1.50')")
                    connection.execute(b"UPDATE orders SET amount = '7' WHERE id = 3")
                    connection.execute(b"SELECT sum(amount::numeric) FROM orders")
                except psycopg.Error as error:
                    self.failed.append(str(error))
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.count += 1


@contextlib.contextmanager
def writing(url: str) -> Generator[Writer]:
    writer = Writer(url)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop.set()
        writer.join(30)


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
async def test_no_write_fails_or_waits_long_while_a_type_changes(
    orders: Any, near: Callable[..., Any], yes: Any
) -> None:
    async with near(orders.folder, answer=yes) as host:
        assert len(await written(host)) == 4
        with writing(orders.url) as writer:
            for _ in range(4):
                done = await host.applied((await host.call("review"))["plan_id"])
                assert (done["status"], done["verified"]) == ("applied", True), done
    assert writer.failed == []
    assert writer.count > 4
    assert writer.slowest < LOCK_TIMEOUT
    count = orders.rows(
        "SELECT count(*), count(DISTINCT id), sum((amount IS NULL)::int) FROM orders"
    )
    assert count == [(200 + writer.count, 200 + writer.count, 0)]
    assert float(orders.rows("SELECT amount FROM orders WHERE id = 3")[0][0]) == 7
    assert {float(a) for (a,) in orders.rows("SELECT amount FROM orders WHERE id > 200")} == {1.5}


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
async def test_a_backfill_that_was_killed_goes_on_where_it_was(
    orders: Any, near: Callable[..., Any], yes: Any
) -> None:
    async with near(orders.folder, answer=yes) as host:
        files = [orders.folder / path for path in await written(host)]
        await host.applied((await host.call("review"))["plan_id"])
        text = files[1].read_text("utf-8")
        files[1].write_text(text.replace("BATCH = 5000", "BATCH = 10"), "utf-8")
        _killed_at(orders, files[1], row=55)
        # The server may have finished the batch that it was at.
        done = orders.rows("SELECT id, xmin::text FROM orders WHERE amount_new IS NOT NULL")
        assert set(range(1, 51)) <= {row for row, _ in done} <= set(range(1, 61))
        review = await host.call("review")
        assert (await host.applied(review["plan_id"]))["status"] == "applied"
    again = orders.rows("SELECT id, xmin::text FROM orders WHERE id <= 50")
    assert set(again) <= set(done)
    assert orders.rows("SELECT count(*) FROM orders WHERE amount_new IS NULL") == [(0,)]


def _killed_at(shop: Any, file: Path, *, row: int) -> None:
    """Run the backfill by Alembic itself, held up at a row, and kill it there."""
    engine = shop.engine.connect()
    with engine as holder, holder.begin():
        holder.exec_driver_sql(f"SELECT * FROM orders WHERE id = {row} FOR UPDATE")
        command = [sys.executable, "-m", "alembic", "upgrade", "+1"]
        process = subprocess.Popen(command, cwd=file.parents[2], env={**os.environ})
        while process.poll() is None:
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            if shop.rows(waits) == [(1,)]:
                break
        assert process.poll() is None
        process.kill()
        process.wait(30)
