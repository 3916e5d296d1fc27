"""A files plan: what is shown, what a yes writes, and the way back, on a real file system."""

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tools.parity.conftest import CANARY, Applying, FolderDeployment, approve, snapshot

from rulezero_policies.errors import (
    BackupUnusable,
    FileRefused,
    NoChannel,
    ParityRefused,
    PlanStale,
    TokenRefused,
    UnknownPlan,
)
from rulezero_policies.parity.changes import PLACEHOLDER
from rulezero_server.approval.view import view
from rulezero_server.cli import show
from rulezero_server.forms import form_for
from rulezero_server.parity import aftermath, keeping, writing
from rulezero_server.parity.settingsfiles import ProjectSettings
from rulezero_tools import asking
from rulezero_tools.answering import Waiting
from rulezero_tools.apply import apply
from rulezero_tools.parity import observing
from rulezero_tools.parity.plan import plan_parity
from rulezero_tools.parity.planviews import ParityPlanResult
from rulezero_tools.ports import Session
from rulezero_tools.rollback import rollback
from rulezero_tools.status import status

pytestmark = pytest.mark.proves("B08")


@pytest.fixture
def planned(files_session: Session, deployment: FolderDeployment) -> ParityPlanResult:
    return plan_parity(
        files_session, deployment, consolidate=True, enable=("FEATURE_NOTES",), keys=None
    )


def test_a_plan_writes_nothing_and_names_every_edit(
    planned: ParityPlanResult, root: Path, files_session: Session
) -> None:
    assert not (root / ".env.production").exists()
    edits = {f.path: f.edits for f in planned.files}
    assert edits["api/.env.production"] == (
        "LOG_LEVEL: added, as api/.env.example has it",
        "API_SECRET: added with a placeholder, which a person replaces",
        "FEATURE_NOTES: switched on",
        "SHARED: taken out, because it stands in .env.production",
    )
    assert edits[".env.production"][0] == "is created"
    assert planned.placeholders == ("API_SECRET",)
    assert [c.key for c in planned.conflicts] == ["DATABASE_URL"]
    assert {"Switched on in production: FEATURE_NOTES."} <= set(planned.warnings)
    plan = files_session.store.plan(planned.plan_id or "")
    assert plan is not None
    assert (plan.kind, plan.risk) == ("files", "WARNING")
    assert "Should I write these files?" in (planned.approval_request or "")


@pytest.mark.proves("B05", "B10")
def test_a_yes_writes_exactly_that_and_no_service_sees_another_value(
    planned: ParityPlanResult, applying: Applying, root: Path, deployment: FolderDeployment
) -> None:
    before = {name: deployment.seen(name) for name in deployment.services}
    owned = root / "web/.env.production"
    if os.name == "posix" and os.getuid() == 0:
        os.chown(owned, 1234, 2345)
    owner = (owned.stat().st_uid, owned.stat().st_gid)
    result = applying(planned.plan_id or "")
    assert (result.status, result.ending, result.verified) == ("applied", "applied", True)
    api = deployment.seen("api")
    assert (root / "api/.env.production").read_bytes().decode() == (
        f"DATABASE_URL=postgres://u:{CANARY}@db/x\r\n# for all\r\n"
        "# SHARED: in .env.production now\r\nLOG_LEVEL=info\r\n# Signs\r\n"
        f"API_SECRET={api['API_SECRET']}\r\nFEATURE_NOTES=true # soon"
    )
    assert (root / "worker/.env.production").read_bytes().startswith(b"\xef\xbb\xbf# SHARED: in")
    assert (root / ".env.production").read_bytes() == b"# for all\nSHARED=same\n"
    assert (root / ".env.production").stat().st_mode & 0o777 == 0o600
    assert (root / "api/.env.production").stat().st_mode & 0o777 == 0o640
    assert (owned.stat().st_uid, owned.stat().st_gid) == owner
    assert (api["API_SECRET"] or "").startswith(PLACEHOLDER)
    new = {"LOG_LEVEL", "API_SECRET", "PORT", "FEATURE_NOTES"}
    for name, seen in before.items():
        after = deployment.seen(name)
        assert {k: v for k, v in after.items() if k not in new} == {
            k: v for k, v in seen.items() if k not in new
        }


