"""What is made of a store that was looked at: what fails parity, and what is only told."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rulezero_policies.parity.stores import Column, RecordField
from rulezero_policies.parity.storeshape import ClassShape, Method, Parameter
from rulezero_policies.parity.values import Layout, ParityConfig, Service, StoreRule
from rulezero_policies.references import SourceFile, Sources
from rulezero_tools.parity.stores import Exercise, Seen, StoreCheck, checked

pytestmark = pytest.mark.proves("B09", "B13")

SOURCE = """
from typing import Protocol
from abc import ABC, abstractmethod
from elsewhere import Base

class NoteStore(Protocol):
    size: int
    def add(self, body: str) -> int: ...

class SqlNoteStore:
    def __init__(self): self.size = 0
    def add(self, body): return 1

class InMemoryNoteStore:
    def __init__(self): self.size = 0
    def add(self, text): return 1

class TagStore(ABC):
    @abstractmethod
    def tags(self): ...

class SqlTagStore(TagStore):
    def tags(self): return []

class InMemoryTagStore(TagStore):
    pass
"""

ADD = Method(name="add", parameters=(Parameter(name="body"),), returns="int")
INTERFACE = ClassShape(name="app:NoteStore", methods=(Method(name="size", form="value"), ADD))
STORE = ClassShape(name="app:SqlNoteStore", methods=(ADD,))
RECORD = Seen(fields=(RecordField(name="id", optional=True),))


class Deployed:
    def __init__(self, *stores: StoreRule) -> None:
        self._stores = stores

    def config(self) -> ParityConfig:
        return ParityConfig(stores=self._stores)

    def layout(self) -> Layout:
        services = (Service(name="api", folder="."),)
        return Layout(production="production", baseline=(), services=services, sources=())

    def code(self, service: Service) -> Sources:
        return Sources(files=(SourceFile(path="app.py", text=SOURCE),))

    def on_main(self, path: str, text: str) -> bool | None:
        return None


class Probe:
    def __init__(self, exercise: Exercise | None = None, **seen: Seen) -> None:
        self._exercise = exercise
        self._seen = {
            "app:NoteStore": Seen(shape=INTERFACE),
            "app:SqlNoteStore": Seen(shape=STORE),
            "app:InMemoryNoteStore": Seen(shape=STORE),
            "app:Note": RECORD,
            **{f"app:{name}": one for name, one in seen.items()},
        }
        self.asked: list[str] = []

    def seen(self, rule: StoreRule) -> Mapping[str, Seen]:
        return self._seen

    def tables(self) -> Mapping[str, tuple[Column, ...]]:
        self.asked.append("tables")
        return {"notes": (Column(name="id", nullable=False, filled=True),)}

    def exercise(self, rules: Sequence[StoreRule]) -> Mapping[str, Exercise]:
        self.asked.extend(rule.name for rule in rules)
        return {rule.name: self._exercise for rule in rules if self._exercise}


def notes(**more: Any) -> StoreRule:
    given: dict[str, Any] = {
        "interface": "app:NoteStore",
        "store": "app:SqlNoteStore",
        "fallback": "app:InMemoryNoteStore",
        **more,
    }
    return StoreRule(name="notes", service="api", **given)


def of(rule: StoreRule, probe: Probe | None = None) -> StoreCheck:
    return checked(Deployed(rule), probe or Probe())[0]


def test_a_store_that_keeps_to_everything_gives_no_reason() -> None:
    told = of(notes(records=(("app:Note", "notes"),)))
    assert (told.breaks, told.notes, told.reasons, told.guessed) == ((), (), (), False)
    assert told.exercise.outcome == "not exercised"


def test_nothing_is_asked_of_a_database_that_no_rule_needs() -> None:
    probe = Probe()
    of(notes(), probe)
    assert probe.asked == []


def test_what_breaks_the_interface_is_a_reason_for_the_fallback_and_for_the_store() -> None:
    empty = Seen(shape=ClassShape(name="x", methods=()))
    told = of(notes(), Probe(InMemoryNoteStore=empty, SqlNoteStore=empty))
    assert told.breaks == (
        "app:InMemoryNoteStore.add is missing",
        "app:SqlNoteStore.add is missing",
    )
    assert told.reasons[0] == "store notes (api): app:InMemoryNoteStore.add is missing"


def test_without_an_interface_the_fallback_is_held_against_the_store() -> None:
    empty = Seen(shape=ClassShape(name="x", methods=()))
    told = of(notes(interface=None), Probe(InMemoryNoteStore=empty))
    assert told.breaks == ("app:InMemoryNoteStore.add is missing",)


def test_what_cannot_be_imported_is_a_reason_and_the_rest_is_still_told() -> None:
    told = of(notes(), Probe(InMemoryNoteStore=Seen(error="ImportError (app.py, line 3)")))
    assert told.breaks == (
        "app:InMemoryNoteStore cannot be looked at: ImportError (app.py, line 3)",
    )


def test_a_record_without_its_columns_and_a_table_that_is_not_there_are_reasons() -> None:
    rule = notes(records=(("app:Note", "notes"), ("app:Note", "gone")))
    told = of(rule, Probe(Note=Seen(fields=())))
    assert told.breaks == (
        "app:Note (notes).id the record has no field for this column",
        "app:Note the models have no table 'gone'",
    )


def test_a_fallback_that_needs_arguments_is_told_and_fails_nothing() -> None:
    unmade = Seen(shape=ClassShape(name="x", methods=(ADD,), made=False))
    told = of(notes(), Probe(InMemoryNoteStore=unmade))
    assert told.reasons == ()
    assert "without arguments" in told.notes[0]


@pytest.mark.proves("B11")
@pytest.mark.parametrize(
    ("exercise", "says"),
    [
        (Exercise(outcome="same"), None),
        (Exercise(outcome="different", differences=("answer: x",)), "other answers"),
        (Exercise(outcome="failed", why="it raised"), "shows nothing: it raised"),
        (Exercise(outcome="not exercised", why="no shadow"), "shows nothing: no shadow"),
    ],
)
def test_an_exercise_that_was_declared_has_to_show_the_same(
    exercise: Exercise, says: str | None
) -> None:
    told = of(notes(exercise="app:exercise"), Probe(exercise))
    assert told.exercise == exercise
    assert bool(told.reasons) is (says is not None)
    assert says is None or says in told.reasons[0]


@pytest.mark.proves("B11")
def test_an_exercise_without_a_store_to_compare_with_shows_nothing() -> None:
    told = of(notes(exercise="app:exercise", store=None))
    assert "no store is declared" in told.reasons[0]


def test_a_service_that_is_not_there_is_a_reason() -> None:
    rule = StoreRule(name="x", service="nobody", interface=None, store=None, fallback="app:X")
    assert "no service 'nobody'" in of(rule).reasons[0]


def test_of_guesses_only_what_inherits_its_interface_fails() -> None:
    told = {one.name: one for one in checked(Deployed(), Probe())}
    assert set(told) == {"InMemoryNoteStore", "InMemoryTagStore"}
    assert all(one.guessed for one in told.values())
    assert told["InMemoryTagStore"].breaks
    guess = told["InMemoryNoteStore"]
    assert (guess.breaks, guess.reasons) == ((), ())
    assert "calls parameter 1 `text`" in guess.notes[0]
