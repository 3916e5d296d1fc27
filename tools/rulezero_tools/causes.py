"""What stopped a run, as results show it."""

from dataclasses import dataclass

from rulezero_policies.causes import Cause


@dataclass(frozen=True, kw_only=True)
class CauseView:
    """What stopped a run: where, and which rows are in the way.

    `error` holds no values of rows. `rows` says what is in the way of them, `count` how many are,
    `keys` names a few; they are null and empty where the error is about no rows, or nobody could
    be asked. `advice` is what to do about them.
    """

    kind: str
    error: str
    statement: str | None = None
    revision: str | None = None
    place: str | None = None
    table: str | None = None
    constraint: str | None = None
    rows: str | None = None
    count: int | None = None
    at_least: bool = False
    keys: tuple[str, ...] = ()
    advice: str = ""


def cause_view(cause: Cause | None) -> CauseView | None:
    """A cause as results show it."""
    if cause is None:
        return None
    rows = cause.rows
    return CauseView(
        kind=cause.kind,
        error=cause.error,
        statement=cause.statement,
        revision=cause.revision,
        place=cause.place,
        table=cause.table,
        constraint=cause.constraint,
        rows=rows.question if rows else None,
        count=rows.count if rows else None,
        at_least=rows.at_least if rows else False,
        keys=rows.sample if rows else (),
        advice=cause.advice,
    )
