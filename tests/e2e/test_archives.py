"""What was dropped with an archive comes back; what nobody wants any more goes through the gate."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kind = getattr(request, "param", "sqlite")
    if kind != "sqlite":
        return request.getfixturevalue(kind)
    return f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"


@pytest.fixture
def notes(
    copy_project: Any, to_head: Any, url: str, eyes: Any, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An application at its head, whose models no longer have a column that holds values."""
    monkeypatch.setenv("DATABASE_URL", url)
    folder: Path = copy_project("flask_notes")
    to_head(folder)
    names = "INSERT INTO users (id, email, name, deprecated_field) VALUES "
    eyes(url).write(names + "(1, 'a@x', 'Ann', 'old'), (2, 'b@x', 'Bob', NULL), (3, 'c', 'C', '')")
    models = folder / "notes" / "models.py"
    lines = models.read_text("utf-8").splitlines(keepends=True)
    models.write_text("".join(x for x in lines if "deprecated_field" not in x), "utf-8")
    return folder


async def generated(host: Any, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    call = {"analysis_id": (await host.call("analyze"))["analysis_id"], "message": "drop"}
    asked = await host.call("generate", **call, **more)
    token = (await host.call("confirm", plan_id=asked["plan_id"]))["token"]
    return asked, await host.call("generate", token=token, **call)


@pytest.mark.parametrize("url", ["sqlite", "mariadb_url"], indirect=True)
@pytest.mark.proves("D06", "A09", "C02")
async def test_dropping_with_an_archive_and_rolling_back_restores_every_value(
    notes: Path, near: Any, url: str, eyes: Any
) -> None:
    look = eyes(url)
    async with near(notes) as host:
        plain = await host.call(
            "generate", analysis_id=(await host.call("analyze"))["analysis_id"], message="drop"
        )
        assert "archive=true" in plain["question"]
        asked, made = await generated(host, archive=True)
        assert "Archived before it is dropped" in asked["question"]
        assert "users.deprecated_field: 2 values with their keys are copied" in asked["question"]
        archive = made["archives"][0].rpartition(" ")[2]
        review = await host.call("review")
        assert review["rehearsal"]["data_restored"] is True
        assert review["verdict"] == "NEEDS_CHANGES"
        assert f"archived in {archive} before" in str(review["findings"])
        assert "never the data" not in review["approval_request"]
        assert (await host.applied(review["plan_id"]))["status"] == "applied"
        (listed,) = (await host.call("status"))["archives"]
        assert (listed["name"], listed["rows"], listed["days"]) == (archive, 2, 0)
        assert (await host.call("analyze"))["changes"] == []
        look.write("DELETE FROM users WHERE id = 2")
        back = await host.call("rollback")
        assert back["rehearsal"]["data_restored"] is True
        assert (await host.applied(back["plan_id"]))["status"] == "applied"
        kept = "SELECT id, deprecated_field FROM users ORDER BY id"
        assert look.rows(kept) == [(1, "old"), (3, "")]


@pytest.mark.proves("D06", "A19")
async def test_an_archive_is_purged_by_typed_words_and_only_an_archive(
    notes: Path, near: Any, url: str, eyes: Any
) -> None:
    async with near(notes) as host:
        _, made = await generated(host, archive=True)
        archive = made["archives"][0].rpartition(" ")[2]
        assert (await host.applied((await host.call("review"))["plan_id"]))["verified"]
        for name in ("users", archive.upper(), f'{archive}"; DROP TABLE users; --', ""):
            assert "There is no archive" in await host.refused("purge", archive=name)
        plan = await host.call("purge", archive=archive)
        assert (plan["risk"], plan["verdict"]) == ("CRITICAL", "UNSAFE")
        assert plan["sql"] == f'DROP TABLE "{archive}";'
        assert (await host.call("status"))["archives"] != []
        done = await host.applied(plan["plan_id"])
        assert done["status"] == "applied", done
        assert "Should I apply this purge?" in host.person.asked[-1]
        assert (await host.call("status"))["archives"] == []
        assert "not with this token" in await host.refused(
            "apply", plan_id=plan["plan_id"], token="no"
        )
    assert [r[1] for r in eyes(url).rows("SELECT id, name FROM users")] == ["Ann", "Bob", "C"]


@pytest.mark.proves("A19")
async def test_an_unapplied_revision_is_discarded_by_a_person_and_kept(
    notes: Path, near: Any
) -> None:
    async with near(notes) as host:
        _, made = await generated(host)
        path = notes / made["path"]
        content = path.read_bytes()
        plan = await host.call("discard", revision=made["revision"])
        assert path.exists()
        assert "No schema changes" not in plan["approval_request"]
        token = (await host.call("confirm", plan_id=plan["plan_id"]))["token"]
        path.write_bytes(content + b"# edited\n")
        stale = await host.refused("apply", plan_id=plan["plan_id"], token=token)
        assert "no longer fits" in stale
        path.write_bytes(content)
        done = await host.call("apply", plan_id=plan["plan_id"], token=token)
        assert done["status"] == "applied", done
        assert not path.exists()
        kept = Path(done["message"].partition("kept in ")[2].partition(": copy")[0])
        assert kept.read_bytes() == content
        older = next(n for n in sorted(notes.rglob("versions/*.py")))
        revision = older.name.partition("_")[0]
        assert "it is applied" in await host.refused("discard", revision=revision)
