"""The statement that plainly undoes another, or none."""

import pytest

from rulezero_policies.inverses import inverse, is_among, operation
from rulezero_policies.operations import Column, Constraint, Index, Operation

pytestmark = pytest.mark.proves("A18")

PLAIN = {
    ("postgresql", "CREATE TABLE items (\n\tid SERIAL NOT NULL\n)"): "DROP TABLE items",
    ("postgresql", 'CREATE TABLE s."my items" (id int)'): 'DROP TABLE s."my items"',
    ("mysql", "ALTER TABLE `t` ADD COLUMN `a` INT"): "ALTER TABLE `t` DROP COLUMN `a`",
    ("sqlite", "ALTER TABLE t ADD a INT"): "ALTER TABLE t DROP COLUMN a",
    ("mariadb", "CREATE UNIQUE INDEX ix ON t (a)"): "DROP INDEX ix ON t",
    ("sqlite", "CREATE INDEX ix ON t (a)"): "DROP INDEX ix",
    ("postgresql", "CREATE INDEX CONCURRENTLY ix ON s.t (a)"): "DROP INDEX s.ix",
    ("postgresql", "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)"): "ALTER TABLE t DROP CONSTRAINT c",
    ("postgresql", "CREATE TYPE mood AS ENUM ('a;b', 'c')"): "DROP TYPE mood",
    ("postgresql", "CREATE VIEW v AS SELECT 1"): "DROP VIEW v",
}

NOT_PLAIN = (
    ("postgresql", "CREATE TABLE IF NOT EXISTS t (id int)"),
    ("postgresql", "CREATE OR REPLACE VIEW v AS SELECT 1"),
    ("postgresql", "CREATE TEMP TABLE t (id int)"),
    ("postgresql", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"),
    ("postgresql", "CREATE INDEX IF NOT EXISTS ix ON t (a)"),
    ("postgresql", "CREATE TABLE a (id int); DROP TABLE b"),
    ("postgresql", 'CREATE TABLE "a; DROP TABLE b --" (id int)'),
    ("postgresql", "INSERT INTO t VALUES (1)"),
    ("postgresql", "DROP TABLE t"),
    ("postgresql", "what is this"),
    ("mysql", "ALTER TABLE t ADD COLUMN a INT, ADD COLUMN b INT"),
    ("mysql", "ALTER TABLE t ADD INDEX ix (a)"),
    ("mysql", "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id)"),
)


@pytest.mark.parametrize(("dialect", "text"), PLAIN)
def test_what_makes_one_thing_is_undone_by_dropping_it(dialect: str, text: str) -> None:
    assert inverse(text, dialect) == PLAIN[dialect, text]


@pytest.mark.parametrize(("dialect", "text"), NOT_PLAIN)
def test_what_may_have_been_there_before_or_does_more_has_no_plain_inverse(
    dialect: str, text: str
) -> None:
    assert inverse(text, dialect) is None


def test_an_index_that_was_cut_off_is_dropped_if_it_is_there() -> None:
    text = "CREATE INDEX CONCURRENTLY ix ON t (a)"
    assert inverse(text, "postgresql", half_done=True) == "DROP INDEX IF EXISTS ix"


def test_steps_are_known_as_done_by_what_they_make() -> None:
    texts = (
        "CREATE TABLE items (id int)",
        "ALTER TABLE t ADD COLUMN a INT",
        "CREATE INDEX ix ON t (a)",
        "UPDATE t SET a = 1",
    )
    done = tuple(o for o in (operation(t, "postgresql") for t in texts) if o)
    table = Operation(kind="create_table", table="items")
    column = Operation(kind="add_column", table="t", column=Column(name="a", type="INTEGER"))
    other = Operation(kind="add_column", table="t", column=Column(name="b", type="INTEGER"))
    index = Operation(kind="create_index", table="t", index=Index(name="ix"))
    nameless = Operation(kind="create_index", table="t", index=Index(name=None))
    unique = Constraint(kind="unique", name="ix")
    constraint = Operation(kind="create_constraint", table="t", constraint=unique)
    update = Operation(kind="statement", verb="update", table="t")
    assert [is_among(s, done) for s in (table, column, index)] == [True] * 3
    assert not any(is_among(s, done) for s in (other, nameless, constraint, update))
