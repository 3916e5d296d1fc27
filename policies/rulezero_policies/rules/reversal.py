"""What is left over when an upgrade is followed by its downgrade, told from the steps alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from rulezero_policies.operations import Attribute, Change, Constraint, Index, Operation
from rulezero_policies.rules.restored import created_constraints
from rulezero_policies.steps import Place, mentions

Sort = Literal["table", "column", "index", "constraint"]


@dataclass(kw_only=True)
class Thing:
    """A table, column, index or constraint that some step touched.

    `was` is whether it was there before the upgrade, `now` whether it is there at this point;
    `origin` is its first name, `step` the first step that touched it.
    """

    sort: Sort
    place: Place
    name: str | None
    was: bool
    now: bool
    step: Operation
    undoing: bool
    kind: str = "unknown"
    columns: tuple[str, ...] = ()
    reads: str = ""
    """The condition of a check."""
    origin: tuple[Place, str | None] = ((None, ""), None)
    remade: bool = False
    changes: dict[Attribute, tuple[Change, Change, Operation]] = field(
        default_factory=dict[Attribute, tuple[Change, Change, Operation]]
    )

    def __post_init__(self) -> None:
        self.origin = (self.place, self.name)

    def goes(self) -> None:
        """It is dropped."""
        self.now = False
        self.remade = True


@dataclass(kw_only=True)
class Ledger:
    """Everything that was touched, upgrade first, then downgrade."""

    things: list[Thing] = field(default_factory=list[Thing])
    undoing: bool = False

    def take(self, operation: Operation) -> None:
        """Count one step in."""
        place: Place = (operation.schema, operation.table or "")
        match operation.kind:
            case "create_table" | "drop_table" | "rename_table":
                self._table(operation, place)
            case "add_column" | "drop_column" | "alter_column" if operation.column:
                self._column(operation, place, operation.column.name)
            case "create_index" | "drop_index" if operation.index:
                self._index(operation, place, operation.index)
            case "create_constraint" if operation.constraint:
                self._make_constraint(operation, place, operation.constraint)
            case "drop_constraint" if operation.constraint:
                self._drop_constraint(operation, place, operation.constraint)
            case _:
                return

    def _thing(
        self, sort: Sort, place: Place, name: str | None, operation: Operation, *, was: bool
    ) -> Thing:
        """The thing of that name, or a new one that was there before or not."""
        for thing in self.things:
            if (thing.sort, thing.place, thing.name) == (sort, place, name) and name is not None:
                return thing
        thing = Thing(
            sort=sort,
            place=place,
            name=name,
            was=was,
            now=was,
            step=operation,
            undoing=self.undoing,
        )
        self.things.append(thing)
        return thing

    def _on(self, place: Place) -> list[Thing]:
        return [t for t in self.things if t.place == place and t.sort != "table"]

    def _table(self, operation: Operation, place: Place) -> None:
        creates = operation.kind == "create_table"
        table = self._thing("table", place, place[1], operation, was=not creates)
        if operation.kind == "rename_table":
            new: Place = (operation.schema, operation.name or "")
            for thing in (table, *self._on(place)):
                thing.place = new
            table.name = new[1]
        elif creates:
            table.now = True
            for column in operation.columns:
                self._thing("column", place, column.name, operation, was=False).now = True
            for constraint in created_constraints(operation):
                self._make_constraint(operation, place, constraint)
        else:
            for thing in (table, *self._on(place)):
                thing.goes()

    def _column(self, operation: Operation, place: Place, name: str) -> None:
        column = self._thing("column", place, name, operation, was=operation.kind != "add_column")
        if operation.kind == "add_column":
            column.now = True
        elif operation.kind == "drop_column":
            # PostgreSQL drops with a column every index and check that reads it.
            reading = (t for t in self._on(place) if _reads(t, name))
            for thing in (column, *reading):
                thing.goes()
        else:
            self._alter(operation, column)

    def _alter(self, operation: Operation, column: Thing) -> None:
        for change in operation.changes:
            first, _, step = column.changes.get(change.attribute, (change, change, operation))
            column.changes[change.attribute] = (first, change, step)
            if change.attribute == "name" and change.after:
                self._rename_column(column, change.after)

    def _rename_column(self, column: Thing, new: str) -> None:
        for thing in self._on(column.place):
            thing.columns = tuple(new if c == column.name else c for c in thing.columns)
        column.name = new

    def _index(self, operation: Operation, place: Place, index: Index) -> None:
        same = (
            t
            for t in self.things
            if t.sort in {"index", "constraint"}
            and (
                (index.name and t.name == index.name)
                or (not index.name and t.columns == index.columns)
            )
        )
        creates = operation.kind == "create_index"
        thing = next(same, None) or self._thing(
            "index", place, index.name, operation, was=not creates
        )
        if creates:
            if _cleared(thing):
                thing.was = False
            thing.now, thing.columns = True, index.columns
        else:
            thing.goes()

    def _make_constraint(self, operation: Operation, place: Place, made: Constraint) -> None:
        gone = (t for t in self._constraints(place) if not t.now and _matches(t, made))
        thing = next(gone, None) or self._thing(
            "constraint", place, made.name, operation, was=False
        )
        thing.now, thing.name = True, made.name
        thing.kind, thing.columns, thing.reads = made.kind, made.columns, made.expression or ""

    def _drop_constraint(self, operation: Operation, place: Place, dropped: Constraint) -> None:
        there = [t for t in self._constraints(place) if t.now or t.name == dropped.name]
        named = (t for t in there if t.name == dropped.name is not None)
        loose = sorted(
            (t for t in there if None in {t.name, dropped.name} and _of_a_kind(t, dropped)),
            key=lambda t: t.kind != dropped.kind,
        )
        thing = next(named, None) or next(iter(loose), None)
        if thing is None:
            thing = self._thing("constraint", place, dropped.name, operation, was=True)
            thing.kind, thing.columns = dropped.kind, dropped.columns
        thing.goes()

    def _constraints(self, place: Place) -> list[Thing]:
        return [t for t in self._on(place) if t.sort in {"constraint", "index"}]


def _cleared(thing: Thing) -> bool:
    """Whether it was only dropped in case a failed concurrent build had left it."""
    index = thing.step.index
    return not thing.now and index is not None and index.concurrently and index.if_exists


def _reads(thing: Thing, column: str) -> bool:
    return any(mentions(text, column) for text in (*thing.columns, thing.reads))


def _of_a_kind(thing: Thing, other: Constraint) -> bool:
    return "unknown" in {thing.kind, other.kind} or thing.kind == other.kind


def _matches(thing: Thing, made: Constraint) -> bool:
    """Whether a constraint made now is the dropped one again."""
    if thing.name == made.name is not None:
        return True
    if not _of_a_kind(thing, made):
        return False
    known = bool(thing.columns and made.columns)
    return thing.columns == made.columns if known else None in {thing.name, made.name}


def left_over(
    upgrade: tuple[Operation, ...], downgrade: tuple[Operation, ...]
) -> Iterator[tuple[Operation, bool]]:
    """The steps that stay undone, and those of the downgrade that undo nothing.

    Yields:
        A step, and whether it is one of the downgrade.
    """
    ledger = Ledger()
    for operation in upgrade:
        ledger.take(operation)
    ledger.undoing = True
    for operation in downgrade:
        ledger.take(operation)
    tables = {t.origin[0] for t in ledger.things if t.sort == "table" and t.was != t.now}
    for thing in ledger.things:
        if thing.sort == "table" or thing.origin[0] not in tables:
            yield from _left(thing)


def _left(thing: Thing) -> Iterator[tuple[Operation, bool]]:
    if thing.undoing:
        if thing.was and not thing.now:
            yield thing.step, True
    elif thing.was != thing.now:
        yield thing.step, False
    elif thing.was and not thing.remade:
        yield from ((step, False) for step in _unturned(thing))


def _unturned(thing: Thing) -> Iterator[Operation]:
    renamed = thing.sort in {"table", "column"} and (thing.place, thing.name) != thing.origin
    if thing.sort == "table" and renamed:
        yield thing.step
    for attribute, (first, last, step) in thing.changes.items():
        if attribute == "name":
            if thing.name != thing.origin[1]:
                yield step
        elif first is last or (first.before is not None and _plain(last) != _plain_before(first)):
            yield step


def _plain(change: Change) -> str:
    return " ".join((change.after or "").upper().split())


def _plain_before(change: Change) -> str:
    return " ".join((change.before or "").upper().split())
