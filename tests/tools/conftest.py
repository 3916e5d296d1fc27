"""A project that is not there: it implements the port, and counts what was run."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import pytest

from rulezero_policies.archives import Wish
from rulezero_policies.errors import NoConnection, ProjectError
from rulezero_policies.findings import Fact, Question
from rulezero_policies.grant import Permit
from rulezero_policies.operations import Column, Operation
from rulezero_policies.picture import LiveTable
from rulezero_policies.plan import DatabaseIdentity, Plan
from rulezero_policies.policy import Policy
from rulezero_policies.references import ModelClass, Sources
from rulezero_policies.rehearsal import NotRehearsed, Rehearsal
from rulezero_policies.renames import Rename
from rulezero_policies.steps import Place
from rulezero_server.stores import open_store
from rulezero_tools.ports import Session, Store, silent
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
from rulezero_tools.review import review

PERSON = "ann@here"

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

NOTES = Operation(kind="add_column", table="tasks", column=Column(name="notes", type="TEXT"))
DROP = Operation(kind="drop_column", table="tasks", column=Column(name="code", type="VARCHAR(20)"))


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
        return f"{self.drawn:064x}"

    def nonce(self) -> str:
        self.drawn += 1
        return f"nonce-{self.drawn}"


def reverse(operation: Operation) -> Operation:
    """The step that undoes an added or dropped column."""
    other = "drop_column" if operation.kind == "add_column" else "add_column"
    return replace(operation, kind=other)


@dataclass
class FakeProject:
    """One table, a few revisions, and whatever a test wants changed."""

    name: str = "/projects/todo"
    environment: str = "development"
    protected: bool = False
    wanted: tuple[Operation, ...] = (NOTES,)
    host: str | None = None
    current: str | None = "r1"
    fingerprint: str = "schema-1"
    counts: int = 3
    revisions: dict[str, tuple[Operation, ...]] = field(
        default_factory=dict[str, tuple[Operation, ...]]
    )
    contents: dict[str, bytes] = field(
        default_factory=lambda: {"migrations/env.py": b"env", "migrations/versions/r1.py": b"r1"}
    )
    broken: ProjectError | None = None
    classes: tuple[ModelClass, ...] = ()
    code: Sources = field(default_factory=Sources)
    rewritten: tuple[Operation, ...] = ()
    blind: Unseen = field(default_factory=Unseen)
    standing: tuple[Shape, ...] = ()
    phases: tuple[PhaseFile, ...] = ()
    said: dict[str, str] = field(default_factory=dict[str, str])
    renamed: list[tuple[Rename, ...]] = field(default_factory=list[tuple[Rename, ...]])
    reads: Callable[[str], tuple[Operation, ...]] | None = None
    """What a draft's text does; the same as the file where it is not said."""
    rewritten_files: list[str] = field(default_factory=list[str])
    kept: tuple[Kept, ...] = ()
    archived: list[tuple[Wish, ...]] = field(default_factory=list[tuple[Wish, ...]])

    def _revisions(self) -> tuple[Revision, ...]:
        names = ["r1", *self.revisions]
        return tuple(
            Revision(
                id=name,
                down=(names[n - 1],) if n else (),
                path=f"migrations/versions/{name}.py",
                message=f"message of {name}",
            )
            for n, name in enumerate(names)
        )

    bind: str | None = None

    def on(self, bind: str | None) -> Self:
        return replace(self, bind=bind)

    def databases(self) -> tuple[Bind, ...]:
        return (Bind(name="default", database=self.describe().database),)

    def route(
        self, *, direction: Literal["upgrade", "downgrade"], start: Sequence[str], to: str
    ) -> Route:
        names = ["r1", *self.revisions]
        here = names.index(start[0]) + 1 if start else 0
        there = 0 if to == "base" else names.index(to) + 1
        passed = names[here:there] if direction == "upgrade" else names[there:here][::-1]
        heads = (to,) if to != "base" else ()
        return Route(revisions=tuple(passed), heads=heads, back=start[0] if start else "base")

    @contextmanager
    def reading(self) -> Generator[None]:
        yield

    def describe(self, *, static: bool = False, lenient: bool = False) -> Description:
        if self.broken:
            raise self.broken
        identity = DatabaseIdentity(
            dialect="postgresql", host=self.host, port=5432, name="todo", server_id="1/2"
        )
        revisions = self._revisions()
        return Description(
            flavour="flask-migrate",
            root=self.name,
            script_location="migrations",
            heads=(revisions[-1].id,),
            revisions=revisions,
            database=Database(
                identity=identity,
                version="18.0",
                current=(self.current,) if self.current else (),
                fingerprint=self.fingerprint,
            ),
            interceptions=(),
            python="3.12.0",
            alembic="1.20.1",
            sqlalchemy="2.1.9",
        )

    def diff(self, renames: Sequence[Rename] = ()) -> Diff:
        return Diff(operations=self.rewritten if renames else self.wanted, interceptions=())

    def shapes(self, tables: Sequence[str]) -> tuple[Shape, ...]:
        return tuple(shape for shape in self.standing if shape.table in tables)

    def write_sequence(
        self,
        files: Sequence[PhaseFile],
        without: Sequence[tuple[str, str]],
        renames: Sequence[Rename] = (),
    ) -> tuple[Generated, ...]:
        self.phases = tuple(files)
        names = [f"p{n}" for n, _ in enumerate(files, start=1)]
        return tuple(Generated(revision=name, path=f"versions/{name}.py") for name in names)

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
        self.renamed.append(tuple(renames))
        self.archived.append(tuple(archive))
        name = f"r{len(self.revisions) + 2}"
        self.revisions[name] = self.wanted
        path = f"migrations/versions/{name}.py"
        self.contents[path] = message.encode()
        return Generated(revision=name, path=path)

    def _upgrade(self, name: str, drafts: Mapping[str, str] | None) -> tuple[Operation, ...]:
        path = f"migrations/versions/{name}.py"
        text = (drafts or {}).get(name, self.contents.get(path, b"").decode(errors="replace"))
        return self.reads(text) if self.reads else self.revisions.get(name, ())

    def archives(self) -> tuple[Kept, ...]:
        return self.kept

    def trace(
        self,
        revisions: Sequence[str],
        *,
        static: bool = False,
        lenient: bool = False,
        drafts: Mapping[str, str] | None = None,
    ) -> tuple[Trace, ...]:
        return tuple(
            Trace(
                revision=name,
                path=f"migrations/versions/{name}.py",
                message=f"message of {name}",
                upgrade=self._upgrade(name, drafts),
                downgrade=tuple(map(reverse, reversed(self._upgrade(name, drafts)))),
                upgrade_error=None,
                downgrade_error=None,
                tree=Tree(
                    has_upgrade=True,
                    has_downgrade=True,
                    downgrade_is_empty=False,
                    downgrade_line=9,
                    phase=self.said.get(name),
                ),
            )
            for name in revisions
        )

    def render(
        self, *, direction: Literal["upgrade", "downgrade"], start: str, to: str
    ) -> Rendered:
        return Rendered(sql=f"-- {direction} {start} {to}", reason=None)

    def probe(self, questions: Sequence[Question]) -> tuple[Fact, ...]:
        return tuple(
            Fact(question=f"{q.probe} of {q.table}", count=self.counts, asked=q) for q in questions
        )

    def columns(self, tables: Sequence[Place]) -> tuple[LiveTable, ...]:
        return ()

    def models(self) -> tuple[ModelClass, ...]:
        return self.classes

    def defaults(self) -> tuple[ModelDefault, ...]:
        return (ModelDefault(table="tasks", column="notes", source="'none'"),)

    def rewrite(self, path: str, *, before: bytes, after: bytes) -> str:
        assert self.contents[path] == before
        self.rewritten_files.append(path)
        self.contents |= {path: after, f"{path}.before-fix-1": before}
        return f"{path}.before-fix-1"

    def unseen(self) -> Unseen:
        return self.blind

    def sources(self) -> Sources:
        return self.code

    def files(self, also: Sequence[str] = ()) -> Mapping[str, bytes]:
        return dict(self.contents)


