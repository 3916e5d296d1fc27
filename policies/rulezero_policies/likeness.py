"""How alike a dropped and an added column are, by their names and by what stands around them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from rulezero_policies.findings import Fact
from rulezero_policies.fitting import Pair
from rulezero_policies.operations import Operation
from rulezero_policies.picture import LiveTable
from rulezero_policies.references import ModelClass


@dataclass(frozen=True, kw_only=True)
class Known:
    """The order of columns, live and in the models, as far as it is known, and renamed tables."""

    live: tuple[LiveTable, ...] = ()
    models: tuple[ModelClass, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    facts: tuple[Fact, ...] = ()

    def same_place(self, pair: Pair) -> bool | None:
        """Whether the new column stands where the old one stood; None where that is not known."""
        place = (pair.drop.schema, pair.drop.table)
        here = next((t for t in self.live if (t.schema, t.table) == place), None)
        model = next((m for m in self.models if (m.schema, m.table) == place), None)
        if here is None or model is None:
            return None
        before = [c.name for c in here.columns]
        after = [c for _, c in model.attributes]
        was, now = (
            _neighbour(before, pair.old.name, after),
            _neighbour(after, pair.new.name, before),
        )
        return was == now


def _neighbour(columns: list[str], name: str, kept: list[str]) -> str | None:
    """The nearest column before `name` that is on both sides."""
    before = columns[: columns.index(name)] if name in columns else []
    return next((c for c in reversed(before) if c in kept), None)


def alike(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; one that is a part of the other is quite."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    parts = set(long.split("_"))
    part = short in parts or set(short.split("_")) <= parts
    return max(SequenceMatcher(None, short, long).ratio(), 0.8 if part else 0)


def carried(pair: Pair, steps: tuple[Operation, ...], known: Known) -> float | None:
    """Whether what is dropped with the old column is made again for the new one."""
    table = (pair.drop.schema, pair.drop.table)
    mine = [o for o in steps if (o.schema, o.table) == table]
    gone = {s for o in mine if o.kind.startswith("drop_") for s in _shapes(o, pair.old.name, known)}
    made = {
        s for o in mine if o.kind.startswith("create_") for s in _shapes(o, pair.new.name, known)
    }
    if not gone and not made:
        return None
    return float(gone == made)


def _shapes(operation: Operation, column: str, known: Known) -> Iterator[tuple[object, ...]]:
    """What an index or constraint is, whatever it and `column` are called."""
    index, constraint = operation.index, operation.constraint
    if index and column in index.columns:
        # A unique index and a unique constraint refuse the same: MariaDB tells one for the other.
        kind = "unique" if index.unique else "index"
        yield (kind, _but(index.columns, column), "", ())
    if constraint and column in constraint.columns:
        table = constraint.referred_table or ""
        referred = (known.renamed.get(table, table), constraint.referred_columns)
        yield (constraint.kind, _but(constraint.columns, column), *referred)


def _but(columns: tuple[str, ...], column: str) -> tuple[str | None, ...]:
    return tuple(None if c == column else c for c in columns)
