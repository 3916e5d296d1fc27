"""How much of the target is on a shadow, in words."""

from collections.abc import Sequence

from rulezero_policies.rehearsal import TableSize


def amount(count: int) -> str:
    """A number of rows."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def whole(sizes: Sequence[TableSize]) -> str:
    """All rows are there."""
    count = sum(size.rows for size in sizes)
    return f"all {amount(count)}" if count else "no rows, as in the target"


def sample(sizes: Sequence[TableSize]) -> str:
    """Some rows are there."""
    here = amount(sum(size.rows for size in sizes))
    there = sum(size.target or 0 for size in sizes)
    return f"a sample of {here} of about {there:,}, whole by foreign keys"


def made_up(sizes: Sequence[TableSize]) -> str:
    """None of the rows are the target's."""
    return f"{amount(sum(size.rows for size in sizes))} made up; none of the target's were copied"


def unfilled(names: Sequence[str], *, most: int = 8) -> tuple[str, ...]:
    """What is said of tables that got no row."""
    if not names:
        return ()
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return (f"rows in {', '.join(names[:most])}{rest}: none could be made up",)
