"""The one way to a writable session: a spent grant, and exactly the approved bytes."""

import hashlib
import py_compile
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from rulezero_policies.errors import PlanStale, TokenRefused
from rulezero_policies.grant import Grant, Permit
from rulezero_policies.plan import DatabaseIdentity, FileHash, Plan, PlanKind
from rulezero_server.project import WorkerProject
from rulezero_server.runner import WorkerRunner
from rulezero_tools.ports import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)

CopyProject = Callable[[str], Path]
Edit = Callable[..., None]
Snapshot = Callable[[str], object]


_SETTINGS = "app.config.from_pyfile(ROOT / 'settings.py')"


class Grants:
    """The part of a store that a runner asks."""

    def __init__(self, *grants: Grant) -> None:
        self._grants = {grant.token_hash: grant for grant in grants}

    def grant(self, token_hash: str) -> Grant | None:
        return self._grants.get(token_hash)


def _plan(
    project: WorkerProject, files: Mapping[str, bytes], *, kind: PlanKind = "upgrade", to: str
) -> Plan:
    seen = project.describe()
    return Plan(
        kind=kind,
        project=project.name,
        environment=project.environment,
        protected=False,
        database=seen.database.identity,
        from_revisions=seen.database.current,
        to_revision=to,
        revisions=(),
        files=tuple(
            FileHash(path=path, sha256=hashlib.sha256(content).hexdigest())
            for path, content in files.items()
        ),
        sql=None,
        fingerprint=seen.database.fingerprint,
        description="",
        path="",
        changes=(),
        findings=(),
        facts=(),
        verdict="SAFE",
        risk="SAFE",
        phrases=(),
        warnings=(),
        rollback_command="",
        policy="",
        created=NOW,
        expires=NOW + timedelta(hours=1),
    )


def _grant(plan: Plan, *, spent: datetime | None = NOW) -> Grant:
    return Grant(
        token_hash=secrets.token_hex(32),
        plan_digest=plan.digest,
        database=plan.database.label,
        principal="p",
        approver="a",
        channel="form elicitation",
        level="client",
        created=NOW,
        expires=NOW + timedelta(minutes=5),
        spent=spent,
    )


def _permit(grant: Grant) -> Permit:
    return Permit(plan_digest=grant.plan_digest, token_hash=grant.token_hash, spent=NOW)


def _runner(project: WorkerProject, *grants: Grant) -> WorkerRunner:
    return WorkerRunner(project.target, cast("Store", Grants(*grants)))


