"""What the way back does not restore, and what is lost on the way, on real databases."""

from collections.abc import Callable
from typing import Any

import pytest

from rulezero_policies.findings import Finding

pytestmark = pytest.mark.proves("D02")

On = Callable[[str], Any]
Found = Callable[..., Finding]

DATABASES = ("sqlite", "postgresql", "mysql")

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80), name VARCHAR(50))"
ROW = "INSERT INTO users VALUES (1, 'a@example.org', 'a')"
INDEX = "CREATE INDEX ix_name ON users (name)"


@pytest.mark.parametrize("kind", DATABASES)
def test_a_harmless_revision_is_restored_and_nothing_is_found(on: On, kind: str) -> None:
    trying = on(kind)
    trying.database(USERS, ROW, INDEX)
    trying.revision(
        "next",
        "op.add_column('users', sa.Column('nick', sa.String(20), nullable=True))",
        "op.drop_column('users', 'nick')",
    )
    result = trying.review()
    assert result.findings == ()
    shown = result.rehearsal
    assert (shown.upgrade, shown.downgrade, shown.reupgrade) == ("ok", "ok", "ok")
    assert (shown.schema_restored, shown.data_restored) == (True, True)
    assert (shown.differences, shown.lost, shown.not_shown) == ((), (), ())
    assert shown.timeline
    assert "upgrade ok, downgrade ok, upgrade again ok" in result.approval_request


@pytest.mark.parametrize("kind", DATABASES)
def test_a_lost_index_and_a_left_over_column_are_named(on: On, found: Found, kind: str) -> None:
    trying = on(kind)
    trying.database(USERS, ROW, INDEX)
    table = {"table_name": "users"}
    trying.revision(
        "next",
        "op.add_column('users', sa.Column('nick', sa.String(20), nullable=True))\n"
        f"op.drop_index('ix_name', table_name={table['table_name']!r})",
        "pass",
    )
    result = trying.review()
    finding = found(result.findings, "downgrade-pass")
    assert "index ix_name on users is missing" in finding.evidence
    assert "column users.nick was not there before" in finding.evidence
    assert result.rehearsal.schema_restored is False


@pytest.mark.parametrize("kind", DATABASES)
def test_columns_in_another_order_are_a_finding_where_they_need_not_be(
    on: On, found: Found, kind: str
) -> None:
    trying = on(kind)
    trying.database(USERS, ROW)
    trying.revision(
        "next",
        "op.drop_column('users', 'email')",
        "op.add_column('users', sa.Column('email', sa.String(80), nullable=True))",
    )
    result = trying.review()
    assert "column users.email is 3rd, was 2nd" in result.rehearsal.differences
    told = {f.rule for f in result.findings}
    assert ("downgrade-differs" in told) is (kind == "mysql")
    assert result.rehearsal.data_restored is False
    assert any("users.email" in line for line in result.rehearsal.lost)
    assert "downgrade-loses-data" not in told
    if kind == "mysql":
        found(result.findings, "downgrade-differs")


def test_a_batch_block_that_cascades_tells_the_rows_it_took(on: On, found: Found) -> None:
    trying = on("sqlite")
    trying.setup = (
        '@sa.event.listens_for(engine, "connect")\n'
        "def _on(connection, record):\n"
        '    connection.execute("PRAGMA foreign_keys=ON")\n'
    )
    trying.database(
        USERS,
        ROW,
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, "
        "user_id INTEGER REFERENCES users (id) ON DELETE CASCADE)",
        "INSERT INTO tasks VALUES (4, 1), (5, 1)",
    )
    body = (
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('name', existing_type=sa.String(50), type_=sa.String({}))"
    )
    trying.revision("next", body.format(90), body.format(50))
    result = trying.review()
    finding = found(result.findings, "sqlite-batch-cascade")
    assert "2 rows are gone of 2 in tasks (keys 4, 5)" in finding.evidence
    assert (finding.severity, finding.outcome) == ("CRITICAL", "loses_data")
    assert result.rehearsal.data_restored is False
    assert "upgrade-loses-data" not in {f.rule for f in result.findings}


def test_a_batch_block_that_loses_triggers_and_checks_tells_which(on: On, found: Found) -> None:
    trying = on("sqlite")
    trying.database(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, age INTEGER CHECK (age > 0))",
        "CREATE TABLE log (id INTEGER PRIMARY KEY)",
        "CREATE TRIGGER noted AFTER INSERT ON users BEGIN INSERT INTO log VALUES (NULL); END",
    )
    body = (
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('age', existing_type=sa.Integer(), nullable={})"
    )
    trying.revision("next", body.format(False), body.format(True))
    result = trying.review()
    evidence = found(result.findings, "downgrade-differs").evidence
    assert "trigger noted on users is missing" in evidence
    assert "age > 0" in evidence or "CHECK" in evidence


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_lost_trigger_and_a_lost_check_are_named(on: On, found: Found, kind: str) -> None:
    trying = on(kind)
    trigger = {
        "postgresql": "CREATE TRIGGER noted BEFORE INSERT ON users FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "mysql": "CREATE TRIGGER noted BEFORE INSERT ON users FOR EACH ROW SET NEW.name = 'x'",
    }[kind].replace("BEFORE INSERT", "BEFORE UPDATE" if kind == "postgresql" else "BEFORE INSERT")
    trying.database(USERS, "ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '')", trigger)
    drop = "DROP TRIGGER noted ON users" if kind == "postgresql" else "DROP TRIGGER noted"
    trying.revision(
        "next",
        f"op.execute({drop!r})\nop.execute('ALTER TABLE users DROP CONSTRAINT named')\n"
        "op.add_column('users', sa.Column('nick', sa.String(20), nullable=True))",
        "op.drop_column('users', 'nick')",
    )
    told = " ".join(trying.review().rehearsal.differences)
    assert "trigger noted on users is missing" in told
    assert "constraint named on users is missing" in told


@pytest.mark.parametrize("kind", DATABASES)
def test_a_rollback_says_which_data_it_loses_as_it_was_counted(on: On, kind: str) -> None:
    trying = on(kind)
    trying.database(USERS, ROW)
    trying.revision(
        "next",
        "op.add_column('users', sa.Column('nick', sa.String(20), nullable=True))",
        "op.drop_column('users', 'nick')",
    )
    trying.stamp("next", "ALTER TABLE users ADD nick VARCHAR(20)", "UPDATE users SET nick = 'b'")
    result = trying.rollback()
    assert (result.rehearsal.downgrade, result.rehearsal.upgrade) == ("ok", "ok")
    assert result.rehearsal.lost == ("users.nick: its values in 1 row, for the column is dropped",)
    assert result.rehearsal.data_restored is False
    assert "downgrade ok, upgrade again ok" in result.approval_request


def test_data_that_only_the_way_back_deletes_is_a_broken_downgrade(on: On, found: Found) -> None:
    trying = on("sqlite")
    trying.database(USERS, ROW)
    trying.revision(
        "next",
        "op.add_column('users', sa.Column('nick', sa.String(20), nullable=True))",
        "op.execute('DELETE FROM users')\nop.drop_column('users', 'nick')",
    )
    finding = found(trying.review().findings, "downgrade-loses-data")
    assert "1 row is gone of 1 in users (keys 1)" in finding.evidence
    assert (finding.severity, finding.outcome) == ("CRITICAL", "loses_data")
