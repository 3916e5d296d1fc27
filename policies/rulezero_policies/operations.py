"""What a migration does: one model of operations, whatever they were read from."""

from dataclasses import dataclass
from typing import Literal

OperationKind = Literal[
    "create_table",
    "drop_table",
    "rename_table",
    "add_column",
    "drop_column",
    "alter_column",
    "create_index",
    "drop_index",
    "create_constraint",
    "drop_constraint",
    "execute",
    "bulk_insert",
    "table_comment",
    "statement",
    "opaque",
]

ConstraintKind = Literal["primary_key", "foreign_key", "unique", "check", "exclude", "unknown"]

Attribute = Literal["type", "nullable", "server_default", "name", "comment", "autoincrement"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as its definition says; types are rendered in the target's dialect."""

    name: str
    type: str
    nullable: bool = True
    server_default: str | None = None
    python_default: bool = False
    primary_key: bool = False
    unique: bool = False
    generated: bool = False
    """Computed or identity: the database fills it."""
    stated: tuple[str, ...] = ()
    """What an `alter_column` said of the column as it is ("nullable", "server_default", ...)."""
    generation: Literal["stored", "virtual", "computed", "identity"] | None = None
    """How it is filled; "computed" where it is not said whether the result is stored."""
    makes_type: str | None = None
    """The enumeration type that comes to be with the table when the column is made in it."""


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """A constraint; `name` is None where none was given."""

    kind: ConstraintKind
    name: str | None = None
    columns: tuple[str, ...] = ()
    referred_schema: str | None = None
    referred_table: str | None = None
    referred_columns: tuple[str, ...] = ()
    expression: str | None = None
    on_delete: str | None = None
    """What a foreign key does with its rows when the parent's row is deleted, as stated."""
    not_valid: bool = False
    """Rows that are there already are not looked at."""
    using_index: str | None = None
    """The index that it takes over instead of building one."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index; `columns` holds names or expressions as SQL text."""

    name: str | None
    columns: tuple[str, ...] = ()
    unique: bool = False
    method: str | None = None
    concurrently: bool = False
    if_exists: bool = False
    """IF [NOT] EXISTS: what is there already, or is not there, is passed over in silence."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One attribute that an `alter_column` changes; None before means it was not stated.

    `nullable` and `autoincrement` are "true" or "false"; a server default after of None drops it.
    """

    attribute: Attribute
    before: str | None
    after: str | None
    using: str | None = None
    """The expression that converts the values to another type (PostgreSQL's USING)."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step of a migration, in the order in which it happens.

    `column` is the column added or dropped; for `alter_column` it is the column before the change
    as far as it was stated. `columns` and `constraints` belong to `create_table`. `name` is the new
    name for `rename_table`. `sql` is the text for `execute`. `detail` says why a step is opaque.
    `line` is the line of the revision file. `batch` tells that it stood in a batch block,
    `autocommit` that it runs outside any transaction. `derived` marks what was read from the raw
    SQL of the `execute` before it; a `statement` is SQL that is understood and is none of the other
    kinds: `verb` says what it does, `name` to what, `detail` with what.
    """

    kind: OperationKind
    table: str | None = None
    schema: str | None = None
    name: str | None = None
    column: Column | None = None
    columns: tuple[Column, ...] = ()
    changes: tuple[Change, ...] = ()
    constraint: Constraint | None = None
    constraints: tuple[Constraint, ...] = ()
    index: Index | None = None
    sql: str | None = None
    detail: str | None = None
    line: int | None = None
    batch: bool = False
    autocommit: bool = False
    derived: bool = False
    recreates: bool = False
    """The batch block that it stands in copies the whole table into a new one."""
    verb: str | None = None

    @property
    def qualified(self) -> str:
        """The table's name with its schema, if it has one."""
        return f"{self.schema}.{self.table}" if self.schema else self.table or ""

    @property
    def subject(self) -> str:
        """What the step is about, as people write it: table, table.column or the name."""
        if self.column is not None:
            return f"{self.qualified}.{self.column.name}"
        return self.qualified or self.name or self.kind

    def change(self, attribute: Attribute) -> Change | None:
        """The change of `attribute`, if this step makes one."""
        return next((c for c in self.changes if c.attribute == attribute), None)
