"""Results that fit a model's window: the beginning of long lists, and where the rest is."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from rulezero_tools.results import AnalyzeResult, ReviewResult, RollbackResult

Long = TypeVar("Long", AnalyzeResult, ReviewResult, RollbackResult)

SHOWN = 15
"""Entries of a list that are shown."""


def shortened(result: Long) -> Long:
    """`result` with its long lists cut; what was cut is counted in `next_step`."""
    values: dict[str, Any] = {f.name: getattr(result, f.name) for f in fields(result)}
    lists: dict[str, tuple[Any, ...]] = {k: v for k, v in values.items() if type(v) is tuple}
    long = {name: value for name, value in lists.items() if len(value) > SHOWN}
    if not long:
        return result
    short: dict[str, Any] = {name: value[:SHOWN] for name, value in long.items()}
    rest = ", ".join(f"{len(value) - SHOWN} more {name}" for name, value in long.items())
    where = " (`get_plan` with section changes or findings has them all)"
    known = where if getattr(result, "plan_id", None) else ""
    return replace(result, **short, next_step=f"Not shown: {rest}{known}. {result.next_step}")
