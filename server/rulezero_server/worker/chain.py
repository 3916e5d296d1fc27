"""The revision files as one chain: what alembic cannot load or join is told instead of raised."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic import util
from alembic.script import Script
from alembic.script.revision import RevisionMap

from . import errors, secrets

Flaw = dict[str, Any]

_NAMED = 5
"""Files and revisions that one flaw names."""

_LEGACY = re.compile(r"[a-f0-9]+\.py$")
"""Files of alembic's first version are named for their revision."""

_ILLEGAL = re.compile(r"[@+:-]")
"""What alembic has in no revision's name."""

_ASSIGNED = r"^{name}\b[^=\n]*=\s*(?P<value>.+?)\s*(?:#.*)?$"


class Chain:
    """Every revision file, and what is wrong with them.

    `scripts` are those that alembic would know; where a link leads nowhere or in a circle, it is
    cut. `flaws` are shaped as `scene.Flaw`.
    """

    def __init__(self, files: Iterable[Any], root: str) -> None:
        """Join what `read` or alembic itself loaded; paths are told relative to `root`."""
        self._root = os.path.realpath(root)
        self.flaws: list[Flaw] = []
        self._known: dict[str, Any] = {}
        for script in files:
            self._take(script)
        named = self._labels()
        for script in list(self._known.values()):
            self._cut_missing(script, named)
        self._cut_circles()
        self._look_at_heads()
        for flaw in self.flaws:
            flaw["after"] = len(self._later(flaw["revision"]))

    @property
    def scripts(self) -> list[Any]:
        """What there is to walk through."""
        return list(self._known.values())

    def _flaw(self, script: Any, kind: str, names: Iterable[str] = (), detail: str = "") -> None:
        line = getattr(script.module, "broken_line", None) or _line(script.path, "down_revision")
        self.flaws.append(
            {
                "kind": kind,
                "revision": script.revision,
                "names": list(names)[:_NAMED],
                "detail": detail,
                "line": line,
            }
        )

    def _take(self, script: Any) -> None:
        other = self._known.get(script.revision)
        self._known[script.revision] = script
        if other is not None:
            self._flaw(script, "duplicate", (self._path(other), self._path(script)))
        if getattr(script.module, "circles", False):
            self._flaw(script, "cycle", (script.revision,))
        broken = getattr(script.module, "broken", None)
        if broken is not None:
            kind = "syntax" if script.module.broken_syntax else "unreadable"
            self._flaw(script, kind, detail=broken)

    def _path(self, script: Any) -> str:
        path = os.path.realpath(script.path)
        return os.path.relpath(path, self._root).replace(os.sep, "/")

    def _labels(self) -> dict[str, str]:
        """By which names a revision can be named."""
        scripts = self._known.values()
        labels = {
            label: s.revision
            for s in scripts
            for label in util.to_tuple(getattr(s.module, "branch_labels", None), default=())
        }
        return {**labels, **{s.revision: s.revision for s in scripts}}

    def _cut_missing(self, script: Any, named: dict[str, str]) -> None:
        wanted = (*_down(script), *_depends(script))
        missing = [name for name in wanted if name not in named]
        if missing:
            self._flaw(script, "missing parent", missing)
            self._cut(script, set(missing))

    def _cut_circles(self) -> None:
        named = self._labels()
        above = {
            s.revision: {named[n] for n in (*_down(s), *_depends(s))} for s in self._known.values()
        }
        left = _circles(above)
        for revision in sorted(left):
            script = self._known[revision]
            self._flaw(script, "cycle", sorted(left))
            self._cut(script, {n for n in (*_down(script), *_depends(script)) if named[n] in left})

    def _cut(self, script: Any, names: set[str]) -> None:
        """A script like this one, that does not name these."""
        told: Any = ModuleType(script.module.__name__)
        told.__dict__.update(vars(script.module))
        told.down_revision = tuple(n for n in _down(script) if n not in names) or None
        told.depends_on = tuple(n for n in _depends(script) if n not in names) or None
        self._known[script.revision] = Script(told, script.revision, script.path)

    def _look_at_heads(self) -> None:
        if any(flaw["kind"] in {"missing parent", "cycle"} for flaw in self.flaws):
            return  # what was cut has no follower: that there are heads more is told with it
        followed = {n for s in self._known.values() for n in _down(s)}
        whole = (s for s in self._known.values() if getattr(s.module, "broken", None) is None)
        heads = {s.revision: self._labels_of(s) for s in whole if s.revision not in followed}
        # A branch with a name of its own is to have a head of its own.
        unnamed = [
            head
            for head, labels in heads.items()
            if not labels - {n for h, more in heads.items() if h != head for n in more}
        ]
        if len(unnamed) > 1:
            for head in heads:
                self._flaw(self._known[head], "several heads", sorted(heads))

    def _labels_of(self, script: Any) -> set[str]:
        """The names of the branch that it stands on."""
        labels: set[str] = set()
        waiting, seen = [script.revision], {script.revision}
        while waiting:
            one = self._known[waiting.pop()]
            labels.update(util.to_tuple(getattr(one.module, "branch_labels", None), default=()))
            fresh = [name for name in _down(one) if name not in seen]
            seen.update(fresh)
            waiting += fresh
        return labels

    def _later(self, revision: str) -> set[str]:
        """Everything that hangs on a revision."""
        below: dict[str, list[str]] = {}
        for script in self._known.values():
            for name in _down(script):
                below.setdefault(name, []).append(script.revision)
        found: set[str] = set()
        waiting = [revision]
        while waiting:
            fresh = [n for n in below.get(waiting.pop(), ()) if n not in found]
            found.update(fresh)
            waiting += fresh
        return found


