"""The composition root: which project, which store, which runner. No logic."""

import getpass
import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path

from rulezero_policies.text import visible
from rulezero_server import settings
from rulezero_server.project import WorkerProject
from rulezero_server.runner import WorkerRunner
from rulezero_server.stores import open_store
from rulezero_tools.ports import Runner, Session, Store
from rulezero_tools.results import StatusResult
from rulezero_tools.status import status


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)


class SystemChance:
    """The operating system's randomness."""

    def token(self) -> str:
        """256 random bits as hex."""
        return secrets.token_hex(32)

    def nonce(self) -> str:
        """48 random bits, short enough to read aloud."""
        return secrets.token_hex(6)


class App:
    """Everything that one server or one command works with."""

    def __init__(
        self, directory: Path, *, store: Store | None = None, read_only: bool = False
    ) -> None:
        """Nothing is opened yet.

        Args:
            directory: Where the project is looked for.
            store: Where things are remembered; default: the file in the user's state folder.
            read_only: Offer no tool that writes a file or a database.
        """
        self.directory = directory
        self.read_only = read_only
        self._store = store or open_store()

    def session(self, environment: str | None, *, client: str) -> Session:
        """The project in `environment`, for a caller named `client`.

        Raises:
            ProjectError: No project, several, or a configuration that cannot be read.
        """
        return Session(
            project=WorkerProject.open(self.directory, environment),
            store=self._store,
            clock=SystemClock(),
            chance=SystemChance(),
            principal=_principal(client),
        )

    def runner(self, session: Session) -> Runner:
        """The way to a writable session; only the executor calls it."""
        project = WorkerProject.open(self.directory, session.project.environment)
        return WorkerRunner(project.target, self._store)

    def interpreter(self, session: Session) -> str:
        """The project's Python, and where it was found."""
        project = WorkerProject.open(self.directory, session.project.environment)
        found = project.target.interpreter
        return f"{found.path} ({found.source})"

    def status(self, session: Session, *, can_ask: bool) -> StatusResult:
        """Where the project stands."""
        return status(
            session,
            environments=tuple(settings.read(self.directory.resolve()).environments),
            interpreter=self.interpreter(session),
            can_ask=can_ask,
        )


def _principal(client: str) -> str:
    """Who is calling: the operating system's user, and the client as it calls itself."""
    return f"{getpass.getuser()}@{socket.gethostname()} via {visible(client, limit=80)}"
