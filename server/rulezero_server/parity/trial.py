"""A shadow at the newest revisions, on which a service's code runs in place of the database."""

import contextlib
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rulezero_policies.errors import ProjectError
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.policy import is_protected
from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import launch, sealing, shadows
from rulezero_server.parity.standins import Database
from rulezero_server.project import WorkerProject
from rulezero_server.shadows.wishes import Wishes

MARGIN = 15.0
"""Seconds that a worker has beyond what it is given, to start and to load the project."""

LEAST = 5.0
"""Seconds that are left for the upgrade once the shadow is there."""


class Trial:
    """A shadow, and the way for a process to work on it: connections lead there, or nowhere."""

    def __init__(
        self,
        project: WorkerProject,
        made: shadows.Made,
        access: Mapping[str, Any],
        identity: DatabaseIdentity,
    ) -> None:
        """Stand on `made`, for the target with this `identity` that `access` connects to."""
        self._project = project
        self._made = made
        self._access = access
        path = made.to.get("path")
        self.database = Database(dialect=_dialect(made), path=None if path is None else str(path))
        self.identity = asdict(identity)

    def ask(
        self,
        verb: str,
        args: Mapping[str, Any],
        *,
        target: launch.Target | None = None,
        seconds: float,
    ) -> Mapping[str, Any]:
        """Have a process of its own carry out `verb` on the shadow.

        Raises:
            ProjectError: It does not answer in time, ends, or cannot load the project.
        """
        access = {**self._access, "also": self.database.also}
        with launch.conversation(target or self._project.target) as talk:
            reply = talk.ask(
                verb,
                args,
                mode="rehearsing",
                shadow=launch.Detour(target=access, to=self._made.to),
                timeout=seconds + MARGIN,
            )
        return reply.result


def _dialect(made: shadows.Made) -> str:
    name = str(made.to["dialect"])
    return "mysql" if name == "mariadb" else name


@contextlib.contextmanager
def ahead(
    project: WorkerProject, wishes: Wishes, *, marked: bool, folder: Path | None = None
) -> Generator[Trial | NotRehearsed]:
    """A shadow of the project's database, upgraded to its heads, for the time of the block.

    Args:
        project: Whose database, and whose revisions.
        wishes: What the person allows of rehearsals.
        marked: Whether its environment is protected.
        folder: Where shadows are made; the system's place for temporary files by default.

    Raises:
        ProjectError: The project cannot be read.
    """
    if not wishes.on:
        yield NotRehearsed(
            reason="rehearsals are switched off",
            mend="Write `on = true` under [rehearsal] in policy.toml.",
        )
        return
    until = time.monotonic() + wishes.seconds
    with project.reading():
        identity, access = project.describe(lenient=True).database.identity, project.access()
        files = project.files()
    with shadows.open(
        access,
        identity,
        wishes,
        protected=is_protected(marked=marked, host=identity.host),
        variables=project.target.variables,
        folder=folder,
    ) as made:
        if isinstance(made, NotRehearsed):
            yield made
            return
        trial = Trial(project, made, access, identity)
        yield _upgraded(trial, project, files, max(until - time.monotonic(), LEAST)) or trial


def _upgraded(
    trial: Trial, project: WorkerProject, files: Mapping[str, bytes], seconds: float
) -> NotRehearsed | None:
    """Take the shadow to the heads; why that did not work, if so."""
    root = project.target.found.root
    with tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder:
        sealed = sealing.seal(Path(folder), root, files)
        args = {"identity": trial.identity, "seconds": seconds, "sealed": sealed}
        try:
            done = trial.ask("ahead", args, seconds=seconds)
        except ProjectError as error:
            reason = f"the shadow could not be upgraded: {error}"
            return NotRehearsed(reason=reason, mend=error.advice)
    if done["error"] is None:
        return None
    where = f" at revision {done['revision']}" if done["revision"] else ""
    return NotRehearsed(
        reason=f"the upgrade of the shadow failed{where} ({done['error']})",
        mend="Call `review`: it rehearses the revisions and says what fails.",
    )
