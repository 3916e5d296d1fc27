"""Stores as Python itself has them, told as their source is; and both of them exercised."""

import dataclasses
import functools
import textwrap
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, Optional, Protocol, TypedDict

import pydantic
import pytest

from rulezero_policies.parity.storecode import Code
from rulezero_policies.parity.stores import Column
from rulezero_policies.parity.storeshape import compared
from rulezero_policies.parity.values import ParityConfig, StoreRule
from rulezero_policies.references import SourceFile, Sources
from rulezero_server import sources
from rulezero_server.parity import storeprobe
from rulezero_server.parity.shadowed import Place
from rulezero_server.parity.storeprobe import WorkerStoreProbe
from rulezero_server.worker.parity import exercise, fields, shapes
from rulezero_tools.parity.stores import checked

CANARY = "canary-5c1e77d0"

MakePlace = Callable[..., Place]


class Interface(Protocol):
    size: int

    def get(self, key: str, /, *, limit: int = 10) -> "int | None": ...
    async def later(self, *keys: str, **more: object) -> list[int]: ...
    def stream(self) -> AsyncIterator[int]: ...
    def plain(self) -> None:
        """Say what it does."""

    @property
    def name(self) -> str: ...

    @staticmethod
    def made(path: str) -> int: ...

    @classmethod
    def open(cls, path: str) -> "Interface": ...


def around(function: Any) -> Any:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


class Good:
    def __init__(self) -> None:
        self.size = 1
        self.name = "x"

    def get(self, key: str, /, *, limit: int = 10) -> Optional[int]:  # noqa: UP045 - as others write
        return None

    @around
    async def later(self, *keys: str, **more: object) -> list[int]:
        return []

    async def stream(self) -> AsyncIterator[int]:
        yield 1

    def plain(self) -> None:
        return None

    @staticmethod
    def made(path: str) -> int:
        return 1

    @classmethod
    def open(cls, path: str) -> Interface:
        return cls()  # type: ignore[return-value]


class Bad(Interface):
    get: Any = functools.partial(print)

    def later(self, *keys: str, **more: object) -> list[int]:  # type: ignore[override]
        return []

    def name(self) -> str:  # type: ignore[override]
        return ""


class Abstract(ABC):
    def __init__(self, engine: object) -> None:
        self.engine = engine

    @abstractmethod
    def get(self) -> int:
        return 1

    def all(self) -> int:
        raise NotImplementedError

    def __getattr__(self, name: str) -> int:
        raise AttributeError(name)


def shape(cls: type) -> Any:
    said = shapes.shape(f"module:{cls.__name__}", cls)
    found = storeprobe.class_seen(said).shape
    assert found is not None
    return found


@pytest.mark.proves("B09", "B13")
def test_python_and_the_source_tell_the_same_of_a_class() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    code = Code(Sources(files=(SourceFile(path="module.py", text=text),)))
    every: tuple[Any, ...] = (Interface, Good, Bad, Abstract)
    live: dict[Any, Any] = {cls: shape(cls) for cls in every}
    for cls in every[:2]:
        found = code.named(f"module:{cls.__name__}")
        assert found is not None
        read = code.shape(found).by_name
        told = live[cls].by_name
        assert set(told) == set(read)
        for name, method in read.items():
            assert method.opaque or told[name].parameters == method.parameters, name
            assert (told[name].form, told[name].colour) == (method.form, method.colour), name
    assert compared(live[Interface], live[Good]) == ()
    broken = {one.member: one.says for one in compared(live[Interface], live[Bad])}
    assert broken["later"] == "is not async, in the interface it is async"
    assert broken["name"] == "is a method, the interface has a property"
    assert "not implemented" in broken["plain"]
    assert "get" not in broken, "what a partial takes cannot be seen"
    assert not live[Abstract].whole
    assert not live[Abstract].made
    assert live[Good].made
    assert live[Abstract].by_name["all"].abstract


@dataclasses.dataclass
class ADataclass:
    id: int | None
    body: str = ""
    tags: list[str] = dataclasses.field(default_factory=list[str])


class AModel(pydantic.BaseModel):
    id: int | None
    body: str = ""


class ATuple(NamedTuple):
    id: "int | None"
    body: str = ""


class ADict(TypedDict):
    id: "int | None"
    body: NotRequired[str]


class AnInit:
    def __init__(self, id: int | None, body: str = "") -> None:  # noqa: A002 - as records have it
        self.id, self.body = id, body


@pytest.mark.proves("B09")
@pytest.mark.parametrize("record", [ADataclass, AModel, ATuple, ADict, AnInit])
def test_the_fields_of_a_record_are_seen_whatever_made_it(record: Any) -> None:
    told = storeprobe.record_seen({"fields": fields.of(record)}).fields
    assert told is not None
    assert [(f.name, f.optional, f.default) for f in told][:2] == [
        ("id", True, False),
        ("body", False, True),
    ]


def test_a_class_without_fields_is_no_record() -> None:
    with pytest.raises(TypeError):
        fields.of(int)