@pytest.mark.proves("B05")
def test_compose_reads_the_root_file_first_and_what_nobody_is_known_to_read_stays(
    files_session: Session, deployment: FolderDeployment, applying: Applying, root: Path
) -> None:
    deployment.declared = ()
    compose = (
        "services:\n  api:\n    env_file: api/.env.production\n  web:  # the site\n"
        "    env_file:\n      - ./web/.env.production\n    environment:\n"
        f"      KEY: {CANARY}\n"
    )
    (root / "compose.yml").write_text(compose, encoding="utf-8")
    alone = plan_parity(files_session, deployment, consolidate=True, keys=())
    assert alone.plan_id is None
    assert "that worker reads .env.production is not known" in (alone.shared[0].reason or "")
    worker = "  worker:\n    env_file: [worker/.env.production]\n"
    (root / "compose.yml").write_text(compose + worker, encoding="utf-8")
    plan = plan_parity(files_session, deployment, consolidate=True, keys=())
    assert CANARY not in repr(plan)
    assert applying(plan.plan_id or "").verified
    assert (root / "compose.yml").read_text(encoding="utf-8") == (
        "services:\n  api:\n    env_file:\n      - .env.production\n      - api/.env.production\n"
        "  web:  # the site\n    env_file:\n      - .env.production\n"
        "      - ./web/.env.production\n"
        f"    environment:\n      KEY: {CANARY}\n"
        "  worker:\n    env_file: [.env.production, worker/.env.production]\n"
    )
    assert {name: s.from_root for name, s in zip(deployment.services, plan.services, strict=True)}


@pytest.mark.proves("B13", "B12")
def test_the_backup_is_made_first_and_putting_it_back_is_a_plan_too(
    planned: ParityPlanResult, applying: Applying, root: Path, files_session: Session
) -> None:
    before = snapshot(root)
    result = applying(planned.plan_id or "")
    assert snapshot(root) != before
    kept = root.parent / "state/settings-backups" / (planned.plan_id or "")
    assert str(kept) in result.message
    assert {p.stat().st_mode & 0o077 for p in (kept, *kept.iterdir())} == {0}
    back = rollback(files_session, restore=planned.plan_id)
    assert snapshot(root) != before, "a plan writes nothing"
    assert applying(back.plan_id).status == "applied"
    assert snapshot(root) == before
    with pytest.raises(BackupUnusable, match="holds what it held"):
        rollback(files_session, restore=planned.plan_id)
    again = rollback(files_session, restore=back.plan_id)
    assert applying(again.plan_id).status == "applied"
    assert b"SHARED=same" in (root / ".env.production").read_bytes()


@pytest.mark.proves("A01", "C02")
def test_nothing_is_written_without_a_yes_to_exactly_this(
    planned: ParityPlanResult, files_session: Session, writer: Any, root: Path, deployment: Any
) -> None:
    before = snapshot(root)
    other = plan_parity(files_session, deployment, keys=("PORT",))
    token = approve(files_session, other.plan_id or "")
    for wrong in ("", token, "rz_forged"):
        with pytest.raises(TokenRefused):
            apply(files_session, writer, plan_id=planned.plan_id or "", token=wrong)
    assert snapshot(root) == before
    assert apply(files_session, writer, plan_id=other.plan_id or "", token=token).verified
    after = snapshot(root)
    repeated = apply(files_session, writer, plan_id=other.plan_id or "", token=token)
    assert repeated.repeated
    assert snapshot(root) == after


@pytest.mark.proves("A06", "C02")
@pytest.mark.parametrize(
    "path", ["api/.env.production", "api/.env.example", "worker/.env.production", ".env.production"]
)
def test_a_file_that_changed_after_the_yes_stops_it(
    planned: ParityPlanResult, files_session: Session, writer: Any, root: Path, path: str
) -> None:
    token = approve(files_session, planned.plan_id or "")
    with (root / path).open("ab") as file:
        file.write(b"\nATTACKER=1\n")
    before = snapshot(root)
    with pytest.raises(PlanStale, match=path):
        apply(files_session, writer, plan_id=planned.plan_id or "", token=token)
    assert snapshot(root) == before


