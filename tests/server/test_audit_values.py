"""What real drivers say of a row that stands in the way: of that the trail keeps the kind alone."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from rulezero_server.worker import errors
from rulezero_tools.endings import kind

MARK = "bobatexample"

IN_THE_WAY = {
    "a duplicate that stands there": "CREATE UNIQUE INDEX uq ON people (email)",
    "a duplicate that is added": f"INSERT INTO keyed (email, age) VALUES ('{MARK}', 1)",
    "a row that lacks a value": f"INSERT INTO keyed (email, age) VALUES ('{MARK}2', NULL)",
    "a value that fails a check": f"INSERT INTO checked (email) VALUES ('{MARK}')",
}


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'people.db'}"
    return request.getfixturevalue(
        "postgres_url" if request.param == "postgresql" else "mariadb_url"
    )


@pytest.mark.proves("D10")
@pytest.mark.parametrize("statement", IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_of_what_a_driver_says_no_value_of_a_row_is_kept(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (email VARCHAR(50))"))
        connection.execute(text("CREATE TABLE keyed (email VARCHAR(50) UNIQUE, age INT NOT NULL)"))
        refuses = f"CHECK (email <> '{MARK}')"
        connection.execute(text(f"CREATE TABLE checked (email VARCHAR(50) {refuses})"))
        connection.execute(text(f"INSERT INTO people VALUES ('{MARK}'), ('{MARK}')"))
        connection.execute(text(f"INSERT INTO keyed (email, age) VALUES ('{MARK}', 1)"))
    with pytest.raises(DBAPIError) as failed, engine.begin() as connection:
        connection.execute(text(statement))
    said = errors.text(failed.value)
    kept = kind(said)
    assert said.startswith(kept)
    assert kept.isidentifier()
    assert MARK not in kept
