"""Rehearses a plan's revisions: has a shadow made, and a worker run them on that."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from rulezero_policies.errors import ProjectError, WorkerCrashed, WorkerTimeout
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.policy import is_protected
from rulezero_policies.rehearsal import NotRehearsed, Rehearsal, Rehearsed
from rulezero_server import launch, sealing, shadows
from rulezero_server.project import WorkerProject
from rulezero_server.shadows.wishes import Wishes

MARGIN = 15.0
"""Seconds that a worker has beyond its limit, to load the project and to write down what it saw."""

LEAST = 2.0
"""Seconds that must be left for the revisions once the shadow is there."""

Direction = Literal["upgrade", "downgrade", "undo"]


_OFF = NotRehearsed(
    reason="rehearsals are switched off",
    mend="Write `on = true` under [rehearsal] in policy.toml.",
)


def _silent(_doing: str) -> None:
    """Nobody wants to know."""


class WorkerRehearser:
    """Rehearses in a process of its own, on a shadow made for it."""

    def __init__(
        self,
        project: WorkerProject,
        wishes: Wishes,
        *,
        marked: bool,
        folder: Path | None = None,
    ) -> None:
        """Rehearse the revisions of `project`.

        Args:
            project: Says how its database is connected to.
            wishes: What the person allows.
            marked: Whether its environment is protected, wherever the database is.
            folder: Where shadows are made; the system's place for temporary files by default.
        """
        self._project = project
        self._wishes = wishes
        self._marked = marked
        self._folder = folder

    def on(self, bind: str | None) -> "WorkerRehearser":
        """One for that database of the project."""
        return WorkerRehearser(
            self._project.on(bind), self._wishes, marked=self._marked, folder=self._folder
        )

    def rehearse(
        self,
        *,
        direction: Direction,
        start: Sequence[str],
        to: str,
        identity: DatabaseIdentity,
        files: Mapping[str, bytes],
        skip: Sequence[str] = (),
        statements: Sequence[str] = (),
        progress: Callable[[str], None] = _silent,
    ) -> Rehearsal | NotRehearsed:
        """Go from `start` to `to`, back, and (for an upgrade) there again.

        Raises:
            ProjectError: The project cannot be loaded.
        """
        if not self._wishes.on:
            return _OFF
        args = {
            "direction": direction,
            "start": list(start),
            "to": to,
            "identity": asdict(identity),
            "rows": self._wishes.rows,
            "skip": list(skip),
            "statements": list(statements),
        }
        progress("making a shadow of the database")
        until = time.monotonic() + self._wishes.seconds
        access = self._project.access()
        with shadows.open(
            access,
            identity,
            self._wishes,
            protected=is_protected(marked=self._marked, host=identity.host),
            variables=self._project.target.variables,
            folder=self._folder,
        ) as made:
            if isinstance(made, NotRehearsed):
                return made
            seconds = max(until - time.monotonic(), LEAST)
            return self._on(made, access, {**args, "seconds": seconds}, files, progress)

    def _on(
        self,
        made: shadows.Made,
        access: Mapping[str, Any],
        args: Mapping[str, Any],
        files: Mapping[str, bytes],
        progress: Callable[[str], None],
    ) -> Rehearsal | NotRehearsed:
        target = self._project.target
        with tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder:
            sealed = sealing.seal(Path(folder), target.found.root, files)
            try:
                with launch.conversation(target) as talk:
                    reply = talk.ask(
                        "rehearse",
                        {**args, "sealed": sealed},
                        mode="rehearsing",
                        shadow=launch.Detour(target=access, to=made.to),
                        timeout=args["seconds"] + MARGIN,
                        progress=progress,
                    )
            except (WorkerTimeout, WorkerCrashed) as error:
                # The revisions did that, or may have: what they would have shown is unknown.
                missing = f"the rehearsal itself: {error}"
                return Rehearsal(shadow=made.shadow, saw=Rehearsed(not_shown=(missing,)))
            except ProjectError as error:
                # It was read a moment ago: what it missed is something that a rehearsal keeps away.
                reason = f"the project does not load where only the shadow can be reached: {error}"
                return NotRehearsed(reason=reason, mend=error.advice)
        return Rehearsal(shadow=made.shadow, saw=_rehearsed(reply.result))


def _rehearsed(result: Mapping[str, Any]) -> Rehearsed:
    from pydantic import TypeAdapter  # noqa: PLC0415 - not needed until something is rehearsed

    return TypeAdapter(Rehearsed).validate_python(result)
