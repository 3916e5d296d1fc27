"""A settings file edited after the yes"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the keyed hash of every file is part of the plan", level="client"
    ),
    pytest.mark.proves("B13", "C02", "D11"),
]


def test_what_the_assistant_adds_after_the_yes_is_not_written_along(
    shop: Any, untouched: Any
) -> None:
    plan = shop.planned()
    token = shop.yes(plan)
    with shop.file.open("a", encoding="utf-8") as file:
        file.write("FEATURE_PAY=on\n")
    with untouched(shop):
        assert "api/.env.production changed" in shop.refused(plan, token)
    assert "PlanStale" in shop.world.last()