@dataclass
class FakeRunner:
    """Moves the project when it is run, and remembers with what."""

    project: FakeProject
    runs: list[tuple[Permit, Plan, Mapping[str, bytes]]] = field(
        default_factory=list[tuple[Permit, Plan, Mapping[str, bytes]]]
    )
    error: str | None = None
    crash: ProjectError | None = None
    commits: bool = True
    breaks_the_database: bool = False

    def run(self, permit: Permit, plan: Plan, files: Mapping[str, bytes]) -> RunReport:
        self.runs.append((permit, plan, files))
        if self.breaks_the_database:
            self.project.broken = NoConnection(error="connection refused", database="todo")
        if self.crash:
            raise self.crash
        if self.error is None and self.commits:
            self.project.current = None if plan.to_revision == "base" else plan.to_revision
            self.project.fingerprint += "+"
        return RunReport(statements=("ALTER TABLE tasks",), error=self.error, seconds=0.1)


@dataclass
class FakeRehearser:
    """Answers what a test wants, and remembers what it was asked."""

    answer: Rehearsal | NotRehearsed
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def on(self, bind: str | None) -> Self:
        del bind
        return self

    def rehearse(self, *, progress: Callable[[str], None] = silent, **asked: Any) -> Any:
        self.asked.append(asked)
        progress("rehearsing")
        return self.answer


@dataclass
class FastHasher:
    """No hash at all, so that tests need not wait; counts what it looked at."""

    looked: int = 0

    def hash(self, pin: str) -> str:
        return f"hash of {pin}"

    def matches(self, hashed: str, pin: str) -> bool:
        self.looked += 1
        return hashed == f"hash of {pin}"


@pytest.fixture
def hasher() -> FastHasher:
    return FastHasher()


@pytest.fixture
def pending() -> Callable[[Session], str]:
    """`pending(session)`: the id of a plan for one new revision."""

    def make(session: Session) -> str:
        session.project.generate("a revision")
        plan_id = review(session).plan_id
        assert plan_id is not None
        return plan_id

    return make


@pytest.fixture
def rehearsing(session: Session) -> Callable[..., tuple[Session, FakeRehearser]]:
    """`rehearsing(answer)`: the session with a rehearser that answers this, and the rehearser."""

    def make(answer: Rehearsal | NotRehearsed) -> tuple[Session, FakeRehearser]:
        rehearser = FakeRehearser(answer)
        return replace(session, rehearser=rehearser), rehearser

    return make


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def project() -> FakeProject:
    return FakeProject()


@pytest.fixture
def dropping() -> FakeProject:
    """A project whose models no longer want a column that holds data."""
    return FakeProject(wanted=(DROP,))


@pytest.fixture
def runner(project: FakeProject) -> FakeRunner:
    return FakeRunner(project)


@pytest.fixture
def store(tmp_path: Path, empty_store: bytes) -> Store:
    (tmp_path / "state.db").write_bytes(empty_store)
    return open_store(tmp_path / "state.db")


@pytest.fixture
def session(project: FakeProject, store: Store, clock: StoppedClock) -> Session:
    return Session(
        project=project,
        store=store,
        clock=clock,
        chance=CountingChance(),
        policy=Policy(),
        person=PERSON,
        principal=f"{PERSON} via test",
    )
