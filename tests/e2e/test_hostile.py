"""A hostile scripted client; the database is looked at, not the replies."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A01", "A19", "C03")]

INVENTED = "rz1_" + "ab" * 32


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"


@pytest.fixture
def notes(copy_project: Any, to_head: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application at its first revision: the second one waits."""
    monkeypatch.setenv("DATABASE_URL", url)
    folder = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    return folder


def always(answer: ElicitResult) -> Callable[[Mapping[str, Any]], ElicitResult]:
    """A person who answers everything in the same way."""

    def same(fields: Mapping[str, Any]) -> ElicitResult:
        del fields
        return answer

    return same


def taking(answers: list[ElicitResult]) -> Callable[[Mapping[str, Any]], ElicitResult]:
    """A person who gives these answers, the last one first."""

    def take(fields: Mapping[str, Any]) -> ElicitResult:
        del fields
        return answers.pop()

    return take


def content(url: str) -> bytes:
    return Path(url.removeprefix("sqlite:///")).read_bytes()


async def test_apply_without_a_good_token_changes_nothing(
    notes: Path, near: Any, url: str, era: str
) -> None:
    before = content(url)
    async with near(notes, era) as host:
        plan_id = (await host.call("review"))["plan_id"]
        await host.refused("apply", plan_id=plan_id)
        for token in ("", "yes", INVENTED, plan_id):
            assert "Next:" in await host.refused("apply", plan_id=plan_id, token=token)
        await host.refused("apply", plan_id="plan-of-mine", token=INVENTED)
        assert host.person.asked == []
    assert content(url) == before


NO_YES = (
    ElicitResult(action="decline"),
    ElicitResult(action="cancel"),
    ElicitResult(action="accept"),
    ElicitResult(action="accept", content={}),
    ElicitResult(action="accept", content={"approve": False}),
    ElicitResult(action="accept", content={"approve": 1}),
    ElicitResult(action="accept", content={"approve": "yes"}),
)
"""Declined, closed, accepted without content, empty, no, and two that are only taken for yes."""


async def test_a_host_that_does_not_say_yes_gets_no_token(
    notes: Path, near: Any, url: str, era: str
) -> None:
    before = content(url)
    answers = list(NO_YES)
    async with near(notes, era, answer=taking(answers)) as host:
        plan_id = (await host.call("review"))["plan_id"]
        said = [await host.refused("confirm", plan_id=plan_id) for _ in NO_YES]
        assert [one.count("AnswerRefused") for one in reversed(said)] == [0, 0, 1, 1, 0, 1, 1]
        events = [e["event"] for e in (await host.call("history"))["entries"]]
        assert events.count("asked") >= len(NO_YES) - 1
        assert events.count("approved") == 0
        assert answers == []
        await host.refused("apply", plan_id=plan_id, token=INVENTED)
    assert content(url) == before


async def test_declined_and_never_shown_are_told_apart(notes: Path, near: Any, url: str) -> None:
    told = {
        "Declined": ElicitResult(action="decline"),
        "NotPresented": ElicitResult(action="cancel"),
    }
    for said, answer in told.items():
        async with near(notes, answer=always(answer)) as host:
            plan_id = (await host.call("review"))["plan_id"]
            assert said in await host.refused("confirm", plan_id=plan_id)


async def test_a_client_that_cannot_ask_is_told_who_can(
    notes: Path, near: Any, url: str, era: str
) -> None:
    async with near(notes, era, forms=False) as host:
        status = await host.call("status")
        assert "not approved" in status["approval"]
        plan_id = (await host.call("review"))["plan_id"]
        error = await host.refused("confirm", plan_id=plan_id)
        assert "NoChannel" in error
        assert "rulezero enroll" in error
        assert "client that shows forms" in error


async def test_a_file_edited_after_the_yes_is_stale(notes: Path, near: Any, url: str) -> None:
    before = content(url)
    async with near(notes) as host:
        plan_id = (await host.call("review"))["plan_id"]
        token = (await host.call("confirm", plan_id=plan_id))["token"]
        revision = next((notes / "migrations" / "versions").glob("2b8e*"))
        revision.write_text(
            revision.read_text("utf-8").replace(
                "def upgrade():", "def upgrade():\n    op.drop_table('users')"
            ),
            "utf-8",
        )
        assert "PlanStale" in await host.refused("apply", plan_id=plan_id, token=token)
    assert content(url) == before


@pytest.mark.proves("D03")
async def test_application_code_edited_after_the_yes_is_stale(
    notes: Path, near: Any, url: str
) -> None:
    before = content(url)
    async with near(notes) as host:
        plan_id = (await host.call("review"))["plan_id"]
        token = (await host.call("confirm", plan_id=plan_id))["token"]
        app = notes / "notes" / "__init__.py"
        hostile = (
            "    with app.app_context(), db.engine.begin() as connection:\n"
            "        connection.exec_driver_sql('DROP TABLE users')\n    return app"
        )
        app.write_text(app.read_text("utf-8").replace("    return app", hostile), "utf-8")
        for _ in range(2):
            error = await host.refused("apply", plan_id=plan_id, token=token)
            assert "ReadOnlyRefused" in error or "PlanStale" in error
    assert content(url) == before


async def test_a_spent_token_runs_nothing_a_second_time(
    notes: Path, near: Any, url: str, eyes: Any
) -> None:
    async with near(notes) as host:
        plan_id = (await host.call("review"))["plan_id"]
        token = (await host.call("confirm", plan_id=plan_id))["token"]
        await host.call("apply", plan_id=plan_id, token=token)
        eyes(url).write("DROP TABLE events")
        eyes(url).write("UPDATE alembic_version SET version_num = '1a0c7d2e9f31'")
        before = content(url)
        again = await host.call("apply", plan_id=plan_id, token=token)
        assert again["repeated"]
        fresh = (await host.call("review"))["plan_id"]
        assert "TokenRefused" in await host.refused("apply", plan_id=fresh, token=token)
    assert content(url) == before


async def test_a_token_for_one_plan_or_project_opens_no_other(
    notes: Path, near: Any, url: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(notes, other)
    async with near(notes) as host:
        upgrade = (await host.call("review"))["plan_id"]
        downgrade = (await host.call("rollback"))["plan_id"]
        token = (await host.call("confirm", plan_id=upgrade))["token"]
        before = content(url)
        await host.refused("apply", plan_id=downgrade, token=token)
    async with near(other) as host:
        await host.refused("apply", plan_id=upgrade, token=token)
        await host.refused("apply", plan_id=(await host.call("review"))["plan_id"], token=token)
    assert content(url) == before


@pytest.mark.proves("A02")
async def test_steps_out_of_order_name_the_step_to_call_first(
    notes: Path, near: Any, url: str
) -> None:
    async with near(notes) as host:
        assert "`analyze`" in await host.refused("generate", analysis_id="", message="x")
        assert "`review`" in await host.refused("confirm", plan_id="")
        assert "`review`" in await host.refused("apply", plan_id="", token="")
        assert "`analyze`" in await host.refused("generate", analysis_id="analysis-1", message="x")
        assert "DatabaseNotAtHead" in await host.refused("analyze")
