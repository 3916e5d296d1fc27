"""At every point of a run something breaks; afterwards it is known what the database holds.

`make faults` goes through all points, the tests through a sample of them.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.proves("D08", "A18")

ALL = os.environ.get("EVERY_FAULT") == "1"

DIALECTS = ("sqlite", "postgresql", "mariadb")


@dataclass(frozen=True)
class Point:
    """What breaks, where, on which database."""

    dialect: str
    who: str
    call: str
    number: int
    when: str
    what: str

    def __str__(self) -> str:
        return f"{self.dialect}-{self.who}-{self.what}-{self.when}-{self.call}-{self.number:02}"


WRITES = {"sqlite": 31, "postgresql": 30, "mariadb": 32}
"""Lines of a journal, and the report: each is on the disk before what follows is done."""

STEPS = 34
"""Of the server that applies: its store opened, folders made, processes started."""


def points() -> Iterator[Point]:
    for dialect in DIALECTS:
        for number in range(1, WRITES[dialect] + 1):
            yield Point(dialect, "run", "fsync", number, "before", "kill")
            yield Point(dialect, "run", "fsync", number, "after", "kill")
            yield Point(dialect, "run", "fsync", number, "before", "full")
            if dialect != "sqlite":
                yield Point(dialect, "run", "fsync", number, "after", "cut")
        for number in range(1, STEPS + 1):
            yield Point(dialect, "server", "step", number, "before", "kill")
        yield Point(dialect, "run", "replace", 1, "before", "kill")


SAMPLE = {
    "sqlite-run-kill-after-fsync-09",
    "sqlite-run-full-before-fsync-12",
    "sqlite-server-kill-before-step-14",
    "sqlite-run-kill-before-replace-01",
    "postgresql-run-kill-before-fsync-20",
    "postgresql-run-cut-after-fsync-15",
    "postgresql-run-kill-before-fsync-28",
    "postgresql-server-kill-before-step-20",
    "mariadb-run-kill-after-fsync-10",
    "mariadb-run-cut-after-fsync-18",
    "mariadb-run-full-before-fsync-14",
    "mariadb-server-kill-before-step-17",
}


def chosen() -> list[Point]:
    return [point for point in points() if ALL or str(point) in SAMPLE]


@pytest.fixture(scope="module")
def worlds() -> dict[str, Any]:
    """One world a database, put back after each fault."""
    return {}


@pytest.fixture
def old_world(
    request: pytest.FixtureRequest, worlds: dict[str, Any], lasting_world: Callable[[str], Any]
) -> Any:
    dialect = request.getfixturevalue("point").dialect
    if dialect in worlds:
        worlds[dialect].enter()
        worlds[dialect].reset()
    else:
        worlds[dialect] = lasting_world(dialect)
        worlds[dialect].keep()
    worlds[dialect].enter()
    return worlds[dialect]


@pytest.mark.parametrize("point", chosen(), ids=str)
def test_whatever_breaks_what_the_database_holds_is_known(
    point: Point, old_world: Any, fault: Callable[..., None], record_property: Any, tmp_path: Path
) -> None:
    world = old_world
    plan = world.planned()
    token = world.said_yes(plan)
    within = "--run" if point.who == "run" else "applier.py"
    what = f"{point.call}:{point.number}:{point.when}:{point.what}"
    fault(what, within=within, FAULT_DONE=str(tmp_path / "done"), **world.cutting())
    result = None
    if point.who == "run":
        result = world.applied(plan, token)
    else:
        world.applier(plan, token).communicate(timeout=300)
    fault("none:0:before:nothing")
    world.clock.ahead = world.LATER
    result = result or world.applied(plan, token)
    reached = (tmp_path / "done").exists()
    record_property("reached", int(reached))
    assert reached or ALL, f"the sample is of points that there are: {result}"
    record_property("ending", str(result.ending))
    assert_known(world, result)
    assert world.applied(plan, token).ending == result.ending
    assert world.locks() == 0
    starts = world.journal(plan).count('"event": "start"') if world.has_journal(plan) else 0
    assert starts <= 1


def assert_known(world: Any, result: Any) -> None:
    found = world.effects()
    kept = [name for name, there in found.items() if there]
    if result.ending == "applied":
        assert (result.status, world.version(), len(kept)) == ("applied", "r3", len(found))
    elif result.ending == "partially applied":
        assert len(result.committed) == len(kept)
        assert all(any(name in said for said in result.committed) for name in kept)
        assert result.resume
        assert result.undo
        assert result.current_revision == world.version()
    else:
        assert result.ending in {"nothing happened", "rolled back whole"}
        assert (kept, world.version()) == ([], "r1")
        assert result.current_revision == "r1"
    assert result.rollback_command == "alembic downgrade r1"
