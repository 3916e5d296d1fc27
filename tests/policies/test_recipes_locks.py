"""While a revision runs that a recipe wrote, others go on writing: seen on PostgreSQL."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.policies.live import Live, lives
from tests.policies.recipe_cases import CASES, Tried
from tests.policies.recipe_trying import mended, set_up

from rulezero_policies.rules.rule import POSTGRESQL, revision

pytestmark = pytest.mark.proves("A14")

STRONG = frozenset({"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"})
"""What keeps others from writing."""

_SEEN = """SELECT s.relname, s.seq_tup_read, array(SELECT l.mode FROM pg_locks l
        WHERE l.relation = s.relid AND l.pid = pg_backend_pid() AND l.granted),
    current_setting('lock_timeout')
FROM pg_stat_xact_user_tables s WHERE s.relname <> 'alembic_version'"""
_WRITES = (
    "UPDATE users SET name = 'new' WHERE id = 1",
    "UPDATE tasks SET title = 'new' WHERE id = 1",
    "UPDATE events SET size = 7 WHERE id = 1",
    "UPDATE orders SET amount = 7 WHERE id = 1",
)
_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {}"


@dataclass(kw_only=True)
class Onlooker:
    """Sees what each statement reads under which lock, and writes beside those that are long.

    `blocking` are the statements that read rows while nobody could write, `beside` those during
    which somebody did write, `timeouts` how long each waits at most that takes a strong lock.
    """

    url: sa.URL
    blocking: list[str] = field(default_factory=list[str])
    beside: list[str] = field(default_factory=list[str])
    timeouts: set[str] = field(default_factory=set[str])
    _read: dict[str, int] = field(default_factory=dict[str, int])
    _holder: sa.Connection | None = None
    _thread: threading.Thread | None = None

    def before(self, _: Any, cursor: Any, statement: str, *__: Any) -> None:
        """Whoever wrote before a long statement has not committed yet when it runs."""
        raw = cursor.connection
        if not raw.autocommit:
            self._read = {table: read for table, read, _, _ in raw.execute(_SEEN).fetchall()}
        elif "VALIDATE" in statement:
            self._holder = self._writing()
            self.beside.append(statement)
        elif "CONCURRENTLY" in statement:
            # It waits for all who have written: so that it goes on, somebody else has to end it.
            given = (self._writing(), raw.info.backend_pid, statement)
            self._thread = threading.Thread(target=self._write_too, args=given)
            self._thread.start()

    def after(self, _: Any, cursor: Any, statement: str, *__: Any) -> None:
        """What the statement read, and which locks are held behind it."""
        raw = cursor.connection
        if raw.autocommit:
            self.close()
            return
        for table, read, modes, timeout in raw.execute(_SEEN).fetchall():
            strong = STRONG & {*modes}
            if strong and read > self._read.get(table, 0):
                self.blocking.append(statement)
            if strong:
                self.timeouts.add(timeout)

    def close(self) -> None:
        """Nobody writes any more."""
        if self._holder is not None:
            self._holder.close()
        if self._thread is not None:
            self._thread.join()
        self._holder = self._thread = None

    def _writing(self) -> sa.Connection:
        """Somebody who has written, and has not committed yet."""
        connection = _engine(self.url).connect()
        for statement in _WRITES:
            connection.exec_driver_sql(statement)
        return connection

    def _write_too(self, holder: sa.Connection, pid: int, statement: str) -> None:
        """Once the statement waits for one writer, another one writes."""
        with holder:
            end = time.monotonic() + 20
            with _engine(self.url).connect() as other:
                while not other.exec_driver_sql(_WAITS.format(pid)).scalar():
                    if time.monotonic() > end:
                        return
            with _engine(self.url).begin() as other:
                for write in _WRITES:
                    other.exec_driver_sql(write.replace("id = 1", "id = 2"))
            self.beside.append(statement)


def _engine(url: sa.URL) -> sa.Engine:
    """Connections that wait no longer than ten seconds for a lock: none of this hangs."""
    options = {"options": "-c lock_timeout=10s"}
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)


@contextmanager
def looking(live: Live) -> Generator[Onlooker]:
    onlooker = Onlooker(url=live.engine.url)
    heard = (
        ("before_cursor_execute", onlooker.before),
        ("after_cursor_execute", onlooker.after),
    )
    for name, listener in heard:
        event.listen(live.engine, name, listener)
    yield onlooker
    onlooker.close()
    for name, listener in heard:
        event.remove(live.engine, name, listener)


@pytest.fixture
def live(postgres_url: str, tmp_path: Path) -> Iterator[Live]:
    yield from lives(_engine(sa.make_url(postgres_url)), tmp_path)


NOT_NULL = Tried(
    rule="check-lock",
    databases=POSTGRESQL,
    holds=bool,
    text=revision(
        "op.alter_column('users', 'name', existing_type=sa.String(50), nullable=False)",
        "op.alter_column('users', 'name', existing_type=sa.String(50), nullable=True)",
    ),
)
LONG = {"index-lock", "fk-lock", "check-lock", "unique-lock", "validate-same-transaction"}
WATCHED = {**{c.rule: c for c in CASES if c.rule in LONG}, "not-null": NOT_NULL}


@pytest.mark.parametrize("tried", WATCHED.values(), ids=WATCHED)
def test_no_row_is_read_under_a_lock_that_keeps_others_from_writing(
    live: Live, tried: Tried
) -> None:
    set_up(live, tried)
    before, done = mended(live, tried)
    for target in ("head", "base", "head"):
        with looking(live) as seen:
            assert live.move(target) is None, done.version.text
        assert seen.blocking == [], done.version.text
        assert target == "base" or len(seen.beside) == 1, done.version.text
    assert live.move("base") is None
    live.scene(before.text)
    with looking(live) as seen:
        assert live.move("head") is None
    assert seen.blocking != [], "the onlooker does not see what the recipe is there for"


@pytest.mark.parametrize("rule", ["lock-timeout", "fk-drop"])
def test_no_strong_lock_is_waited_for_longer_than_said(live: Live, rule: str) -> None:
    tried = next(c for c in CASES if c.rule == rule)
    set_up(live, tried)
    before, done = mended(live, tried)
    with looking(live) as seen:
        assert live.move("head") is None, done.version.text
    assert seen.timeouts == {"2s"}
    assert live.move("base") is None
    live.scene(before.text)
    with looking(live) as seen:
        assert live.move("head") is None
    assert seen.timeouts == {"10s"}


_BREAKING = {
    "fk-lock": "INSERT INTO tasks VALUES (9, 99, 'orphan')",
    "check-lock": "INSERT INTO orders VALUES (9, -1)",
    "unique-lock": "INSERT INTO users VALUES (9, 'eve', 'a@x')",
}


@pytest.mark.parametrize("rule", _BREAKING)
def test_where_rows_stand_against_it_they_are_to_be_decided_on_first(live: Live, rule: str) -> None:
    tried = next(c for c in CASES if c.rule == rule)
    set_up(live, tried)
    live.run(_BREAKING[rule])
    before, done = mended(live, tried)
    assert done.version.text == before.text
    (told,) = done.not_cured
    assert "rows stand against it" in told.said
