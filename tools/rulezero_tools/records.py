"""What was seen of a project and what is remembered, as values."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rulezero_policies.operations import Operation
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.scene import Flaw
from rulezero_policies.suppression import Ignore

Flavour = Literal["flask-migrate", "alembic"]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A revision file: its id, what it follows, its path under the project and its message."""

    id: str
    down: tuple[str, ...]
    path: str
    message: str
    branch_labels: tuple[str, ...] = ()


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
    """The database as it stands. `fingerprint` is a hash of its schema, version table excluded."""

    identity: DatabaseIdentity
    version: str
    current: tuple[str, ...]
    fingerprint: str | None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The version's numbers; None where it was not asked or is not written in numbers."""
        found = re.match(r"\d+(?:\.\d+)*", self.version)
        return tuple(int(n) for n in found[0].split(".")) if found else None


@dataclass(frozen=True, kw_only=True)
class Description:
    """The project as its own interpreter sees it. `revisions` are ordered, base first."""

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


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did: the statements it sent, and the error that ended it, if any."""

    statements: tuple[str, ...]
    error: str | None
    seconds: float


RunStatus = Literal["running", "applied", "failed"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What became of a plan, kept for every later question about it."""

    plan_id: str
    token_hash: str
    status: RunStatus
    started: datetime
    finished: datetime | None = None
    report: RunReport | None = None
    current: tuple[str, ...] | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """An analysis that was made, so that `generate` can be held to it."""

    analysis_id: str
    project: str
    environment: str
    operations: tuple[Operation, ...]
    risk: str
    description: str
    from_revisions: tuple[str, ...]
    created: datetime
    plan_id: str | None = None


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
