"""A project of three services on a real file system, with the gate, the store and the writer."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rulezero_policies.parity.values import (
    Entry,
    FlagRule,
    Layout,
    ParityConfig,
    Service,
    Shape,
    Source,
    State,
)
from rulezero_policies.references import Sources
from rulezero_server.parity import pieces
from rulezero_server.parity.settingsfiles import ProjectSettings
from rulezero_server.runner import WorkerRunner
from rulezero_server.runs import Folders
from rulezero_tools import asking
from rulezero_tools.apply import apply
from rulezero_tools.ports import Session
from rulezero_tools.results import ApplyResult

CANARY = "c4n4ry-0f-a-s3cret"

_STATES: dict[str, State] = {"true": "on", "1": "on", "false": "off", "0": "off"}


def shape(value: str) -> Shape:
    if not value or value == "changeme":
        return "placeholder" if value else "empty"
    if value in {"true", "false"}:
        return "boolean"
    return "number" if value.isdigit() else "url" if "://" in value else "text"


def entries(root: Path, path: str) -> tuple[Entry, ...]:
    file = root / path
    text = file.read_bytes().decode("utf-8-sig") if file.exists() else ""
    found = [p.key for p in pieces.pieces(text) if p.key]
    values = pieces.values(text)
    return tuple(
        Entry(
            key=key,
            path=path,
            line=1,
            shape=shape(values[key] or ""),
            mark=hashlib.sha256(repr(values[key]).encode()).hexdigest(),
            state=_STATES.get(values[key] or "", "other"),
            given=values[key] is not None,
        )
        for key in found
    )


@dataclass
class FolderDeployment:
    """Services with files of their own, and root files, by where they lie."""

    root: Path
    services: tuple[str, ...] = ("api", "web", "worker")
    declared: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    flags: FlagRule = field(default_factory=FlagRule)

    def config(self) -> ParityConfig:
        files = tuple(("", "production", path) for path in self.declared)
        return ParityConfig(files=files, flags=self.flags)

    def layout(self) -> Layout:
        places = [
            (service, environment, f"{service}/.env.{environment}" if service else "")
            for service in (None, *self.services)
            for environment in ("example", "production")
        ]
        sources = [
            Source(
                service=service,
                environment=environment,
                path=path or f".env.{environment}",
                kind="file",
                entries=entries(self.root, path or f".env.{environment}"),
            )
            for service, environment, path in places
            if (self.root / (path or f".env.{environment}")).exists()
        ]
        return Layout(
            production="production",
            baseline=("example",),
            services=tuple(Service(name=name, folder=name) for name in self.services),
            sources=tuple(sources),
            problems=self.problems,
        )

    def code(self, service: Service) -> Sources:
        del service
        return Sources()

    def on_main(self, path: str, text: str) -> bool | None:
        del path, text
        return None

    def seen(self, service: str) -> dict[str, str | None]:
        """What a service sees in production, as python-dotenv reads it: the root file first."""
        found: dict[str, str | None] = {}
        for path in (".env.production", f"{service}/.env.production"):
            file = self.root / path
            if file.exists():
                found |= pieces.values(file.read_bytes().decode("utf-8-sig"))
        return found


FILES = {
    "api/.env.example": (
        "# Who calls\nDATABASE_URL=\nSHARED=\nLOG_LEVEL=info\n# Signs\nAPI_SECRET=\n"
        "FEATURE_NOTES=false\n"
    ),
    "api/.env.production": (
        f"DATABASE_URL=postgres://u:{CANARY}@db/x\r\n# for all\r\nSHARED=same\r\n"
        "FEATURE_NOTES=false # soon"
    ),
    "web/.env.example": "SHARED=\nDATABASE_URL=\nPORT=8080\n",
    "web/.env.production": f"export SHARED='same'\nDATABASE_URL=postgres://w:{CANARY}@db/x\n",
    "worker/.env.production": "\ufeffSHARED=same\nONLY_HERE=1\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    folder = (tmp_path / "project").resolve()
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
        (folder / path).chmod(0o640)
    return folder


@pytest.fixture
def deployment(root: Path) -> FolderDeployment:
    return FolderDeployment(root, declared=(".env.production",))


@pytest.fixture
def files_session(session: Session, project: Any, root: Path) -> Session:
    project.name = str(root)
    target: Any = SimpleNamespace(run_timeout=5.0, found=SimpleNamespace(root=root))
    return replace(session, settings_files=ProjectSettings(root), runs=Folders(target))


@pytest.fixture
def writer(files_session: Session, root: Path) -> WorkerRunner:
    target: Any = SimpleNamespace(found=SimpleNamespace(root=root))
    return WorkerRunner(target, files_session.store)


def approve(session: Session, plan_id: str) -> str:
    """The person's yes: the token."""
    plan, challenge = asking.open_question(session, plan_id, form=True)
    yes = asking.FormAnswer(action="accept", approve=True)
    return asking.answer_form(session, plan, challenge, yes).token or ""


Applying = Callable[[str], ApplyResult]


@pytest.fixture
def applying(files_session: Session, writer: WorkerRunner) -> Applying:
    """`applying(plan_id)`: the person's yes, and the run."""

    def run(plan_id: str) -> ApplyResult:
        token = approve(files_session, plan_id)
        return apply(files_session, writer, plan_id=plan_id, token=token)

    return run


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file of the project."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
