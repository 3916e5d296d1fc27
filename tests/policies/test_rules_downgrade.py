"""What the rules say of a revision's way back, read from real revision files."""

from collections.abc import Callable

import pytest

from rulezero_policies.findings import Finding
from rulezero_policies.operations import Operation
from rulezero_policies.rules import review
from rulezero_policies.rules.rule import revision
from rulezero_policies.scene import Scene

SceneOf = Callable[..., Scene]

ADD = "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))"
DROP = "op.drop_column('events', 'notes')"
INDEX = "op.create_index('ix_events_notes', 'events', ['notes'])"
UNINDEX = "op.drop_index('ix_events_notes', table_name='events')"
USERS = "op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))"
TASKS = (
    "op.create_table('tasks', sa.Column('id', sa.Integer(), primary_key=True), "
    "sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id', name='fk_user')))"
)
KEY = "op.create_foreign_key('fk_user', 'tasks', 'users', ['user_id'], ['id'])"
UNKEY = "op.drop_constraint('fk_user', 'tasks', type_='foreignkey')"
ABOUT = {
    "downgrade-missing",
    "downgrade-pass",
    "downgrade-raises",
    "downgrade-mismatch",
    "downgrade-order",
}


@pytest.fixture
def back(scene_of: SceneOf) -> Callable[..., list[Finding]]:
    """`back(upgrade, downgrade)`: what is found about the downgrade."""

    def judge(upgrade: str, downgrade: str, dialect: str = "postgresql") -> list[Finding]:
        scene = scene_of(revision(upgrade, downgrade), dialect)
        return [f for f in review(scene) if f.rule in ABOUT]

    return judge


Back = Callable[..., list[Finding]]


