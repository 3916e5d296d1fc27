"""What a statement wrote anew and built, as SQLite's own schema table shows it."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_server.worker import watching

Done = tuple[list[str], list[str]]


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as made:
        made.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE)")
        made.exec_driver_sql('CREATE TABLE "Other" (id INTEGER PRIMARY KEY)')
        made.exec_driver_sql("CREATE INDEX ix_email ON users (email)")
        yield made
    engine.dispose()


def did(connection: sa.Connection, *statements: str) -> list[Done]:
    """What each is seen to rewrite and to build."""
    observer = watching.observer(connection)
    found: list[Done] = []
    for statement in statements:
        state = observer.before(connection, statement)
        connection.exec_driver_sql(statement)
        seen: dict[str, Any] = observer.after(state)
        found.append((seen.get("rewrites", []), seen.get("builds", [])))
    return found


BATCH = (
    "CREATE TABLE _alembic_tmp_users (id INTEGER PRIMARY KEY, email VARCHAR(20))",
    "INSERT INTO _alembic_tmp_users SELECT id, email FROM users",
    "DROP TABLE users",
    "ALTER TABLE _alembic_tmp_users RENAME TO users",
    "CREATE INDEX ix_email ON users (email)",
)


@pytest.mark.parametrize("vacuum", [0, 1])
def test_batch_mode_writes_its_table_anew_with_its_last_statement(
    connection: sa.Connection, vacuum: int
) -> None:
    connection.exec_driver_sql(f"PRAGMA auto_vacuum = {vacuum}")
    connection.exec_driver_sql("VACUUM")
    assert did(connection, *BATCH) == [
        ([], []),
        ([], []),
        ([], []),
        (["users"], []),
        ([], ["ix_email"]),
    ]


def test_an_index_that_is_made_again_is_built_again_wherever_it_lies(
    connection: sa.Connection,
) -> None:
    found = did(connection, "DROP INDEX ix_email", "CREATE INDEX ix_email ON users (email)")
    assert found == [([], []), ([], ["ix_email"])]


def test_what_only_changes_a_name_or_adds_a_column_builds_nothing(
    connection: sa.Connection,
) -> None:
    found = did(
        connection,
        "ALTER TABLE users ADD COLUMN note TEXT",
        "ALTER TABLE users RENAME TO people",
        "CREATE INDEX ix_note ON people (note)",
    )
    assert found == [([], []), ([], []), ([], ["ix_note"])]


def test_names_are_found_in_quotes_and_in_any_case(connection: sa.Connection) -> None:
    found = did(
        connection,
        'CREATE INDEX "IX [1]" ON [other] (id)',
        "CREATE UNIQUE INDEX IF NOT EXISTS `ix 2` ON OTHER (id)",
    )
    assert found == [([], ["IX [1]"]), ([], ["ix 2"])]


def test_a_statement_of_very_many_names_is_looked_at_too(connection: sa.Connection) -> None:
    columns = ", ".join(f"c{n} TEXT" for n in range(300))
    made = f"CREATE TABLE wide ({columns})"
    assert did(connection, made, "CREATE INDEX ix_wide ON wide (c1)")[1] == ([], ["ix_wide"])


def test_what_others_changed_meanwhile_is_not_ascribed_to_a_statement(
    connection: sa.Connection,
) -> None:
    observer = watching.observer(connection)
    observer.after(observer.before(connection, "SELECT 1"))
    connection.exec_driver_sql("CREATE INDEX ix_unseen ON users (email)")
    state = observer.before(connection, "ALTER TABLE users ADD COLUMN note TEXT")
    connection.exec_driver_sql("ALTER TABLE users ADD COLUMN note TEXT")
    assert observer.after(state) == {"locks": None, "rewrites": [], "builds": []}
