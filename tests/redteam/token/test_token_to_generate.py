"""The approval to write a file, used to apply it"""

from typing import Any

import pytest

from rulezero_tools import asking
from rulezero_tools.analyze import analyze
from rulezero_tools.generate import generate

pytestmark = [
    pytest.mark.attack(stopped_by="`apply` carries out no plan to generate", level="client"),
    pytest.mark.proves("A09", "C03", "D11"),
]


def test_a_yes_to_writing_is_none_to_running(world: Any, untouched: Any, drop: Any) -> None:
    world.project.wanted = (drop,)
    analysis = analyze(world.session())
    asked = generate(world.session(), analysis_id=analysis.analysis_id, message="drop code")
    ready = asking.FormAnswer(
        action="accept", approve=True, ticked=frozenset({"backed_up", "no_code_references"})
    )
    token = world.said_yes(asked.plan_id, given=ready)
    with untouched(world.database):
        assert "NotForThisTool" in world.refused(asked.plan_id, token)
        generate(
            world.session(), analysis_id=analysis.analysis_id, message="drop code", token=token
        )
        assert "another plan" in world.refused(world.reviewed(), token)
    assert world.runs == []
    assert world.last().startswith("refused: TokenRefused")
