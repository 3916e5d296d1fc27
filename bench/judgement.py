"""Time of `rulezero review --all --static` over a generated history, beside squawk on the same SQL.

Usage: python bench/judgement.py [REVISIONS] [ROUNDS]. squawk (https://squawkhq.com) is what is on
the PATH, or what the variable SQUAWK names; where there is none, only our own time is printed.
Medians count; the result goes into results.json.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from start import keep

REVISIONS = 300
ROUNDS = 3
GOAL = 10.0
"""Seconds for all revisions: a history is reviewed while one waits for it."""

_ENV = """\
from alembic import context
from sqlalchemy import MetaData

context.configure(url="postgresql+psycopg://", target_metadata=MetaData(), literal_binds=True)
with context.begin_transaction():
    context.run_migrations()
"""

_KINDS = (
    (
        """op.create_table(
        't{n}', sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(50), nullable=False), sa.PrimaryKeyConstraint('id'))""",
        "op.drop_table('t{n}')",
    ),
    (
        "op.add_column('t0', sa.Column('c{n}', sa.Text(), nullable=True))",
        "op.drop_column('t0', 'c{n}')",
    ),
    (
        "op.create_index('ix_t0_{n}', 't0', ['name'])",
        "op.drop_index('ix_t0_{n}', table_name='t0')",
    ),
    (
        """op.add_column(
        't0', sa.Column('d{n}', sa.Integer(), server_default='0', nullable=False))""",
        "op.drop_column('t0', 'd{n}')",
    ),
    (
        "op.execute('UPDATE t0 SET name = {n} WHERE name IS NULL')",
        "op.execute('SELECT 1')",
    ),
    (
        "op.alter_column('t0', 'name', existing_type=sa.String(50), type_=sa.String(80))",
        "op.alter_column('t0', 'name', existing_type=sa.String(80), type_=sa.String(50))",
    ),
)
"""What the revisions do, in turns: the mix of an ordinary project."""


def history(folder: Path, count: int) -> None:
    """An Alembic project with `count` revisions."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
    (folder / "migrations" / "env.py").write_text(_ENV)
    for number in range(count):
        up, down = (text.format(n=number) for text in _KINDS[number % len(_KINDS)])
        before = repr(f"r{number - 1:04}") if number else None
        (versions / f"r{number:04}.py").write_text(
            f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'r{number:04}'\n"
            f"down_revision = {before}\n\n\ndef upgrade():\n    {up}\n\n\n"
            f"def downgrade():\n    {down}\n"
        )


def sql_of(folder: Path) -> Path:
    """The SQL of the whole history, as alembic renders it."""
    file = folder / "history.sql"
    command = [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    file.write_text(done.stdout)
    return file


def seconds(command: list[str], folder: Path) -> float:
    """From the start of a command to its end; findings are no failure."""
    state = {**os.environ, "RULEZERO_STATE_DIR": str(folder / "state")}
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=state, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{command[0]} could not run: {done.stderr[-500:]}")
    return took


def commands(folder: Path) -> dict[str, list[str]]:
    """What is timed, by name."""
    review = ["review", "--all", "--static", "--format", "json", "--project", str(folder)]
    found = {"rulezero": [sys.executable, "-m", "rulezero_server", *review]}
    squawk = os.environ.get("SQUAWK") or shutil.which("squawk")
    if squawk:
        found["squawk"] = [squawk, str(sql_of(folder))]
    return found


def measure(count: int, rounds: int) -> dict[str, float]:
    """The median of each command; the first round only fills the caches."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        history(folder, count)
        timed = commands(folder)
        taken: dict[str, list[float]] = {name: [] for name in timed}
        for number in range(rounds + 1):
            for name, command in timed.items():
                took = seconds(command, folder)
                if number:
                    taken[name].append(took)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REVISIONS
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    medians = measure(count, rounds)
    ours = medians["rulezero"]
    met = ours <= GOAL
    keep({"name": "judgement", "ratio": round(ours, 2), "goal": GOAL, "unit": "s", "met": met})
    print(f"rulezero {ours:8.2f} s for {count} revisions, downgrades and all (median of {rounds})")
    if "squawk" in medians:
        print(f"squawk   {medians['squawk']:8.2f} s for the SQL of their upgrades")
    else:
        print("squawk: not installed")
    print(
        f"judgement: {count} revisions in {ours:.1f} s, goal {GOAL} s: {'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
