"""What was seen of a project and what is remembered, as values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rulezero_policies.archives import Archive
from rulezero_policies.backup import Backup
from rulezero_policies.causes import Cause, Stopped
from rulezero_policies.operations import Operation
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.scene import Flaw
from rulezero_policies.suppression import Ignore

Flavour = Literal["flask-migrate", "alembic"]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A revision file: its id, what it follows, its path under the project and its message.

    `branch_labels` are the names of the branch that it is on, `depends_on` what has to run before.
    """

    id: str
    down: tuple[str, ...]
    path: str
    message: str
    branch_labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Interception:
    """What the project tried to do while it was only read, and was kept from doing.

    `kind` is a "change" to the database, a "program" to start or a "connection" to something else
    than the target. `package` is the installed package that did it of its own accord, if one did.
    """

    call: str
    file: str
    line: int
    kind: Literal["change", "program", "connection"] = "change"
    package: str | None = None


@dataclass(frozen=True, kw_only=True)
class Database:
    """The database as it stands. `fingerprint` is a hash of its schema, version table excluded.

    `locked` is whether a migration run holds its lock; None where that cannot be asked.
    """

    identity: DatabaseIdentity
    version: str
    current: tuple[str, ...]
    fingerprint: str | None
    locked: bool | None = None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The version's numbers; None where it was not asked or is not written in numbers."""
        found = re.match(r"\d+(?:\.\d+)*", self.version)
        return tuple(int(n) for n in found[0].split(".")) if found else None


@dataclass(frozen=True, kw_only=True)
class Bind:
    """One of the databases that a project migrates, by the name that its env.py has for it."""

    name: str
    database: Database


@dataclass(frozen=True, kw_only=True)
class Route:
    """A way through the revisions as Alembic goes it.

    `revisions` run in this order, `heads` is where the database is then, and `back` what Alembic
    is told to get to the start again; None where it has no word for that.
    """

    revisions: tuple[str, ...]
    heads: tuple[str, ...]
    back: str | None


@dataclass(frozen=True, kw_only=True)
class Description:
    """The project as its own interpreter sees it. `revisions` are ordered, base first.

    `databases` are the names of those that it migrates, where there are several.
    """

    flavour: Flavour
    root: str
    script_location: str
    heads: tuple[str, ...]
    revisions: tuple[Revision, ...]
    database: Database
    interceptions: tuple[Interception, ...]
    python: str
    alembic: str
    sqlalchemy: str
    versions: tuple[str, ...] = ()
    guard: str = "unknown"
    flaws: tuple[Flaw, ...] = ()
    databases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What the models want changed: the operations autogenerate proposes, in order."""

    operations: tuple[Operation, ...]
    interceptions: tuple[Interception, ...]


@dataclass(frozen=True, kw_only=True)
class UnseenChange:
    """A difference that autogenerate does not see; `code` is what a revision has to say by hand."""

    subject: str
    kind: str
    detail: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """What autogenerate does not compare on this database, and what of it was found to differ."""

    not_compared: tuple[str, ...] = ()
    changes: tuple[UnseenChange, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Generated:
    """A revision file that was just written; `note` says what went wrong all the same."""

    revision: str
    path: str
    note: str | None = None
    archives: tuple[Archive, ...] = ()
    not_archived: tuple[str, ...] = ()
    """What was to be archived and is dropped all the same, and why: a sentence each."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An archive in the target; `note` is its comment, `bytes` None where it is not told."""

    name: str
    schema: str | None
    rows: int
    at_least: bool = False
    bytes: int | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelDefault:
    """A constant that the models give a column; `source` is Python for its `server_default`."""

    table: str
    column: str
    source: str


