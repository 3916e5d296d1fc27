"""The functions that stand at the end of a revision of a sequence, as they are written there."""

HOLD = '''\
def hold(table, condition):
    """Stop before anything is changed, unless every row fulfils the condition."""
    if op.get_context().as_sql:
        return
    query = f"SELECT 0 - COUNT(*) AS missing FROM {table} WHERE NOT ({condition})"
    found = int(op.get_bind().execute(sa.text(query)).scalar() or 0)
    if found < 0:
        raise RuntimeError(MISSING.format(table=table, condition=condition, count=-found))
'''

BACKFILL = '''\
def backfill(table, key, change, todo):
    """Change the rows that are still to do, some at a time, by their primary key.

    Each batch commits by itself: whatever ends this, the next run goes on where it was.
    """
    if op.get_context().as_sql:
        raise RuntimeError(f"the rows of {table} are changed in batches: run this without --sql")
    with op.get_context().autocommit_block():
        done, after = 0, None
        while True:
            keys = next_keys(table, key, todo, after)
            if not keys:
                break
            change_between(table, key, change, todo, keys[0], keys[-1])
            done, after = done + len(keys), keys[-1]
            log.info("%s: %d rows changed", table, done)
            time.sleep(PAUSE)


def next_keys(table, key, todo, after):
    """The keys of the next batch, in order."""
    columns = ", ".join(key)
    marks = ", ".join(f":a{n}" for n in range(len(key)))
    beyond = f"({columns}) > ({marks}) AND " if after is not None else ""
    query = f"SELECT {columns} FROM {table} WHERE {beyond}{todo} ORDER BY {columns} LIMIT {BATCH}"
    values = {f"a{n}": value for n, value in enumerate(after or ())}
    return op.get_bind().execute(sa.text(query), values).fetchall()


def change_between(table, key, change, todo, first, last):
    """Change the rows of one batch."""
    columns = ", ".join(key)
    low = ", ".join(f":f{n}" for n in range(len(key)))
    high = ", ".join(f":l{n}" for n in range(len(key)))
    between = f"({columns}) >= ({low}) AND ({columns}) <= ({high})"
    values = {f"f{n}": value for n, value in enumerate(first)}
    values.update({f"l{n}": value for n, value in enumerate(last)})
    statement = f"UPDATE {table} SET {change} WHERE {between} AND {todo}"
    op.get_bind().execute(sa.text(statement), values)
'''

SAID = """\
MISSING = (
    "{count} rows of {table} do not fulfil {condition}. Correct them, then run this revision "
    "again; nothing more was changed. SELECT * FROM {table} WHERE NOT ({condition}) shows them."
)
"""

BATCHED = """\
BATCH = 5000  # rows in one transaction
PAUSE = 0.05  # seconds between two of them
log = logging.getLogger("alembic.runtime.migration")
"""

CONSTANTS = {"hold": SAID, "backfill": BATCHED}

TEXTS = {"hold": HOLD, "backfill": BACKFILL}

IMPORTS: dict[str, tuple[str, ...]] = {"hold": (), "backfill": ("import logging", "import time")}
