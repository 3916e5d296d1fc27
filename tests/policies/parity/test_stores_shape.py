"""Whether a store keeps to its interface, told from source; and which fallbacks there are."""

import textwrap

import pytest

from rulezero_policies.parity.storecode import Code
from rulezero_policies.parity.stores import Column, RecordField, guessed, mirrored
from rulezero_policies.parity.storeshape import ClassShape, Method, admits_none, compared
from rulezero_policies.parity.values import StoreRule
from rulezero_policies.references import SourceFile, Sources

pytestmark = pytest.mark.proves("B09")


def code(folder: str = ".", /, **files: str) -> Code:
    """The code of these modules; the names are paths."""
    read = tuple(
        SourceFile(path=f"{name}.py", text=textwrap.dedent(text)) for name, text in files.items()
    )
    return Code(Sources(files=read), folder)


def breaks(interface: str, store: str) -> list[tuple[str, bool]]:
    """What is told of a store with this body against an interface with that one."""
    head = "from typing import *\nfrom abc import ABC, abstractmethod\n"
    bodies = [
        f"class {name}:\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
        for name, body in (("Interface(Protocol)", interface), ("Store", store))
    ]
    seen = code(stores=head + "\n".join(bodies))
    wanted, found = seen.named("stores:Interface"), seen.named("stores:Store")
    assert wanted is not None
    assert found is not None
    told = compared(seen.shape(wanted), seen.shape(found))
    return [(f"{one.member} {one.says}", one.sure) for one in told]


@pytest.mark.parametrize(
    ("interface", "store"),
    [
        ("def get(self, key: str) -> int: ...", "def get(self, key): return 1"),
        ("def get(self, key): ...", "def get(self, *args, **kwargs): return 1"),
        ("def get(self, __key): ...", "def get(self, key): return 1"),
        ("def get(self, key, /): ...", "def get(self, other): return 1"),
        ("def get(self, key, /): ...", "def get(self, *keys): return 1"),
        ("def get(self, *, key): ...", "def get(self, key): return 1"),
        ("def get(self, *, key): ...", "def get(self, **more): return 1"),
        ("def get(self): ...", "def get(self, key=None): return 1"),
        ("def get(self, *keys): ...", "def get(self, first=None, *keys): return 1"),
        ("def get(self, n=...): ...", "def get(self, n=5): return 1"),
        ("def get(self) -> Note | None: ...", "def get(self) -> Note: return 1"),
        ("def get(self) -> Optional[Note]: ...", "def get(self) -> 'Note | None': return 1"),
        ("def get(self) -> Union[int, str]: ...", "def get(self) -> str | int: return 1"),
        ("def get(self) -> Union[int]: ...", "def get(self) -> int: return 1"),
        ("def get(self) -> List[Note]: ...", "def get(self) -> list[Note]: return 1"),
        ("def get(self) -> Any: ...", "def get(self) -> None: return 1"),
        ("def get(self) -> 'a.B': ...", "def get(self) -> 'c.B': return 1"),
        ("def get(self) -> Optional['Note']: ...", "def get(self) -> None | 'Note': return 1"),
        ("async def get(self): ...", "async def get(self): return [lambda: (yield)]"),
        ("def get(self) -> float: ...", "def get(self) -> int: return 1"),
        ("def get(self) -> dict[str, int]: ...", "def get(self) -> typing.Dict[str, int]: pass"),
        ("def get(self) -> Awaitable[int]: ...", "async def get(self) -> int: return 1"),
        ("def all(self) -> AsyncIterator[int]: ...", "async def all(self): yield 1"),
        ("@property\ndef size(self): ...", "def __init__(self):\n    self.size = 1"),
        ("size: int", "size = 3"),
        ("def get(self): ...", "def fetch(self): return 1\nget = fetch"),
        ("def get(self): ...", "get = partial(print)"),
        ("@cache\ndef get(self, key): ...", "def get(self): return 1"),
        ("@staticmethod\ndef get(key): ...", "@staticmethod\ndef get(key): return 1"),
        ("@classmethod\ndef get(cls, key): ...", "@classmethod\ndef get(cls, key): return 1"),
        ("def _own(self): ...", "pass"),
        ("def __repr__(self): ...", "pass"),
        ("def get(self): ...", "def __getattr__(self, name): return 1"),
        ("@overload\ndef get(self, a): ...\ndef get(self, a=1): ...", "def get(self, a=1): return"),
    ],
)
def test_a_store_on_which_every_call_can_be_made_breaks_nothing(interface: str, store: str) -> None:
    assert [told for told in breaks(interface, store) if told[1]] == []


