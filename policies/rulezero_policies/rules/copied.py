"""Where the values of a dropped column went before it is dropped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from rulezero_policies import sql
from rulezero_policies.operations import Operation
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step, mentions


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A column that got the values; `whole` where it got every one as it was, and keeps it."""

    column: str
    whole: bool


def copies(scene: Scene, drop: Step) -> Iterator[Copy]:
    """The columns of the same table that an UPDATE of the plan gave the dropped one's values."""
    operation = drop.operation
    old = operation.column.name if operation.column else ""
    for step in takewhile(lambda s: s is not drop, scene.steps):
        for change in _updates(scene, step.operation, operation.table):
            for new, read, plain in change.assigned:
                chosen = change.joined and mentions(change.condition or "", old)
                if (old in read or chosen) and new != old:
                    every = change.everywhere or _all_values(change.condition, old, new)
                    kept = not _dropped_later(scene, drop, new)
                    whole = old in read and plain and every and kept
                    yield Copy(column=new, whole=whole)


def _updates(scene: Scene, operation: Operation, table: str | None) -> Iterator[sql.Dml]:
    if operation.kind == "execute":
        for statement in sql.read(operation.sql or "", scene.dialect):
            change = statement.change
            if change is not None and change.verb == "UPDATE" and change.table == table:
                yield change


def _all_values(condition: str | None, old: str, new: str) -> bool:
    """Whether only rows are left out that have nothing to copy, or were given it before."""
    column = rf"[\"`]?(?:(?P<old>{re.escape(old)})|{re.escape(new)})[\"`]?"
    found = re.fullmatch(rf"\(*\s*{column}\s+IS\s+(?P<no>NOT\s+)?NULL\s*\)*", condition or "", re.I)
    negated = re.fullmatch(rf"\(*\s*NOT\s+{column}\s+IS\s+NULL\s*\)*", condition or "", re.I)
    if negated is not None:
        return negated["old"] is not None
    return found is not None and (found["old"] is not None) == (found["no"] is not None)


def _dropped_later(scene: Scene, drop: Step, column: str) -> bool:
    later = dropwhile(lambda s: s is not drop, scene.steps)
    return any(
        s.operation.kind == "drop_column"
        and s.operation.table == drop.operation.table
        and s.operation.column is not None
        and s.operation.column.name == column
        for s in later
    )
