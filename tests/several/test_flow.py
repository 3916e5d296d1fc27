"""A project of several databases: each is planned, approved, applied and rolled back by itself."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

FIRST = "1a1a1a1a1a1a"


@pytest.fixture(params=["alembic on two files", "flask on a file and a server"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, eyes: Any) -> tuple[Path, Any, Any, str]:
    """The project, eyes on its databases `orders` and `stock`, and the name of the first one."""
    orders = f"sqlite:///{(tmp_path / 'orders.sqlite').as_posix()}"
    stock = f"sqlite:///{(tmp_path / 'stock.sqlite').as_posix()}"
    if request.param.startswith("alembic"):
        folder = request.getfixturevalue("alembic_several")(orders, stock)
        return folder, eyes(orders), eyes(stock), "orders"
    orders = request.getfixturevalue("postgres_url")
    folder = request.getfixturevalue("flask_several")(orders, stock)
    return folder, eyes(orders), eyes(stock), "default"


async def test_each_database_goes_the_whole_way_and_back_while_the_other_stays(
    shop: Any, near: Any
) -> None:
    folder, orders, stock, first = shop
    async with near(folder) as host:
        status = await host.call("status")
        assert [d["name"] for d in status["databases"]] == [first, "stock"]
        assert [d["lacks"] for d in status["databases"]] == [[FIRST], [FIRST]]
        said = await host.refused("review")
        assert "ChooseDatabase" in said
        assert f"{first}, stock" in said
        review = await host.call("review", database="stock")
        assert review["rehearsal"]["reupgrade"] == "ok", review["rehearsal"]
        assert [c["subject"] for c in review["changes"]] == ["items"]
        assert "orders" not in review["sql"]
        assert "**Database:** stock" in review["approval_request"]
        done = await host.applied(review["plan_id"])
        assert done["verified"], done
        assert stock.revision() == FIRST
        assert "alembic_version" not in orders.tables()
        review = await host.call("review", database=first)
        assert review["rehearsal"]["reupgrade"] == "ok", review["rehearsal"]
        assert (await host.applied(review["plan_id"]))["verified"]
        assert orders.revision() == FIRST
        assert {*orders.tables()} == {"alembic_version", "orders"}
        plan = await host.call("rollback", database="stock")
        assert (await host.applied(plan["plan_id"]))["verified"]
        assert (stock.tables(), stock.rows("SELECT * FROM alembic_version")) == (
            ["alembic_version"],
            [],
        )
        assert orders.revision() == FIRST
