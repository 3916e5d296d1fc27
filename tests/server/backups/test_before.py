"""The backup before a run: promised in the plan, made and tried before the token is spent."""

import stat
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused, BackupFailed, TokenRefused
from rulezero_server.backups import keeping

World = Any
MakeWorld = Any


@pytest.mark.proves("A04", "A16", "D08")
def test_a_critical_run_leaves_a_backup_that_was_tried(world: World) -> None:
    plan = world.reviewed()
    assert plan.risk == "CRITICAL"
    assert plan.backup is not None
    assert (plan.backup.refused, plan.backup.tables) == (None, ())
    assert plan.backup.folder == str(world.state / "backups")
    done = world.applied(plan)
    assert done.status == "applied"
    made = done.backup
    assert made is not None
    assert made.verified, made.checked
    assert "restored" in made.checked
    file = Path(made.path)
    assert (file.stat().st_size, keeping.digest(file)) == (made.bytes, made.sha256)
    assert made.path in made.restore_command
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [f for f in file.parent.iterdir() if f.name != "lock"] == [file]
