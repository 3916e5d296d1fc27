"""How much of the target is on a shadow, in words."""

from collections.abc import Iterator, Sequence

from rulezero_policies.rehearsal import Shadow, TableSize

VERSION_TABLE = "alembic_version"
"""Alembic's own, unless env.py names another: its row is none of the project's data."""


def empty(where: str, lacks: Sequence[str] = ()) -> Shadow:
    """A shadow on which nothing of the target stands."""
    return Shadow(where=where, rows="no rows", whole=False, real=False, lacks=tuple(lacks))


def amount(count: int) -> str:
    """A number of rows."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def whole(sizes: Sequence[TableSize]) -> str:
    """All rows are there."""
    count = _held(sizes)
    if count == 1:
        return "the only row"
    return f"all {amount(count)}" if count else "no rows, as in the target"


def sample(sizes: Sequence[TableSize]) -> str:
    """Some rows are there."""
    here = amount(_held(sizes))
    there = sum(size.target or 0 for size in _data(sizes))
    return f"a sample of {here} of about {there:,}, whole by foreign keys"


def made_up(sizes: Sequence[TableSize]) -> str:
    """None of the rows are the target's."""
    return f"{amount(_held(sizes))} made up; none of the target's were copied"


def _held(sizes: Sequence[TableSize]) -> int:
    return sum(size.rows for size in _data(sizes))


def _data(sizes: Sequence[TableSize]) -> Iterator[TableSize]:
    return (size for size in sizes if size.table != VERSION_TABLE)


def unfilled(names: Sequence[str], *, most: int = 8) -> tuple[str, ...]:
    """What is said of tables that got no row."""
    if not names:
        return ()
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return (f"rows in {', '.join(names[:most])}{rest}: none could be made up",)
