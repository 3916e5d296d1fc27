"""A foreign key that has to find its rows without an index."""

from collections.abc import Iterator

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
    new = scene.added(operation.table or "", operation.schema)
    return scene.is_new(operation.table or "", operation.schema) or bool(set(key.columns) & new)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect not in _DATABASES:
        return
    for operation, key in foreign_keys(scene.upgrade):
        acts = (key.on_delete or "").upper() in _ACTS
        if not (acts and key.columns and _certain(scene, operation, key)):
            continue
        if not _indexed(scene, operation, key):
            on = ", ".join(key.columns)
            yield Hit(
                subject=f"{operation.qualified}.{on}",
                evidence=f"ON DELETE {(key.on_delete or '').upper()} from {key.referred_table}, "
                f"and no index on {on}: each row deleted there reads all of {operation.qualified}",
                line=operation.line,
                names={
                    "table": operation.table or "",
                    "columns": repr(list(key.columns)),
                    "on": on,
                },
            )


RULE = Rule(
    id="fk-without-index",
    severity="WARNING",
    outcome="design",
    title="A foreign key that acts on delete, without an index",
    why="Every delete of a parent's row has to find the rows that refer to it; without an index "
    "it reads the whole table for each. MySQL and MariaDB make that index by themselves.",
    fix="op.create_index('ix_{table}_{on}', {table!r}, {columns})",
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
