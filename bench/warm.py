"""A reading by a worker that is forked against one that is started, in the same run.

Usage: python bench/warm.py [ROUNDS]. Both describe the same sample projects, in turns, so that
whatever slows the machine slows both. Medians count; the result goes into results.json.
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from start import keep

from rulezero_server import warm
from rulezero_server.project import WorkerProject

PROJECTS = Path(__file__).parents[1] / "tests" / "projects"
NAMES = ("flask_notes", "alembic_shop")
GOAL = 0.25
ROUNDS = 9


def seconds(project: WorkerProject, *, forked: bool) -> float:
    """How long it takes to describe a project."""
    possible, warm.POSSIBLE = warm.POSSIBLE, forked
    began = time.perf_counter()
    try:
        project.describe()
    finally:
        warm.POSSIBLE = possible
    return time.perf_counter() - began


def measure(folder: Path, name: str, rounds: int) -> dict[str, float]:
    """The first reading, which starts the parent, and the medians of those after it."""
    shutil.copytree(PROJECTS / name, folder / name)
    project = WorkerProject.open(folder / name)
    first = seconds(project, forked=True)
    taken: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds + 1):
        for forked, times in taken.items():
            took = seconds(project, forked=forked)
            if number:
                times.append(took)
    medians = {forked: statistics.median(times) for forked, times in taken.items()}
    return {"first": first, "started": medians[False], "forked": medians[True]}


def main() -> int:
    if not warm.POSSIBLE:
        print("warm: this platform forks no worker")
        return 0
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            found = measure(Path(folder), name, rounds)
            worst = max(worst, round(found["forked"] / found["started"], 3))
            for kind, took in found.items():
                print(f"{name:<13} {kind:<8} {took * 1000:7.0f} ms (describe, {rounds} rounds)")
    met = worst <= GOAL
    keep({"name": "warm", "ratio": worst, "goal": GOAL, "unit": "x plain start", "met": met})
    print(f"warm: {worst} x a plain start, goal {GOAL}: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
