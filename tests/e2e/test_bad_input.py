"""Bad input gets one clear sentence and the next step, never a traceback; nothing is written."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A17")]


def state(folder: Path) -> dict[str, str]:
    """Every file with its hash, but for what Python compiled."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def nothing(folder: Path) -> None:
    """An empty folder."""
    for name in ("migrations", "notes"):
        (folder / name).rename(folder.parent / f"elsewhere-{name}")
    (folder / ".flaskenv").unlink()


def two(folder: Path) -> None:
    """A second project beside the first."""
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = other\n")


def broken_settings(folder: Path) -> None:
    (folder / "rulezero.toml").write_text("python = \n")


def wrong_setting(folder: Path) -> None:
    (folder / "rulezero.toml").write_text('auto_apply = "yes"\n')


def broken_env(folder: Path) -> None:
    env = folder / "migrations" / "env.py"
    env.write_text(env.read_text("utf-8").replace("import logging", "import logging\n1 / 0", 1))


def broken_model(folder: Path) -> None:
    (folder / "notes" / "models.py").write_text("class User(:\n")


def missing_module(folder: Path) -> None:
    (folder / "notes" / "models.py").write_text("import nothing_of_that_name\n")


def no_database(folder: Path) -> None:
    (folder / "rulezero.toml").write_text(
        "[environments.dev]\n"
        "env = { DATABASE_URL = 'postgresql+psycopg://ann:sesame@127.0.0.1:1/notes' }\n"
    )


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (nothing, "NoProject", "Flask-Migrate"),
        (two, "SeveralProjects", "alembic.ini"),
        (broken_settings, "UnreadableConfig", "rulezero.toml"),
        (wrong_setting, "UnreadableConfig", "auto_apply"),
        (broken_env, "EnvScriptError", "ZeroDivisionError"),
        (broken_model, "ModelSyntaxError", "models.py, line 1"),
        (missing_module, "ModelImportError", "nothing_of_that_name"),
        (no_database, "NoConnection", "127.0.0.1"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_what_is_wrong_with_a_project_is_one_sentence_and_a_next_step(
    copy_project: Any, talk: Any, spoil: Any, error: str, said: str
) -> None:
    folder: Path = copy_project("flask_notes")
    spoil(folder)
    before = state(folder)
    async with talk(folder) as host:
        for tool in ("status", "review"):
            message = await host.refused(tool)
            assert f"{error}: " in message
            assert said in message
            assert "Next: " in message
            assert "Traceback" not in message
            assert "sesame" not in message
    assert state(folder) == before


async def test_an_unknown_revision_plan_environment_or_analysis_is_named(
    copy_project: Any, to_head: Any, talk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{(tmp_path / 'n.sqlite').as_posix()}")
    folder: Path = copy_project("flask_notes")
    to_head(folder)
    async with talk(folder) as host:
        assert "UnknownRevision" in await host.refused("review", revision="beef")
        assert "UnknownRevision" in await host.refused("rollback", revision="beef")
        assert "UnknownPlan" in await host.refused("get_plan", plan_id="plan-1\u202e")
        assert "UnknownEnvironment" in await host.refused("status", environment="mars")
        assert "NothingPending" in await host.refused("review")
        refused = await host.refused("generate", analysis_id="analysis-1", message="x")
        assert "UnknownAnalysis" in refused
        wrong = await host.refused("get_plan", plan_id="x", section="secrets")
        assert "section" in wrong
