"""A project of several databases: each is planned, approved, applied and rolled back by itself."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


def _url(path: Path) -> str:
    return f"sqlite:///{path.as_posix()}"


@pytest.fixture(params=["alembic", "flask-migrate"])
def several(request: pytest.FixtureRequest) -> tuple[Any, str, str]:
    """What makes the project, the name of its first database, and its command."""
    if request.param == "alembic":
        return request.getfixturevalue("alembic_several"), "orders", "alembic"
    return request.getfixturevalue("flask_several"), "default", "flask db"


async def test_each_database_goes_its_own_way_and_the_others_stay(
    several: Any, near: Any, eyes: Any, tmp_path: Path
) -> None:
    make, first, command = several
    urls = [_url(tmp_path / "orders.sqlite"), _url(tmp_path / "stock.sqlite")]
    folder = make(*urls)
    orders, stock = (eyes(url) for url in urls)
    async with near(folder) as host:
        status = await host.call("status")
        print(status)
        for name in (first, "stock"):
            review = await host.call("review", database=name)
            print(review)
            done = await host.applied(review["plan_id"])
            assert done["verified"], done
        assert orders.revision() == stock.revision() == "1a1a1a1a1a1a"
