"""A settings file edited after the yes"""

from typing import Any

import pytest

from rulezero_server import runs
from rulezero_server.parity import keeping

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


@pytest.mark.parametrize(("where", "name"), [(runs, "claim"), (keeping, "keep")])
def test_nor_what_is_added_while_the_executor_works(
    shop: Any, only_approved: Any, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    plan, step = shop.planned(), getattr(where, name)
    token = shop.yes(plan)
    before = shop.file.read_text(encoding="utf-8")

    def editing(*args: Any) -> Any:
        done = step(*args)
        shop.file.write_text(f"{before}FEATURE_PAY=on\n", encoding="utf-8")
        return done

    monkeypatch.setattr(where, name, editing)
    with only_approved(lambda: "FEATURE_NOTES=off" in shop.file.read_text(encoding="utf-8")):
        result = shop.apply(plan, token)
    assert "api/.env.production changed since" in result.message
    assert (result.status, result.ending) == ("failed", "nothing happened")
