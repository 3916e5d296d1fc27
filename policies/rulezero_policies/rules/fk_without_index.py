"""A foreign key that has to find its rows without an index."""

from collections.abc import Iterator

from rulezero_policies import thresholds
from rulezero_policies.operations import Constraint, Operation
from rulezero_policies.rules.references import foreign_keys
from rulezero_policies.rules.restored import created_constraints
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions

_ACTS = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
_DATABASES = ("postgresql", "sqlite")


def _leading(operation: Operation) -> Iterator[str]:
    """The first column of everything here by which rows are found."""
    if operation.index:
        yield from operation.index.columns[:1]
    for constraint in created_constraints(operation):
        if constraint.kind in {"primary_key", "unique"}:
            yield from constraint.columns[:1]
    columns = (*operation.columns, *((operation.column,) if operation.column else ()))
    yield from (c.name for c in columns if c.unique)
    if sum(c.primary_key for c in operation.columns) == 1:
        yield from (c.name for c in operation.columns if c.primary_key)


def _indexed(scene: Scene, operation: Operation, key: Constraint) -> bool:
    place = (operation.schema, operation.table)
    made = (o for o in (*scene.earlier, *scene.upgrade) if (o.schema, o.table) == place)
    if any(name in key.columns for o in made for name in _leading(o)):
        return True
    raw = (o.sql or "" for o in scene.upgrade if o.kind == "execute")
    return any(mentions(s, "index") and mentions(s, key.columns[0]) for s in raw)


def _certain(scene: Scene, operation: Operation, key: Constraint) -> bool:
    """Whether the column is new, so that no index of an earlier revision can be on it."""
    table, schema = operation.table or "", operation.schema
    if scene.is_new(table, schema):
        return thresholds.INDEX_KEYS_OF_NEW_TABLES
    return bool(set(key.columns) & scene.added(table, schema)) and not _small(scene, table, schema)


def _small(scene: Scene, table: str, schema: str | None) -> bool:
    rows = scene.rows(table, schema)
    if rows is None or rows.count is None or rows.at_least:
        return False
    return rows.count < thresholds.SMALL_TABLE_ROWS


def wanting(scene: Scene) -> Iterator[tuple[Operation, Constraint]]:
    """The steps that bring such a key, each with the key."""
    for operation, key in foreign_keys(scene.upgrade):
        acts = (key.on_delete or "").upper() in _ACTS and bool(key.columns)
        if acts and _certain(scene, operation, key) and not _indexed(scene, operation, key):
            yield operation, key


def _check(scene: Scene) -> Iterator[Hit]:
    found = tuple(wanting(scene)) if scene.dialect in _DATABASES else ()
    if not found:
        return
    places = dict.fromkeys(f"{o.qualified}.{', '.join(key.columns)}" for o, key in found)
    keys = dict.fromkeys(
        f"{', '.join(key.columns)} of {o.qualified} (ON DELETE {(key.on_delete or '').upper()} "
        f"from {key.referred_table})"
        for o, key in found
    )
    yield Hit(
        subject="; ".join(places),
        evidence=f"no index on {'; '.join(keys)}: each row deleted there reads all of this table",
        line=found[0][0].line,
        names={"paste": "; ".join(dict.fromkeys(_index(o, key) for o, key in found))},
    )


def _index(operation: Operation, key: Constraint) -> str:
    name = f"ix_{operation.table}_{'_'.join(key.columns)}"
    return f"op.create_index({name!r}, {operation.table!r}, {list(key.columns)!r})"


RULE = Rule(
    id="fk-without-index",
    severity="WARNING",
    outcome="design",
    title="A foreign key that acts on delete, without an index",
    why="Every delete of a parent's row has to find the rows that refer to it; without an index "
    "it reads the whole table for each. MySQL and MariaDB make that index by themselves.",
    fix="{paste}",
    bad=revision(
        "op.add_column('tasks', sa.Column('user_id', sa.Integer(), nullable=True))\n"
        "op.create_foreign_key('fk_tasks_user', 'tasks', 'users', ['user_id'], ['id'], "
        "ondelete='CASCADE')",
        "op.drop_constraint('fk_tasks_user', 'tasks', type_='foreignkey')\n"
        "op.drop_column('tasks', 'user_id')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('user_id', sa.Integer(), nullable=True))\n"
        "op.create_index('ix_tasks_user_id', 'tasks', ['user_id'])",
        "op.drop_index('ix_tasks_user_id', table_name='tasks')\nop.drop_column('tasks', 'user_id')",
    ),
    check=_check,
    stages=FORWARD,
    databases=_DATABASES,
    source="https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK",
)
