"""A revision that connects to the target by an engine of its own while it is rehearsed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="in a rehearsal the target's address leads to the shadow, and every other one "
        "is refused and told",
        level="client",
    ),
    pytest.mark.proves("D01", "D02", "D11"),
]

ENGINE = """
engine = sa.create_engine(os.environ["DATABASE_URL"])
with engine.begin() as own:
    own.execute(sa.text("CREATE TABLE mine (a INTEGER)"))
engine.dispose()
"""

ELSEWHERE = {
    "postgresql": """
        import psycopg
        url = os.environ["DATABASE_URL"].replace("+psycopg", "")
        head, _, tail = url.rpartition("/t_")
        attempt(psycopg.connect, head + "/postgres?" + url.partition("?")[2])
    """,
    "mariadb": """
        import pymysql
        where = os.environ["DATABASE_URL"].partition("unix_socket=")[2]
        attempt(pymysql.connect, unix_socket=where, user="root", database="mysql")
    """,
}

SOCKET = """
import socket
attempt(socket.create_connection, ("127.0.0.1", 5432), 1)
"""


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_the_targets_url_leads_to_the_shadow(scene: Any, untouched: Any, dialect: str) -> None:
    target = scene(dialect)
    with untouched(target):
        saw = target.rehearsed(ENGINE)
    assert "mine" in {thing.name for thing in saw.there}


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb"])
def test_another_database_of_its_server_is_refused(
    scene: Any, untouched: Any, dialect: str
) -> None:
    target = scene(dialect)
    with untouched(target):
        saw = target.rehearsed(ELSEWHERE[dialect])
    (refused, *_) = saw.refused
    assert refused.startswith("connection ")
    assert "a1.py" in refused


def test_a_socket_of_its_own_is_refused(scene: Any, untouched: Any) -> None:
    target = scene("sqlite")
    with untouched(target):
        saw = target.rehearsed(SOCKET)
    (refused,) = saw.refused
    assert refused.startswith("connection 127.0.0.1:5432 (migrations/versions/a1.py, line ")
