"""The touched tables before and after a plan: what a person takes in at a glance."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from rulezero_policies.operations import Column, Operation
from rulezero_policies.steps import Place, walk

Mark = Literal["same", "added", "dropped", "changed"]

_DRAWN = frozenset(
    {"create_table", "drop_table", "rename_table", "add_column", "drop_column", "alter_column"}
)


@dataclass(frozen=True, kw_only=True)
class LiveTable:
    """A table as the live database has it, its columns in order."""

    table: str
    schema: str | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ColumnPicture:
    """A column as it is written before and after; None where there is none."""

    before: str | None
    after: str | None

    @property
    def mark(self) -> Mark:
        """What happens to it."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "dropped"
        return "same" if self.before == self.after else "changed"


@dataclass(frozen=True, kw_only=True)
class TablePicture:
    """A table by its name before and after; None where there is none.

    `whole` tells that all its columns are known, not only those that the plan names.
    """

    before: str | None
    after: str | None
    columns: tuple[ColumnPicture, ...]
    whole: bool


def touched(operations: Iterable[Operation]) -> tuple[Place, ...]:
    """The live tables that have to be known to draw what these operations do, each once."""
    kinds = _DRAWN - {"create_table"}
    steps = (s for s in walk(operations) if s.operation.kind in kinds)
    return tuple(dict.fromkeys((s.schema, s.table) for s in steps if s.table))


def draw(
    operations: Iterable[Operation], live: Iterable[LiveTable] = ()
) -> tuple[TablePicture, ...]:
    """Each table whose columns or name these operations change, in the order they reach it.

    Args:
        operations: What was recorded, in order. Drops in raw SQL count, other raw SQL does not.
        live: The tables as they stand, as far as they could be read.
    """
    board = _Board(live={(t.schema, t.table): t for t in live})
    for step in walk(operations):
        if step.operation.kind in _DRAWN and step.operation.table:
            board.take(step.operation)
    return tuple(_picture(sketch) for sketch in board.sketches)


@dataclass(kw_only=True)
class _Pair:
    before: Column | None
    after: Column | None


@dataclass(kw_only=True)
class _Sketch:
    before: str | None
    after: str | None
    pairs: list[_Pair]
    whole: bool

    def pair(self, column: Column) -> _Pair:
        """The column that now has this name; one that nobody knew of is as it was stated."""
        found = next((p for p in self.pairs if p.after and p.after.name == column.name), None)
        if found is None:
            found = _Pair(before=column, after=column)
            self.pairs.append(found)
        return found


@dataclass(kw_only=True)
class _Board:
    """What the operations have made of the tables so far."""

    live: dict[Place, LiveTable]
    sketches: list[_Sketch] = field(default_factory=list[_Sketch])
    now: dict[Place, _Sketch] = field(default_factory=dict[Place, _Sketch])

    def take(self, operation: Operation) -> None:
        """Count one operation in."""
        place: Place = (operation.schema, operation.table or "")
        if operation.kind == "create_table":
            self._start(place, None, operation.columns, whole=True)
            return
        sketch = self.now.get(place) or self._known(place, operation)
        match operation.kind:
            case "drop_table":
                self._drop(place, sketch)
            case "rename_table":
                new: Place = (operation.schema, operation.name or "")
                sketch.after = _name(new)
                self.now[new] = self.now.pop(place)
            case _ if operation.column:
                _change(sketch, operation, operation.column)
            case _:
                return

    def _known(self, place: Place, operation: Operation) -> _Sketch:
        table = self.live.get(place)
        columns = table.columns if table else operation.columns
        return self._start(place, _name(place), columns, whole=table is not None)

    def _start(
        self, place: Place, before: str | None, columns: tuple[Column, ...], *, whole: bool
    ) -> _Sketch:
        pairs = [_Pair(before=c if before else None, after=c) for c in columns]
        sketch = _Sketch(before=before, after=_name(place), pairs=pairs, whole=whole)
        self.now[place] = sketch
        self.sketches.append(sketch)
        return sketch

    def _drop(self, place: Place, sketch: _Sketch) -> None:
        sketch.after = None
        for pair in sketch.pairs:
            pair.after = None
        del self.now[place]


def _change(sketch: _Sketch, operation: Operation, column: Column) -> None:
    if operation.kind == "add_column":
        sketch.pairs.append(_Pair(before=None, after=column))
        return
    pair = sketch.pair(column)
    pair.after = None if operation.kind == "drop_column" else _altered(pair.after, operation)


def _altered(column: Column | None, operation: Operation) -> Column | None:
    for change in operation.changes:
        match column, change.attribute, change.after:
            case Column(), "nullable", after:
                column = replace(column, nullable=(after or "").lower() != "false")
            case Column(), "server_default", after:
                column = replace(column, server_default=after)
            case Column(), "type", str(after):
                column = replace(column, type=after)
            case Column(), "name", str(after):
                column = replace(column, name=after)
            case _:
                continue
    return column


def _picture(sketch: _Sketch) -> TablePicture:
    pairs = (p for p in sketch.pairs if p.before or p.after)
    return TablePicture(
        before=sketch.before,
        after=sketch.after,
        columns=tuple(ColumnPicture(before=_text(p.before), after=_text(p.after)) for p in pairs),
        whole=sketch.whole,
    )


def _text(column: Column | None) -> str | None:
    if column is None:
        return None
    null = "" if column.nullable else " NOT NULL"
    default = f" DEFAULT {column.server_default}" if column.server_default else ""
    return f"{column.name} {column.type}{null}{default}".replace("  ", " ")


def _name(place: Place) -> str:
    schema, table = place
    return f"{schema}.{table}" if schema else table