@pytest.mark.proves("A11")
@pytest.mark.parametrize("dialect", ["postgresql", "sqlite", "mysql"])
@pytest.mark.parametrize(
    ("upgrade", "downgrade"),
    [
        (ADD, DROP),
        (f"{ADD}\n{INDEX}", f"{UNINDEX}\n{DROP}"),
        (f"{ADD}\n{INDEX}", DROP),
        (f"{USERS}\n{TASKS}", "op.drop_table('tasks')\nop.drop_table('users')"),
        (
            f"{USERS}\n{TASKS}",
            f"{UNKEY}\nop.drop_table('users')\nop.drop_table('tasks')",
        ),
        (
            f"{USERS}\n{TASKS}",
            "op.drop_column('tasks', 'user_id')\nop.drop_table('users')\nop.drop_table('tasks')",
        ),
        (KEY, UNKEY),
        (KEY.replace("'fk_user'", "None", 1), UNKEY),
        (UNKEY, KEY),
        (UNKEY, KEY.replace("'fk_user'", "None", 1)),
        (
            f"{UNKEY}\n{KEY.replace('fk_user', 'fk_new')}",
            f"{UNKEY.replace('fk_user', 'fk_new')}\n{KEY}",
        ),
        (f"{UNKEY}\n{KEY.replace(chr(39) + 'fk_user' + chr(39), 'None', 1)}", f"{UNKEY}\n{KEY}"),
        (
            "op.rename_table('events', 'happenings')\n" + INDEX.replace("'events'", "'happenings'"),
            "op.rename_table('happenings', 'events')\n" + UNINDEX,
        ),
        (
            "op.alter_column('events', 'notes', new_column_name='remarks')",
            "op.alter_column('events', 'remarks', new_column_name='notes')",
        ),
        (
            "op.alter_column('events', 'n', existing_type=sa.Integer(), type_=sa.String(9))",
            "op.alter_column('events', 'n', existing_type=sa.String(9), type_=sa.Integer())",
        ),
        (
            "op.alter_column('events', 'n', server_default='1')",
            "op.alter_column('events', 'n', server_default=None)",
        ),
        (
            "op.drop_table('events')",
            (
                "op.create_table('events', sa.Column('id', sa.Integer()))\n"
                "op.create_index('ix_events_id', 'events', ['id'])"
            ),
        ),
        (f"{UNINDEX}\nop.drop_table('events')", "op.create_table('events')\n" + INDEX),
        (DROP, ADD),
        (f"{ADD}\nop.alter_column('events', 'notes', nullable=False)", DROP),
        ("op.create_index(None, 'events', ['n'])", "op.drop_index('ix_events_n', 'events')"),
        (ADD, "op.execute('ALTER TABLE events DROP COLUMN notes')"),
        (USERS, "op.execute('DROP TABLE users')"),
        (
            f"{UNKEY}\nop.create_unique_constraint('uq', 'tasks', ['user_id'])",
            f"op.drop_constraint('uq', 'tasks', type_='unique')\n{KEY}",
        ),
        ("op.execute('CREATE INDEX ix_a ON events (a)')", "op.drop_index('ix_a', 'events')"),
        (ADD + "\nop.execute(\"INSERT INTO kinds VALUES ('a')\")", DROP),
        ("pass", "pass"),
    ],
)
def test_a_downgrade_that_reverses_everything_is_left_in_peace(
    back: Back, upgrade: str, downgrade: str, dialect: str
) -> None:
    assert back(upgrade, downgrade, dialect) == []


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("upgrade", "downgrade", "subject", "words"),
    [
        (f"{ADD}\n{INDEX}", UNINDEX, "events.notes", "add column notes TEXT, nullable"),
        (
            "op.create_index('ix_a', 'events', ['a'])\n" + ADD,
            DROP,
            "events",
            "create index ix_a on (a)",
        ),
        (f"{USERS}\n{ADD}", DROP, "users", "create table with id"),
        (
            f"{DROP}\n{INDEX.replace('notes', 'a')}",
            UNINDEX.replace("notes", "a"),
            "events.notes",
            "drop column notes",
        ),
        (f"{KEY}\n{ADD}", DROP, "tasks", "add foreign key constraint fk_user"),
        (f"{UNKEY}\n{ADD}", DROP, "tasks", "drop foreign key constraint fk_user"),
        (
            f"{ADD}\nop.rename_table('events', 'happenings')",
            "op.drop_column('happenings', 'notes')",
            "events",
            "rename table to happenings",
        ),
        (
            f"{ADD}\nop.alter_column('events', 'n', new_column_name='m')",
            DROP,
            "events.n",
            "rename column to m",
        ),
        (
            f"{ADD}\nop.alter_column('events', 'n', existing_type=sa.Integer(), type_=sa.Text())",
            DROP,
            "events.n",
            "change type from INTEGER to TEXT",
        ),
        (
            "op.alter_column('events', 'n', existing_type=sa.Integer(), type_=sa.Text())",
            "op.alter_column('events', 'n', existing_type=sa.Text(), type_=sa.BigInteger())",
            "events.n",
            "change type from INTEGER to TEXT",
        ),
        (
            f"{UNKEY}\nop.create_foreign_key('fk_new', 'tasks', 'teams', ['team_id'], ['id'])",
            "op.drop_constraint('fk_new', 'tasks', type_='foreignkey')",
            "tasks",
            "drop foreign key constraint fk_user",
        ),
    ],
)
def test_a_step_that_is_not_reversed_is_named(
    back: Back, upgrade: str, downgrade: str, subject: str, words: str
) -> None:
    (finding,) = back(upgrade, downgrade)
    assert (finding.rule, finding.severity, finding.subject) == (
        "downgrade-mismatch",
        "WARNING",
        subject,
    )
    assert f"does not reverse this step: {words}" in finding.evidence


