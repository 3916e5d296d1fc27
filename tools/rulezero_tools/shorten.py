"""Results that fit a model's window: the beginning of long lists, and where the rest is."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from rulezero_tools.results import AnalyzeResult, Beat, Rehearsal, ReviewResult, RollbackResult

Long = TypeVar("Long", AnalyzeResult, ReviewResult, RollbackResult)

SHOWN = 15
"""Entries of a list that are shown."""

OF_REHEARSAL, BEATS = 5, 6
"""Entries of a rehearsal's lists, and statements of its timeline."""

TEXT, SQL = 300, 100
"""Characters of an entry, and of a statement."""

SQL_SHOWN = 1500
"""Characters of SQL in a result; all of it is in `get_plan`."""


def shortened(result: Long) -> Long:
    """`result` with its long lists cut; what was cut is counted in `next_step`."""
    result, cut = _with_short_rehearsal(result)
    values: dict[str, Any] = {f.name: getattr(result, f.name) for f in fields(result)}
    lists: dict[str, tuple[Any, ...]] = {k: v for k, v in values.items() if type(v) is tuple}
    long = {name: value for name, value in lists.items() if len(value) > SHOWN}
    if not (long or cut):
        return result
    short: dict[str, Any] = {name: value[:SHOWN] for name, value in long.items()}
    counted = [f"{len(value) - SHOWN} more {name}" for name, value in long.items()]
    rest = ", ".join([*counted, *(["all of the rehearsal"] if cut else [])])
    known = f" ({_where(cut=cut, lists=bool(long))})" if getattr(result, "plan_id", None) else ""
    return replace(result, **short, next_step=f"Not shown: {rest}{known}. {result.next_step}")


def _where(*, cut: bool, lists: bool) -> str:
    sections = [*(["changes or findings"] if lists else []), *(["rehearsal"] if cut else [])]
    return f"`get_plan` with section {' or '.join(sections)} has them all"


def _with_short_rehearsal(result: Long) -> tuple[Long, bool]:
    """`result` with a rehearsal that is cut, and whether it was."""
    if isinstance(result, AnalyzeResult):
        return result, False
    short = _short(result.rehearsal)
    return replace(result, rehearsal=short), short != result.rehearsal


def _short(shown: Rehearsal) -> Rehearsal:
    values: dict[str, Any] = {f.name: getattr(shown, f.name) for f in fields(shown)}
    lists: dict[str, tuple[str, ...]] = {
        k: v for k, v in values.items() if type(v) is tuple and k != "timeline"
    }
    cut: dict[str, Any] = {
        name: tuple(text[:TEXT] for text in value[:OF_REHEARSAL]) for name, value in lists.items()
    }
    return replace(shown, **cut, timeline=tuple(map(_beat, shown.timeline[:BEATS])))


def _beat(beat: Beat) -> Beat:
    return replace(
        beat,
        sql=beat.sql[:SQL],
        locks=beat.locks[:2],
        rewrites=beat.rewrites[:2],
        builds=beat.builds[:2],
    )


def shown_sql(sql: str | None) -> str | None:
    """The beginning of the SQL, and where the rest is."""
    if sql is None or len(sql) <= SQL_SHOWN:
        return sql
    return (
        f"{sql[:SQL_SHOWN]}\n-- … {len(sql) - SQL_SHOWN} more characters: `get_plan`, section sql"
    )
