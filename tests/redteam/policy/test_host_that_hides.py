"""A database elsewhere whose URL looks like one of this machine"""

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import make_url

from rulezero_policies.errors import NoChannel
from rulezero_server.worker import identity
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(
        stopped_by="where the driver really went is asked of the driver; a local name with"
        " another address is elsewhere",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]

ELSEWHERE = "10.0.0.5"

HIDING: list[tuple[str, Any]] = [
    ("mysql+pymysql://localhost/x?host=10.0.0.5", SimpleNamespace(host=ELSEWHERE, port=3306)),
    ("mysql+mysqldb://localhost/x?host=10.0.0.5", SimpleNamespace()),
    ("mysql+pymysql://localhost/x", SimpleNamespace(host=ELSEWHERE, port=3306)),
    (
        "postgresql+psycopg://localhost/x?hostaddr=10.0.0.5",
        SimpleNamespace(info=SimpleNamespace(host="localhost", port=5432, hostaddr=ELSEWHERE)),
    ),
    (
        "postgresql+psycopg2://localhost/x?hostaddr=10.0.0.5",
        SimpleNamespace(
            info=SimpleNamespace(
                host="localhost", port=5432, dsn_parameters={"hostaddr": ELSEWHERE}
            )
        ),
    ),
    ("postgresql+asyncpg://localhost/x", SimpleNamespace(_addr=(ELSEWHERE, 5432))),
    ("postgresql+pg8000://localhost/x?host=10.0.0.5", SimpleNamespace()),
]


def _connection(url: str, driver: Any) -> Any:
    read = make_url(url)
    return SimpleNamespace(
        engine=SimpleNamespace(url=read),
        connection=SimpleNamespace(driver_connection=driver),
        dialect=SimpleNamespace(name=read.get_backend_name()),
    )


@pytest.mark.parametrize(("url", "driver"), HIDING, ids=[url for url, _ in HIDING])
def test_a_local_name_protects_no_database_elsewhere(
    world: Any, untouched: Any, url: str, driver: Any
) -> None:
    host, _ = identity.address(_connection(url, driver))
    assert host == ELSEWHERE
    world.project.host = host
    plan_id = world.pending()
    with untouched(world.database), pytest.raises(NoChannel, match="protected"):
        asking.open_question(world.session(), plan_id, form=True)


def test_a_local_database_stays_local(world: Any, untouched: Any) -> None:
    plain = "postgresql+psycopg://localhost/x"
    for host, address in (("localhost", "127.0.0.1"), ("localhost", "::1"), ("/run/pg", "")):
        driver = SimpleNamespace(info=SimpleNamespace(host=host, port=5432, hostaddr=address))
        world.project.host, _ = identity.address(_connection(plain, driver))
        with untouched(world.database):
            assert world.plan(world.pending()).protected is False
