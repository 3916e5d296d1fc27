"""What the rules say of raw SQL: known to be harmless, known to be a hazard, or unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies import sql
from rulezero_policies.findings import Fact, Finding, Question
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.rules import review
from rulezero_policies.scene import Scene, questions


def run(text: str) -> Operation:
    return Operation(kind="execute", sql=text, line=7)


def found(*operations: Operation) -> tuple[Finding, ...]:
    return review(Scene(dialect="postgresql", stage="models", upgrade=operations))


@pytest.mark.parametrize(
    "text",
    [
        "SET LOCAL lock_timeout = '2s'",
        "SET lock_timeout TO 2000",
        "set session innodb_lock_wait_timeout=5;",
        "RESET lock_timeout",
        "ANALYZE",
        "ANALYZE public.tasks",
        "COMMENT ON COLUMN tasks.a IS 'it''s; -- fine'",
        "CREATE INDEX CONCURRENTLY ix ON tasks (a) WHERE a > 0",
        "ALTER TABLE tasks VALIDATE CONSTRAINT fk",
        "SELECT 1",
        "SELECT id, count(*) FROM tasks GROUP BY id",
        "SELECT setval('tasks_id_seq', (SELECT max(id) FROM tasks))",
        "  -- nothing but a comment\n /* and another */ ;",
        "UPDATE tasks SET a = 'x' WHERE a IS NULL",
        'UPDATE "tasks" SET "a" = (SELECT 1 WHERE true) WHERE ("a" IS NULL)',
        "INSERT INTO kinds (name) VALUES ('a'), ('b')",
    ],
)
def test_harmless_sql_is_left_in_peace(text: str) -> None:
    assert found(run(text)) == ()


@pytest.mark.proves("A22")
@pytest.mark.parametrize(
    "text",
    [
        "SELECT rebuild()",
        "SELECT id INTO copies FROM tasks",
        "WITH gone AS (DELETE FROM tasks RETURNING id) SELECT id FROM gone",
        "DELETE FROM tasks WHERE wipe(id)",
        "SELECT (",
        "'",
        "SET session_replication_role = replica",
        "SET lock_timeout = (SELECT evil())",
        "DO $$ BEGIN DELETE FROM tasks; END $$",
        "CALL archive()",
        "EXECUTE stored",
        "SET search_path = other",
        "SET lock_timeout",
        "RESET role",
        "PRAGMA writable_schema = ON",
        "ALTER TABLE tasks ADD COLUMN x int SPARKLING",
        "ALTER TABLE tasks ADD CONSTRAINT c SPARKLE (a)",
        "ALTER TABLE tasks ADD CHECK (a > 0) SPARKLING",
        "ALTER TABLE tasks SPARKLE",
        "ALTER TABLE tasks ALTER COLUMN a SPARKLE",
        "ALTER TABLE tasks ALTER CONSTRAINT fk DEFERRABLE",
        "ALTER TABLE tasks DROP PARTITION p",
        "ALTER TABLE tasks RENAME a TO b c",
        "ALTER TYPE mood ADD ATTRIBUTE a int",
        "ALTER DATABASE shop SET a = 1",
        "ALTER SPARKLE a",
        "CREATE TABLE tasks",
        "CREATE INDEX ON tasks",
        "DROP INDEX 'a'",
        "SHOW tables",
        "/*!40101 DROP TABLE tasks */",
        "INSERT INTO kinds VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x'",
        "MERGE INTO tasks USING other ON true WHEN MATCHED THEN DELETE",
        "DROP TABLE",
    ],
)
def test_sql_that_is_not_understood_is_unknown_never_safe(text: str) -> None:
    rules = {f.rule: f for f in found(run(text))}
    assert rules["opaque"].outcome == "unknown"
    assert rules["opaque"].line == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("UPDATE tasks SET a = 1", "UPDATE with no WHERE overwrites every row"),
        ("update only s.tasks t set a = 1 where 1=1", "a WHERE that is always true"),
        ("UPDATE tasks SET a = (SELECT max(b) FROM c WHERE c.id = 1)", "no WHERE"),
        ("UPDATE tasks SET a = 'WHERE'", "no WHERE"),
        ("UPDATE tasks SET a = 1 -- WHERE id = 1", "no WHERE"),
        ("UPDATE tasks SET a = 1 WHERE TRUE RETURNING id", "always true"),
        ("UPDATE tasks SET a = 1 WHERE (a = a)", "always true"),
        ("DELETE FROM tasks", "DELETE with no WHERE deletes every row"),
        ("SELECT 1; DELETE FROM tasks;", "deletes every row"),
        ("DELETE FROM tasks WHERE 'x' = 'x'", "always true"),
        ("WITH old AS (SELECT 1) DELETE FROM tasks", "no WHERE"),
    ],
)
def test_an_update_or_delete_of_every_row_is_critical(text: str, words: str) -> None:
    (finding,) = found(run(text))
    assert (finding.rule, finding.severity, finding.outcome) == (
        "dml-without-where",
        "CRITICAL",
        "loses_data",
    )
    assert finding.subject == "tasks"
    assert words in finding.evidence


def test_filling_a_new_column_or_a_new_table_loses_nothing() -> None:
    column = Operation(kind="add_column", table="tasks", column=Column(name="a", type="TEXT"))
    assert found(column, run("UPDATE tasks SET a = 'x'")) == ()
    assert found(column, run("UPDATE tasks SET a = 'x', b = 'y'")) != ()
    assert found(column, run("UPDATE users SET a = 'x'")) != ()
    table = Operation(kind="create_table", table="kinds")
    assert found(table, run("DELETE FROM kinds"), run("UPDATE kinds SET b = 1")) == ()


def test_a_column_that_is_only_altered_is_not_a_new_one() -> None:
    change = Change(attribute="server_default", before=None, after="'x'")
    column = Column(name="a", type="TEXT")
    altered = Operation(kind="alter_column", table="tasks", column=column, changes=(change,))
    assert [f.rule for f in found(altered, run("UPDATE tasks SET a = 'x'"))] == [
        "dml-without-where"
    ]


@pytest.mark.parametrize("text", ["TRUNCATE sessions", "truncate table a, b CASCADE"])
def test_a_truncate_is_critical(text: str) -> None:
    (finding,) = found(run(text))
    assert (finding.rule, finding.severity) == ("truncate", "CRITICAL")


@pytest.mark.parametrize(
    "text",
    [
        "DROP SCHEMA app",
        "DROP DATABASE shop",
        "DROP OWNED BY app",
        "DROP VIEW v CASCADE",
        "DROP TYPE mood CASCADE",
        "ALTER TABLE tasks DROP CONSTRAINT pk CASCADE",
    ],
)
def test_a_drop_of_more_than_it_names_is_critical(text: str) -> None:
    findings = {f.rule: f.severity for f in found(run(text))}
    assert findings.pop("drop-cascade") == "CRITICAL"
    assert set(findings) <= {"drop-object", "drop-constraint"}


@pytest.mark.proves("A04")
@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("DROP TABLE tasks", ["tasks"]),
        ('drop table if exists app."tasks", users restrict;', ["app.tasks", "users"]),
        ("ALTER TABLE tasks DROP COLUMN a", ["tasks.a"]),
        (
            'ALTER TABLE ONLY app.tasks DROP a, DROP COLUMN IF EXISTS "b"',
            ["app.tasks.a", "app.tasks.b"],
        ),
    ],
)
def test_a_raw_drop_is_found_and_counted_like_any_other(text: str, subjects: list[str]) -> None:
    findings = found(run(text))
    assert [f.subject for f in findings] == subjects
    assert {f.rule for f in findings} <= {"drop-table", "drop-column"}
    assert {f.line for f in findings} == {7}
    assert len(questions((run(text),))) == len(subjects)


def test_a_raw_drop_with_cascade_is_found_twice() -> None:
    findings = found(run("DROP TABLE tasks CASCADE"))
    assert {f.rule for f in findings} == {"drop-table", "drop-cascade"}
    assert questions((run("DROP TABLE tasks CASCADE"),)) == (Question(probe="rows", table="tasks"),)


def test_the_values_in_a_statement_are_not_shown() -> None:
    (finding,) = found(run("CALL tell('ann@example.com', $x$hidden$x$)"))
    assert finding.evidence == (
        "SQL that is not followed (what CALL does is not known here): CALL tell('', '')"
    )


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    found(run(text))


@given(st.lists(st.sampled_from(["a", "'x;y'", '"q;q"', "$t$ ; $t$", "b c"]), min_size=1))
def test_statements_are_only_split_where_one_ends(pieces: list[str]) -> None:
    statement = " ".join(pieces)
    assert sql.statements(f"{statement}; {statement} ;") == (statement, statement)


@pytest.mark.proves("A07")
@pytest.mark.parametrize("text", ["DELETE FROM tasks", "UPDATE tasks SET a = 1", "TRUNCATE tasks"])
def test_a_table_that_is_empty_has_nothing_to_lose(text: str) -> None:
    operation = run(text)
    asked = questions((operation,), "postgresql")
    for count, told in ((0, ("WARNING", "design")), (3, ("CRITICAL", "loses_data"))):
        facts = tuple(Fact(question="rows", count=count, asked=q) for q in asked)
        findings = review(Scene(dialect="postgresql", upgrade=(operation,), facts=facts))
        (finding,) = (f for f in findings if f.rule in {"truncate", "dml-without-where"})
        assert (finding.severity, finding.outcome) == told


def test_what_a_truncate_takes_along_is_not_known_to_be_empty() -> None:
    operation = run("TRUNCATE tasks CASCADE")
    asked = questions((operation,), "postgresql")
    rows = tuple(Fact(question="rows", count=0, asked=q) for q in asked if q.probe == "rows")
    others = [q for q in asked if q.probe == "emptied_too"]
    outcomes = {None: "loses_data", "jobs: 3 rows": "loses_data", "jobs: no rows": "design"}
    for name, outcome in outcomes.items():
        more = (Fact(question="", count=1, asked=q, names=(name,)) for q in others if name)
        scene = Scene(dialect="postgresql", upgrade=(operation,), facts=(*rows, *more))
        assert [f.outcome for f in review(scene) if f.rule == "truncate"] == [outcome]
