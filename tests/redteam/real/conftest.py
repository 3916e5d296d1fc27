"""A real project with its own interpreter, worker, runner and database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import RulezeroError
from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools import asking
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.results import ApplyResult, ReviewResult
from rulezero_tools.review import review


@dataclass(kw_only=True)
class Real:
    """An application at its first revision: the second one waits."""

    folder: Path
    file: Path
    state: Path

    def app(self, folder: Path | None = None) -> App:
        return App(folder or self.folder, store=open_store(self.state))

    def session(self, folder: Path | None = None) -> Session:
        return self.app(folder).session(None, client="test")

    def content(self) -> bytes:
        """The database's file, byte by byte."""
        return self.file.read_bytes()

    @property
    def revision(self) -> Path:
        """The file of the revision that waits."""
        return next((self.folder / "migrations" / "versions").glob("2b8e*"))

    def insert(self, code: str, *, path: Path | None = None) -> None:
        """Put `code` where the revision's upgrade begins."""
        file = path or self.revision
        text = file.read_text("utf-8")
        lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
        file.write_text(text.replace("def upgrade():\n", f"def upgrade():\n{lines}"), "utf-8")

    def reviewed(self, folder: Path | None = None) -> ReviewResult:
        return review(self.session(folder))

    def said_yes(self, plan_id: str | None, given: Any = None) -> str:
        """The token after a yes to the client's form."""
        session = self.session()
        yes = given or asking.FormAnswer(action="accept", approve=True)
        plan, challenge = asking.open_question(session, plan_id or "", form=True)
        token = asking.answer_form(session, plan, challenge, yes).token
        assert token is not None
        return token

    def applied(self, plan_id: str | None, token: str, folder: Path | None = None) -> ApplyResult:
        app = self.app(folder)
        session = app.session(None, client="test")
        return apply(session, app.runner(session), plan_id=plan_id or "", token=token)

    def refused(self, plan_id: str | None, token: str, folder: Path | None = None) -> str:
        with pytest.raises(RulezeroError) as caught:
            self.applied(plan_id, token, folder)
        return f"{caught.value.code}: {caught.value}"

    def last(self) -> str:
        entry = open_store(self.state).entries()[-1]
        return f"{entry.event}: {entry.detail}"


@pytest.fixture
def real(
    copy_project: Callable[[str], Path],
    to_head: Callable[..., None],
    tmp_path: Path,
    state: Path,
    empty_store: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> Real:
    state.write_bytes(empty_store)
    file = tmp_path / "notes.sqlite"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file.as_posix()}")
    folder = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    return Real(folder=folder, file=file, state=state)


@pytest.fixture
def starting(real: Real, copy_project: Callable[[str], Path]) -> Real:
    """The same database, under an application that migrates and creates tables as it loads."""
    return replace(real, folder=copy_project("flask_upgrades_on_start"))
