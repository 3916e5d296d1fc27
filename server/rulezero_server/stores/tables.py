"""The store's tables: each value as canonical JSON, and beside it the columns it is found by."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

SCHEMA = "0003"
"""The newest revision under `migrations/`; known here so that a ready store needs no Alembic."""

VERSION_TABLE = "rulezero_version"


class Utc(TypeDecorator[datetime]):
    """A moment, always with its zone: SQLite forgets zones, so that all are kept in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC.

        Raises:
            ValueError: It has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be kept")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = MetaData()

versions = Table(
    VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True, nullable=False)
)

analyses = Table(
    "rulezero_analyses",
    metadata,
    Column("analysis_id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("created", Utc, nullable=False),
    Column("value", Text, nullable=False),
)

plans = Table(
    "rulezero_plans",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("project", Text, nullable=False, index=True),
    Column("created", Utc, nullable=False),
    Column("value", Text, nullable=False),
)

blobs = Table(
    "rulezero_blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

challenges = Table(
    "rulezero_challenges",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("nonce", Text, nullable=False, unique=True),
    Column("plan_digest", String(64), nullable=False),
    Column("principal", Text, nullable=False),
    Column("person", Text, nullable=False, index=True),
    Column("channel", String(32), nullable=False),
    Column("needs", String(32), nullable=False),
    Column("expires", Utc, nullable=False),
    Column("shown", Utc),
    Column("answer", String(32)),
    Column("level", String(32)),
    Column("approver", Text),
    Column("through", String(32)),
    Column("claimed", Boolean, nullable=False),
    Column("chosen", Text, nullable=False, server_default="[]"),
    Column("value", Text, nullable=False),
    Index("ix_rulezero_challenges_plan", "plan_digest", "principal"),
)
"""`value` is the question as it was asked; what became of it stands in the columns."""

pins = Table(
    "rulezero_pins",
    metadata,
    Column("person", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_failure", Utc),
)

passkeys = Table(
    "rulezero_passkeys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("public_key", Text, nullable=False),
    Column("sign_count", Integer, nullable=False),
    Column("created", Utc, nullable=False),
    Column("name", Text, nullable=False),
)

grants = Table(
    "rulezero_grants",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("spent", Utc),
    Column("value", Text, nullable=False),
)

runs = Table(
    "rulezero_runs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("plan_id", Text, nullable=False, index=True),
    Column("value", Text, nullable=False),
)

audit = Table(
    "rulezero_audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("project", Text, nullable=False, index=True),
    Column("value", Text, nullable=False),
)

audit_head = Table(
    "rulezero_audit_head",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row: number and hash of the newest entry, so that a trail whose end is cut off is seen."""