def _down(script: Any) -> tuple[str, ...]:
    return tuple(util.to_tuple(script.down_revision, default=()))


def _depends(script: Any) -> tuple[str, ...]:
    return tuple(util.to_tuple(script.dependencies, default=()))


def _circles(above: dict[str, set[str]]) -> set[str]:
    """What is left when all that has nothing before it, or nothing behind it, is taken away."""
    left = set(above)
    while True:
        followed = {name for one in left for name in above[one] & left}
        inner = {one for one in left if above[one] & left and one in followed}
        if inner == left:
            return left
        left = inner


def keep(script: Any) -> list[Any]:
    """A list that every revision file is in, as soon as alembic has loaded them."""
    files: list[Any] = []

    def load() -> Iterator[Any]:
        files.clear()
        for one in script._load_revisions():  # noqa: SLF001 - alembic has no public name for it
            files.append(one)
            yield one

    script.revision_map = RevisionMap(load)
    return files


def read(script: Any) -> list[Any]:
    """Every revision file; one that cannot be loaded stands in with what its text tells."""
    with _standing_in():
        return list(script._load_revisions())  # noqa: SLF001 - alembic has no public name for it


@contextmanager
def _standing_in() -> Generator[None]:
    original: Any = util.load_python_file

    def load(folder: Any, name: Any) -> Any:
        return lenient(Path(str(folder), str(name)), lambda: original(folder, name))

    told: Any = util
    told.load_python_file = load
    try:
        yield
    finally:
        told.load_python_file = original


def lenient(path: Path, load: Callable[[], Any]) -> Any:
    """The module that `load` gives, or one in its place that alembic can make a script of."""
    try:
        module = load()
        _check(module, path)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a file may raise anything
        module = _stand_in(path, error)
    return _without_itself(module)


def _check(module: Any, path: Path) -> None:
    """Refuse a file that does not say where it stands."""
    named = hasattr(module, "revision") or _LEGACY.match(path.name)
    if not (named and hasattr(module, "down_revision")):
        raise AttributeError("it names no revision and down_revision")


def _without_itself(module: Any) -> Any:
    """Alembic makes no script of a module that follows itself."""
    revision = getattr(module, "revision", None)
    for name in ("down_revision", "depends_on"):
        named = util.to_tuple(getattr(module, name, None), default=())
        if revision in named:
            module.circles = True
            setattr(module, name, tuple(n for n in named if n != revision) or None)
    return module


def _stand_in(path: Path, error: BaseException) -> Any:
    """A module in place of a file that does not load."""
    text = path.read_text(encoding="utf-8", errors="replace")
    module: Any = ModuleType(path.stem)
    module.revision = _assigned(text, "revision") or _ILLEGAL.sub("_", path.stem)
    module.down_revision = _assigned(text, "down_revision")
    module.branch_labels = _assigned(text, "branch_labels")
    module.depends_on = _assigned(text, "depends_on")
    module.broken = secrets.scrub(errors.text(error))
    module.broken_syntax = isinstance(error, SyntaxError) and error.filename == str(path)
    module.broken_line = _line_of(error, path)
    return module


def _assigned(text: str, name: str) -> Any:
    """The value of a module's plain assignment, also of one that is no Python as a whole."""
    try:
        value: Any = _value(text, name)
        return value if isinstance(value, str) else tuple(value or ()) or None
    except (SyntaxError, TypeError, ValueError):
        return None


def _value(text: str, name: str) -> Any:
    try:
        module = ast.parse(text)
    except SyntaxError:
        found = re.search(_ASSIGNED.format(name=name), text, re.MULTILINE)
        return ast.literal_eval(found["value"]) if found else None
    for node in module.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return ast.literal_eval(node.value)
    return None


def _line_of(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    found, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            found = step.tb_lineno
        step = step.tb_next
    return found


def _line(path: str, name: str) -> int | None:
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as alembic names it
        lines = enumerate(file, start=1)
        return next((number for number, line in lines if line.startswith(name)), None)
