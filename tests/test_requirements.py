"""The manifest of promises and the markers on the tests agree, both ways."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

IDS = (
    [f"A{n:02}" for n in range(1, 23)]
    + [f"B{n:02}" for n in range(1, 16)]
    + [f"C{n:02}" for n in range(1, 7)]
    + [f"D{n:02}" for n in range(1, 12)]
)

MARKED = """
import pytest
{top}

{mark}
def test_it() -> None:
    assert True
"""


def _load() -> ModuleType:
    path = Path(__file__).with_name("requirements.py")
    spec = importlib.util.spec_from_file_location("rulezero_requirements", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


requirements: Any = _load()


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """A repository with an empty folder of tests."""
    (tmp_path / "tests").mkdir()
    return tmp_path


def carry(tests: Path, mark: str, top: str = "", name: str = "test_one.py") -> None:
    file = tests / "tests" / name
    file.write_text(MARKED.format(mark=mark, top=top), encoding="utf-8")


def one(*carriers: str, pending: str | None = None) -> dict[str, Any]:
    return {"A01": requirements.Requirement(promise="p", tests=carriers, pending=pending)}


def test_every_promise_stands_in_the_manifest_and_no_other() -> None:
    assert list(requirements.manifest()) == IDS
    assert set(requirements.PENDING) <= set(IDS)


def test_the_manifest_and_the_tests_agree() -> None:
    found = requirements.problems(requirements.manifest(), requirements.marked())
    assert found == [], "python tests/requirements.py --write"


def test_a_promise_without_a_test_that_is_not_pending_is_found() -> None:
    assert requirements.problems(one(), {}) == ["A01: no test proves it, and it is not pending"]
    assert requirements.problems(one(pending="built later"), {}) == []


def test_a_marker_with_an_unknown_id_is_found() -> None:
    found = requirements.problems(one(pending="built later"), {"A99": ("t.py::test_it",)})
    assert found == ["A99: no such promise (t.py::test_it)"]


def test_a_listed_test_that_is_gone_or_lost_its_marker_is_found() -> None:
    found = requirements.problems(one("t.py::test_it", pending="built later"), {})
    assert found == ["A01: t.py::test_it is listed and does not prove it"]


def test_a_test_that_is_not_listed_is_found() -> None:
    found = requirements.problems(one(), {"A01": ("t.py::test_it",)})
    assert found == ["A01: t.py::test_it proves it and is not listed"]


def test_markers_on_functions_are_read(tests: Path) -> None:
    carry(tests, '@pytest.mark.proves("A01", "A02")')
    node = ("tests/test_one.py::test_it",)
    assert requirements.marked(tests) == {"A01": node, "A02": node}


def test_markers_on_a_module_are_read(tests: Path) -> None:
    carry(tests, "", top='pytestmark = [pytest.mark.slow, pytest.mark.proves("A03")]')
    assert requirements.marked(tests) == {"A03": ("tests/test_one.py::test_it",)}


def test_markers_on_classes_and_state_machines_are_read(tests: Path) -> None:
    file = tests / "tests" / "test_one.py"
    file.write_text(
        'pytestmark = pytest.mark.proves("A04")\n'
        "TestMachine = Machine.TestCase\n"
        '@pytest.mark.proves("A05")\nclass TestIt:\n    def test_it(self): ...\n'
        "    def helper(self): ...\n",
        encoding="utf-8",
    )
    in_class = "tests/test_one.py::TestIt::test_it"
    machine = "tests/test_one.py::TestMachine"
    assert requirements.marked(tests) == {"A04": (in_class, machine), "A05": (in_class,)}


def test_a_marker_on_what_is_no_test_counts_for_nothing(tests: Path) -> None:
    file = tests / "tests" / "test_one.py"
    file.write_text('@pytest.mark.proves("A01")\ndef helper(): ...\n', encoding="utf-8")
    assert requirements.marked(tests) == {}


def test_tests_of_sample_projects_are_not_ours(tests: Path) -> None:
    (tests / "tests" / "projects").mkdir()
    carry(tests, '@pytest.mark.proves("A01")', name="projects/test_theirs.py")
    assert requirements.marked(tests) == {}


def test_ids_that_are_no_plain_strings_are_refused(tests: Path) -> None:
    carry(tests, "@pytest.mark.proves(*IDS)")
    with pytest.raises(requirements.UnreadableMarkerError, match=r"tests/test_one\.py:5"):
        requirements.marked(tests)
