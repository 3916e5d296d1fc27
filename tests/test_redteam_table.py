"""The table of attacks in docs/security.md is what the attacks say of themselves."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def _load() -> ModuleType:
    path = ROOT / "tests" / "redteam" / "attack.py"
    spec = importlib.util.spec_from_file_location("rulezero_attack", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


attack: Any = _load()


@pytest.mark.proves("D11")
def test_the_table_of_attacks_is_the_one_that_would_be_written() -> None:
    page = attack.PAGE.read_text(encoding="utf-8")
    made = attack.page_with(page, attack.table(attack.attacks()))
    assert page == made, "python tests/redteam/attack.py --write"


@pytest.mark.proves("D11")
def test_there_are_at_least_forty_attacks_that_are_stopped_each_with_a_name_of_its_own() -> None:
    found = attack.attacks()
    names = [a.name for a in found]
    assert len(set(names)) == len(names)
    assert sum(a.level != "never" for a in found) >= 40
    assert sum(a.level == "never" for a in found) >= 1


def test_every_file_of_attacks_says_which_it_is() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in attack.HERE.rglob("test_*.py")}
    assert files == {a.path for a in attack.attacks()}


class Report:
    """What pytest reports of a test."""

    def __init__(self, node: str, when: str, *, passed: bool = True, **found: int) -> None:
        self.nodeid, self.when, self.passed = f"{node}::test_it", when, passed
        self.user_properties = list(found.items())


def test_an_attack_counts_when_all_of_it_passed_and_looked_at_a_database() -> None:
    tally = attack.Tally()
    for report in (
        Report("good.py", "call", looked=1),
        Report("blind.py", "call"),
        Report("half.py", "call", looked=1),
        Report("half.py", "call", passed=False, looked=1),
        Report("skipped.py", "setup", passed=False),
    ):
        tally.pytest_runtest_logreport(report)
    assert {name for name, good in tally.seen.items() if good} == {"good.py"}


def test_what_an_attack_changed_is_counted() -> None:
    tally = attack.Tally()
    tally.pytest_runtest_logreport(Report("bad.py", "teardown", looked=1, applies=2))
    assert tally.applies == 2