def test_of_two_dropped_constraints_the_one_that_stays_away_is_named(back: Back) -> None:
    upgrade = "\n".join(f"op.drop_constraint('uq_{n}', 'tasks', type_='unique')" for n in "ab")
    (finding,) = back(upgrade, "op.create_unique_constraint('uq_a', 'tasks', ['a'])")
    assert "drop unique constraint uq_b" in finding.evidence


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("op.drop_column('users', 'email')", "drop column email"),
        ("op.drop_table('users')", "drop table"),
        ("op.drop_index('ix_users', 'users')", "drop index ix_users"),
        ("op.drop_constraint('uq_users', 'users', type_='unique')", "drop unique constraint"),
    ],
)
def test_a_downgrade_that_drops_what_the_upgrade_never_made_is_named(
    back: Back, extra: str, words: str
) -> None:
    (finding,) = back(ADD, f"{DROP}\n{extra}")
    assert finding.rule == "downgrade-mismatch"
    assert f"no step of upgrade() calls for: {words}" in finding.evidence


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("upgrade", "downgrade", "words"),
    [
        (
            f"{ADD}\n{INDEX}",
            f"{DROP}\n{UNINDEX}",
            "index ix_events_notes is dropped after its column",
        ),
        (
            f"{USERS}\nop.create_index('ix_users_id', 'users', ['id'])",
            "op.drop_table('users')\nop.drop_index('ix_users_id', table_name='users')",
            "index ix_users_id is dropped after its table users",
        ),
        (
            "op.add_column('tasks', sa.Column('user_id', sa.Integer()))\n" + KEY,
            f"op.drop_column('tasks', 'user_id')\n{UNKEY}",
            "foreign key fk_user is dropped after its column tasks.user_id",
        ),
        (
            f"{ADD}\nop.create_unique_constraint('uq', 'events', ['notes'])",
            f"{DROP}\nop.drop_constraint('uq', 'events', type_='unique')",
            "constraint uq is dropped after its column events.notes",
        ),
        (
            f"{USERS}\n{TASKS}",
            "op.drop_table('users')\nop.drop_table('tasks')",
            "foreign key of tasks still refers to users",
        ),
        (
            "op.drop_table('tasks')\nop.drop_table('users')",
            f"{TASKS}\n{USERS}",
            "foreign key to users, which is only created by a later step",
        ),
    ],
)
def test_a_downgrade_in_an_impossible_order_is_found(
    back: Back, upgrade: str, downgrade: str, words: str
) -> None:
    findings = [f for f in back(upgrade, downgrade) if f.rule == "downgrade-order"]
    assert len(findings) == 1
    assert (findings[0].severity, findings[0].outcome) == ("CRITICAL", "will_fail")
    assert words in findings[0].evidence


def test_sqlite_drops_a_parent_first_as_long_as_nothing_refers_to_it(back: Back) -> None:
    (finding,) = back(
        f"{USERS}\n{TASKS}", "op.drop_table('users')\nop.drop_table('tasks')", "sqlite"
    )
    assert (finding.rule, finding.severity, finding.outcome) == (
        "downgrade-order",
        "WARNING",
        "may_fail",
    )


def test_an_unnamed_foreign_key_counts_as_dropped_by_any_name(back: Back) -> None:
    tasks = TASKS.replace(", name='fk_user'", "")
    down = f"{UNKEY}\nop.drop_table('users')\nop.drop_table('tasks')"
    assert back(f"{USERS}\n{tasks}", down) == []


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("downgrade", "rule", "words"),
    [
        ("pass", "downgrade-pass", "downgrade() does nothing; upgrade() takes 1 step"),
        ("print('nothing')", "downgrade-pass", "downgrade() does nothing"),
        ("raise NotImplementedError('no')", "downgrade-raises", "NotImplementedError: no"),
    ],
)
def test_a_downgrade_that_does_not_go_back_is_told(
    back: Back, downgrade: str, rule: str, words: str
) -> None:
    (finding,) = back(ADD, downgrade)
    assert (finding.rule, finding.severity) == (rule, "WARNING")
    assert words in finding.evidence


@pytest.mark.proves("A11")
def test_a_missing_function_is_told() -> None:
    findings = review(Scene(dialect="sqlite", has_upgrade=False, has_downgrade=False))
    assert [f.subject for f in findings] == ["upgrade()", "downgrade()"]


@pytest.mark.proves("A22")
def test_a_downgrade_that_could_not_be_followed_is_unknown_and_not_compared() -> None:
    add = Operation(kind="execute", sql="CREATE INDEX ix_a ON events (a)")
    dark = Operation(kind="opaque", table="events", detail="helper()", line=9)
    scene = Scene(dialect="sqlite", upgrade=(add,), downgrade=(dark,))
    assert [(f.rule, f.outcome, f.line) for f in review(scene)] == [("opaque", "unknown", 9)]


@pytest.mark.proves("A22")
def test_an_upgrade_that_stops_while_it_is_read_is_unknown(scene_of: SceneOf) -> None:
    source = revision(f"{ADD}\nraise ValueError('half-way')", DROP)
    findings = [f for f in review(scene_of(source)) if f.rule == "opaque"]
    assert [(f.severity, f.outcome) for f in findings] == [("CRITICAL", "unknown")]
    assert "ValueError: half-way" in findings[0].evidence
