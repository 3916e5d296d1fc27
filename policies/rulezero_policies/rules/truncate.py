"""A TRUNCATE."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rulezero_policies import sql
from rulezero_policies.findings import Question
from rulezero_policies.operations import Operation
from rulezero_policies.rules.facts import is_empty
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        for statement in sql.statements(operation.sql or "", scene.dialect):
            if tables := sql.truncated(statement, scene.dialect):
                yield replace(_hit(scene, statement, tables), line=operation.line)


def _hit(scene: Scene, statement: str, tables: str) -> Hit:
    cascades = mentions(statement, "cascade")
    emptied = [o for r in sql.read(statement, scene.dialect) for o in r.operations]
    others = _others(scene, emptied)
    if others and not cascades:
        refused = f"{', '.join(others)} refer to {tables}: without CASCADE it is refused"
        return Hit(subject=tables, evidence=refused, outcome="will_fail")
    empty = all(is_empty(scene.rows(o.table or "", o.schema)) for o in emptied)
    known = others is not None and all(o.endswith(": no rows") for o in others)
    nothing = empty and (known or not cascades)
    return Hit(
        subject=tables,
        evidence=f"TRUNCATE deletes every row of {tables}{'; there is none now' if empty else ''}"
        + (_cascade(others) if cascades else ""),
        severity="WARNING" if nothing else None,
        outcome="design" if nothing else None,
    )


def _others(scene: Scene, emptied: Sequence[Operation]) -> list[str] | None:
    """The tables that refer to the emptied ones, with their rows; None where it is not known."""
    facts = [scene.fact(_asked(o)) for o in emptied]
    if any(fact is None or fact.count is None for fact in facts):
        return None
    named = {o.table for o in emptied}
    found = dict.fromkeys(name for fact in facts if fact for name in fact.names)
    return [name for name in found if name.partition(":")[0] not in named]


def _asked(operation: Operation) -> Question:
    return Question(probe="emptied_too", table=operation.table or "", schema=operation.schema)


def _cascade(others: list[str] | None) -> str:
    if others is None:
        return "; which tables CASCADE empties too could not be asked"
    return f"; CASCADE empties too: {', '.join(others) or 'none'}"


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
