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
        while left := one_round(table, key, change, todo):
            log.info("%s: %d rows were locked by others, and are tried again", table, left)
            time.sleep(PAUSE)


def one_round(table, key, change, todo):
    """Change every row that can be had, and say how many could not."""
    done, left, after = 0, 0, None
    while keys := next_keys(table, key, todo, after):
        changed = change_between(table, key, change, todo, keys[0], keys[-1])
        left += max(len(keys) - changed, 0) if changed >= 0 else 0
        done, after = done + len(keys), keys[-1]
        log.info("%s: %d rows looked at", table, done)
        time.sleep(PAUSE)
    return left


def next_keys(table, key, todo, after):
    """The keys of the next batch, in order."""
    columns = ", ".join(key)
    marks = ", ".join(f":a{n}" for n in range(len(key)))
    beyond = f"({columns}) > ({marks}) AND " if after is not None else ""
    query = f"SELECT {columns} FROM {table} WHERE {beyond}{todo} ORDER BY {columns} LIMIT {BATCH}"
    values = {f"a{n}": value for n, value in enumerate(after or ())}
    return op.get_bind().execute(sa.text(query), values).fetchall()


def change_between(table, key, change, todo, first, last):
    """Change the rows of one batch, and say how many it changed."""
    columns = ", ".join(key)
    low = ", ".join(f":f{n}" for n in range(len(key)))
    high = ", ".join(f":l{n}" for n in range(len(key)))
    between = f"({columns}) >= ({low}) AND ({columns}) <= ({high})"
    values = {f"f{n}": value for n, value in enumerate(first)}
    values.update({f"l{n}": value for n, value in enumerate(last)})
    which = f"{between} AND {todo}"
    if op.get_context().dialect.name == "postgresql":
        # Waiting for a row would keep the locks of this batch for as long, and could deadlock.
        free = f"SELECT {columns} FROM {table} WHERE {which} FOR NO KEY UPDATE SKIP LOCKED"
        which = f"({columns}) IN ({free})"
    done = op.get_bind().execute(sa.text(f"UPDATE {table} SET {change} WHERE {which}"), values)
    return done.rowcount
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
