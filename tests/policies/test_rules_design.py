"""What running code, a rollback or the years to come have against a change."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies import thresholds
from rulezero_policies.findings import Fact, Finding, Question
from rulezero_policies.operations import Change, Column, Constraint, Index, Operation
from rulezero_policies.rules import RULES, Rule, review
from rulezero_policies.rules.rule import revision
from rulezero_policies.scene import Scene, questions

SceneOf = Callable[..., Scene]


def add(name: str, type_: str = "TEXT", table: str = "tasks", **more: Any) -> Operation:
    return Operation(kind="add_column", table=table, column=Column(name=name, type=type_, **more))


def alter(name: str, *changes: tuple[str, str | None, str | None], **more: Any) -> Operation:
    made = tuple(Change(attribute=a, before=b, after=c) for a, b, c in changes)  # type: ignore[arg-type]
    column = Column(name=name, type="TEXT", **more)
    return Operation(kind="alter_column", table="tasks", column=column, changes=made)


def create(table: str, *columns: Column, **more: Any) -> Operation:
    return Operation(kind="create_table", table=table, columns=columns, **more)


def key(column: str, parent: str, **more: Any) -> Constraint:
    given: dict[str, Any] = {"referred_columns": ("id",), **more}
    return Constraint(
        kind="foreign_key", name="fk", columns=(column,), referred_table=parent, **given
    )


def constrain(constraint: Constraint, table: str = "tasks") -> Operation:
    return Operation(kind="create_constraint", table=table, constraint=constraint)


def found(rule: str, *operations: Operation, dialect: str = "postgresql", **more: Any) -> Any:
    scene = Scene(dialect=dialect, upgrade=operations, **more)
    return tuple(f for f in review(scene) if f.rule == rule)


ID = Column(name="id", type="INTEGER", primary_key=True, nullable=False)
NO_DEFAULT = ("server_default", "'x'", None)


def test_a_default_that_goes_matters_where_null_is_refused() -> None:
    (finding,) = found("drop-default", alter("a", NO_DEFAULT, nullable=False))
    assert finding.evidence == "the NOT NULL column loses its server default ('x')"
    (finding,) = found("drop-default", alter("a", ("server_default", None, None), nullable=False))
    assert finding.evidence == "the NOT NULL column loses its server default"
    assert found("drop-default", alter("a", NO_DEFAULT)) == ()
    assert found("drop-default", alter("a", NO_DEFAULT, nullable=False, generated=True)) == ()
    assert found("drop-default", alter("a", NO_DEFAULT, ("nullable", None, "false")))
    assert not found("drop-default", alter("a", NO_DEFAULT, ("nullable", "false", "true")))
    assert not found("drop-default", alter("a", ("server_default", None, "'y'"), nullable=False))


def test_the_default_of_a_column_that_this_plan_added_is_judged_by_the_column() -> None:
    dropped = alter("a", NO_DEFAULT)
    required = add("a", nullable=False, server_default="'x'")
    assert found("drop-default", required, dropped)
    assert not found("drop-default", add("a", server_default="'x'"), dropped)
    assert found("drop-default", dropped, earlier=(required,))


def test_a_step_without_a_column_has_no_default_to_drop() -> None:
    change = Change(attribute="server_default", before=None, after=None)
    assert not found("drop-default", Operation(kind="alter_column", table="t", changes=(change,)))


def test_null_is_only_let_in_where_it_was_kept_out() -> None:
    loose = alter("a", ("nullable", "false", "true"))
    assert found("drop-not-null", loose)
    assert not found("drop-not-null", alter("a", ("nullable", None, "true")))
    assert not found("drop-not-null", alter("a", ("nullable", "true", "true")))
    gone = Operation(kind="drop_column", table="tasks", column=Column(name="a", type="TEXT"))
    assert not found("drop-not-null", loose, gone)
    assert not found("drop-not-null", add("a"), loose)
    change = Change(attribute="nullable", before="false", after="true")
    assert found("drop-not-null", Operation(kind="alter_column", table="t", changes=(change,)))


@pytest.mark.proves("A06")
@pytest.mark.parametrize(
    ("type_", "default", "count"),
    [
        ("TIMESTAMP WITHOUT TIME ZONE", "now()", 1),
        ("TIMESTAMP(3) WITHOUT TIME ZONE", "CURRENT_TIMESTAMP", 1),
        ("TIMESTAMP WITH TIME ZONE", "now()", 0),
        ("TIMESTAMP WITHOUT TIME ZONE", None, 0),
        ("TIMESTAMP WITHOUT TIME ZONE", "timezone('utc', now())", 0),
        ("TIMESTAMP WITHOUT TIME ZONE", "'2020-01-01'", 0),
    ],
)
def test_a_naive_time_is_only_named_where_the_session_decides_it(
    type_: str, default: str | None, count: int
) -> None:
    assert len(found("naive-timestamp", add("at", type_, server_default=default))) == count
    assert not found("naive-timestamp", add("at", type_, server_default=default), dialect="mysql")


def test_a_padded_column_is_named_where_padding_can_be() -> None:
    table = create("codes", ID, Column(name="code", type="CHAR(8)"))
    (finding,) = found("char-n", table)
    assert (finding.subject, "sa.String(8)" in finding.fix) == ("codes.code", True)
    assert not found("char-n", add("flag", "CHAR(1)"))
    assert not found("char-n", table, dialect="mysql")
    assert not found("char-n", alter("a", ("nullable", "true", "true")))


def test_a_table_may_get_its_key_in_any_way() -> None:
    plain = create("pairs", Column(name="a", type="INTEGER"))
    primary = Constraint(kind="primary_key", columns=("a",))
    assert found("no-primary-key", plain)
    assert not found("no-primary-key", create("pairs", ID))
    assert not found("no-primary-key", create("pairs", *plain.columns, constraints=(primary,)))
    assert not found("no-primary-key", plain, constrain(primary, table="pairs"))
    raw = Operation(kind="execute", sql="ALTER TABLE pairs ADD PRIMARY KEY (a)")
    assert not found("no-primary-key", plain, raw)
    assert not found("no-primary-key", plain, Operation(kind="drop_table", table="pairs"))
    assert not found("no-primary-key", create("unknown"))


USER = add("user_id", "INTEGER")


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ((USER, constrain(key("user_id", "users", on_delete="CASCADE"))), 1),
        ((USER, constrain(key("user_id", "users", on_delete="set null"))), 1),
        ((USER, constrain(key("user_id", "users"))), 0),
        ((USER, constrain(key("user_id", "users", on_delete="RESTRICT"))), 0),
        ((constrain(key("user_id", "users", on_delete="CASCADE")),), 0),
        (
            (
                add("user_id", "INTEGER", unique=True),
                constrain(key("user_id", "users", on_delete="CASCADE")),
            ),
            0,
        ),
        (
            (
                USER,
                constrain(key("user_id", "users", on_delete="CASCADE")),
                Operation(
                    kind="create_index", table="tasks", index=Index(name="i", columns=("user_id",))
                ),
            ),
            0,
        ),
        (
            (
                USER,
                constrain(key("user_id", "users", on_delete="CASCADE")),
                Operation(kind="execute", sql="CREATE INDEX i ON tasks (user_id)"),
            ),
            0,
        ),
        ((create("t", ID, constraints=(key("id", "users", on_delete="CASCADE"),)),), 0),
        (
            (
                create(
                    "t",
                    Column(name="a", type="INTEGER", primary_key=True),
                    Column(name="b", type="INTEGER", primary_key=True),
                    constraints=(
                        Constraint(kind="primary_key", columns=("a", "b")),
                        key("b", "users", on_delete="CASCADE"),
                        key("a", "users", on_delete="CASCADE"),
                    ),
                ),
            ),
            1,
        ),
    ],
)
def test_a_key_that_acts_on_delete_wants_an_index(steps: tuple[Operation, ...], count: int) -> None:
    assert len(found("fk-without-index", *steps)) == count
    assert not found("fk-without-index", *steps, dialect="mysql")


USER_ID = Column(name="user_id", type="INTEGER")
CASCADES = key("user_id", "users", on_delete="CASCADE")


def test_all_keys_of_a_revision_that_want_an_index_are_one_finding() -> None:
    steps = (create(t, ID, USER_ID, constraints=(CASCADES,)) for t in ("a", "b"))
    (finding,) = found("fk-without-index", *steps)
    assert finding.subject == "a.user_id; b.user_id"
    assert "op.create_index('ix_b_user_id', 'b', ['user_id'])" in finding.fix


@pytest.mark.proves("A07")
@pytest.mark.parametrize(
    ("count", "at_least", "said"),
    [(None, False, 1), (0, False, 0), (9_999, False, 0), (10_000, False, 1), (500, True, 1)],
)
def test_a_small_table_needs_no_index_for_its_key(
    count: int | None, at_least: bool, said: int
) -> None:
    asked = Question(probe="rows", table="tasks")
    fact = Fact(question="rows", count=count, asked=asked, at_least=at_least)
    scene = Scene(dialect="postgresql", upgrade=(USER, constrain(CASCADES)), facts=(fact,))
    assert len([f for f in review(scene) if f.rule == "fk-without-index"]) == said


def test_the_policy_can_leave_the_keys_of_new_tables_in_peace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thresholds, "INDEX_KEYS_OF_NEW_TABLES", False)
    assert not found("fk-without-index", create("a", ID, USER_ID, constraints=(CASCADES,)))


def child(type_: str, wanted: str) -> tuple[Operation, ...]:
    parent = create("users", Column(name="id", type=wanted, primary_key=True))
    return (parent, add("user_id", type_), constrain(key("user_id", "users")))


@pytest.mark.parametrize(
    ("mine", "wanted", "dialect", "told"),
    [
        ("INTEGER", "BIGINT", "postgresql", ("WARNING", "design")),
        ("INTEGER", "BIGSERIAL", "postgresql", ("WARNING", "design")),
        ("INTEGER", "SERIAL", "postgresql", None),
        ("INTEGER", "BIGINT", "mysql", ("CRITICAL", "will_fail")),
        ("INTEGER", "BIGINT", "sqlite", ("WARNING", "design")),
        ("VARCHAR(20)", "INTEGER", "postgresql", ("CRITICAL", "will_fail")),
        ("VARCHAR(20)", "VARCHAR(40)", "postgresql", None),
        ("UUID", "VARCHAR(40)", "postgresql", ("WARNING", "may_fail")),
        ("INTEGER", "INTEGER", "mysql", None),
    ],
)
def test_a_key_of_another_type_is_judged_by_the_database(
    mine: str, wanted: str, dialect: str, told: tuple[str, str] | None
) -> None:
    findings = found("fk-type-mismatch", *child(mine, wanted), dialect=dialect)
    assert [(f.severity, f.outcome) for f in findings] == ([told] if told else [])


def test_a_key_to_a_table_that_is_not_in_the_plan_is_not_compared() -> None:
    assert not found("fk-type-mismatch", *child("INTEGER", "BIGINT")[1:])
    assert not found("fk-type-mismatch", constrain(key("user_id", "users")))


def test_only_the_renaming_of_an_enum_value_is_named() -> None:
    renamed = Operation(kind="execute", sql="ALTER TYPE app.mood RENAME VALUE 'sad' TO 'blue'")
    (finding,) = found("enum-rename", renamed)
    assert finding.subject == "app.mood"
    assert not found("enum-rename", Operation(kind="execute", sql="ALTER TYPE a ADD VALUE 'x'"))
    assert not found("enum-rename", add("a"))


MOVED = (
    "op.add_column('users', sa.Column('full', sa.Text()))\n"
    "op.execute('UPDATE users SET full = first')\n"
    "op.drop_column('users', 'first')"
)
AGAIN = "op.add_column('users', sa.Column('first', sa.Text()))\n"
GONE = "op.drop_column('users', 'full')"


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("upgrade", "downgrade", "lossy"),
    [
        (MOVED, AGAIN + GONE, True),
        (MOVED, f"{AGAIN}op.execute('UPDATE users SET first = full')\n{GONE}", False),
        (MOVED, AGAIN, False),
        (MOVED, GONE, False),
        (MOVED.replace("full = first", "full = 1"), AGAIN + GONE, False),
        (MOVED, f"{AGAIN}op.bulk_insert(sa.table('a'), [])\n{GONE}", False),
        (MOVED, f"{AGAIN}{GONE}\nraise ValueError", False),
    ],
)
def test_what_a_downgrade_throws_away_is_named(
    upgrade: str, downgrade: str, lossy: bool, scene_of: SceneOf
) -> None:
    scene = scene_of(revision(upgrade, downgrade))
    rules = {f.rule for f in review(scene)}
    assert ("downgrade-lossy" in rules) is lossy


def test_a_table_that_was_moved_is_missed_too(scene_of: SceneOf) -> None:
    def table(name: str) -> str:
        return f"op.create_table('{name}', sa.Column('id', sa.Integer(), primary_key=True))\n"

    upgrade = f"{table('a')}op.execute('INSERT INTO a SELECT id FROM b')\nop.drop_table('b')"
    scene = scene_of(revision(upgrade, f"{table('b')}op.drop_table('a')"))
    (finding,) = (f for f in review(scene) if f.rule == "downgrade-lossy")
    assert finding.subject == "b"


def half(dialect: str, count: int | None, *operations: Operation) -> tuple[Finding, ...]:
    placed = tuple(replace(o, line=n) for n, o in enumerate(operations, start=10))
    facts = tuple(Fact(question="", count=count, asked=q) for q in questions(placed))
    return found("non-transactional-partial", *placed, dialect=dialect, facts=facts)


UNIQUE = constrain(Constraint(kind="unique", name="u", columns=("title",)))


def test_what_would_stay_half_done_is_named_where_ddl_stays() -> None:
    required = alter("title", ("nullable", None, "false"))
    (finding,) = half("sqlite", 3, add("a"), add("b"), required)
    assert "this step fails (set-not-null), and 2 steps before it would stay" in finding.evidence
    (finding,) = half("mysql", None, add("a"), UNIQUE)
    assert "this step may fail (add-unique), and 1 step before it would stay" in finding.evidence


def test_what_comes_first_or_can_be_taken_back_leaves_nothing_half_done() -> None:
    assert not half("mysql", None, UNIQUE, add("a"))
    assert not half("mysql", None, Operation(kind="bulk_insert", table="tasks"), UNIQUE)
    assert not half("postgresql", None, add("a"), UNIQUE)
    assert not half("mysql", None, add("a"), add("b"))
    assert not half("sqlite", 0, add("a"), alter("title", ("nullable", None, "false")))


DIALECTS = ("postgresql", "mysql", "sqlite")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_only_about_the_databases_that_it_names(rule: Rule, scene_of: SceneOf) -> None:
    assert rule.dialect in rule.databases
    assert set(rule.databases) <= set(DIALECTS)
    for dialect in set(DIALECTS) - set(rule.databases):
        if "JSONB" not in rule.bad:
            assert list(rule.findings(scene_of(rule.bad, dialect))) == []


# int-primary-key


def at(count: int | None, **more: Any) -> Fact:
    asked = Question(probe="highest", table="orders", column="id", **more)
    return Fact(question="highest", asked=asked, count=count)


ITEMS = create(
    "items", ID, Column(name="order_id", type="BIGINT"), constraints=(key("order_id", "orders"),)
)
HALF = 2**31 // 2


@pytest.mark.parametrize(("count", "used"), [(HALF, 50), (2_100_000_000, 97), (3 * HALF, 150)])
def test_a_new_key_ends_too_soon_beside_a_key_that_has_come_half_as_far(
    count: int, used: int
) -> None:
    (finding,) = found("int-primary-key", ITEMS, facts=(at(count),))
    assert (finding.subject, finding.severity, finding.outcome) == ("items.id", "WARNING", "design")
    assert finding.evidence.startswith("it is INTEGER and ends at 2,147,483,647; orders.id,")
    assert finding.evidence.endswith(f"is at {count:,} ({used} % of that)")


@pytest.mark.parametrize("facts", [(), (at(None),), (at(HALF - 10**7),)])
def test_a_new_key_is_in_peace_where_no_key_is_known_to_run_out(facts: tuple[Fact, ...]) -> None:
    assert not found("int-primary-key", ITEMS, facts=facts)


@pytest.mark.parametrize(
    ("type_", "ends"),
    [
        ("SMALLINT", 32_767),
        ("SERIAL", 2_147_483_647),
        ("INTEGER UNSIGNED", 4_294_967_295),
        ("MEDIUMINT(9)", 8_388_607),
        ("BIGINT", None),
        ("VARCHAR(20)", None),
        ("ENUM('a', 'b')", None),
    ],
)
def test_how_far_an_integer_reaches_is_its_types_affair(type_: str, ends: int | None) -> None:
    step = add("order_id", type_)
    steps = (step, constrain(key("order_id", "orders")))
    hits = found("int-primary-key", *steps, dialect="mysql", facts=(at(4 * HALF),))
    assert [f.subject for f in hits] == ([] if ends is None else ["tasks.order_id"])
    assert all(f"ends at {ends:,};" in f.evidence for f in hits if ends)


@pytest.mark.parametrize(
    "steps",
    [
        (create("orders", ID), ITEMS),
        (Operation(kind="rename_table", table="sales", name="orders"), ITEMS),
        (constrain(key("order_id", "orders")),),
        (replace(ITEMS, constraints=(key("order_id", "orders", referred_columns=()),)),),
        (replace(ITEMS, constraints=(Constraint(kind="unique", columns=("order_id",)),)),),
    ],
    ids=["new parent", "renamed parent", "column of unknown type", "unknown key", "no reference"],
)
def test_a_key_that_cannot_be_asked_about_is_not_spoken_of(steps: tuple[Operation, ...]) -> None:
    assert not [q for q in questions(steps, "postgresql") if q.probe == "highest"]
    assert not found("int-primary-key", *steps, facts=(at(4 * HALF),))


def test_a_pair_of_columns_is_no_small_key() -> None:
    pair = Constraint(kind="primary_key", columns=("id", "order_id"))
    plain = replace(ID, primary_key=False)
    steps = replace(
        ITEMS, columns=(plain, ITEMS.columns[1]), constraints=(*ITEMS.constraints, pair)
    )
    assert not found("int-primary-key", steps, facts=(at(4 * HALF),))
    alone = replace(steps, constraints=(*ITEMS.constraints, replace(pair, columns=("id",))))
    assert found("int-primary-key", alone, facts=(at(4 * HALF),))


def test_a_small_key_is_told_once_and_in_its_own_revision() -> None:
    assert not found("int-primary-key", earlier=(ITEMS,), facts=(at(HALF),))
    twice = replace(ITEMS, constraints=(*ITEMS.constraints, key("second_id", "orders")))
    assert len(found("int-primary-key", twice, facts=(at(HALF),))) == 1


def test_a_key_of_sqlite_never_ends_too_soon() -> None:
    assert not found("int-primary-key", ITEMS, dialect="sqlite", facts=(at(HALF),))
    assert not [q for q in questions((ITEMS,), "sqlite") if q.probe == "highest"]
