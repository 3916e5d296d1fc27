"""What an attack is played against: a real database behind a played project, and a watch on it.

Every attack is a file: its docstring's first line names it, `pytest.mark.attack` says what stops
it and from which level of approval on. `untouched` looks at the database itself; whatever an attack
changes there is counted as an apply.
"""

import hashlib
import sqlite3
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, Self

import pytest

from rulezero_policies.archives import Wish
from rulezero_policies.audit import broken_at
from rulezero_policies.errors import RulezeroError
from rulezero_policies.findings import Fact, Question
from rulezero_policies.grant import Grant, Permit, token_hash
from rulezero_policies.operations import Column, Operation
from rulezero_policies.picture import LiveTable
from rulezero_policies.plan import DatabaseIdentity, Plan
from rulezero_policies.policy import Policy
from rulezero_policies.references import ModelClass, Sources
from rulezero_policies.renames import Rename
from rulezero_policies.steps import Place
from rulezero_server.stores import open_store
from rulezero_tools import answering, asking, enrolment, gate
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session, Store
from rulezero_tools.records import (
    Bind,
    Database,
    Description,
    Diff,
    Generated,
    Kept,
    ModelDefault,
    PhaseFile,
    Rendered,
    Revision,
    Route,
    RunReport,
    Shape,
    Trace,
    Tree,
    Unseen,
)
from rulezero_tools.results import ApplyResult
from rulezero_tools.review import review

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PIN = "correct horse"
YES = asking.FormAnswer(action="accept", approve=True)

