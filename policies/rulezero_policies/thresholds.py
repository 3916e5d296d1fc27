"""From which size, and for how long, something counts: numbers to be changed in one place."""

SMALL_TABLE_ROWS = 10_000
"""Below it no lock is held long enough to be spoken of."""

BIG_TABLE_ROWS = 1_000_000
"""From it on a rewrite or an index build stops an application for minutes."""

OLD_TRANSACTION_SECONDS = 60
"""A transaction that is open as long as this makes DDL wait, and everybody behind it."""

MANY_LOCKED_TABLES = 3
"""Tables that one transaction locks against every reader before it is told to be split."""

KEY_USED_PERCENT = 50
"""How far a live key has come, of what a new one beside it holds, before that is spoken of."""

INDEX_KEYS_OF_NEW_TABLES = True
"""A table that is being made is the cheapest to index; False leaves new tables in peace."""