@pytest.mark.parametrize(
    ("interface", "store", "says"),
    [
        ("def get(self): ...", "pass", "get is missing"),
        ("def __len__(self): ...", "pass", "__len__ is missing"),
        ("def get(self): ...", "def get(self): raise NotImplementedError", "not implemented"),
        ("async def get(self): ...", "def get(self): return 1", "get is not async"),
        ("def get(self): ...", "async def get(self): return 1", "get is async"),
        ("@property\ndef size(self): ...", "def size(self): return 1", "size is a method"),
        ("def size(self): ...", "@staticmethod\n@property\ndef size(self): return 1", "a property"),
        ("size: int", "@staticmethod\ndef size(): return 1", "size is a static method"),
        ("def get(self, key): ...", "def get(self): return 1", "get takes no `key`"),
        ("def get(self, key): ...", "def get(self, *keys): return 1", "get takes no `key`"),
        ("def get(self, a): ...", "def get(self, *, a): return 1", "takes `a` by name alone"),
        ("def get(self, a): ...", "def get(self, a, /): return 1", "takes `a` by place alone"),
        ("def get(self, a): ...", "def get(self, b): return 1", "calls parameter 1 `b`"),
        ("def get(self, a, b): ...", "def get(self, b, a): return 1", "calls parameter 1 `b`"),
        ("def get(self, a=1): ...", "def get(self, a): return 1", "needs `a`, which has a default"),
        ("def get(self, a=1): ...", "def get(self, a=2): return 1", "another default for `a`"),
        ("def get(self, *, a): ...", "def get(self): return 1", "takes no `a`"),
        ("def get(self, *, a=1): ...", "def get(self, *, a): return 1", "needs `a`"),
        ("def get(self): ...", "def get(self, a): return 1", "needs `a`, which the interface"),
        ("def get(self): ...", "def get(self, *, a): return 1", "needs `a`, which the interface"),
        ("def get(self, *a): ...", "def get(self): return 1", "takes no *a"),
        ("def get(self, **a): ...", "def get(self): return 1", "takes no **a"),
        ("def get(self) -> int: ...", "def get(self) -> int | None: return 1", "may return None"),
        (
            "def get(self) -> list[int]: ...",
            "def get(self) -> dict[int, int]: pass",
            "returns dict",
        ),
        ("def get(self) -> int: ...", "def get(self) -> str: return ''", "returns str"),
    ],
)
def test_a_store_that_does_not_keep_to_its_interface_is_told(
    interface: str, store: str, says: str
) -> None:
    told, sure = breaks(interface, store)[0]
    assert says in told
    assert sure


@pytest.mark.parametrize(
    ("interface", "store", "says"),
    [
        (
            "def get(self) -> Sequence[int]: ...",
            "def get(self) -> Page: return 1",
            "may be the same",
        ),
        ("def get(self) -> a b: ...", "def get(self) -> 'x y': return 1", ""),
        ("async def all(self): ...", "async def all(self): yield 1", "an async generator"),
        (
            "async def all(self): ...",
            "async def all(self):\n    def inner(): return 1\n    yield inner",
            "an async generator",
        ),
        ("size: int", "pass", "size is missing"),
    ],
)
def test_what_may_be_meant_so_is_told_and_fails_nothing(
    interface: str, store: str, says: str
) -> None:
    if "a b" in interface:
        interface = "def get(self) -> 'a b': ..."
    ((told, sure),) = breaks(interface, store)
    assert says in told
    assert not sure


BASE = """
from abc import ABC, abstractmethod
class Store(ABC):
    @abstractmethod
    def get(self, key): ...
    def close(self): return None
"""

HEIRS = """
import app
import app.base as base
from . import base as near
class A(app.Store):
    def get(self, key): return 1
import os.path, other as o
class B(base.Store):
    (a, b) = c.d = 1, 2
class C(near.Store[int]): ...
"""


def test_what_a_base_class_of_the_service_brings_is_no_break() -> None:
    seen = code(
        "api",
        **{
            "api/app/base": BASE,
            "api/app/__init__": "from .base import Store",
            "api/app/memory": HEIRS,
        },
    )
    interface = seen.named("app:Store")
    assert interface is not None
    wanted = seen.shape(interface)
    assert not interface.is_protocol
    told = {
        name: [b.member for b in compared(wanted, seen.shape(found))]
        for name in "ABC"
        if (found := seen.named(f"app.memory:{name}"))
    }
    assert told == {"A": [], "B": ["get"], "C": ["get"]}


def test_where_a_base_cannot_be_read_nothing_is_missing_for_certain() -> None:
    seen = code(
        stores="""
        from elsewhere import Base
        class Store:
            def get(self): ...
        class One(Base): pass
        class Loop(Loop): pass
        @registered
        class Other: pass
        """
    )
    wanted = ClassShape(name="stores:Store", methods=(Method(name="get"),))
    for name in ("One", "Other", "Loop"):
        found = seen.named(f"stores:{name}")
        assert found is not None
        (told,) = compared(wanted, seen.shape(found))
        assert not told.sure


