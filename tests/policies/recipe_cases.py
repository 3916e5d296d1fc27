"""What every recipe is tried on: a database with rows, the revision, and what holds afterwards."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from tests.policies.live import Live

from rulezero_policies.rules.rule import ALL, MYSQL_ONLY, POSTGRESQL, SQLITE, revision

TABLES = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(50), email VARCHAR(50))",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, user_id INTEGER, title VARCHAR(50) DEFAULT 'no')",
    "CREATE TABLE events (id INTEGER PRIMARY KEY, kind VARCHAR(50), size INTEGER)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, amount INTEGER)",
)
ROWS = (
    "INSERT INTO users VALUES (1, 'ann', 'a@x'), (2, 'bob', NULL)",
    "INSERT INTO tasks VALUES (1, 1, 'a'), (2, NULL, NULL)",
    "INSERT INTO events VALUES (1, 'a', 1), (2, 'b', 2), (3, 'b', 2)",
    "INSERT INTO orders VALUES (1, 10), (2, NULL)",
)

Holds = Callable[[Live], object]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A recipe on the databases that it serves.

    `text` is the revision, the rule's own example where it is None. `holds` is what is true of the
    upgraded database; `before` are statements behind those that make the tables; `large` says that
    they count as large; `unasked` are questions to which the database gives no answer; `leaves`
    says why the way back is not to what was there.
    """

    rule: str
    holds: Holds
    text: str | None = None
    databases: tuple[str, ...] = ALL
    before: tuple[str, ...] = ()
    large: bool = False
    unasked: tuple[str, ...] = ()
    enforces: bool = False
    leaves: str = ""

    @property
    def setup(self) -> tuple[str, ...]:
        """The statements that make the database."""
        return (*TABLES, *ROWS, *self.before)


def column(table: str, name: str) -> Callable[[Live], dict[str, object]]:
    """A column as the database has it."""
    return lambda live: next(
        dict(c) for c in sa.inspect(live.engine).get_columns(table) if c["name"] == name
    )


def is_type(table: str, name: str, kind: str) -> Holds:
    """Whether a column has this type."""
    return lambda live: str(column(table, name)(live)["type"]).startswith(kind)


def refuses_null(table: str, name: str) -> Holds:
    """Whether a column is NOT NULL, and no row stands against it."""
    return lambda live: not column(table, name)(live)["nullable"]


def keys(*names: str | None) -> Holds:
    """Whether these are the foreign keys of tasks."""
    return lambda live: (
        [k["name"] for k in sa.inspect(live.engine).get_foreign_keys("tasks")] == [*names]
    )


def indexed(table: str, name: str) -> Holds:
    """Whether a table has this index, fit for use."""
    return lambda live: (
        name in {i["name"] for i in sa.inspect(live.engine).get_indexes(table)}
        and (live.dialect != "postgresql" or not live.rows(_INVALID))
    )


def gives(statement: str, *rows: tuple[object, ...]) -> Holds:
    """Whether a query gives these rows."""
    return lambda live: live.rows(statement) == [*rows]


_INVALID = "SELECT indexrelid FROM pg_index WHERE NOT indisvalid"
_VALID = "SELECT convalidated FROM pg_constraint WHERE conname = '{}'"


def valid(name: str) -> Holds:
    """Whether a constraint is there, and holds for every row."""
    return gives(_VALID.format(name), (True,))


def in_batch(table: str, *steps: str) -> str:
    """Steps in a batch block."""
    inside = "".join(f"\n    batch_op.{step}" for step in steps)
    return f"with op.batch_alter_table('{table}') as batch_op:{inside}"


_TITLE = (
    "alter_column('title', existing_type=sa.String(50), nullable={}, "
    "existing_server_default=sa.text(\"'no'\"))"
)
_REFERS = "create_foreign_key('fk_tasks_user', 'users', ['user_id'], ['id']{})"
_TO_USERS = "FOREIGN KEY (user_id) REFERENCES users (id)"
_NOTES = "op.add_column('events', sa.Column('notes', sa.String(50), nullable=True))"
_INDEX = "op.create_index('ix_events_notes', 'events', ['notes'])"
_NOT_NOTES = "op.drop_column('events', 'notes')"
_NOT_INDEX = "op.drop_index('ix_events_notes', table_name='events')"
_MEDIUM = gives("SELECT priority FROM tasks", ("medium",), ("medium",))
_HAS_NOTES = is_type("events", "notes", "VARCHAR")
_MOODS = (
    "CREATE TYPE mood AS ENUM ('sad')",
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mood mood)",
    "INSERT INTO people VALUES (1, NULL)",
)