NOTES = Operation(kind="add_column", table="tasks", column=Column(name="notes", type="TEXT"))
DROP = Operation(kind="drop_column", table="tasks", column=Column(name="code", type="VARCHAR(20)"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "attack(stopped_by, level): an attack, what stops it, and the level of approval from which "
        'it is stopped ("never": what this product cannot stop, shown to work)',
    )


class Watched(Protocol):
    """Whatever can be looked at."""

    def content(self) -> object: ...


@dataclass
class StoppedClock:
    """Moves only when told to."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        self.time += timedelta(**amount)


@dataclass
class CountingChance:
    """Different every time, the same in every run."""

    drawn: int = 0

    def token(self) -> str:
        self.drawn += 1
        return hashlib.sha256(f"{self.drawn}".encode()).hexdigest()

    def nonce(self) -> str:
        self.drawn += 1
        return f"nonce-{self.drawn}"


class PlainHasher:
    """No hash at all: what is attacked here is not argon2."""

    def hash(self, pin: str) -> str:
        return pin

    def matches(self, hashed: str, pin: str) -> bool:
        return hashed == pin


class Target:
    """A real SQLite database with a table, three rows and a revision."""

    def __init__(self, file: Path | str, *, rows: int = 3) -> None:
        self.file = str(file)
        self.connection = sqlite3.connect(
            self.file, isolation_level=None, check_same_thread=False, uri=True
        )
        self.connection.executescript(
            "PRAGMA synchronous = OFF; CREATE TABLE tasks (id INTEGER PRIMARY KEY, code TEXT);"
            "CREATE TABLE alembic_version (version_num TEXT NOT NULL);"
            "INSERT INTO alembic_version VALUES ('r1')"
        )
        for number in range(rows):
            self.connection.execute("INSERT INTO tasks (code) VALUES (?)", (f"c{number}",))

    def content(self) -> str:
        """Every table and every row of it."""
        return "\n".join(self.connection.iterdump())

    def schema(self) -> str:
        rows = self.connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def current(self) -> tuple[str, ...]:
        return tuple(r[0] for r in self.connection.execute("SELECT * FROM alembic_version"))

    def count(self, table: str) -> int:
        return self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def close(self) -> None:
        self.connection.close()


@dataclass
class PlayedProject:
    """Implements the port over a real database; its revision files are the SQL that they run."""

    database: Target
    name: str = "/projects/todo"
    environment: str = "development"
    protected: bool = False
    wanted: tuple[Operation, ...] = (NOTES,)
    host: str | None = None
    server_id: str | None = "1/2"
    chain: dict[str, tuple[Operation, ...]] = field(default_factory=lambda: {"r1": ()})
    renamed: list[list[str]] = field(default_factory=list[list[str]])
    contents: dict[str, bytes] = field(
        default_factory=lambda: {"migrations/env.py": b"env", "migrations/versions/r1.py": b"--"}
    )

    bind: str | None = None

    def on(self, bind: str | None) -> Self:
        return replace(self, bind=bind)

    def databases(self) -> tuple[Bind, ...]:
        return (Bind(name="default", database=self.describe().database),)

    def route(
        self, *, direction: Literal["upgrade", "downgrade"], start: Sequence[str], to: str
    ) -> Route:
        names = list(self.chain)
        here = names.index(start[0]) + 1 if start else 0
        there = 0 if to == "base" else names.index(to) + 1
        passed = names[here:there] if direction == "upgrade" else names[there:here][::-1]
        heads = (to,) if to != "base" else ()
        return Route(revisions=tuple(passed), heads=heads, back=start[0] if start else "base")

    @contextmanager
    def reading(self) -> Generator[None]:
        yield

    def describe(self, *, static: bool = False, lenient: bool = False) -> Description:
        del static
        names = list(self.chain)
        revisions = tuple(
            Revision(
                id=name,
                down=(names[n - 1],) if n else (),
                path=f"migrations/versions/{name}.py",
                message=f"message of {name}",
            )
            for n, name in enumerate(names)
        )
        return Description(
            flavour="flask-migrate",
            root=self.name,
            script_location="migrations",
            heads=(names[-1],),
            revisions=revisions,
            database=self._database(),
            interceptions=(),
            python="3.12.0",
            alembic="1.20.1",
            sqlalchemy="2.1.9",
        )

    def _database(self) -> Database:
        identity = DatabaseIdentity(
            dialect="postgresql", host=self.host, port=5432, name="todo", server_id=self.server_id
        )
        return Database(
            identity=identity,
            version="18.0",
            current=self.database.current(),
            fingerprint=self.database.schema(),
        )

    def diff(self, renames: Sequence[Rename] = ()) -> Diff:
        return Diff(operations=self.wanted, interceptions=())

    def merge(self, message: str) -> Generated:
        return self.generate(message)

    def generate(
        self,
        message: str,
        renames: Sequence[Rename] = (),
        archive: Sequence[Wish] = (),
        *,
        head: str | None = None,
    ) -> Generated:
        del head, archive
        self.renamed.append([rename.id for rename in renames])
        name = f"r{len(self.chain) + 1}"
        path = f"migrations/versions/{name}.py"
        self.contents[path] = "; ".join(sql(o) for o in self.wanted).encode()
        self.chain[name] = self.wanted
        return Generated(revision=name, path=path, note=message)

    def archives(self) -> tuple[Kept, ...]:
        return ()

    def shapes(self, tables: Sequence[str]) -> tuple[Shape, ...]:
        del tables
        return ()

    def write_sequence(
        self,
        files: Sequence[PhaseFile],
        without: Sequence[tuple[str, str]],
        renames: Sequence[Rename] = (),
    ) -> tuple[Generated, ...]:
        del without
        return tuple(self.generate(file.message, renames) for file in files)

    def defaults(self) -> tuple[ModelDefault, ...]:
        return ()

    def rewrite(self, path: str, *, before: bytes, after: bytes) -> str:
        del before, after
        return f"{path}.before-fix-1"

    def trace(
        self,
        revisions: Sequence[str],
        *,
        static: bool = False,
        lenient: bool = False,
        drafts: Mapping[str, str] | None = None,
    ) -> tuple[Trace, ...]:
        del static, drafts
        tree = Tree(
            has_upgrade=True, has_downgrade=True, downgrade_is_empty=False, downgrade_line=9
        )
        return tuple(
            Trace(
                revision=name,
                path=f"migrations/versions/{name}.py",
                message=f"message of {name}",
                upgrade=self.chain[name],
                downgrade=tuple(reverse(o) for o in reversed(self.chain[name])),
                upgrade_error=None,
                downgrade_error=None,
                tree=tree,
            )
            for name in revisions
        )

    def render(
        self, *, direction: Literal["upgrade", "downgrade"], start: str, to: str
    ) -> Rendered:
        return Rendered(sql=f"-- {direction} {start} {to}", reason=None)

    def _count(self, asked: Question) -> int:
        return self.database.count(asked.table) if asked.probe in {"rows", "values"} else 0

    def probe(self, questions: Sequence[Question]) -> tuple[Fact, ...]:
        return tuple(
            Fact(question=f"{q.probe} of {q.table}", count=self._count(q), asked=q)
            for q in questions
        )

    def columns(self, tables: Sequence[Place]) -> tuple[LiveTable, ...]:
        del tables
        return ()

    def models(self) -> tuple[ModelClass, ...]:
        return ()

    def unseen(self) -> Unseen:
        return Unseen()

    def sources(self) -> Sources:
        return Sources()

    def files(self, also: Sequence[str] = ()) -> Mapping[str, bytes]:
        del also
        return dict(self.contents)


def sql(operation: Operation) -> str:
    """What a revision file of this project holds."""
    assert operation.column is not None
    if operation.kind == "add_column":
        return f"ALTER TABLE tasks ADD COLUMN {operation.column.name} TEXT"
    return f"ALTER TABLE tasks DROP COLUMN {operation.column.name}"


def reverse(operation: Operation) -> Operation:
    return replace(operation, kind="add_column" if "drop" in operation.kind else "drop_column")


@dataclass(kw_only=True)
class SpyRunner:
    """Runs the sealed bytes on the real database, and remembers with which permit."""

    project: PlayedProject
    runs: list[tuple[Permit, Plan]]

    def run(self, permit: Permit, plan: Plan, files: Mapping[str, bytes]) -> RunReport:
        self.runs.append((permit, plan))
        connection, statements = self.project.database.connection, self._statements(plan, files)
        try:
            for statement in statements:
                connection.execute(statement)
        except sqlite3.Error as error:
            return RunReport(statements=tuple(statements), error=str(error), seconds=0.1)
        connection.execute("UPDATE alembic_version SET version_num = ?", (plan.to_revision,))
        return RunReport(statements=tuple(statements), error=None, seconds=0.1)

    def _statements(self, plan: Plan, files: Mapping[str, bytes]) -> list[str]:
        if plan.kind == "downgrade":
            done = [o for name in plan.revisions for o in reversed(self.project.chain[name])]
            return [sql(reverse(o)) for o in done]
        return [files[f"migrations/versions/{name}.py"].decode() for name in plan.revisions]


@dataclass(kw_only=True)
class World:
    """The real gate and the real store, a played project on a real database, and its people."""

    store: Store
    project: PlayedProject
    clock: StoppedClock = field(default_factory=StoppedClock)
    chance: CountingChance = field(default_factory=CountingChance)
    policy: Policy = field(default_factory=Policy)
    runs: list[tuple[Permit, Plan]] = field(default_factory=list[tuple[Permit, Plan]])

    @property
    def database(self) -> Target:
        return self.project.database

    def session(self, **changed: Any) -> Session:
        """Ann's session with her client, or with what is changed somebody else's."""
        return replace(
            Session(
                project=self.project,
                store=self.store,
                clock=self.clock,
                chance=self.chance,
                policy=self.policy,
                person="ann@desk",
                principal="ann@desk via test",
            ),
            **changed,
        )

    def runner(self, project: PlayedProject | None = None) -> SpyRunner:
        return SpyRunner(project=project or self.project, runs=self.runs)

    def pending(self, *wanted: Operation) -> str:
        """Write one more revision and review it: a plan that a person can be asked about."""
        self.project.wanted = wanted or self.project.wanted
        self.project.generate("one more")
        return self.reviewed()

    def reviewed(self, session: Session | None = None) -> str:
        plan_id = review(session or self.session()).plan_id
        assert plan_id is not None
        return plan_id

    def said_yes(
        self, plan_id: str, session: Session | None = None, given: asking.FormAnswer = YES
    ) -> str:
        """The token after a yes to the client's form."""
        session = session or self.session()
        plan, challenge = asking.open_question(session, plan_id, form=True)
        token = asking.answer_form(session, plan, challenge, given).token
        assert token is not None
        return token

    def typed(self) -> asking.FormAnswer:
        """A yes with the words that a drop asks for."""
        return replace(YES, typed="yes, drop it")

    def applied(self, plan_id: str, token: str, session: Session | None = None) -> ApplyResult:
        session = session or self.session()
        project: Any = session.project
        return apply(session, self.runner(project), plan_id=plan_id, token=token)

    def refused(self, plan_id: str, token: str, session: Session | None = None) -> str:
        """What `apply` says when it refuses."""
        with pytest.raises(RulezeroError) as caught:
            self.applied(plan_id, token, session)
        return f"{caught.value.code}: {caught.value}"

    def enroll(self, session: Session | None = None) -> None:
        """Ann enrolls her PIN."""
        enrolment.enroll_pin((session or self.session()).desk, PlainHasher(), PIN)

    def asked(self, plan_id: str, session: Session | None = None) -> answering.Waiting:
        """Ask about a plan on the person's page."""
        session = session or self.session()
        asking.open_question(session, plan_id, form=False)
        return answering.find(session.desk, plan_id)

    def answered(
        self, asked: answering.Waiting, pin: str = PIN, *, typed: str = "", **changed: Any
    ) -> None:
        """Say yes on the page, with a PIN."""
        desk = self.session(**changed).desk
        proof = enrolment.prove_by_pin(
            desk, PlainHasher(), asked.challenge, pin, channel="approval page"
        )
        answering.approve(desk, asked, proof, typed=typed)

    def to_sign(self, plan_id: str) -> str:
        """What a passkey signs for the question that stands open about the plan."""
        asked = self.asked(plan_id)
        return enrolment.passkey_challenge(asked.challenge, asked.plan.database.label)

    def collected(self, plan_id: str, session: Session | None = None) -> str:
        """What the next `confirm` hands out after the page was answered."""
        session = session or self.session()
        result = asking.collect(session, *asking.open_question(session, plan_id, form=False))
        assert result is not None
        assert result.token is not None
        return result.token

    def plan(self, plan_id: str) -> Plan:
        return gate.find_plan(self.session(), plan_id, step="apply")

    def grant(self, token: str) -> Grant:
        kept = self.store.grant(token_hash(token))
        assert kept is not None
        return kept

    def ran_once(self) -> bool:
        """Whether the next revision was applied, once, and every row is still there."""
        return (len(self.runs), self.database.current(), self.database.count("tasks")) == (
            1,
            ("r2",),
            3,
        )

    def events(self) -> list[str]:
        return [e.event for e in self.store.entries()]

    def last(self) -> str:
        """The newest entry of the audit trail, which must be whole."""
        entries = self.store.entries()
        assert broken_at(entries) is None
        return f"{entries[-1].event}: {entries[-1].detail}"


Untouched = Callable[..., AbstractContextManager[None]]
OnlyApproved = Callable[[Callable[[], bool]], AbstractContextManager[None]]


@pytest.fixture
def untouched(record_property: Callable[[str, object], None]) -> Untouched:
    """`with untouched(database):` nothing may have changed in it at the end of the block."""

    @contextmanager
    def looking(*watched: Watched) -> Generator[None]:
        record_property("looked", len(watched))
        before = [one.content() for one in watched]
        try:
            yield
        finally:
            changed = [b != one.content() for b, one in zip(before, watched, strict=True)]
            record_property("applies", sum(changed))
            assert not any(changed), "the attack changed the database"

    return looking


@pytest.fixture
def only_approved(record_property: Callable[[str, object], None]) -> OnlyApproved:
    """`with only_approved(check):` a person approved one run, and `check()` sees that one alone."""

    @contextmanager
    def looking(check: Callable[[], bool]) -> Generator[None]:
        record_property("looked", 1)
        yield
        held = check()
        record_property("applies", int(not held))
        assert held, "the database is not what was approved"

    return looking


@pytest.fixture
def changed(record_property: Callable[[str, object], None]) -> Untouched:
    """`with changed(database):` the attack works, as the documentation says that it does."""

    @contextmanager
    def looking(watched: Watched) -> Generator[None]:
        record_property("looked", 1)
        before = watched.content()
        yield
        assert before != watched.content(), "this is stopped after all: say so in the table"

    return looking


@dataclass(frozen=True)
class File:
    """A file that holds a database, looked at byte by byte."""

    path: Path

    def content(self) -> bytes:
        return self.path.read_bytes()


@pytest.fixture
def watched_file() -> type[File]:
    return File


@pytest.fixture
def parts() -> ModuleType:
    """What worlds are made of, for whoever makes many of them."""
    return sys.modules[__name__]


@pytest.fixture
def yes() -> asking.FormAnswer:
    """A plain yes to the client's form."""
    return YES


@pytest.fixture
def drop() -> Operation:
    """A change that destroys data."""
    return DROP


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The store's file, for whoever edits it by hand."""
    return tmp_path / "state.db"


@pytest.fixture
def world(tmp_path: Path, state: Path, empty_store: bytes) -> Iterator[World]:
    state.write_bytes(empty_store)
    target = Target(tmp_path / "todo.db")
    yield World(store=open_store(state), project=PlayedProject(database=target))
    target.close()
