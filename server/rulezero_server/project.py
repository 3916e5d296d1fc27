"""One project in one environment, seen through its own interpreter."""

import functools
import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from rulezero_policies.archives import Wish
from rulezero_policies.errors import FilesMoved
from rulezero_policies.findings import Fact, Question
from rulezero_policies.picture import LiveTable
from rulezero_policies.references import ModelClass, Sources
from rulezero_policies.renames import Rename
from rulezero_policies.steps import Place
from rulezero_server import discover, interpreter, launch, preferences, runs, settings, sources
from rulezero_tools.records import (
    Bind,
    Description,
    Diff,
    Generated,
    Kept,
    ModelDefault,
    PhaseFile,
    Rendered,
    Route,
    Shape,
    Trace,
    Unseen,
)

T = TypeVar("T")

PROBE_BOUND = 100_000
"""Rows at which counting stops."""

PROBE_SECONDS = 5
"""Seconds that one count may take."""

PROBE_TOTAL = 30
"""Seconds that all questions of one review may take."""


class WorkerProject:
    """A project behind a worker, for reading only; a process a call, or one for a `reading`."""

    def __init__(self, target: launch.Target, environment: settings.Environment) -> None:
        """Use `open` to find a project; this takes one that was found."""
        self.target = target
        self._environment = environment
        self._seen: Description | None = None
        self._talk: launch.Conversation | None = None

    @classmethod
    def open(cls, folder: Path, environment: str | None = None) -> Self:
        """Find the project in `folder` and how to run it; nothing of it is loaded yet.

        Raises:
            ProjectError: No project, several, unreadable settings or policy, an unknown
                environment.
        """
        top = folder.resolve()
        chosen = settings.read(top)
        entry = chosen.environment(environment)
        found, mine = discover.find(top, chosen), preferences.read()
        target = launch.Target(
            found=found,
            interpreter=interpreter.choose((found.root, top), chosen),
            variables=entry.variables(),
            flask_app=chosen.flask_app,
            timeout=chosen.timeout,
            run_timeout=chosen.run_timeout,
            allow=mine.allow,
            limits=mine.limits,
        )
        return cls(target, entry)

    @property
    def name(self) -> str:
        """The project's root folder, resolved."""
        return str(self.target.found.root)

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self._environment.name

    @property
    def protected(self) -> bool:
        """Whether the environment is marked as protected in the configuration."""
        return self._environment.protected

    @property
    def bind(self) -> str | None:
        """The name of the database that is meant, where the project migrates several."""
        return self.target.database

    def on(self, bind: str | None) -> "WorkerProject":
        """This project with that database meant; in a `reading`, the same process answers."""
        other = WorkerProject(replace(self.target, database=bind), self._environment)
        other._talk = self._talk
        return other

    @contextmanager
    def reading(self) -> Generator[None]:
        """While it lasts, one process answers: what it loaded stays as it was loaded."""
        if self._talk is not None:
            yield
            return
        with launch.conversation(self.target) as talk:
            self._talk = talk
            try:
                yield
            finally:
                self._talk = None

    def _ask(self, verb: str, args: Mapping[str, Any] | None = None) -> launch.Reply:
        if self._talk is None:
            return launch.ask(self.target, verb, args)
        return self._talk.ask(verb, args, database=self.target.database)

    def describe(self, *, static: bool = False, lenient: bool = False) -> Description:
        """Project, revisions and database, freshly read; the database is not asked if `static`."""
        args = {"static": static, "lenient": lenient, "locks": runs.locks()}
        reply = self._ask("describe", args)
        interceptions = {"interceptions": list(reply.interceptions)}
        self._seen = _as(Description, {**reply.result, **interceptions})
        return self._seen

    def databases(self) -> tuple[Bind, ...]:
        """Every database that the project migrates, with where it stands."""
        reply = self._ask("databases", {"locks": runs.locks()})
        return tuple(_as(Bind, entry) for entry in reply.result["databases"])

    def route(
        self, *, direction: Literal["upgrade", "downgrade"], start: Sequence[str], to: str
    ) -> Route:
        """The way through the revisions from `start` to `to`, as Alembic goes it."""
        args = {"direction": direction, "start": list(start), "to": to}
        return _as(Route, self._ask("route", args).result)

    def diff(self, renames: Sequence[Rename] = ()) -> Diff:
        """What autogenerate would write, with these drops and adds made renames."""
        reply = self._ask("diff", {"renames": [asdict(rename) for rename in renames]})
        return _as(Diff, {**reply.result, "interceptions": list(reply.interceptions)})

    def generate(
        self,
        message: str,
        renames: Sequence[Rename] = (),
        archive: Sequence[Wish] = (),
        *,
        head: str | None = None,
    ) -> Generated:
        """Write one new revision file, as `flask db migrate` / `alembic revision` does."""
        args = {
            "message": message,
            "renames": [asdict(rename) for rename in renames],
            "archive": [asdict(wish) for wish in archive],
            "head": head,
        }
        return _as(Generated, self._ask("generate", args).result)

    def merge(self, message: str) -> Generated:
        """Write the revision that joins all heads, as `alembic merge heads` does."""
        return _as(Generated, self._ask("merge", {"message": message}).result)

    def write_sequence(
        self,
        files: Sequence[PhaseFile],
        without: Sequence[tuple[str, str]],
        renames: Sequence[Rename] = (),
    ) -> tuple[Generated, ...]:
        """Write these revisions in a row; the first takes what else autogenerate wants."""
        args = {
            "files": [asdict(file) for file in files],
            "without": [list(place) for place in without],
            "renames": [asdict(rename) for rename in renames],
        }
        found = self._ask("sequence", args).result["written"]
        return tuple(_as(Generated, entry) for entry in found)

    def shapes(self, tables: Sequence[str]) -> tuple[Shape, ...]:
        """These tables of the default schema as they stand; what is not there is left out."""
        reply = self._ask("shapes", {"tables": list(tables)})
        return tuple(_as(Shape, entry) for entry in reply.result["shapes"])

    def archives(self) -> tuple[Kept, ...]:
        """The archives that revisions left in the target, by name."""
        return tuple(_as(Kept, entry) for entry in self._ask("archives").result["archives"])

    def trace(
        self,
        revisions: Sequence[str],
        *,
        static: bool = False,
        lenient: bool = False,
        drafts: Mapping[str, str] | None = None,
    ) -> tuple[Trace, ...]:
        """Record what these revisions do, without doing it, in the order given."""
        args = {"revisions": list(revisions), "static": static, "lenient": lenient}
        args |= {"drafts": dict(drafts)} if drafts else {}
        reply = self._ask("trace", args)
        return tuple(_as(Trace, entry) for entry in reply.result["traces"])

    def render(
        self, *, direction: Literal["upgrade", "downgrade"], start: str, to: str
    ) -> Rendered:
        """The SQL from revision `start` (or "base") to `to`."""
        args = {"direction": direction, "start": start, "to": to}
        reply = self._ask("render", args)
        return _as(Rendered, {**reply.result, "interceptions": list(reply.interceptions)})

    def probe(self, questions: Sequence[Question]) -> tuple[Fact, ...]:
        """Count on the target, read-only and bounded; one fact a question, in order."""
        if not questions:
            return ()
        args = {
            "questions": [asdict(question) for question in questions],
            "bound": PROBE_BOUND,
            "seconds": PROBE_SECONDS,
            "total": PROBE_TOTAL,
        }
        reply = self._ask("probe", args)
        return tuple(_as(Fact, entry) for entry in reply.result["facts"])

    def columns(self, tables: Sequence[Place]) -> tuple[LiveTable, ...]:
        """The columns of these tables as they stand; what cannot be read is left out."""
        reply = self._ask("columns", {"tables": [list(place) for place in tables]})
        return tuple(_as(LiveTable, entry) for entry in reply.result["tables"])

    def models(self) -> tuple[ModelClass, ...]:
        """The classes that the project maps to tables."""
        reply = self._ask("models")
        return tuple(_as(ModelClass, entry) for entry in reply.result["models"])

    def defaults(self) -> tuple[ModelDefault, ...]:
        """What the models give columns that nothing is said of, where that is a constant."""
        reply = self._ask("defaults")
        return tuple(_as(ModelDefault, entry) for entry in reply.result["defaults"])

    def rewrite(self, path: str, *, before: bytes, after: bytes) -> str:
        """Put `after` in place of `before` in a draft; the old file is kept beside it."""
        from rulezero_server import drafts  # noqa: PLC0415 - not needed until something is fixed

        root = self.target.found.root
        seen = self._seen or self.describe()
        places = frozenset(root / place for place in seen.versions)
        return drafts.rewrite(root, places, path, before=before, after=after)

    def unseen(self) -> Unseen:
        """What autogenerate does not compare, and what of it differs."""
        return _as(Unseen, self._ask("unseen").result)

    def access(self) -> Mapping[str, Any]:
        """How the database that is migrated is connected to, with its password: log it nowhere."""
        return self._ask("access").result

    def mark(self) -> str | None:
        """What names the tables as they stand; another text once a backup was put back."""
        return self._ask("mark").result["mark"]

    def sources(self) -> Sources:
        """The project's own source, templates and SQL files, migrations left out."""
        root = self.target.found.root
        seen = self._seen or self.describe()
        places = {root / place for place in (seen.script_location, *seen.versions)}
        return sources.read(root, frozenset(places))

    def files(self, also: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Every file that may run: the migration folders, and the project's code that was loaded.

        Raises:
            FilesMoved: A file is not what it was when it was loaded.
        """
        with self.reading():
            seen = self._seen or self.describe()
            loaded: dict[str, list[str]] = self._ask("loaded").result["loaded"]
        root = self.target.found.root
        places = {root / place for place in (seen.script_location, *seen.versions)}
        named = {root / path for path in (*loaded, *also)}
        paths = {*_below(places), *(path for path in named if path.is_file())}
        files = {_name(path, root): path.read_bytes() for path in sorted(paths)}
        _check_loaded(loaded, files)
        return files


def _check_loaded(loaded: Mapping[str, Sequence[str]], files: Mapping[str, bytes]) -> None:
    """What was read for a review must be what is hashed for its plan."""
    for path, seen in loaded.items():
        now = hashlib.sha256(files[path]).hexdigest() if path in files else None
        if now is None or not {now}.issuperset(seen):
            raise FilesMoved(path=path)


def _below(places: set[Path]) -> Iterator[Path]:
    """The files below these folders, each once; what Python compiled for itself left out."""
    seen: set[Path] = set()
    for place in sorted(places):
        for path in sorted(place.rglob("*")):
            compiled = "__pycache__" in path.parts or path.suffix == ".pyc"
            if path.is_file() and not compiled and path not in seen:
                seen.add(path)
                yield path


def _name(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _as(kind: type[T], value: Mapping[str, Any]) -> T:
    """A reply as the dataclass it must fit."""
    return _reader_of(kind).validate_python(value)


@functools.cache
def _reader_of(kind: type[Any]) -> Any:
    """Made once a kind: a long history is read a revision at a time."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - not needed until a project is read

    return TypeAdapter(kind)