CASES = (
    Tried(
        rule="unnamed-drop",
        text=revision(
            in_batch("tasks", "create_foreign_key(None, 'users', ['user_id'], ['id'])"),
            in_batch("tasks", "drop_constraint(None, type_='foreignkey')"),
        ),
        holds=keys("fk_tasks_user_id_users"),
        leaves="MariaDB keeps the index that it made for the key",
    ),
    Tried(rule="not-null-without-default", databases=("postgresql", "sqlite"), holds=_MEDIUM),
    Tried(rule="mysql-implicit-default", databases=MYSQL_ONLY, holds=_MEDIUM),
    Tried(
        rule="set-not-null",
        text=revision(
            in_batch("tasks", _TITLE.format(False)), in_batch("tasks", _TITLE.format(True))
        ),
        holds=refuses_null("tasks", "title"),
    ),
    Tried(
        rule="mysql-modify-attrs",
        databases=MYSQL_ONLY,
        before=(
            "DELETE FROM tasks",
            "ALTER TABLE tasks MODIFY title VARCHAR(50) NOT NULL DEFAULT 'x'",
            "INSERT INTO tasks VALUES (1, 1, 'a')",
        ),
        holds=lambda live: (
            refuses_null("tasks", "title")(live) and column("tasks", "title")(live)["default"]
        ),
    ),
    Tried(
        rule="foreign-key-order",
        before=("DROP TABLE tasks", "DROP TABLE users"),
        holds=lambda live: len(sa.inspect(live.engine).get_foreign_keys("tasks")) == 1,
    ),
    Tried(
        rule="enum-add-use",
        databases=POSTGRESQL,
        before=_MOODS,
        holds=gives("SELECT mood::text FROM people", ("glad",)),
        leaves="no label can be taken from a type",
    ),
    Tried(
        rule="enum-add-column",
        databases=POSTGRESQL,
        before=("CREATE TABLE people (id INTEGER PRIMARY KEY)", "INSERT INTO people VALUES (1)"),
        holds=gives("SELECT count(*) FROM pg_type WHERE typname = 'mood'", (1,)),
    ),
    Tried(
        rule="enum-duplicate",
        databases=POSTGRESQL,
        holds=gives("SELECT count(*) FROM pg_type WHERE typname = 'mood'", (1,)),
    ),
    Tried(
        rule="sqlite-no-alter",
        databases=SQLITE,
        text=revision(
            "op.alter_column('users', 'email', existing_type=sa.String(50), server_default='x')",
            "op.alter_column('users', 'email', existing_type=sa.String(50), server_default=None)",
        ),
        holds=lambda live: column("users", "email")(live)["default"] == "'x'",
    ),
    Tried(
        rule="sqlite-add-column",
        databases=SQLITE,
        holds=gives("SELECT count(*) FROM tasks WHERE made IS NOT NULL", (2,)),
    ),
    Tried(
        rule="sqlite-batch-cascade",
        databases=SQLITE,
        enforces=True,
        before=(
            "DROP TABLE tasks",
            "CREATE TABLE tasks (user_id INTEGER REFERENCES users (id) ON DELETE CASCADE)",
            "INSERT INTO tasks VALUES (1)",
        ),
        holds=gives("SELECT count(*) FROM tasks", (1,)),
    ),
    Tried(rule="json-type", databases=POSTGRESQL, holds=is_type("events", "payload", "JSONB")),
    Tried(rule="gin-index", databases=POSTGRESQL, holds=indexed("events", "ix_events_payload")),
    Tried(
        rule="fk-without-index",
        databases=("postgresql", "sqlite"),
        before=("ALTER TABLE tasks DROP COLUMN user_id",),
        large=True,
        text=revision(
            in_batch(
                "tasks",
                "add_column(sa.Column('user_id', sa.Integer(), nullable=True))",
                _REFERS.format(", ondelete='CASCADE'"),
            ),
            in_batch(
                "tasks",
                "drop_constraint('fk_tasks_user', type_='foreignkey')",
                "drop_column('user_id')",
            ),
        ),
        holds=indexed("tasks", "ix_tasks_user_id"),
    ),
    Tried(rule="index-lock", databases=POSTGRESQL, holds=indexed("events", "ix_events_kind")),
    Tried(
        rule="concurrently-in-transaction",
        databases=POSTGRESQL,
        holds=indexed("users", "ix_users_email"),
    ),
    Tried(rule="fk-lock", databases=POSTGRESQL, holds=valid("fk_tasks_user")),
    Tried(
        rule="add-foreign-key",
        databases=POSTGRESQL,
        unasked=("orphans",),
        holds=valid("fk_tasks_user"),
    ),
    Tried(rule="check-lock", databases=POSTGRESQL, holds=valid("ck_orders_amount")),
    Tried(
        rule="add-check",
        databases=POSTGRESQL,
        unasked=("violations",),
        holds=valid("ck_orders_amount"),
    ),
    Tried(rule="unique-lock", databases=POSTGRESQL, holds=valid("uq_users_email")),
    Tried(rule="validate-same-transaction", databases=POSTGRESQL, holds=valid("ck_orders_amount")),
    Tried(
        rule="downgrade-missing",
        holds=_HAS_NOTES,
        text=revision(_NOTES, "").partition("def downgrade")[0].rstrip() + "\n",
    ),
    Tried(rule="downgrade-pass", holds=_HAS_NOTES, text=revision(_NOTES, "pass")),
    Tried(
        rule="downgrade-mismatch",
        text=revision(f"{_NOTES}\n{_INDEX}", _NOT_INDEX),
        holds=indexed("events", "ix_events_notes"),
    ),
    Tried(
        rule="downgrade-order",
        text=revision(f"{_NOTES}\n{_INDEX}", f"{_NOT_NOTES}\n{_NOT_INDEX}"),
        holds=indexed("events", "ix_events_notes"),
    ),
    Tried(rule="lock-timeout", databases=POSTGRESQL, holds=valid("ck_orders_amount")),
    Tried(
        rule="fk-drop",
        databases=POSTGRESQL,
        before=(f"ALTER TABLE tasks ADD CONSTRAINT fk_tasks_user {_TO_USERS}",),
        holds=keys(),
    ),
    Tried(
        rule="mysql-metadata-lock", databases=MYSQL_ONLY, holds=is_type("events", "notes", "TEXT")
    ),
    Tried(
        rule="statistics-lost",
        databases=POSTGRESQL,
        holds=gives(
            "SELECT count(*) FROM pg_stats WHERE tablename = 'events' AND attname = 'size'", (1,)
        ),
    ),
    Tried(
        rule="invalid-index",
        databases=POSTGRESQL,
        holds=indexed("events", "ix_events_kind"),
        leaves="the failed index is gone for good",
    ),
)
