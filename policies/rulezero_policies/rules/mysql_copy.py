"""The whole table is copied."""

from collections.abc import Iterator

from rulezero_policies.locks.held import copies, matters
from rulezero_policies.rules.locking import LARGE, MEASURED_MARIADB, held_hit
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    for step, cost in copies(scene):
        pinned = "ALGORITHM" in (step.operation.detail or "")
        if not cost.blocks_writes or pinned or not matters(scene, step):
            continue
        sure = "is" if cost.certain else "may be"
        how = "copied" if cost.copies else "rebuilt"
        evidence = f"the whole table {sure} {how} while nobody may write to it"
        yield held_hit(scene, step, evidence, big="CRITICAL")


RULE = Rule(
    id="mysql-copy",
    severity="WARNING",
    outcome="blocks",
    title="The whole table is copied",
    why="ALGORITHM=COPY writes every row anew and lets nobody write meanwhile; the server "
    "picks it without a word where nothing better will do.",
    fix="Say what you expect, so that it refuses in place of copying: op.execute('ALTER TABLE "
    "{table} ..., ALGORITHM=INPLACE, LOCK=NONE'); where it refuses, use "
    "pt-online-schema-change or gh-ost.",
    bad=revision(
        "op.alter_column('events', 'size', existing_type=sa.Integer(), existing_nullable=True, "
        "type_=sa.BigInteger())",
        "op.alter_column('events', 'size', existing_type=sa.BigInteger(), existing_nullable=True, "
        "type_=sa.Integer())",
    ),
    good=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('events', 'notes')",
    ),
    databases=MYSQL_ONLY,
    dialect="mysql",
    live=LARGE,
    source=MEASURED_MARIADB,
    check=_check,
)