@pytest.mark.proves("C02")
def test_a_file_that_became_a_link_after_the_yes_is_left_alone(
    planned: ParityPlanResult, files_session: Session, writer: Any, root: Path
) -> None:
    token = approve(files_session, planned.plan_id or "")
    outside = root.parent / "outside"
    (root / "api/.env.production").rename(outside)
    (root / "api/.env.production").symlink_to(outside)
    before = outside.read_bytes()
    with pytest.raises(FileRefused, match="symbolic link"):
        apply(files_session, writer, plan_id=planned.plan_id or "", token=token)
    assert outside.read_bytes() == before


@pytest.mark.proves("C02")
def test_a_plan_of_another_project_is_not_found(
    planned: ParityPlanResult, files_session: Session, writer: Any, project: Any, root: Path
) -> None:
    token = approve(files_session, planned.plan_id or "")
    before = snapshot(root)
    project.name = "/elsewhere"
    with pytest.raises(UnknownPlan):
        apply(files_session, writer, plan_id=planned.plan_id or "", token=token)
    assert snapshot(root) == before


@pytest.mark.proves("B15")
def test_no_value_is_in_a_result_the_store_the_trail_or_an_error(
    planned: ParityPlanResult,
    applying: Applying,
    files_session: Session,
    deployment: FolderDeployment,
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = [repr(planned), repr(applying(planned.plan_id or ""))]
    told.append(repr(rollback(files_session, restore=planned.plan_id)))
    (root / "api/.env.production").write_bytes(f"A={CANARY}\0".encode())
    with pytest.raises(FileRefused) as refused:
        plan_parity(files_session, deployment, keys=("LOG_LEVEL",))
    told += [str(refused.value), repr(refused.value.facts), repr(refused.value.__cause__)]
    told += [repr(e) for e in files_session.store.entries()]
    told.append(repr(status(files_session, environments=(), interpreter="", can_ask=True)))
    told.append(repr(capsys.readouterr()))
    state = tmp_path / "state"
    backups = state / "settings-backups"
    kept = [
        p
        for p in (*tmp_path.glob("state.db*"), *state.rglob("*"))
        if p.is_file() and backups not in p.parents
    ]
    assert kept
    assert all(CANARY not in text for text in told)
    assert all(CANARY.encode() not in p.read_bytes() for p in kept)
    assert any(CANARY.encode() in p.read_bytes() for p in backups.rglob("0*")), "it would be seen"


def test_nothing_to_write_is_no_plan(files_session: Session, deployment: FolderDeployment) -> None:
    found = plan_parity(files_session, deployment, keys=())
    assert (found.plan_id, found.files, found.approval_request) == (None, (), None)
    assert "nothing to write" in found.next_step


def test_nothing_is_planned_on_half_a_picture(
    files_session: Session, deployment: FolderDeployment
) -> None:
    deployment.problems = ("api/.env.production: what stands on line 3 is no setting.",)
    with pytest.raises(ParityRefused, match="line 3"):
        plan_parity(files_session, deployment)


@pytest.mark.proves("A01")
def test_settings_of_a_protected_environment_need_more_than_a_form(
    files_session: Session, deployment: FolderDeployment, root: Path
) -> None:
    guarded = ProjectSettings(root, lambda name: name == "production")
    session = replace(files_session, settings_files=guarded)
    plan = plan_parity(session, deployment)
    with pytest.raises(NoChannel, match="protected"):
        approve(session, plan.plan_id or "")


@pytest.mark.proves("A01", "B13")
def test_calling_production_by_another_name_lowers_nothing(
    files_session: Session, root: Path
) -> None:
    guarded = ProjectSettings(root, lambda name: name == "production")
    session = replace(files_session, settings_files=guarded)
    assert observing.guarded(session, "scratch", ["api/.env.production"])
    assert observing.guarded(session, "scratch", [".envs/.production/api.env"])
    assert not observing.guarded(session, "scratch", ["api/.env.scratch", "compose.yaml"])


class Killed(BaseException):
    """What no code catches: as good as a kill, for what is on disk."""


@pytest.mark.proves("D08", "B13")
@pytest.mark.parametrize("point", range(0, 23, 2))
def test_after_a_kill_anywhere_it_is_known_which_files_are_written(
    planned: ParityPlanResult,
    files_session: Session,
    writer: Any,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Any,
    point: int,
) -> None:
    calls = 0

    def counted(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == point + 1:
                raise Killed
            return function(*args, **kwargs)

        return call

    before = snapshot(root)
    token = approve(files_session, planned.plan_id or "")
    with monkeypatch.context() as patch:
        patch.setattr(aftermath, "note", counted(aftermath.note))
        patch.setattr(writing, "take_place", counted(writing.take_place))
        patch.setattr(writing, "put", counted(writing.put))
        patch.setattr(keeping, "settle", counted(keeping.settle))
        with contextlib.suppress(Killed):
            apply(files_session, writer, plan_id=planned.plan_id or "", token=token)
    assert calls == point + 1, "it was killed"
    clock.forward(seconds=60)
    result = apply(files_session, writer, plan_id=planned.plan_id or "", token=token)
    first, last = 11, 21
    assert result.ending == (
        "nothing happened" if point <= first else "partially applied" if point < last else "applied"
    )
    now = snapshot(root)
    new = [p for p in now if now[p] != before.get(p)]
    assert not [p for p in now if "rulezero-" in p], "nothing is left beside a file"
    assert (result.ending == "applied") == (len(new) == len(planned.files))
    assert (result.ending == "nothing happened") == (not new)
    if new:
        back = rollback(files_session, restore=planned.plan_id)
        token = approve(files_session, back.plan_id)
        assert apply(files_session, writer, plan_id=back.plan_id, token=token).verified
        assert snapshot(root) == before


@pytest.mark.proves("D08")
def test_a_file_that_cannot_be_replaced_puts_the_others_back(
    planned: ParityPlanResult,
    applying: Applying,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take, before = writing.take_place, snapshot(root)

    def full(job: Any, path: str) -> None:
        if path.startswith("worker/"):
            raise OSError(28, "No space left on device")
        take(job, path)

    monkeypatch.setattr(writing, "take_place", full)
    result = applying(planned.plan_id or "")
    assert (result.status, result.ending) == ("failed", "nothing happened")
    assert "No space left on device" in result.message
    assert snapshot(root) == before


@pytest.mark.proves("A07", "B15")
def test_page_terminal_and_form_show_the_edits_and_no_database(
    planned: ParityPlanResult, files_session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, challenge = asking.open_question(files_session, planned.plan_id or "", form=True)
    shown = view(files_session.desk, Waiting(plan=plan, challenge=challenge))
    assert shown.heading == "Write these settings files?"
    assert (shown.actions, shown.sources, shown.rendered) == ((), {}, False)
    show.question(Waiting(plan=plan, challenge=challenge))
    told = capsys.readouterr().out
    assert "FEATURE_NOTES: switched on" in told
    assert "no database: settings files below" in told
    assert "revision" not in told
    assert form_for(plan).model_fields["approve"].title == "Write these settings files?"
    assert CANARY not in told + repr(shown)


@pytest.mark.proves("D08")
@pytest.mark.parametrize("killed", ["before its place is taken", "after"])
def test_a_file_that_was_edited_after_a_kill_is_told_by_what_waits_beside_it(
    planned: ParityPlanResult,
    files_session: Session,
    writer: Any,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Any,
    killed: str,
) -> None:
    take = writing.take_place

    def dying(job: Any, path: str) -> None:
        if path.startswith("api/"):
            if killed == "after":
                take(job, path)
            raise Killed
        take(job, path)

    token = approve(files_session, planned.plan_id or "")
    with monkeypatch.context() as patch:
        patch.setattr(writing, "take_place", dying)
        with contextlib.suppress(Killed):
            apply(files_session, writer, plan_id=planned.plan_id or "", token=token)
    (root / "api/.env.production").write_text("MINE=1\n", encoding="utf-8")
    clock.forward(seconds=60)
    seen = status(files_session, environments=(), interpreter="", can_ask=True)
    assert [run.ending for run in seen.runs] == ["partially applied"]
    written = {".env.production", *({"api/.env.production"} if killed == "after" else ())}
    told = seen.runs[0].message
    assert f"Written: {', '.join(sorted(written))}. Not written: " in told
    assert f"restore={planned.plan_id!r}" in seen.runs[0].undo[0]
    back = rollback(files_session, restore=planned.plan_id)
    assert "Changed since by somebody else, and lost: api/.env.production." in back.warnings
