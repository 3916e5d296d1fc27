"""Several heads: one is chosen, or all are merged; a database may stand at several."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

BASE, DISCOUNTS, NOTES = "4c11a0b7d2e8", "5d20e1c8f3a9", "6e31f2d904ba"


@pytest.fixture
def heads(copy_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eyes: Any) -> Any:
    """A project of two heads, one of them labelled `discounts`, and eyes on its database."""
    url = f"sqlite:///{(tmp_path / 'shop.sqlite').as_posix()}"
    monkeypatch.setenv("DATABASE_URL", url)
    folder: Path = copy_project("two_heads")
    file = next((folder / "migrations" / "versions").glob(f"{DISCOUNTS}*"))
    text = file.read_text("utf-8")
    assert "branch_labels = None" in text
    file.write_text(text.replace("branch_labels = None", 'branch_labels = ("discounts",)'))
    return folder, eyes(url)


def _at(seen: Any) -> list[str]:
    return sorted(row[0] for row in seen.rows("SELECT version_num FROM alembic_version"))


@pytest.mark.proves("A16", "A17", "A20")
async def test_one_branch_goes_up_and_down_while_the_other_stays(heads: Any, near: Any) -> None:
    folder, seen = heads
    async with near(folder) as host:
        status = await host.call("status")
        assert status["branches"] == [
            {"head": DISCOUNTS, "labels": ["discounts"], "applied": False},
            {"head": NOTES, "labels": [], "applied": False},
        ]
        said = await host.refused("review")
        assert (
            f"SeveralHeads: The project has several heads: {DISCOUNTS} (discounts), {NOTES}."
            in said
        )
        assert "merge=true" in said
        review = await host.call("review", branch=NOTES[:6])
        assert (await host.applied(review["plan_id"]))["verified"]
        assert _at(seen) == [NOTES]
        review = await host.call("review", branch="discounts")
        assert review["rehearsal"]["downgrade"] == "ok", review["rehearsal"]
        assert review["rehearsal"]["not_shown"] == []
        assert f"alembic downgrade {DISCOUNTS}@{BASE}" in review["approval_request"]
        done = await host.applied(review["plan_id"])
        assert (done["verified"], done["ending"]) == (True, "applied"), done
        assert _at(seen) == [DISCOUNTS, NOTES]
        assert "ChooseBranch" in await host.refused("rollback")
        assert "UnknownBranch" in await host.refused("rollback", branch="nothing like it")
        plan = await host.call("rollback", branch="discounts")
        done = await host.applied(plan["plan_id"])
        assert (done["verified"], done["ending"]) == (True, "applied"), done
        assert _at(seen) == [NOTES]


@pytest.mark.proves("A08", "A16")
async def test_heads_are_merged_by_a_revision_that_a_person_approves(heads: Any, near: Any) -> None:
    folder, seen = heads
    async with near(folder) as host:
        merged = await host.call("generate", merge=True, message="join them")
        assert merged["status"] == "written"
        text = (folder / merged["path"]).read_text("utf-8")
        assert f"Revises: {DISCOUNTS}, {NOTES}" in text
        assert "NothingToMerge" in await host.refused("generate", merge=True, message="again")
        review = await host.call("review")
        assert {f["rule"] for f in review["findings"]} <= {"models-differ"}
        done = await host.applied(review["plan_id"])
        assert (done["verified"], _at(seen)) == (True, [merged["revision"]])
        plan = await host.call("rollback")
        done = await host.applied(plan["plan_id"])
        assert (done["verified"], done["ending"]) == (True, "applied"), done
        assert _at(seen) == [DISCOUNTS, NOTES]


@pytest.mark.proves("A08")
async def test_a_new_revision_follows_the_branch_that_was_chosen(heads: Any, near: Any) -> None:
    folder, seen = heads
    models = folder / "shop" / "models.py"
    async with near(folder) as host:
        for branch in (DISCOUNTS, NOTES):
            await host.applied((await host.call("review", branch=branch))["plan_id"])
        text = models.read_text("utf-8")
        models.write_text(
            text.replace("    price =", "    colour = Column(String(20))\n    price =")
        )
        analysis = await host.call("analyze")
        wanted = {"analysis_id": analysis["analysis_id"], "message": "add colour"}
        assert "SeveralHeads" in await host.refused("generate", **wanted)
        made = await host.call("generate", branch="discounts", **wanted)
        assert made["status"] == "written", made
        text = (folder / made["path"]).read_text("utf-8")
        assert f"Revises: {DISCOUNTS}\n" in text
        review = await host.call("review", branch="discounts")
        assert review["revision"] == made["revision"]
        assert (await host.applied(review["plan_id"]))["verified"]
        assert _at(seen) == sorted([made["revision"], NOTES])
