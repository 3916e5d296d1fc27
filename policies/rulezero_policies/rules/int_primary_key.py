"""A new key that is too small for as many rows as there are already."""

from collections.abc import Iterator

from rulezero_policies.ranges import NewKey, new_keys
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.thresholds import KEY_USED_PERCENT


def _used(scene: Scene, key: NewKey) -> Hit | None:
    fact = scene.fact(key.question)
    if fact is None or fact.count is None or fact.count * 100 < key.reach * KEY_USED_PERCENT:
        return None
    used = fact.count * 100 // key.reach
    return Hit(
        subject=f"{key.operation.qualified}.{key.column.name}",
        evidence=f"it is {key.column.type} and ends at {key.reach:,}; {key.parent}, which the rows "
        f"refer to, is at {fact.count:,} ({used} % of that)",
        line=key.operation.line,
        names={"name": key.column.name, "parent": key.parent},
    )


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect == "sqlite":
        return
    told = tuple(new_keys(scene.earlier))
    both = (k for k in new_keys((*scene.earlier, *scene.upgrade)) if k not in told)
    hits = (_used(scene, key) for key in both)
    yield from {h.subject: h for h in hits if h}.values()


def _revision(type_: str) -> str:
    return revision(
        f"op.create_table('items', sa.Column('id', {type_}, nullable=False), "
        "sa.Column('order_id', sa.BigInteger(), nullable=False), "
        "sa.PrimaryKeyConstraint('id'), sa.ForeignKeyConstraint(['order_id'], ['orders.id']))\n"
        "op.create_index('ix_items_order_id', 'items', ['order_id'])",
        "op.drop_index('ix_items_order_id', 'items')\nop.drop_table('items')",
    )


RULE = Rule(
    id="int-primary-key",
    severity="WARNING",
    outcome="design",
    title="A new integer key that ends too soon",
    why="An INTEGER key ends at 2,147,483,647, a SMALLINT at 32,767, and then every INSERT fails. "
    "Where the rows refer to a key that has come half as far already, there will be as many of "
    "them or more, and to widen a key later is to write the table anew under a lock.",
    fix="Make {subject} sa.BigInteger() now, while it is empty; and look how long {parent} itself "
    "still lasts.",
    bad=_revision("sa.Integer()"),
    good=_revision("sa.BigInteger()"),
    databases=("postgresql", "mysql"),
    live={"highest": (1_900_000_000, ())},
    check=_check,
    stages=FORWARD,
    source="https://www.postgresql.org/docs/current/datatype-numeric.html, "
    "https://mariadb.com/kb/en/int/; SQLite's own keys have 64 bits",
)