@dataclass(frozen=True, kw_only=True)
class ShapeColumn:
    """A live column; `definition` is how MySQL and MariaDB themselves write it."""

    name: str
    nullable: bool
    default: str | None = None
    generated: bool = False
    definition: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What rests on columns; "*" stands for what cannot be told."""

    what: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A live table as a change in phases has to know it; `key` is empty where it has none."""

    table: str
    key: tuple[str, ...]
    columns: tuple[ShapeColumn, ...]
    held: tuple[Hold, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PhaseFile:
    """One revision of a sequence, as text: `end` stands below its two functions."""

    message: str
    doc: str
    upgrade: tuple[str, ...]
    downgrade: tuple[str, ...]
    imports: tuple[str, ...] = ()
    end: str = ""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """What the syntax tree of a revision tells without running it.

    `app_imports` are (module, line) of imports that are neither the standard library, alembic,
    sqlalchemy nor other installed packages: the project's own code.
    """

    has_upgrade: bool
    has_downgrade: bool
    downgrade_is_empty: bool
    downgrade_line: int | None
    app_imports: tuple[tuple[str, int], ...] = ()
    ignores: tuple[Ignore, ...] = ()
    phase: str | None = None
    """What a revision of a sequence says of itself, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A revision as it was seen running against a recording context; nothing was executed.

    `interceptions` are what was kept from happening while this revision was recorded.
    `own_transaction` tells that every revision of a run commits by itself
    (`transaction_per_migration`).
    """

    revision: str
    path: str
    message: str
    upgrade: tuple[Operation, ...]
    downgrade: tuple[Operation, ...]
    upgrade_error: str | None
    downgrade_error: str | None
    tree: Tree
    interceptions: tuple[Interception, ...] = ()
    own_transaction: bool = False


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The SQL of a run, or why it could not be rendered."""

    sql: str | None
    reason: str | None
    interceptions: tuple[Interception, ...] = ()


Landed = Literal["running", "committed", "rolled back", "failed", "in part", "in doubt", "skipped"]
"""What became of a statement; "in part": it failed or was cut off, and left something all the same;
"skipped": an earlier run had committed it.
"""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A statement of a run and what became of it, as far as the journal and the database tell.

    `reads` is whether it only asks, `version` whether it is about Alembic's version table, `alone`
    whether it commits by itself. `schema` is the fingerprint of the schema before it, `transaction`
    the number by which PostgreSQL knows a commit that was sent, `heads` where it put the version,
    `failed` whether the database refused it.
    """

    text: str
    landed: Landed
    revision: str | None = None
    place: str | None = None
    reads: bool = False
    version: bool = False
    alone: bool = False
    schema: str | None = None
    transaction: str | None = None
    heads: tuple[str, ...] | None = None
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class ServerSession:
    """A connection of a run, as the database's server knows it."""

    family: str
    id: str


RunState = Literal["never began", "running", "ended", "died"]


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did: the statements it sent, and the error that ended it, if any.

    `sent` are the statements of the last of its `tries`, with what became of each; `state` is
    whether its process is still there, and if not, whether it could tell its end. `kept` is where
    the bytes of a discarded file are.
    """

    statements: tuple[str, ...]
    error: str | None
    seconds: float
    sent: tuple[Sent, ...] = ()
    state: RunState = "ended"
    tries: int = 1
    sessions: tuple[ServerSession, ...] = ()
    stopped: Stopped | None = None
    kept: str | None = None


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What the database says of a run whose process is gone.

    `alive` is whether it still works on one of its statements, `committed` which transactions it
    knows as committed (by number, None for one it cannot tell), `invalid_indexes` the indexes that
    a build left invalid.
    """

    alive: bool = False
    committed: Mapping[str, bool | None] = field(default_factory=dict[str, bool | None])
    invalid_indexes: tuple[str, ...] = ()


RunStatus = Literal["running", "applied", "failed"]

Ending = Literal["applied", "nothing happened", "rolled back whole", "partially applied", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What became of a plan, kept for every later question about it.

    `host` is the machine where it runs, `ending` how it ended in one word, `backup` the one that
    was made right before it. `remaining` is what models and database still differ in, None where
    that was not asked, or could not be told for the reason that is `unasked`; `fingerprint` is that
    of the schema which the run left.
    """

    plan_id: str
    token_hash: str
    status: RunStatus
    started: datetime
    finished: datetime | None = None
    report: RunReport | None = None
    current: tuple[str, ...] | None = None
    outcome: str | None = None
    host: str | None = None
    ending: Ending | None = None
    resume: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    backup: Backup | None = None
    cause: Cause | None = None
    remaining: tuple[str, ...] | None = None
    unasked: str | None = None
    fingerprint: str | None = None

    @property
    def settled(self) -> bool:
        """Whether its end is known for good."""
        return self.status != "running" and self.ending != "unknown"


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """An analysis that was made, so that `generate` can be held to it.

    `bind` is the one of several databases that was compared, `binds` are all that were.
    """

    analysis_id: str
    project: str
    environment: str
    operations: tuple[Operation, ...]
    risk: str
    description: str
    from_revisions: tuple[str, ...]
    created: datetime
    plan_id: str | None = None
    bind: str | None = None
    binds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A person's PIN as an argon2id hash, with the failures since it was last right."""

    person: str
    hash: str
    failures: int = 0
    last_failure: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A person's passkey: its id and public key, both base64url, and how often it signed."""

    id: str
    person: str
    public_key: str
    sign_count: int
    created: datetime
    name: str
