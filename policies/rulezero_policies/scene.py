"""What the rules look at: a revision (or a model diff) with what the live database says of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rulezero_policies.asks import questions
from rulezero_policies.findings import Fact, Question
from rulezero_policies.operations import Operation, OperationKind
from rulezero_policies.sql import expand
from rulezero_policies.steps import Place, Step, walk

__all__ = ["Flaw", "Scene", "Stage", "questions"]

Stage = Literal["models", "revision", "rollback"]


FlawKind = Literal[
    "syntax",
    "unreadable",
    "duplicate",
    "missing parent",
    "cycle",
    "several heads",
    "unknown revision",
    "edited",
]


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """What is wrong with a revision file, or with its place among the others.

    `names` are the files of a duplicate, the parents that are missing, the revisions of the circle,
    the heads, the files' heads where the database is at an unknown `revision`, or when a file that
    was edited since was applied, and by which plan. `detail` is what was raised. `after` is the
    number of revisions that hang on this one.
    """

    kind: FlawKind
    revision: str
    names: tuple[str, ...] = ()
    detail: str = ""
    line: int | None = None
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One revision under review.

    `stage` is "models" for a diff that has no revision yet, "revision" for a revision file, and
    "rollback" for its downgrade about to run (then `upgrade` holds the downgrade's operations).
    `earlier` are the operations of the revisions that run before this one in the same plan. In all
    of them, what raw SQL does follows the `execute` that it stands in.
    """

    dialect: str
    version: tuple[int, ...] | None = None
    """The server's version; None where it is not known, which is answered conservatively."""
    stage: Stage = "revision"
    revision: str | None = None
    upgrade: tuple[Operation, ...] = ()
    downgrade: tuple[Operation, ...] = ()
    earlier: tuple[Operation, ...] = ()
    upgrade_error: str | None = None
    downgrade_error: str | None = None
    has_upgrade: bool = True
    has_downgrade: bool = True
    downgrade_is_empty: bool = False
    downgrade_line: int | None = None
    app_imports: tuple[tuple[str, int], ...] = ()
    facts: tuple[Fact, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    own_transaction: bool = False
    """Whether each revision of a run commits by itself (`transaction_per_migration`)."""

    def __post_init__(self) -> None:
        for name in ("upgrade", "downgrade", "earlier"):
            found = tuple(expand(getattr(self, name), self.dialect))
            object.__setattr__(self, name, found)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every operation of the upgrade, what raw SQL does included."""
        return self.walked[len(self.earlier) :]

    @cached_property
    def walked(self) -> tuple[Step, ...]:
        """The same, behind those of the revisions before: read once, however many rules ask."""
        return tuple(walk((*self.earlier, *self.upgrade), self.dialect))

    @property
    def existing(self) -> tuple[Step, ...]:
        """The steps on tables that were there before the plan."""
        return tuple(s for s in self.steps if s.operation.table and not s.new_table)

    def of(self, *kinds: OperationKind) -> tuple[Step, ...]:
        """The steps of these kinds on tables that were there before the plan."""
        return tuple(s for s in self.existing if s.operation.kind in kinds)

    def fact(self, question: Question) -> Fact | None:
        """The live database's answer to `question`, if it was asked."""
        return next((f for f in self.facts if f.asked == question), None)

    def rows(self, table: str, schema: str | None = None) -> Fact | None:
        """How many rows a live table has."""
        return self.fact(Question(probe="rows", table=table, schema=schema))

    def values(self, table: str, column: str, schema: str | None = None) -> Fact | None:
        """How many values a live column holds."""
        return self.fact(Question(probe="values", table=table, schema=schema, column=column))

    def nulls(self, table: str, column: str, schema: str | None = None) -> Fact | None:
        """How many NULLs a live column holds."""
        return self.fact(Question(probe="nulls", table=table, schema=schema, column=column))

    def is_new(self, table: str, schema: str | None = None) -> bool:
        """Whether the plan creates this table."""
        made = (o for o in (*self.earlier, *self.upgrade) if o.kind == "create_table")
        return any((o.schema, o.table) == (schema, table) for o in made)

    def added(self, table: str, schema: str | None = None) -> frozenset[str]:
        """The columns that the plan adds to this table."""
        made = (o for o in (*self.earlier, *self.upgrade) if o.kind == "add_column" and o.column)
        place = (schema, table)
        return frozenset(o.column.name for o in made if o.column and (o.schema, o.table) == place)

    @property
    def dropped_tables(self) -> frozenset[Place]:
        """The tables that this upgrade drops."""
        drops = (s.operation for s in self.steps if s.operation.kind == "drop_table")
        return frozenset((o.schema, o.table or "") for o in drops)

    @property
    def dropped_columns(self) -> frozenset[tuple[Place, str]]:
        """The columns that this upgrade drops."""
        drops = (s.operation for s in self.steps if s.operation.kind == "drop_column")
        return frozenset(((o.schema, o.table or ""), o.column.name) for o in drops if o.column)
