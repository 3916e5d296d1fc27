"""What a rehearsal on a shadow database showed, as values.

A rehearsal runs a plan's revisions up, down and up again (a rollback: down, then up) on a copy that
is thrown away. What the worker saw is `Rehearsed`; what follows from it is `judged`.
"""

from dataclasses import dataclass
from typing import Literal

Leg = Literal["upgrade", "downgrade", "reupgrade"]
"""The three ways that a rehearsal goes, in this order; a rollback's first way is `downgrade`."""

State = Literal["ok", "failed", "skipped"]

ThingKind = Literal[
    "table", "column", "constraint", "index", "sequence", "enum", "type", "view", "trigger",
    "function", "comment", "privilege", "extension", "schema",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock that a statement took and did not have before; `mode` as the database calls it."""

    relation: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One statement of a rehearsal. Times are in seconds; `start` counts from the first one.

    `transaction` numbers the transaction that it ran in: statements with one number are committed,
    or rolled back, together; None is a statement outside any transaction. `committed` says whether
    that transaction was committed in the end. `sql` is cut, and holds no bound values.
    `file` and `line` are those of the revision that sent it. `rewrites` are the tables that the
    database wrote anew for it, `builds` the indexes that it built. `algorithm` is MariaDB's word.
    `locks` is None where locks could not be seen (a statement outside a transaction has given its
    locks back when it ends).
    """

    leg: Leg
    sql: str
    start: float
    seconds: float
    revision: str | None = None
    file: str | None = None
    line: int | None = None
    transaction: int | None = None
    committed: bool = True
    rows: int | None = None
    locks: tuple[Lock, ...] | None = ()
    rewrites: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    algorithm: str | None = None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """How a leg ended before its end.

    `error` is the database's own words without values of rows; `kind` the exception's name;
    `constraint` and `table` what it hit, where the driver tells; `keys` a few primary keys of rows
    that are in the way, never other values; `sql` the statement.
    """

    leg: Leg
    error: str
    kind: str
    revision: str | None = None
    file: str | None = None
    line: int | None = None
    sql: str | None = None
    table: str | None = None
    constraint: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One object of the catalogue. `definition` is everything that makes it what it is.

    `table` is the table that it belongs to ("" for none), `position` a column's place in its table.
    Names that the database makes up (constraint numbers, toast tables) do not stand in it.
    """

    kind: ThingKind
    name: str
    definition: str
    schema: str | None = None
    table: str = ""
    position: int | None = None


@dataclass(frozen=True, kw_only=True)
class RowsDiffer:
    """How the rows of a table differ from what they were, over the columns that both have.

    `before` and `after` are how many there were; `lost`, `added` and `changed` count rows by their
    primary key (None where the table has none, or too many rows to be held one by one); `columns`
    are those with other values; `keys` a few keys.
    """

    table: str
    schema: str | None = None
    before: int
    after: int
    lost: int | None = None
    added: int | None = None
    changed: int | None = None
    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ColumnEmptied:
    """A column that both have, and whose values are gone: `values` were not NULL before."""

    table: str
    column: str
    schema: str | None = None
    values: int


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """Old rows as a mapped class reads them: how many, or the kind of error that there was.

    `column` is the one at which it failed, None where that is not known.
    """

    name: str
    table: str
    rows: int = 0
    error: str | None = None
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class TableSize:
    """Rows of a table on the shadow when the rehearsal began, and what the target is said to hold.

    `target` is None where it was not asked.
    """

    table: str
    schema: str | None = None
    rows: int
    target: int | None = None


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """Where a rehearsal ran.

    `where` names the kind of database ("a copy of the file", "PostgreSQL 18.1, embedded"); `rows`
    says which rows were there ("all 1,234 rows", "a sample of …", "made-up rows"); `whole` is
    whether those were all rows of the target; `real` whether they were rows of the target at all;
    `lacks` names what of the target is not on it, a line each.
    """

    where: str
    rows: str
    whole: bool
    real: bool
    lacks: tuple[str, ...] = ()
    sizes: tuple[TableSize, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What the worker saw. Catalogues are sorted; an empty one was not reached.

    `before` is the catalogue at the start, `there` after the first leg, `back` after the second,
    `again` after the third. `data_there` compares the rows after the first leg with those at the
    start, `data_back` those after the second (over all columns of the start). `remaining` is what
    models and database do not agree about after the upgrade, a line each; None where it could not
    be told. `unreadable` are mapped classes whose old rows no longer load, with the error's kind.
    `broken_before` and `broken_after` are what integrity and foreign key checks say (SQLite).
    `runs_again` are statements that a second upgrade sent when nothing was left to do, `data_again`
    how the rows differ after it from those before it. `readback` is what was read for `unreadable`.
    `not_shown` says what a limit cut off, a line each. `refused` is what the code tried and was
    kept from while it ran: a program, a connection to anything but the shadow.
    """

    upgrade: State = "skipped"
    downgrade: State = "skipped"
    reupgrade: State = "skipped"
    sent: tuple[Sent, ...] = ()
    failed: tuple[Failed, ...] = ()
    before: tuple[Thing, ...] = ()
    there: tuple[Thing, ...] = ()
    back: tuple[Thing, ...] = ()
    again: tuple[Thing, ...] = ()
    data_there: tuple[RowsDiffer, ...] = ()
    data_back: tuple[RowsDiffer, ...] = ()
    emptied: tuple[ColumnEmptied, ...] = ()
    remaining: tuple[str, ...] | None = None
    unreadable: tuple[str, ...] = ()
    broken_before: tuple[str, ...] = ()
    broken_after: tuple[str, ...] = ()
    runs_again: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    seconds: float = 0.0
    data_again: tuple[RowsDiffer, ...] = ()
    readback: tuple[ReadBack, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a shadow showed, and which shadow that was."""

    shadow: Shadow
    saw: Rehearsed


@dataclass(frozen=True, kw_only=True)
class NotRehearsed:
    """Why there was no shadow to rehearse on, and what to do for there to be one."""

    reason: str
    mend: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One object of the catalogue that is not as it was, with how in words.

    "missing" is gone, "added" was not there before, "moved" is a column at another place among the
    columns that both have.
    """

    what: Literal["missing", "added", "changed", "moved"]
    kind: ThingKind
    name: str
    table: str = ""
    schema: str | None = None
    text: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a statement may take on the target: a guess from what it took on the shadow.

    `rows` are the table's on the shadow, `target` those that the target is said to hold; `seconds`
    is what was measured, `low` and `high` what follows from it, None where it was over too soon to
    tell anything. `blocks` says who has to wait meanwhile, "" for nobody.
    """

    table: str
    sql: str
    revision: str | None = None
    file: str | None = None
    line: int | None = None
    rows: int
    target: int
    seconds: float
    low: float | None = None
    high: float | None = None
    blocks: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a plan keeps of its rehearsal: part of what a person approves.

    Where there was none, `reason` says why and `mend` what to do for there to be one. `direction`
    is that of the plan. `differences` are what the way back did not restore, or what a failed first
    leg left behind; `lost` says which rows and values are gone, and by what. `timeline` are at most
    60 statements, the text of each cut at 200 characters; `statements` counts all of them.
    The other fields are as in `Rehearsed` and `Shadow`.
    """

    direction: Literal["upgrade", "downgrade"] = "upgrade"
    reason: str = ""
    mend: str = ""
    where: str = ""
    rows: str = ""
    whole: bool = False
    real: bool = False
    lacks: tuple[str, ...] = ()
    upgrade: State = "skipped"
    downgrade: State = "skipped"
    reupgrade: State = "skipped"
    schema_restored: bool | None = None
    data_restored: bool | None = None
    differences: tuple[Difference, ...] = ()
    lost: tuple[str, ...] = ()
    remaining: tuple[str, ...] | None = None
    unreadable: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()
    failed: tuple[Failed, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    timeline: tuple[Sent, ...] = ()
    statements: int = 0
    seconds: float = 0.0

    @property
    def ran(self) -> bool:
        """Whether there was a rehearsal at all."""
        return not self.reason