def test_a_class_is_made_without_arguments_where_its_init_needs_none() -> None:
    seen = code(
        stores="""
        class A:
            def __init__(self, size=3, *more): self.size = size
        class B:
            def __init__(self, engine): self.engine: object = engine
        """
    )
    made = {one.node.name: seen.shape(one).made for one in seen.classes()}
    assert made == {"A": True, "B": False}


def test_files_that_are_no_python_and_classes_that_are_not_there_are_nothing() -> None:
    seen = Code(
        Sources(
            files=(
                SourceFile(path="a.py", text="def broken("),
                SourceFile(path="b.sql", text="SELECT 1"),
                SourceFile(path="src/c.py", text="from d import X\nfrom c import Y as Y"),
            )
        )
    )
    assert list(seen.classes()) == []
    assert [seen.named(name) for name in ("a:A", "c:X", "c:Y", "c:Z")] == [None] * 4


FALLBACKS = """
from typing import Protocol
from abc import ABC, abstractmethod

class NoteStore(Protocol):
    def add(self, body: str) -> int: ...

class SqlNoteStore:
    def add(self, body): return 1

class InMemoryNoteStore:
    def add(self, body): return 1

class UserRepository(ABC):
    @abstractmethod
    def get(self, key): ...

class PgUserRepository(UserRepository):
    def get(self, key): return 1

class FakeUserRepository(UserRepository):
    def get(self, key): return 1

class Plain:
    def close(self): return 1

class SqlThingStore(Plain): pass
class OtherThingStore(Plain): pass
class MemoryThingStore(Plain): pass

class MemoryLeftBackend: pass
class FakeMailer(ABC): pass
"""


def test_fallbacks_are_found_by_their_names_and_what_they_share() -> None:
    seen = code(app=FALLBACKS, **{"tests/fakes": "class FakeNoteStore(NoteStore): pass"})
    found = guessed(seen, "api", [])
    assert [(r.interface, r.store, r.fallback) for r in found] == [
        ("app:NoteStore", "app:SqlNoteStore", "app:InMemoryNoteStore"),
        ("app:UserRepository", "app:PgUserRepository", "app:FakeUserRepository"),
        ("app:Plain", "app:SqlThingStore", "app:MemoryThingStore"),
    ]
    assert {r.service for r in found} == {"api"}


def test_a_fallback_that_is_declared_is_not_guessed_again() -> None:
    rule = StoreRule(
        name="notes", service="api", interface=None, store=None, fallback="app:InMemoryNoteStore"
    )
    found = guessed(code(app=FALLBACKS), "api", [rule])
    assert "app:InMemoryNoteStore" not in {r.fallback for r in found}


def test_a_fallback_without_one_store_that_it_stands_in_for_has_none() -> None:
    text = """
    class Base:
        pass
    class OneStore(Base): pass
    class TwoStore(Base): pass
    class InMemoryThreeStore(Base): pass
    """
    (found,) = guessed(code(app=text), "api", [])
    assert found.store is None


COLUMNS = (
    Column(name="id", nullable=False, filled=True),
    Column(name="body", nullable=False),
    Column(name="pinned_", nullable=True, attribute="pinned"),
)


def test_a_record_that_mirrors_its_table_breaks_nothing() -> None:
    fields = (
        RecordField(name="id", optional=True),
        RecordField(name="body", optional=False),
        RecordField(name="pinned", optional=True),
    )
    assert list(mirrored(fields, COLUMNS)) == []


@pytest.mark.parametrize(
    ("fields", "member", "says", "sure"),
    [
        ({"id": False, "body": False}, "pinned_", "no field for this column", True),
        ({"id": False, "pinned": True}, "body", "which must have a value", True),
        ({"id": False, "body": True, "pinned": True}, "body", "the column must have", True),
        ({"id": False, "body": False, "pinned": False}, "pinned", "may be NULL", True),
        ({"id": False, "body": False, "pinned_": True, "x": False}, "x", "no column for", True),
        ({"id": False, "body": False, "pinned_": True, "x": True}, "x", "no column for", False),
    ],
)
def test_a_record_that_does_not_mirror_its_table_is_told(
    fields: dict[str, bool], member: str, says: str, sure: bool
) -> None:
    given = [RecordField(name=name, optional=optional) for name, optional in fields.items()]
    (told,) = mirrored(given, COLUMNS)
    assert (told.member, told.sure) == (member, sure)
    assert says in told.says


@pytest.mark.parametrize(
    ("annotation", "fits"),
    [(None, True), ("int | None", True), ("Optional[int]", True), ("Any", True), ("int", False)],
)
def test_none_fits_what_says_so_and_what_says_nothing(annotation: str | None, fits: bool) -> None:
    assert admits_none(annotation) is fits
