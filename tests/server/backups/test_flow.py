"""What a client and its person see of a backup, and of a restore."""

from collections.abc import Mapping
from typing import Any

import pytest
from mcp.types import ElicitResult

pytestmark = pytest.mark.anyio


def types_what_is_asked(fields: Mapping[str, Any]) -> ElicitResult:
    """Say yes, and type the words that the form ends with."""
    content: Any = {
        name: True if spec["type"] == "boolean" else spec["description"].rpartition("type: ")[2]
        for name, spec in fields.items()
    }
    return ElicitResult(action="accept", content=content)


@pytest.mark.proves("A16", "A17", "A13")
async def test_a_backup_is_asked_about_made_and_put_back_through_the_tools(
    make_world: Any, near: Any
) -> None:
    world = make_world("sqlite")
    before = world.dump()
    async with near(world.folder, answer=types_what_is_asked) as host:
        review = await host.call("review")
        assert "**Backup:** the whole database (" in review["approval_request"]
        done = await host.applied(review["plan_id"])
        assert (done["status"], done["backup"]["verified"]) == ("applied", True)
        assert done["backup"]["restore_command"].startswith("sqlite3 ")
        plan = await host.call("get_plan", plan_id=review["plan_id"], section="run")
        assert done["backup"]["path"] in plan["text"]
        back = await host.call("rollback", restore=review["plan_id"])
        assert back["risk"] == "CRITICAL"
        assert "## Restore Ready for Review" in back["approval_request"]
        restored = await host.applied(back["plan_id"])
        assert restored["message"].startswith("Backup restored successfully.")
        assert "yes, restore it" in host.person.asked[-1]
        assert world.dump() == before
        said = await host.refused("rollback", restore="plan-of-nobody")
        assert "UnknownPlan" in said
