"""A new label is used in the transaction that adds it."""

import re
from collections.abc import Iterator

from rulezero_policies.operations import Column, Operation
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene

_ADDS = re.compile(
    r"ALTER\s+TYPE\s+(?P<type>[\w.\"]+)\s+ADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<label>'(?:[^']|'')*')",
    re.IGNORECASE,
)


def _text(operation: Operation) -> str:
    """All in which a label could stand."""
    columns: tuple[Column, ...] = operation.columns
    if operation.column and operation.kind == "add_column":
        columns = (*columns, operation.column)
    defaults = [c.server_default or "" for c in columns]
    changed = [c.after or "" for c in operation.changes if c.attribute == "server_default"]
    checks = [c.expression or "" for c in (*operation.constraints, operation.constraint) if c]
    return " ".join((operation.sql or "", *defaults, *changed, *checks))


def _made_here(operations: tuple[Operation, ...], name: str) -> bool:
    made = re.compile(rf"CREATE\s+TYPE\s+{re.escape(name)}\b", re.IGNORECASE)
    return any(made.search(o.sql or "") for o in operations)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    before = () if scene.own_transaction else scene.earlier
    together = tuple(o for o in (*before, *scene.upgrade) if not o.derived)
    waiting = dict[str, str]()
    for number, operation in enumerate(together):
        if operation.autocommit:
            # What ran before such a block is committed when it begins.
            waiting.clear()
            continue
        text = _text(operation)
        used = next((v for v in waiting if v in _ADDS.sub(" ", text)), None)
        if used and number >= len(before):
            yield Hit(
                subject=operation.qualified or waiting[used],
                evidence=f"{used} was added to {waiting[used]} in the same transaction",
                line=operation.line,
                names={"type": waiting[used], "label": used},
            )
        waiting |= {
            found["label"]: found["type"]
            for found in _ADDS.finditer(text)
            if not _made_here(together[:number], found["type"])
        }


RULE = Rule(
    id="enum-add-use",
    severity="CRITICAL",
    outcome="will_fail",
    title="A new enum value is used before it is committed",
    why="PostgreSQL refuses to use a value in the transaction that added it, and alembic runs all "
    "pending revisions in one transaction unless transaction_per_migration is set.",
    fix='Commit it first: with op.get_context().autocommit_block(): op.execute("ALTER TYPE {type} '
    'ADD VALUE {label}").',
    bad=revision(
        "op.execute(\"ALTER TYPE mood ADD VALUE 'glad'\")\n"
        "op.execute(\"UPDATE people SET mood = 'glad' WHERE mood IS NULL\")",
        "pass",
    ),
    good=revision(
        "op.add_column('people', sa.Column('note', sa.Text(), nullable=True))",
        "op.drop_column('people', 'note')",
    ),
    check=_check,
    databases=POSTGRESQL,
    versions="12 and newer; before, ALTER TYPE ... ADD VALUE itself cannot run in a transaction",
    source="https://www.postgresql.org/docs/current/sql-altertype.html; run on PostgreSQL 18",
)
