"""The schema gap as values: what production's database lacks, what it has besides, what moved."""

from dataclasses import dataclass
from typing import Literal

from rulezero_policies.findings import Finding, Risk
from rulezero_policies.operations import Operation
from rulezero_policies.plan import PlannedChange
from rulezero_policies.rehearsal import Thing, ThingKind

Brings = Literal["waiting", "applied", "none", "unknown"]
"""Which revision brings a column that is missing.

One that waits to be applied; one that is applied, so that it was there and is gone; none, so that
a new one is needed; or it could not be told.
"""

ExtraKind = Literal["table", "column", "index", "constraint"]

Made = Literal["by hand", "by a revision", "unknown"]

What = Literal["missing", "added", "changed"]


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A column that the models have and the database has not.

    `whole` is whether its whole table is missing, `revision` the one that waits and brings it.
    `safe_form` is how to add it where rows are: "" for a column that is nullable or has a default.
    """

    table: str
    column: str
    type: str
    schema: str | None = None
    whole: bool = False
    brought: Brings = "unknown"
    revision: str | None = None
    safe_form: str = ""

    @property
    def subject(self) -> str:
        """As people write it."""
        return f"{self.schema}.{self.table}.{self.column}" if self.schema else self.place

    @property
    def place(self) -> str:
        """Table and column."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True, kw_only=True)
class Extra:
    """What the database has and no model: it is named, and nothing proposes to drop it.

    `goes` is whether a revision that waits takes it away. `harm` is what it does to the code as it
    is, "" for nothing.
    """

    kind: ExtraKind
    subject: str
    table: str
    name: str = ""
    schema: str | None = None
    made: Made = "unknown"
    goes: bool = False
    harm: str = ""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """An object that is not as the applied revisions make it; what follows is said in `text`.

    "missing" they make and the database has not, "added" they do not make and it has. `in_the_way`
    is whether a revision that waits makes it, too.
    """

    what: What
    kind: ThingKind
    name: str
    table: str = ""
    schema: str | None = None
    text: str
    in_the_way: bool = False


@dataclass(frozen=True, kw_only=True)
class History:
    """What the project's revisions make of an empty database.

    `at` is where the target is, `head` where the heads are; None where that could not be told.
    """

    at: tuple[Thing, ...] | None = None
    head: tuple[Thing, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class DatabaseGap:
    """One database of production held against the models and the revisions.

    `name` is None where the project migrates only one. `stray` are revisions at which it stands and
    that no file has. `operations` are what autogenerate would write, as `analyze` has them, without
    what it would drop; `changes` the same in words, `findings` and `risk` what the rules say of it.
    `unseen` are differences that autogenerate does not see, a line each. `drift` is None where it
    could not be told. `absent` is whether there is no file of the database yet. `error` says why it
    could not be compared at all.
    """

    name: str | None = None
    dialect: str = ""
    current: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    changes: tuple[PlannedChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    risk: Risk = "SAFE"
    missing: tuple[Missing, ...] = ()
    extra: tuple[Extra, ...] = ()
    unseen: tuple[str, ...] = ()
    drift: tuple[Drift, ...] | None = None
    absent: bool = False
    error: str = ""

    @property
    def structural(self) -> tuple[PlannedChange, ...]:
        """The changes that are more than an addition: only ever a versioned migration."""
        additions = {"create_table", "add_column"}
        pairs = zip(self.operations, self.changes, strict=True)
        return tuple(change for step, change in pairs if step.kind not in additions)


@dataclass(frozen=True, kw_only=True)
class EnvironmentGap:
    """Production's database held against the one of another environment.

    `differences` are seen from production: "missing" is what the other has and production has not.
    `current` is where the other one stands. `not_compared` says what was left out, and why.
    """

    environment: str
    name: str | None = None
    current: tuple[str, ...] = ()
    differences: tuple[Drift, ...] = ()
    not_compared: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class SchemaGap:
    """Everything about production's schema. `reasons` make a FAIL; `unknown` could not be told.

    `notes` are what a person should know and that is no reason to fail.
    """

    production: str
    databases: tuple[DatabaseGap, ...] = ()
    against: tuple[EnvironmentGap, ...] = ()
    reasons: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Of all databases."""
        return tuple(one for gap in self.databases for one in gap.missing)

    @property
    def extra(self) -> tuple[Extra, ...]:
        """Of all databases."""
        return tuple(one for gap in self.databases for one in gap.extra)

    @property
    def drift(self) -> tuple[Drift, ...]:
        """Of all databases, where it could be told."""
        return tuple(one for gap in self.databases for one in gap.drift or ())