@pytest.fixture
def project(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> WorkerProject:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return WorkerProject.open(copy_project("flask_notes"))


@pytest.mark.proves("D03")
def test_the_approved_bytes_run_whatever_the_working_tree_holds_now(
    project: WorkerProject, edit: Edit
) -> None:
    files = project.files()
    plan = _plan(project, files, to="2b8e41f6a05c")
    grant = _grant(plan)
    root = Path(project.name)
    edit(root / "migrations/versions/2b8e41f6a05c_events.py", '"events"', '"swapped"')
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert report.error is None
    text = "\n".join(report.statements)
    assert "CREATE TABLE events" in text
    assert "swapped" not in text
    assert project.describe().database.current == ("2b8e41f6a05c",)


@pytest.mark.proves("D03", "C03")
def test_the_application_runs_as_it_was_when_it_was_approved(
    project: WorkerProject, edit: Edit, snapshot: Snapshot, database_url: str
) -> None:
    root = Path(project.name)
    edit(root / "notes/__init__.py", "import os\n", "import os\nimport notes.extra\n")
    (root / "notes/extra.py").write_text("HARMLESS = True\n", encoding="utf-8")
    (root / "settings.py").write_text("NAME = 'harmless'\n", encoding="utf-8")
    edit(root / "notes/__init__.py", "    return app", f"    {_SETTINGS}\n    return app")
    files = project.files()
    assert {"notes/__init__.py", "notes/extra.py", "settings.py"} <= set(files)
    plan = _plan(project, files, to="2b8e41f6a05c")
    grant = _grant(plan)
    for name in ("notes/__init__.py", "notes/extra.py", "settings.py"):
        (root / name).write_text("raise SystemExit('swapped')\n", encoding="utf-8")
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert report.error is None
    assert snapshot(database_url) != "no file"


@pytest.mark.proves("D03", "C03")
def test_code_that_was_not_approved_does_not_run_in_a_writable_session(
    project: WorkerProject, edit: Edit, snapshot: Snapshot, database_url: str
) -> None:
    root = Path(project.name)
    edit(root / "migrations/env.py", "import logging\n", "import logging\nimport late\n")
    (root / "late.py").write_text("HARMLESS = True\n", encoding="utf-8")
    files = {path: data for path, data in project.files().items() if path != "late.py"}
    plan = _plan(project, files, to="2b8e41f6a05c")
    grant = _grant(plan)
    before = snapshot(database_url)
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert "late.py was not part of what was approved" in (report.error or "")
    assert snapshot(database_url) == before


@pytest.mark.proves("D03", "C03")
def test_a_compiled_module_planted_after_the_approval_does_not_run(
    project: WorkerProject, edit: Edit, tmp_path: Path
) -> None:
    root, marker = Path(project.name), tmp_path / "planted ran"
    optional = "try:\n    import planted\nexcept ImportError:\n    pass\n"
    edit(root / "notes/__init__.py", "import os\n", f"import os\n{optional}")
    files = project.files()
    plan = _plan(project, files, to="2b8e41f6a05c")
    grant = _grant(plan)
    source = tmp_path / "planted.py"
    source.write_text(f"open({str(marker)!r}, 'w').close()\n", encoding="utf-8")
    py_compile.compile(str(source), cfile=str(root / "planted.pyc"), doraise=True)
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert report.error is None
    assert not marker.exists()
    assert "planted.pyc" in project.files()
    assert marker.exists()


def test_a_downgrade_is_a_run_too(notes: Path) -> None:
    project = WorkerProject.open(notes)
    files = project.files()
    plan = _plan(project, files, kind="downgrade", to="1a0c7d2e9f31")
    grant = _grant(plan)
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert report.error is None
    assert project.describe().database.current == ("1a0c7d2e9f31",)


@pytest.mark.proves("C02", "A01")
def test_without_a_spent_grant_for_this_very_plan_nothing_runs(
    project: WorkerProject, snapshot: Snapshot, database_url: str
) -> None:
    files = project.files()
    plan = _plan(project, files, to="2b8e41f6a05c")
    other = replace(plan, to_revision="1a0c7d2e9f31")
    unspent, good, foreign = _grant(plan, spent=None), _grant(plan), _grant(other)
    before = snapshot(database_url)
    forged = replace(_permit(foreign), plan_digest=plan.digest)
    attempts = [
        (_runner(project), _permit(good), plan),
        (_runner(project, unspent), _permit(unspent), plan),
        (_runner(project, foreign), forged, plan),
        (_runner(project, good), _permit(good), other),
        (_runner(project, good), _permit(foreign), plan),
    ]
    for runner, permit, asked in attempts:
        with pytest.raises(TokenRefused):
            runner.run(permit, asked, files)
    assert snapshot(database_url) == before


@pytest.mark.proves("D03", "C03")
@pytest.mark.parametrize("change", ["changed", "missing", "added"])
def test_other_bytes_than_the_approved_ones_do_not_run(
    project: WorkerProject, snapshot: Snapshot, database_url: str, change: str
) -> None:
    files = dict(project.files())
    plan = _plan(project, files, to="2b8e41f6a05c")
    grant = _grant(plan)
    path = "migrations/versions/2b8e41f6a05c_events.py"
    if change == "changed":
        files[path] += b"\n"
    elif change == "missing":
        del files[path]
    else:
        files["migrations/versions/new.py"] = b""
    before = snapshot(database_url)
    with pytest.raises(PlanStale, match="migrations/versions/"):
        _runner(project, grant).run(_permit(grant), plan, files)
    assert snapshot(database_url) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "generate"},
        {"project": "/elsewhere"},
    ],
)
def test_a_plan_of_another_kind_or_project_does_not_run(
    project: WorkerProject, wrong: dict[str, str]
) -> None:
    files = project.files()
    plan = replace(_plan(project, files, to="2b8e41f6a05c"), **wrong)
    grant = _grant(plan)
    with pytest.raises(TokenRefused):
        _runner(project, grant).run(_permit(grant), plan, files)


def test_a_database_that_moved_on_is_left_alone(
    notes: Path, snapshot: Snapshot, database_url: str
) -> None:
    project = WorkerProject.open(notes)
    files = project.files()
    plan = replace(_plan(project, files, to="2b8e41f6a05c"), from_revisions=("1a0c7d2e9f31",))
    grant = _grant(plan)
    before = snapshot(database_url)
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert report.error is not None
    assert snapshot(database_url) == before


@pytest.mark.proves("D01")
def test_a_run_keeps_the_app_from_migrating_while_it_loads(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    project = WorkerProject.open(copy_project("flask_upgrades_on_start"))
    files = project.files()
    plan = _plan(project, files, to="1a0c7d2e9f31")
    grant = _grant(plan)
    report = _runner(project, grant).run(_permit(grant), plan, files)
    assert report.error is None
    assert project.describe().database.current == ("1a0c7d2e9f31",)
    assert "CREATE TABLE events" not in "".join(report.statements)


def test_the_identity_of_a_file_database_is_given_once_it_exists(
    project: WorkerProject, database_url: str
) -> None:
    files = project.files()
    plan = _plan(project, files, to="2b8e41f6a05c")
    grant = _grant(plan)
    _runner(project, grant).run(_permit(grant), plan, files)
    seen = project.describe().database.identity
    assert isinstance(seen, DatabaseIdentity)
    assert seen.server_id is not None
    if not database_url.startswith("sqlite"):
        assert seen == plan.database
