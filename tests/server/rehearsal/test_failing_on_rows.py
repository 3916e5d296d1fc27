"""Rows that stand against an upgrade: a rehearsal says which, in the finding that feared them."""

from collections.abc import Callable
from typing import Any

import pytest

from rulezero_policies.findings import Finding
from rulezero_tools.results import ReviewResult

pytestmark = pytest.mark.proves("D02")

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80), team INTEGER)"
TEAMS = "CREATE TABLE teams (id INTEGER PRIMARY KEY)"
ROWS = (
    "INSERT INTO teams VALUES (1)",
    "INSERT INTO users VALUES (1, 'a@example.org', 1)",
    "INSERT INTO users VALUES (2, 'a@example.org', 7)",
    "INSERT INTO users VALUES (3, NULL, 1)",
)
ALTER = "op.alter_column('users', 'email', existing_type=sa.String(80), {})"
BATCH = """\
with op.batch_alter_table('users') as batch_op:
    batch_op.alter_column('email', existing_type=sa.String(80), {})
"""
DUPLICATES = "op.create_index('uq_email', 'users', ['email'], unique=True)"
ORPHANS = "op.create_foreign_key('fk_team', 'users', 'teams', ['team'], ['id'])"
CASES = (
    ("sqlite", BATCH.format("nullable=False"), "set-not-null", "users.email", "keys 3"),
    ("postgresql", ALTER.format("nullable=False"), "set-not-null", "users.email", "keys 3"),
    ("mysql", ALTER.format("nullable=False"), "set-not-null", "users.email", "keys 3"),
    ("sqlite", DUPLICATES, "add-unique", "users.email", "keys 1, 2"),
    ("postgresql", DUPLICATES, "add-unique", "users.email", "keys 1, 2"),
    ("mysql", DUPLICATES, "add-unique", "users.email", "keys 1, 2"),
    ("postgresql", ORPHANS, "add-foreign-key", "users.team", "keys 2"),
    ("mysql", ORPHANS, "add-foreign-key", "users.team", "keys 2"),
    ("postgresql", ALTER.format("type_=sa.String(5)"), "narrow", "users.email", "keys 1, 2"),
    ("mysql", ALTER.format("type_=sa.String(5)"), "narrow", "users.email", "keys 1, 2"),
    (
        "postgresql",
        ALTER.format("type_=sa.Integer(), postgresql_using='email::integer'"),
        "cast",
        "users.email",
        "keys 1, 2",
    ),
    ("mysql", ALTER.format("type_=sa.Integer()"), "cast", "users.email", "keys 1, 2"),
)


@pytest.mark.parametrize(("kind", "upgrade", "rule", "subject", "keys"), CASES)
def test_rows_in_the_way_are_named_by_their_keys(
    on: Callable[[str], Any],
    found: Callable[..., Finding],
    kind: str,
    upgrade: str,
    rule: str,
    subject: str,
    keys: str,
) -> None:
    trying = on(kind)
    trying.database(TEAMS, USERS, *ROWS)
    trying.revision("next", upgrade, "pass")
    result: ReviewResult = trying.review()
    finding = found(result.findings, rule)
    assert (finding.severity, finding.outcome) == ("CRITICAL", "will_fail")
    assert finding.subject == subject
    assert "rehearsed: " in finding.evidence
    assert f"rows in the way have the {keys}" in finding.evidence
    assert "next.py, line" in finding.evidence
    assert "example.org" not in str(result)
    assert result.rehearsal.upgrade == "failed"
    assert result.rehearsal.downgrade == "skipped"
    assert result.rehearsal.error is not None
    assert result.verdict == "UNSAFE"
    assert "upgrade-fails" not in {f.rule for f in result.findings}
