"""The composition root: which project, which store, which runner. No logic.

Everything is imported when it is first needed: a client waits for the tool list, not for this.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulezero_policies.grant import Challenge
    from rulezero_policies.policy import Policy
    from rulezero_server.approval import ApprovalPage
    from rulezero_server.preferences import Preferences
    from rulezero_server.project import WorkerProject
    from rulezero_tools.backupport import Backups
    from rulezero_tools.parity.filesport import SettingsFiles
    from rulezero_tools.ports import Desk, Rehearser, Session, Store
    from rulezero_tools.results import StatusResult
    from rulezero_tools.runport import Runner


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)


class SystemChance:
    """The operating system's randomness."""

    def token(self) -> str:
        """256 random bits as hex."""
        from secrets import token_hex

        return token_hex(32)

    def nonce(self) -> str:
        """48 random bits, short enough to read aloud."""
        from secrets import token_hex

        return token_hex(6)


class App:
    """Everything that one server or one command works with."""

    def __init__(
        self, directory: Path, *, store: "Store | None" = None, read_only: bool = False
    ) -> None:
        """Nothing is opened yet.

        Args:
            directory: Where the project is looked for.
            store: Where things are remembered; default: the file in the user's state folder.
            read_only: Offer no tool that writes a file or a database.
        """
        self.directory = directory
        self.read_only = read_only
        self._store = store
        self._page: ApprovalPage | None = None

    @property
    def store(self) -> "Store":
        """What is remembered; opened with the first use."""
        if self._store is None:
            from rulezero_server.stores import open_store

            self._store = open_store(self.preferences().store)
        return self._store

    def session(
        self, environment: str | None, *, client: str, database: str | None = None
    ) -> "Session":
        """The project in `environment`, for a caller named `client`.

        Args:
            environment: Its name; None for the first one.
            client: How the caller calls itself.
            database: The one that is meant, where the project migrates several.

        Raises:
            ProjectError: No project, several, or a configuration that cannot be read.
        """
        from rulezero_server.runs import Folders
        from rulezero_tools.ports import Session

        project, policy = self._project(environment).on(database), self.policy()
        return Session(
            project=project,
            runs=Folders(project.target),
            store=self.store,
            clock=SystemClock(),
            chance=SystemChance(),
            policy=policy,
            person=person(),
            principal=_principal(client),
            rehearser=self._rehearser(project, policy),
            backups=self._backups(project, policy),
            settings_files=self._settings_files(),
        )

    def _rehearser(self, project: "WorkerProject", policy: "Policy") -> "Rehearser":
        from rulezero_server.rehearser import WorkerRehearser

        marked = project.protected or project.environment in policy.protected_environments
        return WorkerRehearser(project, self.preferences().rehearsal, marked=marked)

    def _backups(self, project: "WorkerProject", policy: "Policy") -> "Backups":
        from rulezero_server.backups import WorkerBackups

        marked = project.protected or project.environment in policy.protected_environments
        return WorkerBackups(project, self.preferences(), marked=marked)

    def _settings_files(self) -> "SettingsFiles":
        from rulezero_server.parity.settingsfiles import ProjectSettings

        return ProjectSettings(self.directory.resolve(), self._marked)

    def _marked(self, environment: str) -> bool:
        from rulezero_server import settings

        found = settings.read(self.directory.resolve()).environments.get(environment)
        return found is not None and found.protected

    def preferences(self) -> "Preferences":
        """What the person's own policy.toml says now.

        Raises:
            UnreadableConfig: It cannot be read; nothing is decided without it.
        """
        from rulezero_server import preferences

        return preferences.read()

    def policy(self) -> "Policy":
        """The person's policy, tightened by what the project says.

        Raises:
            PolicyLoosened: The project asks for less.
            UnreadableConfig: One of the files cannot be read.
        """
        from rulezero_server import preferences, settings

        return preferences.effective(self.preferences(), settings.read(self.directory.resolve()))

    def desk(self) -> "Desk":
        """Where the person who started this answers; what a project says has no part in it."""
        from rulezero_tools.ports import Desk

        policy = self.preferences().policy
        return Desk(store=self.store, clock=SystemClock(), policy=policy, person=person())

    @property
    def wait_seconds(self) -> float:
        """How long one `confirm` waits for the person."""
        return self.preferences().wait_seconds

    def page_url(self, challenge: "Challenge") -> str:
        """The address of the person's page for a question; only for a client that opens links."""
        return self._served().url(challenge)

    def open_page(self, challenge: "Challenge") -> bool:
        """Open the person's own browser at the page: whether there was one to open."""
        return self.preferences().open_browser and self._served().open(challenge)

    def _served(self) -> "ApprovalPage":
        if self._page is None:
            from rulezero_server.approval import ApprovalPage, Argon2Hasher

            self._page = ApprovalPage(self.desk, Argon2Hasher())
        return self._page

    def runner(self, session: "Session") -> "Runner":
        """The way to a writable session; only the executor calls it."""
        from rulezero_server.runner import WorkerRunner

        return WorkerRunner(self._project(session.project.environment).target, self.store)

    def interpreter(self, session: "Session") -> str:
        """The project's Python, and where it was found."""
        found = self._project(session.project.environment).target.interpreter
        return f"{found.path} ({found.source})"

    def status(self, session: "Session", *, can_ask: bool) -> "StatusResult":
        """Where the project stands."""
        from rulezero_server import settings
        from rulezero_tools.status import status

        return status(
            session,
            environments=tuple(settings.read(self.directory.resolve()).environments),
            interpreter=self.interpreter(session),
            can_ask=can_ask,
        )

    def _project(self, environment: str | None) -> "WorkerProject":
        from rulezero_server.project import WorkerProject

        return WorkerProject.open(self.directory, environment)


def person() -> str:
    """Who sits here: the operating system's user, on this machine."""
    import socket

    return f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    """The user by what the system says; an environment variable is no proof of anything."""
    try:
        import os
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, AttributeError, KeyError):
        import getpass

        return getpass.getuser()


def _principal(client: str) -> str:
    """Who is calling: the person, and the client as it calls itself."""
    from rulezero_policies.text import visible

    return f"{person()} via {visible(client, limit=80)}"
