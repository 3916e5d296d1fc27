"""A shadow of an SQLite database: a copy of the file by the backup API, or one with its schema."""

import contextlib
import sqlite3
import time
from collections.abc import Generator
from pathlib import Path

from rulezero_policies.rehearsal import Shadow, TableSize
from rulezero_server.shadows import Made, Order, folders, sqlitemadeup, words
from rulezero_server.shadows.errors import NoShadow

_PAGES = 2000
"""Pages that are copied between two looks at the clock."""

_BYTES = 1_000_000


@contextlib.contextmanager
def shadow(order: Order) -> Generator[Made]:
    """A copy of the file for the time of the block.

    Raises:
        NoShadow: It is too large, or cannot be read.
    """
    target = Path(str(order.access["path"]))
    with folders.private(order.folder) as folder:
        copy = folder / "shadow.sqlite"
        with told(_MEND):
            what = _made(order, target, copy)
        yield Made(shadow=what, to={"dialect": "sqlite", "path": str(copy)})


_MEND = "See whether it can be read, and whether the folder for temporary files has room."


@contextlib.contextmanager
def told(mend: str) -> Generator[None]:
    """What SQLite finds wrong in the block is told by its kind: its message may name a value.

    Raises:
        NoShadow: With `mend`, what to do about it.
    """
    try:
        yield
    except sqlite3.Error as error:
        kind = getattr(error, "sqlite_errorname", type(error).__name__)
        reason = f"the file of the database could not be copied ({kind})"
        raise NoShadow(reason, mend) from error


def _made(order: Order, target: Path, copy: Path) -> Shadow:
    if order.empty or not target.exists():
        with contextlib.closing(sqlite3.connect(copy)):
            copy.touch()
        if order.empty:
            return words.empty(_WHERE_NEW)
        return Shadow(where=_WHERE_NEW, rows="no rows: there is no file yet", whole=True, real=True)
    if not order.wishes.copies_rows(protected=order.protected, stays=False):
        return _without_rows(target, copy)
    _check_size(order, target)
    copied(order, target, copy)
    sizes = sizes_of(copy)
    return Shadow(
        where="a copy of the file", rows=words.whole(sizes), whole=True, real=True, sizes=sizes
    )


_WHERE_NEW = "a new file"


def _check_size(order: Order, target: Path) -> None:
    size = bytes_of(target) / _BYTES
    if size > order.wishes.megabytes:
        raise NoShadow(
            f"the database has {size:,.0f} MB, and at most {order.wishes.megabytes:g} MB are "
            "copied for a rehearsal",
            f"To allow it, write `megabytes = {int(size) + 1}` under [rehearsal] in policy.toml.",
        )


def bytes_of(target: Path) -> int:
    """The size of a file with its write-ahead log; 0 where there is none."""
    files = (target, target.with_name(f"{target.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def copied(order: Order, target: Path, copy: Path) -> None:
    """Copy what is committed; beside the target no file is made."""
    log = target.with_name(f"{target.name}-wal")
    if not log.exists():
        _back_up(order, target, copy, "mode=ro&immutable=1" if _logs(target) else "mode=ro")
        if not log.exists():
            return
        # Somebody wrote to it meanwhile: now there is a log to read, and locks that hold.
        copy.unlink()
    _back_up(order, target, copy, "mode=ro")


def _logs(target: Path) -> bool:
    """Whether its journal is a write-ahead log, which even a reader makes where it is missing.

    Source: https://www.sqlite.org/fileformat2.html, "File format version numbers".
    """
    with target.open("rb") as file:
        return file.read(20)[18:20] == b"\x02\x02"


def _back_up(order: Order, target: Path, copy: Path, how: str) -> None:
    def on_time(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > order.until:
            raise NoShadow(
                f"copying the database took longer than {order.wishes.seconds:g} s",
                "Allow more `seconds` under [rehearsal] in policy.toml.",
            )

    source = sqlite3.connect(f"{target.resolve().as_uri()}?{how}", uri=True, timeout=5)
    with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as made:
        source.backup(made, pages=_PAGES, progress=on_time, sleep=0.05)


def sizes_of(copy: Path) -> tuple[TableSize, ...]:
    """The tables of a file and their rows."""
    with contextlib.closing(sqlite3.connect(copy)) as made:
        return _counted(made)


def live_sizes(target: Path) -> tuple[TableSize, ...]:
    """The tables of a file that stays as it is, and their rows; beside it no file is made."""
    with contextlib.closing(_reading(target)) as source:
        return _counted(source)


def _counted(connection: sqlite3.Connection) -> tuple[TableSize, ...]:
    names = sqlitemadeup.tables(connection)
    found = {name: sqlitemadeup.count(connection, name) for name in names}
    return tuple(TableSize(table=name, rows=n, target=n) for name, n in found.items())


def _reading(target: Path) -> sqlite3.Connection:
    how = "mode=ro" if not _logs(target) or _has_log(target) else "mode=ro&immutable=1"
    return sqlite3.connect(f"{target.resolve().as_uri()}?{how}", uri=True, timeout=5)


def sound(copy: Path) -> bool:
    """Whether SQLite finds nothing wrong with a file."""
    with contextlib.closing(sqlite3.connect(copy)) as made:
        return made.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _without_rows(target: Path, copy: Path) -> Shadow:
    """The target's schema with made-up rows, and the rows of Alembic's own table."""
    with (
        contextlib.closing(_reading(target)) as source,
        contextlib.closing(sqlite3.connect(copy)) as made,
    ):
        unfilled = sqlitemadeup.fill(source, made)
        counts = {name: sqlitemadeup.count(made, name) for name in sqlitemadeup.tables(made)}
    sizes = tuple(TableSize(table=name, rows=rows) for name, rows in counts.items())
    return Shadow(
        where="a new file with the same schema",
        rows=words.made_up(sizes),
        whole=False,
        real=False,
        lacks=words.unfilled(unfilled),
        sizes=sizes,
    )


def _has_log(target: Path) -> bool:
    return target.with_name(f"{target.name}-wal").exists()
