"""A TRUNCATE."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.findings import Fact
from rulezero_policies.rules.facts import is_empty
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        for statement in sql.statements(operation.sql or "", scene.dialect):
            if tables := sql.truncated(statement, scene.dialect):
                empty = all(map(is_empty, _rows(scene, statement)))
                nothing = empty and not mentions(statement, "cascade")
                words = "; there is none now" if empty else ""
                yield Hit(
                    subject=tables,
                    evidence=f"TRUNCATE deletes every row of {tables}{words}",
                    line=operation.line,
                    severity="WARNING" if nothing else None,
                    outcome="design" if nothing else None,
                )


def _rows(scene: Scene, statement: str) -> Iterator[Fact | None]:
    for read in sql.read(statement, scene.dialect):
        yield from (scene.rows(o.table or "", o.schema) for o in read.operations)


RULE = Rule(
    id="truncate",
    severity="CRITICAL",
    outcome="loses_data",
    title="A table is emptied",
    why="Every row is deleted without a trace; with CASCADE also those of every table that refers "
    "to it, named or not.",
    fix="Back up first. Delete only what is meant, with DELETE and a WHERE, and name every table "
    "({subject}).",
    bad=revision("op.execute('TRUNCATE sessions CASCADE')", "pass"),
    good=revision(
        "op.add_column('sessions', sa.Column('deleted_at', sa.DateTime(), nullable=True))",
        "op.drop_column('sessions', 'deleted_at')",
    ),
    check=_check,
)
