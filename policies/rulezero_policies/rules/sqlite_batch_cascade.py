"""A batch block drops a table that other tables refer to."""

import re
from collections.abc import Iterator

from rulezero_policies import asks
from rulezero_policies.findings import Fact, Outcome, Severity
from rulezero_policies.rules.facts import FAILS, LOSES, is_empty, is_filled
from rulezero_policies.rules.recreated import recreated
from rulezero_policies.rules.rule import SQLITE, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_KEY = re.compile(r"(?P<where>.+) ON DELETE (?P<action>[A-Z ]+?)(?:: (?P<rows>.*))?")
_TAKES = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def _worst(keys: Fact) -> tuple[Severity, Outcome] | None:
    """What dropping the table does to the rows that refer to it; None where there is none."""
    found = [m for name in keys.names if (m := _KEY.fullmatch(name))]
    filled = {m["action"] for m in found if m["rows"] != "no rows"}
    if filled & _TAKES:
        return LOSES
    return FAILS if filled else None


_ENFORCES = re.compile(r"PRAGMA\s+foreign_keys\s*(?:=|\()\s*(?P<how>\w+)", re.IGNORECASE)


def _unenforced(step: Step) -> bool:
    """Whether the plan turned enforcement off before, and not on again."""
    said = [m["how"].lower() for text in step.earlier for m in _ENFORCES.finditer(text or "")]
    return bool(said) and said[-1] in {"off", "0", "false", "no"}


def _drops(scene: Scene) -> Iterator[tuple[Step, str]]:
    for step in recreated(scene):
        if not _unenforced(step):
            yield step, "the batch block copies and drops the table"
    if scene.dialect == "sqlite":
        yield from ((step, "the table is dropped") for step in scene.of("drop_table"))


def _check(scene: Scene) -> Iterator[Hit]:
    on = scene.fact(asks.FOREIGN_KEYS_ON)
    for step, what in _drops(scene):
        keys = scene.fact(asks.of_table(step, "incoming"))
        if keys is None or is_empty(keys) or is_empty(on):
            continue
        known = _worst(keys) if is_filled(on) and keys.names else ("WARNING", "unknown")
        if known is not None:
            names = "; ".join(keys.names) or "what refers to it could not be asked"
            yield Hit(
                subject=step.operation.qualified,
                evidence=f"{what} with foreign_keys=ON; {names}",
                line=step.operation.line,
                severity=known[0],  # type: ignore[arg-type]
                outcome=known[1],  # type: ignore[arg-type]
            )


RULE = Rule(
    id="sqlite-batch-cascade",
    severity="CRITICAL",
    outcome="loses_data",
    title="A batch block empties the tables that refer to it",
    why="Batch mode copies the table, drops the old one and renames the copy. With "
    "foreign_keys=ON the drop deletes its rows first, and ON DELETE CASCADE or SET NULL takes the "
    "rows or keys of other tables with them; without an action it fails.",
    fix="Turn enforcement off on the migration's connection, outside any transaction, before the "
    "batch block of {subject} (PRAGMA foreign_keys=OFF in env.py), and run PRAGMA "
    "foreign_key_check afterwards.",
    bad=revision(
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('name', existing_type=sa.String(50), server_default='x')",
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.alter_column('name', existing_type=sa.String(50), "
        "existing_server_default='x', server_default=None)",
    ),
    good=revision(
        "with op.batch_alter_table('users') as batch_op:\n"
        "    batch_op.add_column(sa.Column('nick', sa.String(50), nullable=True))",
        "with op.batch_alter_table('users') as batch_op:\n    batch_op.drop_column('nick')",
    ),
    check=_check,
    dialect="sqlite",
    live={
        "foreign_keys_on": (1, ()),
        "incoming": (1, ("tasks.user_id ON DELETE CASCADE: 3 rows",)),
    },
    databases=SQLITE,
    source="https://www.sqlite.org/foreignkeys.html#fk_schemacommands; run on SQLite 3.40",
)
