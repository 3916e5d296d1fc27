"""What the rules say of locks and rewrites: by the table's size, and never where it is safe."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Column, Constraint, Index, Operation
from rulezero_policies.rules import RULES, Rule, review
from rulezero_policies.rules.locking import LARGE
from rulezero_policies.rules.rule import revision
from rulezero_policies.scene import Scene, questions

SceneOf = Callable[..., Scene]

LOCKS = {
    "index-lock", "unique-lock", "check-lock", "fk-lock", "fk-drop", "rewrite", "int-bigint-pk",
    "statistics-lost", "exclude", "maintenance", "validate-same-transaction", "invalid-index",
    "lock-timeout", "many-exclusive", "backfill-in-transaction", "mysql-copy",
    "mysql-metadata-lock",
}  # fmt: skip


def run(text: str, *, autocommit: bool = False) -> Operation:
    return Operation(kind="execute", sql=text, line=3, autocommit=autocommit)


def sized(scene: Scene, rows: int | None, age: int = 0) -> Scene:
    """The scene on tables of `rows`, with a transaction that has been open for `age` seconds."""
    counts = {"size": rows, "oldest_transaction": age}
    facts = tuple(
        Fact(question=q.probe, asked=q, count=counts[q.probe])
        for q in questions((*scene.earlier, *scene.upgrade), scene.dialect)
        if q.probe in counts
    )
    return replace(scene, facts=facts)


def on_locks(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {f.rule: f for f in findings if f.rule in LOCKS}


def found(
    *operations: Operation,
    rows: int | None = 5_000_000,
    age: int = 0,
    dialect: str = "postgresql",
    version: tuple[int, ...] | None = (16,),
    earlier: tuple[Operation, ...] = (),
    own_transaction: bool = False,
) -> dict[str, Finding]:
    scene = Scene(
        dialect=dialect,
        version=version,
        upgrade=operations,
        earlier=earlier,
        own_transaction=own_transaction,
        stage="models",
    )
    return on_locks(review(sized(scene, rows, age)))


SAFE = [
    "ALTER TABLE t ADD COLUMN z int",
    "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 1",
    "ALTER TABLE t ADD COLUMN z timestamptz DEFAULT now()",
    "ALTER TABLE t ADD COLUMN z varchar(10) DEFAULT 'a'::varchar(10)",
    "ALTER TABLE t DROP COLUMN a",
    "ALTER TABLE t RENAME COLUMN a TO b",
    "ALTER TABLE t RENAME TO t2",
    "ALTER TABLE t ALTER a SET DEFAULT 5",
    "ALTER TABLE t ALTER a DROP NOT NULL",
    "CREATE TABLE c (a int); CREATE INDEX ix ON c (a); ALTER TABLE c ADD UNIQUE (a)",
    "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID",
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (id) NOT VALID",
    "ALTER TABLE t VALIDATE CONSTRAINT ck",
    "ALTER TABLE t ADD CONSTRAINT uq UNIQUE USING INDEX ix",
    "DROP INDEX ix",
    "ALTER INDEX ix RENAME TO ix2",
    "COMMENT ON COLUMN t.a IS 'x'",
    "ALTER TABLE t SET (fillfactor = 70)",
    "ALTER TABLE t ALTER a SET STATISTICS 500",
    "ALTER TYPE mood ADD VALUE 'c'",
    "ALTER SEQUENCE s AS bigint",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    "ANALYZE t",
]


@pytest.mark.proves("A06")
@pytest.mark.parametrize("text", SAFE)
def test_what_is_done_at_once_is_left_in_peace_on_a_large_table(text: str) -> None:
    assert found(run(text)) == {}


@pytest.mark.proves("A06")
def test_a_widened_varchar_is_free_on_postgresql(scene_of: SceneOf) -> None:
    source = revision(
        "op.alter_column('users', 'name', existing_type=sa.String(255), type_=sa.String(500))",
        "op.alter_column('users', 'name', existing_type=sa.String(500), type_=sa.String(255))",
    )
    assert review(sized(scene_of(source), 50_000_000)) == ()


def test_an_index_built_concurrently_in_an_autocommit_block_is_left_in_peace() -> None:
    assert found(run("CREATE INDEX CONCURRENTLY ix ON t (a)", autocommit=True)) == {}


LOCKING = {
    "CREATE INDEX ix ON t (a)": {"index-lock"},
    "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a)": {"unique-lock"},
    "ALTER TABLE t ADD COLUMN z int UNIQUE": {"unique-lock"},
    "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0)": {"check-lock"},
    "ALTER TABLE t ALTER a SET NOT NULL": {"check-lock"},
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (id)": {"fk-lock"},
    "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()": {"rewrite"},
    "ALTER TABLE t ADD COLUMN z bigserial": {"rewrite"},
    "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS IDENTITY": {"rewrite"},
    "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (a * 2) STORED": {"rewrite"},
    "ALTER TABLE t ALTER a SET EXPRESSION AS (b * 2)": {"rewrite"},
    "ALTER TABLE t ALTER a TYPE bigint": {"rewrite", "statistics-lost"},
    "ALTER TABLE t ALTER id TYPE bigint": {"int-bigint-pk", "statistics-lost"},
    "ALTER TABLE t ADD CONSTRAINT ex EXCLUDE (a WITH =)": {"exclude"},
    "CLUSTER t USING ix": {"maintenance"},
    "REINDEX TABLE t": {"maintenance"},
    "ALTER TABLE t SET UNLOGGED": {"maintenance"},
    "ALTER TABLE t DETACH PARTITION p": {"maintenance"},
}


@pytest.mark.proves("A07")
@pytest.mark.parametrize(("text", "rules"), LOCKING.items())
def test_a_long_lock_is_named_with_the_size_of_the_table(text: str, rules: set[str]) -> None:
    findings = found(run("SET lock_timeout = '2s'"), run(text))
    assert set(findings) == rules
    assert {f.outcome for f in findings.values()} <= {"blocks", "design"}


@pytest.mark.proves("A07")
@pytest.mark.parametrize("text", LOCKING)
def test_a_small_table_is_not_nagged_about(text: str) -> None:
    assert found(run(text), rows=9_999) == {}


@pytest.mark.proves("A22")
@pytest.mark.parametrize("text", LOCKING)
def test_a_table_of_unknown_size_may_be_large(text: str) -> None:
    findings = found(run(text), rows=None)
    assert LOCKING[text] <= set(findings)
    said = [f for r, f in findings.items() if r not in {"lock-timeout", "maintenance"}]
    assert all("the size of t is not known" in f.evidence for f in said)
    assert {f.severity for f in said} <= {"WARNING"}


def test_a_big_table_makes_a_rewrite_critical() -> None:
    text = "ALTER TABLE t ALTER a TYPE bigint"
    assert found(run(text), rows=1_000_000)["rewrite"].severity == "CRITICAL"
    assert found(run(text), rows=999_999)["rewrite"].severity == "WARNING"


def test_the_version_that_was_assumed_is_said() -> None:
    text = "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (a * 2) VIRTUAL"
    assert found(run(text), version=(18,)) == {}
    unknown = found(run(text), version=None)["rewrite"]
    assert "the version is not known, PostgreSQL 12 is assumed" in unknown.evidence
    assert "PostgreSQL 16" in found(run(text))["rewrite"].evidence


def test_set_not_null_behind_a_validated_check_reads_nothing() -> None:
    check = Constraint(kind="check", name="nn", expression="a IS NOT NULL", not_valid=True)
    added = Operation(kind="create_constraint", table="t", constraint=check)
    validated = run("ALTER TABLE t VALIDATE CONSTRAINT nn")
    text = run("SET lock_timeout = '2s'; ALTER TABLE t ALTER a SET NOT NULL")
    assert found(text, earlier=(added, validated), own_transaction=True) == {}
    assert "check-lock" in found(text, earlier=(added,), own_transaction=True)


# Waiting for locks

TYPE = "ALTER TABLE t ALTER a TYPE bigint"


def test_a_long_lock_without_a_timeout_is_named_once() -> None:
    findings = review(sized(Scene(dialect="postgresql", upgrade=(run(TYPE), run(TYPE))), 20_000))
    assert [f.rule for f in findings].count("lock-timeout") == 1


@pytest.mark.parametrize(
    ("before", "bounded"),
    [
        ("SET lock_timeout = '2s'", True),
        ("SET LOCAL lock_timeout = '2s'", True),
        ("SET statement_timeout TO 5000", True),
        ("SET lock_timeout = 0", False),
        ("SET lock_timeout = '2s'; RESET lock_timeout", False),
        ("SET LOCAL lock_timeout = '2s'; COMMIT", False),
        ("SET lock_timeout = '2s'; COMMIT", True),
    ],
)
def test_a_timeout_counts_for_as_long_as_it_is_set(before: str, *, bounded: bool) -> None:
    assert ("lock-timeout" not in found(run(before), run(TYPE))) is bounded


@pytest.mark.proves("A07")
def test_an_open_transaction_makes_even_a_short_lock_critical() -> None:
    text = "ALTER TABLE t ADD COLUMN z int"
    finding = found(run(text), age=600)["lock-timeout"]
    assert finding.severity == "CRITICAL"
    assert "open for 600 seconds" in finding.evidence
    assert found(run(text), age=59) == {}
    assert found(run(text), age=600, rows=10) == {}
    assert found(run("SET lock_timeout = '1s'"), run(text), age=600) == {}


# Transactions


def test_locks_that_pile_up_are_named() -> None:
    columns = [run(f"ALTER TABLE {t} ADD COLUMN z int") for t in ("a", "b", "c")]
    assert "a, b, c" in found(*columns)["many-exclusive"].evidence
    assert found(*columns[:2]) == {}
    assert found(columns[0], run("COMMIT"), columns[1], run("COMMIT"), columns[2]) == {}
    apart = [replace(c, autocommit=True) for c in columns]
    assert found(*apart) == {}


def test_a_lock_of_an_earlier_revision_is_held_unless_each_commits_by_itself() -> None:
    earlier, index = run("ALTER TABLE t ADD COLUMN z int"), run("CREATE INDEX ix ON u (a)")
    assert "many-exclusive" in found(index, earlier=(earlier,))
    assert "many-exclusive" not in found(index, earlier=(earlier,), own_transaction=True)


def test_what_an_earlier_revision_locked_is_told_there() -> None:
    assert found(run("SELECT 1"), earlier=(run(TYPE), run("CREATE INDEX ix ON t (a)"))) == {}


def test_validating_under_the_lock_of_adding_wins_nothing() -> None:
    add = run("ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID")
    validate = run("ALTER TABLE t VALIDATE CONSTRAINT ck")
    assert "validate-same-transaction" in found(add, validate)
    assert found(add, replace(validate, autocommit=True)) == {}
    assert found(validate, earlier=(add,), own_transaction=True) == {}
    assert "validate-same-transaction" not in found(add, validate, rows=5)
    elsewhere = run("ALTER TABLE u ADD CONSTRAINT ck CHECK (a > 0) NOT VALID")
    assert "validate-same-transaction" not in found(elsewhere, validate)


def test_a_bulk_change_beside_ddl_is_named() -> None:
    column = run("ALTER TABLE t ADD COLUMN z int")
    fill = run("UPDATE t SET z = 1")
    assert "backfill-in-transaction" in found(column, fill)
    assert "backfill-in-transaction" in found(column, fill, dialect="mysql")
    assert found(column, run("COMMIT"), fill) == {}
    assert found(fill, dialect="mysql") == {}
    assert found(column, fill, dialect="sqlite") == {}


def test_analyze_brings_the_statistics_back() -> None:
    assert "statistics-lost" not in found(run(TYPE), run("ANALYZE t"))
    assert "statistics-lost" in found(run(TYPE), run("ANALYZE u"))


def test_dropping_a_foreign_key_locks_the_parent(scene_of: SceneOf) -> None:
    key = Constraint(kind="foreign_key", name="fk", referred_table="p")
    drop = Operation(kind="drop_constraint", table="t", constraint=key)
    assert "on p as well" in found(drop)["fk-drop"].evidence
    check = Operation(kind="drop_constraint", table="t", constraint=Constraint(kind="check"))
    assert found(check) == {}
    assert found(run("SET lock_timeout = '2s'"), drop) == {}


# Failed indexes


@pytest.mark.parametrize(
    ("count", "names", "fires"),
    [(1, ("ix",), True), (1, ("other",), False), (0, (), False), (None, (), True)],
)
def test_only_an_index_that_is_or_may_be_invalid_is_named(
    count: int | None, names: tuple[str, ...], *, fires: bool
) -> None:
    index = Index(name="ix", columns=("a",), concurrently=True, if_exists=True)
    make = Operation(kind="create_index", table="t", index=index, autocommit=True)
    facts = tuple(
        Fact(question=q.probe, asked=q, count=count, names=names)
        for q in questions((make,), "postgresql")
        if q.probe == "invalid_indexes"
    )
    scene = Scene(dialect="postgresql", upgrade=(make,), facts=facts, stage="models")
    assert ("invalid-index" in on_locks(review(scene))) is fires


# MySQL and MariaDB


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("text", "copies"),
    [
        ("ALTER TABLE t ADD COLUMN z INT", False),
        ("ALTER TABLE t ADD INDEX ix (a)", False),
        ("ALTER TABLE t DROP COLUMN a", False),
        ("ALTER TABLE t MODIFY a BIGINT", True),
        ("ALTER TABLE t ADD FULLTEXT INDEX ix (a)", True),
        ("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4", True),
        ("ALTER TABLE t MODIFY a BIGINT, ALGORITHM=INPLACE, LOCK=NONE", False),
    ],
)
def test_a_copied_table_is_named(text: str, dialect: str, *, copies: bool) -> None:
    assert ("mysql-copy" in found(run(text), dialect=dialect)) is copies
    assert found(run(text), dialect=dialect, rows=5) == {}


def test_an_open_transaction_holds_up_mysql() -> None:
    column = run("ALTER TABLE t ADD COLUMN z INT")
    assert set(found(column, dialect="mysql", age=600)) == {"mysql-metadata-lock"}
    assert found(column, dialect="mysql", age=600, rows=5) == {}
    bounded = run("SET SESSION lock_wait_timeout = 5")
    assert found(bounded, column, dialect="mysql", age=600) == {}


# All of them


def test_sqlite_has_no_such_locks() -> None:
    assert found(run("ALTER TABLE t ADD COLUMN z int"), dialect="sqlite", age=600) == {}


@pytest.mark.parametrize("rule", [r for r in RULES if r.id in LOCKS], ids=lambda rule: rule.id)
def test_a_good_example_is_good_on_a_large_table(rule: Rule, scene_of: SceneOf) -> None:
    size = LARGE["size"][0]
    assert on_locks(review(sized(scene_of(rule.good, rule.dialect), size))) == {}


def test_a_review_that_asks_no_database_says_nothing_of_locks() -> None:
    index = Operation(
        kind="create_index", table="t", index=Index(name="ix", columns=("a",)), line=3
    )
    column = Operation(
        kind="add_column", table="t", column=Column(name="z", type="BIGSERIAL"), line=3
    )
    scene = Scene(dialect="postgresql", upgrade=(index, column), stage="models")
    assert on_locks(review(scene)) == {}
