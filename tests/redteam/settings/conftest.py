"""A project's settings files, a plan to write them, and a watch on every byte below its folder."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rulezero_policies.errors import RulezeroError
from rulezero_policies.parity.changes import FileChange, Operation, SettingsPlan
from rulezero_policies.plan import Plan
from rulezero_server.parity.settingsfiles import ProjectSettings
from rulezero_server.runner import WorkerRunner
from rulezero_tools.apply import apply
from rulezero_tools.parity.freezing import frozen
from rulezero_tools.ports import Session

PATH = "api/.env.production"


@dataclass
class Shop:
    """The project at a folder, on the real gate, with the real writer."""

    root: Path
    world: Any

    @property
    def file(self) -> Path:
        return self.root / PATH

    def content(self) -> object:
        """Every file, and where links lead to."""
        return {
            p.relative_to(self.root).as_posix(): p.readlink() if p.is_symlink() else p.read_bytes()
            for p in self.root.rglob("*")
            if p.is_symlink() or p.is_file()
        }

    def session(self) -> Session:
        return self.world.session(
            project=replace(self.world.project, name=str(self.root)),
            settings_files=ProjectSettings(self.root),
        )

    def planned(self, key: str = "FEATURE_NOTES") -> Plan:
        """A plan that switches a flag on."""
        change = FileChange(path=PATH, operations=(Operation(kind="switch", key=key),))
        targets = ProjectSettings(self.root).foresee([change])
        settings = SettingsPlan(environment="production", targets=targets, backups="kept")
        return frozen(self.session(), settings, description="on", warnings=(), read=())

    def yes(self, plan: Plan) -> str:
        return self.world.said_yes(plan.plan_id, self.session())

    def runner(self) -> WorkerRunner:
        target: Any = SimpleNamespace(found=SimpleNamespace(root=self.root))
        return WorkerRunner(target, self.world.store)

    def apply(self, plan: Plan, token: str) -> Any:
        return apply(self.session(), self.runner(), plan_id=plan.plan_id, token=token)

    def refused(self, plan: Plan, token: str) -> str:
        with pytest.raises(RulezeroError) as caught:
            self.apply(plan, token)
        return f"{caught.value.code}: {caught.value}"


@pytest.fixture
def shop(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    root = (tmp_path / "shop").resolve()
    (root / "api").mkdir(parents=True)
    (root / PATH).write_text("FEATURE_NOTES=off\nFEATURE_PAY=off\nKEY=secret\n", encoding="utf-8")
    return Shop(root, world)
