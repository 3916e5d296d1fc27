"""Statements that the database refuses whatever the rows are: shown at their line."""

from collections.abc import Callable
from typing import Any

import pytest

from rulezero_policies.findings import Finding

pytestmark = pytest.mark.proves("D02")

On = Callable[[str], Any]
Found = Callable[..., Finding]

JOBS = "CREATE TABLE jobs (id INTEGER PRIMARY KEY, state VARCHAR(20))"


def test_a_new_enum_label_cannot_be_used_in_its_own_transaction(on: On, found: Found) -> None:
    trying = on("postgresql")
    trying.database(
        "CREATE TYPE state AS ENUM ('open')",
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, state state)",
        "INSERT INTO jobs VALUES (1, 'open')",
    )
    trying.revision(
        "next",
        "op.execute(\"ALTER TYPE state ADD VALUE 'done'\")\n"
        "op.execute(\"UPDATE jobs SET state = 'done'\")",
        "pass",
    )
    result = trying.review()
    finding = found(result.findings, "enum-add-use")
    assert "rehearsed: UnsafeNewEnumValueUsage: unsafe use of new value" in finding.evidence
    assert "nothing of it stays" in finding.evidence
    assert (finding.severity, finding.outcome) == ("CRITICAL", "will_fail")


def test_an_index_cannot_be_built_concurrently_in_a_transaction(on: On, found: Found) -> None:
    trying = on("postgresql")
    trying.database(JOBS)
    trying.revision(
        "next",
        "op.create_index('ix', 'jobs', ['state'], postgresql_concurrently=True)",
        "op.drop_index('ix', 'jobs')",
    )
    finding = found(trying.review().findings, "concurrently-in-transaction")
    assert "cannot run inside a transaction block" in finding.evidence
    assert "next.py, line 9" in finding.evidence


def test_what_mariadb_committed_before_the_failure_is_left_behind(on: On, found: Found) -> None:
    trying = on("mysql")
    trying.database(JOBS)
    trying.revision(
        "next",
        "op.add_column('jobs', sa.Column('note', sa.String(20)))\n"
        "op.execute('UPDATE nowhere SET a = 1')",
        "op.drop_column('jobs', 'note')",
    )
    result = trying.review()
    finding = found(result.findings, "upgrade-fails")
    assert "left behind: column jobs.note was not there before" in finding.evidence
    assert "undo by hand what is left behind" in finding.fix
    assert finding.line == 10
    assert result.rehearsal.differences == ("column jobs.note was not there before",)


def test_what_an_autocommit_block_committed_is_left_behind(on: On, found: Found) -> None:
    trying = on("postgresql")
    trying.database(JOBS)
    trying.revision(
        "next",
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('ix', 'jobs', ['state'], postgresql_concurrently=True)\n"
        "op.execute('UPDATE nowhere SET a = 1')",
        "op.drop_index('ix', 'jobs')",
    )
    finding = found(trying.review().findings, "upgrade-fails")
    assert "left behind: index ix on jobs was not there before" in finding.evidence


def test_a_downgrade_that_refuses_is_told_as_one(on: On, found: Found) -> None:
    trying = on("sqlite")
    trying.database(JOBS)
    trying.revision(
        "next",
        "op.add_column('jobs', sa.Column('note', sa.String(20)))",
        'raise NotImplementedError("there is no way back")',
    )
    result = trying.review()
    finding = found(result.findings, "downgrade-raises")
    assert "rehearsed: NotImplementedError: there is no way back" in finding.evidence
    assert finding.severity == "WARNING"
    assert (result.rehearsal.upgrade, result.rehearsal.downgrade) == ("ok", "failed")
    assert result.rehearsal.schema_restored is None


def test_a_downgrade_that_rows_stand_against_is_told_with_them(on: On, found: Found) -> None:
    trying = on("postgresql")
    trying.database(
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, state VARCHAR(20) NOT NULL)",
        "INSERT INTO jobs VALUES (1, 'open'), (2, 'none')",
    )
    trying.revision(
        "next",
        "op.alter_column('jobs', 'state', nullable=True)\n"
        "op.execute(\"UPDATE jobs SET state = NULL WHERE state = 'none'\")",
        "op.alter_column('jobs', 'state', nullable=False)",
    )
    finding = found(trying.review().findings, "downgrade-fails")
    assert "contains null values" in finding.evidence
    assert "keys 2" in finding.evidence
    assert (finding.severity, finding.outcome) == ("CRITICAL", "will_fail")


def test_an_enum_that_is_left_over_stops_the_second_upgrade(on: On, found: Found) -> None:
    trying = on("postgresql")
    trying.database(JOBS)
    trying.revision(
        "next",
        "op.create_table('tickets', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "    sa.Column('state', sa.Enum('open', 'done', name='ticket_state')))",
        "op.drop_table('tickets')",
    )
    result = trying.review()
    assert (
        "enum ticket_state was not there before"
        in found(result.findings, "downgrade-differs").evidence
    )
    again = found(result.findings, "not-repeatable")
    assert 'type "ticket_state" already exists' in again.evidence
    assert result.rehearsal.reupgrade == "failed"
