"""DDL that waits for a transaction, and everybody behind it."""

from collections.abc import Iterator

from rulezero_policies.locks.held import copies, is_small, waited_on
from rulezero_policies.rules.rule import MYSQL_ONLY, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    age = waited_on(scene)
    bounded = any(o.verb == "set" and o.name == "lock_wait_timeout" for o in scene.upgrade)
    if age is None or bounded:
        return
    for step, _ in copies(scene):
        if not is_small(scene, step):
            table = step.operation.qualified
            evidence = (
                f"a transaction has been open for {age} seconds; ALTER TABLE {table} waits for it, "
                "and everybody behind it, for up to lock_wait_timeout (a day and more by default)"
            )
            yield Hit(subject=table, evidence=evidence, line=step.operation.line)
            return


RULE = Rule(
    id="mysql-metadata-lock",
    severity="CRITICAL",
    outcome="blocks",
    title="DDL waits for a transaction, and everybody behind it",
    why="Every ALTER TABLE needs the metadata lock alone for a moment; while it waits for it, "
    "all new queries on the table wait behind.",
    fix="Wait until no long transaction is open, and give up after a moment: op.execute('SET "
    "SESSION lock_wait_timeout = 5') first ({subject}).",
    bad=revision(
        "op.add_column('events', sa.Column('notes', sa.Text(), nullable=True))",
        "op.drop_column('events', 'notes')",
    ),
    good=revision(
        "op.execute('SET SESSION lock_wait_timeout = 5')\n"
        "op.add_column('events', sa.Column('label', sa.Text(), nullable=True))",
        "op.drop_column('events', 'label')",
    ),
    databases=MYSQL_ONLY,
    dialect="mysql",
    live={"size": (5_000_000, ()), "oldest_transaction": (600, ())},
    source="MariaDB's and MySQL's manuals, Metadata Locking",
    check=_check,
)
