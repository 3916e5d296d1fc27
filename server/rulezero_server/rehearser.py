"""Rehearses a plan's revisions: has a shadow made, and a worker run them on that."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from rulezero_policies.errors import ProjectError, WorkerCrashed, WorkerTimeout
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.policy import is_protected
from rulezero_policies.rehearsal import NotRehearsed, Rehearsal, Rehearsed, Shadow
from rulezero_server import launch, sealing, shadows
from rulezero_server.project import WorkerProject
from rulezero_server.shadows.wishes import Wishes
from rulezero_tools.parity.records import Built

MARGIN = 15.0
"""Seconds that a worker has beyond its limit, to load the project and to write down what it saw."""

LEAST = 2.0
"""Seconds that must be left for the revisions once the shadow is there."""

Direction = Literal["upgrade", "downgrade", "undo"]

T = TypeVar("T")


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
        args = {
            "direction": direction,
            "start": list(start),
            "to": to,
            "skip": list(skip),
            "statements": list(statements),
        }
        return self._rehearsed(args, identity, files, progress)

    def twice(
        self,
        *,
        start: Sequence[str],
        to: str,
        identity: DatabaseIdentity,
        files: Mapping[str, bytes],
        reads: int,
    ) -> Rehearsal | NotRehearsed:
        """Upgrade, and once more with nothing left to do; old rows are read in between.

        Raises:
            ProjectError: The project cannot be loaded.
        """
        args = {"direction": "twice", "start": list(start), "to": to, "reads": reads}
        return self._rehearsed(args, identity, files, _silent)

    def _rehearsed(
        self,
        args: Mapping[str, Any],
        identity: DatabaseIdentity,
        files: Mapping[str, bytes],
        progress: Callable[[str], None],
    ) -> Rehearsal | NotRehearsed:
        args = {**args, "rows": self._wishes.rows}
        try:
            answer = self._ran("rehearse", args, identity, files, progress)
        except _UnseenError as unseen:
            saw = Rehearsed(not_shown=(f"the rehearsal itself: {unseen.why}",))
            return Rehearsal(shadow=unseen.shadow, saw=saw)
        if isinstance(answer, NotRehearsed):
            return answer
        return Rehearsal(shadow=answer.shadow, saw=_as(Rehearsed, answer.result))

    def build(
        self, *, start: Sequence[str], identity: DatabaseIdentity, files: Mapping[str, bytes]
    ) -> Built | NotRehearsed:
        """Have the revisions make an empty shadow: up to `start`, and on to the heads.

        Raises:
            ProjectError: The project cannot be loaded.
        """
        args = {"start": list(start)}
        try:
            answer = self._ran("build", args, identity, files, _silent, empty=True)
        except _UnseenError as unseen:
            return Built(where=unseen.shadow.where, lost=unseen.why)
        if isinstance(answer, NotRehearsed):
            return answer
        shadow = answer.shadow
        return _as(Built, {**answer.result, "where": shadow.where, "lacks": shadow.lacks})

    def _ran(
        self,
        verb: str,
        args: Mapping[str, Any],
        identity: DatabaseIdentity,
        files: Mapping[str, bytes],
        progress: Callable[[str], None],
        *,
        empty: bool = False,
    ) -> "_Answer | NotRehearsed":
        """Have a shadow made, and a worker carry out `verb` on it."""
        if not self._wishes.on:
            return _OFF
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
            empty=empty,
        ) as made:
            if isinstance(made, NotRehearsed):
                return made
            seconds = max(until - time.monotonic(), LEAST)
            whole = {**args, "identity": asdict(identity), "seconds": seconds}
            detour = launch.Detour(target=access, to=made.to)
            return self._on(made, detour, verb, whole, files, progress)

    def _on(
        self,
        made: shadows.Made,
        detour: launch.Detour,
        verb: str,
        args: Mapping[str, Any],
        files: Mapping[str, bytes],
        progress: Callable[[str], None],
    ) -> "_Answer | NotRehearsed":
        target = self._project.target
        with tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder:
            sealed = sealing.seal(Path(folder), target.found.root, files)
            try:
                with launch.conversation(target) as talk:
                    reply = talk.ask(
                        verb,
                        {**args, "sealed": sealed},
                        mode="rehearsing",
                        shadow=detour,
                        timeout=args["seconds"] + MARGIN,
                        progress=progress,
                    )
            except (WorkerTimeout, WorkerCrashed) as error:
                # The revisions did that, or may have: what they would have shown is unknown.
                raise _UnseenError(made.shadow, str(error)) from error
            except ProjectError as error:
                # It was read a moment ago: what it missed is something that a rehearsal keeps away.
                reason = f"the project does not load where only the shadow can be reached: {error}"
                return NotRehearsed(reason=reason, mend=error.advice)
        return _Answer(shadow=made.shadow, result=reply.result)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What a worker said, and of which shadow."""

    shadow: Shadow
    result: Mapping[str, Any]


class _UnseenError(Exception):
    """The worker was on its shadow and did not come back with an answer."""

    def __init__(self, shadow: Shadow, why: str) -> None:
        super().__init__(why)
        self.shadow, self.why = shadow, why


def _as(kind: type[T], result: Mapping[str, Any]) -> T:
    from pydantic import TypeAdapter  # noqa: PLC0415 - not needed until something is rehearsed

    return TypeAdapter(kind).validate_python(result)
