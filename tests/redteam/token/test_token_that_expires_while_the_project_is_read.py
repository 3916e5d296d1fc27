"""A token that runs out while a slow project is being read"""

from dataclasses import replace
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the time is looked at again at the moment of spending", level="client"
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]


def test_a_project_that_takes_its_time_gains_none(
    world: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    read = world.project.describe

    def slowly(**options: Any) -> Any:
        world.clock.forward(seconds=601)
        return replace(read(**options))

    monkeypatch.setattr(world.project, "describe", slowly)
    with untouched(world.database):
        assert "expired" in world.refused(plan_id, token)
    assert world.events().count("spent") == 0