@pytest.mark.proves("B11", "B15")
@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ([1, {"a": "x"}], [1, {"a": "x"}], []),
        ([1], [1, 2], ["answer: 1 entries from the fallback, 2 from the store"]),
        ({"a": CANARY}, {"a": "x"}, ["answer.a: another text"]),
        ({"a": 1}, {"b": 1}, ["answer.a: only from the fallback", "answer.b: only from the store"]),
        ({CANARY: 1}, {CANARY: 2}, ["answer[…]: another number"]),
        (None, {"a": 1}, ["answer: none from the fallback, object from the store"]),
        (1, 1.0, []),
    ],
)
def test_other_answers_are_told_without_a_value(one: Any, other: Any, says: list[str]) -> None:
    told = exercise.compared({"fallback": {"saw": one}, "store": {"saw": other}})
    assert told["differences"] == says
    assert told["outcome"] == ("different" if says else "same")


STORES = """
from abc import ABC, abstractmethod
from dataclasses import dataclass

from sqlalchemy.orm import Session

from notes.models import User, db


@dataclass
class UserRecord:
    id: int | None
    email: str


class UserStore(ABC):
    @abstractmethod
    def add(self, email: str, name: str = "x") -> int: ...

    @abstractmethod
    def all(self) -> list[str]: ...


class SqlUserStore(UserStore):
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, email: str, name: str = "x") -> int:
        user = User(email=email, name=name)
        self.session.add(user)
        self.session.commit()
        return user.id

    def all(self) -> list[str]:
        return [user.email for user in self.session.query(User).order_by(User.email)]


class FlaskUserStore(SqlUserStore):
    def __init__(self):
        self.session = db.session


class InMemoryUserStore(UserStore):
    def __init__(self) -> None:
        self.emails = []

    def add(self, email: str) -> int:
        self.emails.append(email)
        return len(self.emails)

    def all(self) -> list[str]:
        return self.emails


class NeedsMoreStore(InMemoryUserStore):
    def __init__(self, somewhere) -> None: ...


def exercise(store):
    ids = [store.add("a"), store.add("b")]
    return {"ids": ids, "emails": store.all()}


def unordered(store):
    store.add("b")
    store.add("a")
    return store.all()


def fails(store):
    raise LookupError("x")
"""


def rule(name: str, **more: Any) -> StoreRule:
    given: dict[str, Any] = {
        "interface": "notes.stores:UserStore",
        "store": "notes.stores:SqlUserStore",
        "fallback": "notes.stores:InMemoryUserStore",
        "exercise": "notes.stores:exercise",
    }
    return StoreRule(name=name, service="api", **{**given, **more})


class Deployed:
    """A `Deployment` of one service, whose stores are declared."""

    def __init__(self, place: Place, *stores: StoreRule) -> None:
        self._place, self._stores = place, stores

    def config(self) -> ParityConfig:
        return ParityConfig(stores=self._stores)

    def layout(self) -> Any:
        return self._place.layout

    def code(self, service: Any) -> Sources:
        return sources.read(self._place.top / service.folder, frozenset())

    def on_main(self, path: str, text: str) -> bool | None:
        return None


@pytest.mark.proves("B09", "B11", "B13", "B15")
def test_declared_stores_are_held_against_interface_and_table_and_exercised_on_a_shadow(
    service: Path, place: MakePlace
) -> None:
    (service / "notes" / "stores.py").write_text(textwrap.dedent(STORES), encoding="utf-8")
    before = (service / "notes.db").read_bytes()
    here = place(service)
    records = (("notes.stores:UserRecord", "users"), ("notes.stores:UserRecord", "nothing"))
    rules = (
        rule("users", records=records),
        rule("flask", store="notes.stores:FlaskUserStore"),
        rule("order", exercise="notes.stores:unordered"),
        rule("fails", exercise="notes.stores:fails"),
        rule("needs", fallback="notes.stores:NeedsMoreStore"),
        rule("gone", fallback="notes.stores:Gone", exercise=None),
    )
    found = {one.name: one for one in checked(Deployed(here, *rules), WorkerStoreProbe(here))}
    users = found["users"]
    assert users.exercise.outcome == "same", users.exercise
    assert [text.partition(" ")[2] for text in users.breaks] == [
        "takes no `name`, the interface has it as parameter 2",
        "(users).name the record has no field for this column",
        "(users).deprecated_field the record has no field for this column",
        "the models have no table 'nothing'",
    ]
    assert not users.guessed
    assert found["flask"].exercise.outcome == "same", found["flask"].exercise
    assert found["order"].exercise.outcome == "different"
    assert found["order"].exercise.differences == (
        "answer[0]: another text",
        "answer[1]: another text",
    )
    assert "gives other answers" in found["order"].reasons[-1]
    assert found["fails"].exercise.why == (
        "the exercise failed with both stores: LookupError (notes/stores.py, line 71)"
    )
    assert found["needs"].exercise.why is not None
    assert "the fallback needs `somewhere`" in found["needs"].exercise.why
    assert "cannot be looked at: AttributeError" in found["gone"].breaks[0]
    assert (service / "notes.db").read_bytes() == before
    assert CANARY not in str(found)


@pytest.mark.proves("B09")
def test_the_columns_of_the_models_are_told_with_what_fills_them(
    service: Path, place: MakePlace
) -> None:
    told = WorkerStoreProbe(place(service)).tables()
    assert told["users"] == (
        Column(name="id", nullable=False, filled=True, attribute="id"),
        Column(name="email", nullable=False, filled=False, attribute="email"),
        Column(name="name", nullable=True, attribute="name"),
        Column(name="deprecated_field", nullable=True, attribute="deprecated_field"),
    )
    assert told["tasks"][-1] == Column(name="done", nullable=False, filled=True, attribute="done")
