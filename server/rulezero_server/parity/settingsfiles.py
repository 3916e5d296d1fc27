"""The settings files of a project as files plans ask for them: by keyed hashes, never by values."""

import contextlib
import posixpath
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from rulezero_policies.parity import composing
from rulezero_policies.parity.changes import FileChange, SettingsFile
from rulezero_policies.parity.consolidation import ComposeService
from rulezero_policies.plan import Plan
from rulezero_server.parity import aftermath, keeping, keyed, names, plainfiles, rewriting
from rulezero_tools.parity.filesport import FileState

COMPOSE = (
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
)
"""The names that compose looks for; others like `compose.production.yml` count beside them."""


def _nobody(environment: str) -> bool:
    del environment
    return False


class ProjectSettings:
    """Implements `rulezero_tools.parity.filesport.SettingsFiles` for the project at a folder."""

    def __init__(self, root: Path, protected: Callable[[str], bool] = _nobody) -> None:
        """Nothing is read yet.

        Args:
            root: The project's folder, resolved.
            protected: Whether an environment is marked as protected.
        """
        self._root = root
        self._protected = protected

    @property
    def root(self) -> str:
        """The folder that their paths are under, resolved."""
        return str(self._root)

    @property
    def backups(self) -> str:
        """The folder where each plan's backup is put."""
        return str(keeping.top())

    def protected(self, environment: str) -> bool:
        """Whether the configuration marks that environment as protected."""
        return self._protected(environment)

    def meant_for(self, path: str) -> str | None:
        """The environment that a file is for by its own name, or by its folder's."""
        place = PurePosixPath(path)
        return names.environment(place.name) or names.of_folder(place.parent.name)

    def marks(self, paths: Iterable[str], *, follow: bool = False) -> Mapping[str, str]:
        """The keyed hash of each file that is there."""
        real = {p: self._real(p) if follow else p for p in paths}
        found = {p: plainfiles.look(self._root, r) for p, r in real.items() if r is not None}
        with _named("the project's settings"):
            return {p: keyed.mark(f.content) for p, f in found.items() if f is not None}

    def _real(self, path: str) -> str | None:
        """Where a path leads to in the project; None where that is elsewhere or in a circle."""
        try:
            real = (self._root / path).resolve()
        except (OSError, RuntimeError):
            return None
        inside = real.is_relative_to(self._root)
        return real.relative_to(self._root).as_posix() if inside else None

    def compose(self) -> tuple[ComposeService, ...]:
        """Every service of the compose files in the project's folder and one below it."""
        found: list[ComposeService] = []
        for path in self._compose_files():
            file = plainfiles.look(self._root, path)
            text = file.content.decode("utf-8") if file else ""
            folder = posixpath.dirname(path)
            for one in composing.env_files(text):
                own = (posixpath.normpath(posixpath.join(folder, p)) for p in one.files)
                service = ComposeService(
                    path=path,
                    service=one.service,
                    files=tuple(own),
                    editable=one.editable,
                    interpolated=composing.interpolated(text),
                )
                found.append(service)
        return tuple(found)

    def _compose_files(self) -> list[str]:
        names = (*COMPOSE, "compose.*.y*ml", "docker-compose.*.y*ml")
        found = {
            p for name in names for p in (*self._root.glob(name), *self._root.glob(f"*/{name}"))
        }
        return sorted(p.relative_to(self._root).as_posix() for p in found if p.is_file())

    def foresee(self, changes: Sequence[FileChange]) -> tuple[SettingsFile, ...]:
        """What each edited file is and would become."""
        new = rewriting.rewritten(self._root, changes)
        with _named("the project's settings"):
            return tuple(self._foreseen(c.path, new[c.path], c) for c in changes)

    def _foreseen(
        self, path: str, new: bytes | None, change: FileChange | None = None
    ) -> SettingsFile:
        now = plainfiles.look(self._root, path, to_write=True)
        return SettingsFile(
            path=path,
            before=keyed.mark(now.content) if now else None,
            after=None if new is None else keyed.mark(new),
            operations=change.operations if change else (),
        )

    def foresee_restore(self, plan_id: str) -> tuple[SettingsFile, ...]:
        """What each file is and would become if the backup of a plan were put back."""
        with _named(f"the backup of {plan_id}"):
            kept = keeping.read(plan_id)
            found = (self._foreseen(k.path, keeping.content(plan_id, k)) for k in kept)
            return tuple(f for f in found if f.before != f.after)

    def states(self, plan: Plan) -> Mapping[str, FileState]:
        """Which content each file of a plan has."""
        with _named("the project's settings"):
            targets = aftermath.settings_of(plan).targets
            return {t.path: aftermath.state(self._root, plan, t) for t in targets}

    def forget(self, plan: Plan) -> None:
        """Remove new contents that a killed run left beside its files."""
        with contextlib.suppress(OSError):
            aftermath.sweep(self._root, plan)


@contextlib.contextmanager
def _named(what: str) -> Generator[None]:
    """An error of the system as one of ours: its text may hold nothing but what went wrong."""
    try:
        yield
    except OSError as error:
        raise plainfiles.refusal(what, error.strerror or str(error)) from None
