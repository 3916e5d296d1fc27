"""What rests on a column goes with it through the phases, on PostgreSQL: there and back."""

import contextlib
import threading
import time
from collections.abc import Generator, Sequence
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from rulezero_policies.errors import NoSequence
from rulezero_policies.operations import Change, Column, Constraint, Index, Operation
from rulezero_policies.renames import Rename
from rulezero_server.worker import shapes
from rulezero_tools import safer
from rulezero_tools.shapes import Hold, PhaseFile, Shape, ShapeColumn

pytestmark = pytest.mark.proves("A15")

CUSTOMERS = "CREATE TABLE customers (id INTEGER PRIMARY KEY)"
ORDERS = """
CREATE TABLE orders (
    id SERIAL PRIMARY KEY,
    customer INTEGER NOT NULL CONSTRAINT of_customer REFERENCES customers ON DELETE CASCADE,
    status VARCHAR(10) NOT NULL DEFAULT 'new',
    CONSTRAINT real_customer CHECK (customer > 0 AND customer IS NOT NULL),
    CONSTRAINT known_status CHECK (status IN ('new', 'status', 'paid')),
    CONSTRAINT once UNIQUE (customer, status)
)
"""
INDEXES = (
    "CREATE INDEX ix_orders_customer ON orders (customer)",
    "CREATE INDEX ix_orders_status ON orders (status, id)",
    "CREATE UNIQUE INDEX ux_orders ON orders (status, id)",
)


def _hold(said: dict[str, Any]) -> Hold:
    known: dict[str, Any] = {**said, "columns": tuple(said["columns"])}
    return Hold(**known)


class Live:
    """A database, as the worker and the files of a sequence use it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def run_env(self, look: Any, **_: Any) -> None:
        with self.engine.connect() as connection:
            look(None, SimpleNamespace(connection=connection))

    def shape(self) -> Shape:
        (found,) = shapes.shapes(self, {"tables": ["orders"]})["shapes"]
        columns = tuple(ShapeColumn(**c) for c in found["columns"])
        held = tuple(_hold(h) for h in found["held"])
        return Shape(table="orders", key=tuple(found["key"]), columns=columns, held=held)

    def held(self) -> list[tuple[str | None, str]]:
        return sorted((h.name, h.said) for h in self.shape().held if h.kind)

    def looks(self) -> Any:
        """Everything that a way back has to bring back."""
        return self.held(), sorted(map(repr, self.shape().columns))

    def migrate(self, file: PhaseFile, direction: str) -> None:
        lines = "\n".join(file.upgrade if direction == "up" else file.downgrade)
        body = "\n".join("    " + line for line in lines.splitlines())
        text = "\n".join((*file.imports, "import sqlalchemy as sa", f"def move():\n{body}"))
        with self.engine.connect() as connection:
            context = MigrationContext.configure(connection)
            names: dict[str, Any] = {"op": Operations(context)}
            exec(f"{text}\n\n{file.end}", names)
            with context.begin_transaction():
                names["move"]()


@pytest.fixture
def live(postgres_url: str) -> Live:
    found = Live(postgres_url)
    found.run(CUSTOMERS, ORDERS, *INDEXES, "INSERT INTO customers VALUES (1), (2)")
    found.run("INSERT INTO orders (customer, status) VALUES (1, 'new'), (1, 'paid'), (2, 'new')")
    return found


def written(live: Live, *operations: Operation, renames: Sequence[Rename] = ()) -> Any:
    return safer.sequence(
        operations,
        (live.shape(),),
        dialect="postgresql",
        message="m",
        nulls={},
        renames=renames,
    )


def through(live: Live, files: Sequence[PhaseFile]) -> None:
    """Every phase up, down and up again; where it was is where it is after the way down."""
    for file in files:
        before = live.looks()
        live.migrate(file, "up")
        after = live.looks()
        live.migrate(file, "down")
        assert live.looks() == before, file.message
        live.migrate(file, "up")
        assert live.looks() == after, file.message


def retype(column: str, before: str, after: str) -> Operation:
    change = Change(attribute="type", before=before, after=after)
    named = Column(name=column, type=before)
    return Operation(kind="alter_column", table="orders", column=named, changes=(change,))


def test_a_type_changes_with_its_key_check_index_and_constraint(live: Live) -> None:
    before = live.held()
    made = written(live, retype("customer", "INTEGER", "BIGINT"))
    through(live, made.files)
    assert live.held() == before
    kind = "SELECT pg_typeof(customer)::text FROM orders LIMIT 1"
    assert live.rows(kind) == [("bigint",)]
    live.run("DELETE FROM customers WHERE id = 2")
    assert live.rows("SELECT count(*) FROM orders") == [(2,)]
    for bad in ("(1, 'new')", "(9, 'new')", "(0, 'new')"):
        with pytest.raises(IntegrityError):
            live.run(f"INSERT INTO orders (customer, status) VALUES {bad}")


OLD = Column(name="status", type="VARCHAR(10)", nullable=False)
NEW = Column(name="state", type="VARCHAR(10)", nullable=False, server_default="'new'")
RENAME = Rename(kind="column", table="orders", old="status", new="state")


def index(kind: Any, name: str, *columns: str) -> Operation:
    return Operation(kind=kind, table="orders", index=Index(name=name, columns=columns))


def test_a_name_changes_with_its_default_and_what_rests_on_it(live: Live) -> None:
    unique = Constraint(kind="unique", columns=("customer", "state"))
    made = written(
        live,
        Operation(kind="drop_column", table="orders", column=OLD),
        Operation(kind="add_column", table="orders", column=NEW),
        index("drop_index", "ix_orders_status", "status", "id"),
        index("create_index", "ix_orders_state", "state", "id"),
        Operation(
            kind="drop_constraint",
            table="orders",
            constraint=Constraint(kind="unique", name="once", columns=("customer", "status")),
        ),
        Operation(kind="create_constraint", table="orders", constraint=unique),
        renames=(RENAME,),
    )
    assert set(made.without) == {
        ("orders", "status"),
        ("orders", "state"),
        ("orders", "index ix_orders_status"),
        ("orders", "index ix_orders_state"),
        ("orders", "constraint once"),
        ("orders", "constraint on customer, state"),
    }
    through(live, made.files[:1])
    live.run("INSERT INTO orders (customer, status) VALUES (2, 'paid')")
    live.run("INSERT INTO orders (customer, state) VALUES (2, 'status')")
    live.run("UPDATE orders SET status = 'paid' WHERE id = 1 AND false")
    through(live, made.files[1:])
    live.run("INSERT INTO customers VALUES (3)", "INSERT INTO orders (customer) VALUES (3)")
    found = live.rows("SELECT customer, state FROM orders ORDER BY id")
    assert found == [(1, "new"), (1, "paid"), (2, "new"), (2, "paid"), (2, "status"), (3, "new")]
    assert {name for name, _ in live.held()} == {
        "of_customer",
        "real_customer",
        "known_status",
        "once",
        "ix_orders_customer",
        "ix_orders_state",
        "ux_orders",
    }
    with pytest.raises(IntegrityError):
        live.run("INSERT INTO orders (customer, state) VALUES (3, 'new')")
    with pytest.raises(IntegrityError):
        live.run("INSERT INTO orders (customer, state) VALUES (3, 'odd')")


def test_a_column_that_goes_takes_its_index_along_and_brings_it_back(live: Live) -> None:
    gone = Operation(kind="drop_column", table="orders", column=OLD)
    made = written(live, gone, index("drop_index", "ix_orders_status", "status", "id"))
    assert ("orders", "index ix_orders_status") in made.without
    live.migrate(made.files[0], "up")
    before = live.held()
    live.migrate(made.files[1], "up")
    assert {n for n, _ in live.held()} == {"of_customer", "real_customer", "ix_orders_customer"}
    live.migrate(made.files[1], "down")
    assert live.held() == before


def test_an_index_that_was_half_built_is_built_anew(live: Live) -> None:
    """Two texts that are one number: the switch stops, and goes on once they are corrected."""
    live.run("ALTER TABLE orders ADD code VARCHAR(10)", "CREATE UNIQUE INDEX u ON orders (code)")
    live.run("UPDATE orders SET code = '1.5' WHERE id = 1")
    live.run("UPDATE orders SET code = '1.50' WHERE id = 2")
    files = written(live, retype("code", "VARCHAR(10)", "NUMERIC(10, 2)")).files
    live.migrate(files[0], "up")
    live.migrate(files[1], "up")
    with pytest.raises(IntegrityError):
        live.migrate(files[2], "up")
    live.run("UPDATE orders SET code = '2.5' WHERE id = 2")
    for file in files[2:]:
        live.migrate(file, "up")
    assert ("u", "CREATE UNIQUE INDEX u ON public.orders USING btree (code)") in live.held()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ("CREATE INDEX ix ON orders (code) WHERE code > ''", "the index ix is|the index ix rests"),
        ("CREATE INDEX ix ON orders (lower(code))", "the index ix rests"),
        ("CREATE INDEX ix ON orders (code DESC)", "the index ix is more"),
        ("CREATE INDEX ix ON orders USING hash (code)", "the index ix rests"),
        ("ALTER TABLE orders ADD CONSTRAINT ck CHECK (code <> '')", "was written for VARCHAR"),
        ("ALTER TABLE orders ADD CONSTRAINT ck CHECK (code <> '') NOT VALID", "written|rests"),
        ("CREATE INDEX ix ON orders (code); CREATE INDEX ix_new ON customers (id)", "is taken"),
        ("CREATE VIEW seen AS SELECT code FROM orders", "view seen"),
        ("CREATE TABLE of (code VARCHAR(10) REFERENCES orders (code))", "another table's key"),
        ("ALTER TABLE orders ADD FOREIGN KEY (code) REFERENCES coded", "takes no NUMERIC"),
    ],
)
def test_what_cannot_be_made_anew_as_it_is_is_refused(live: Live, made: str, reason: str) -> None:
    live.run("ALTER TABLE orders ADD code VARCHAR(10)")
    live.run("CREATE TABLE coded (code VARCHAR(10) PRIMARY KEY)")
    if "CREATE TABLE" in made:
        live.run("ALTER TABLE orders ADD UNIQUE (code)")
    live.run(made)
    with pytest.raises(NoSequence, match=reason):
        written(live, retype("code", "VARCHAR(10)", "NUMERIC(10, 2)"))


def test_an_index_of_two_columns_that_move_is_refused(live: Live) -> None:
    both = (retype("customer", "INTEGER", "BIGINT"), retype("status", "VARCHAR(10)", "TEXT"))
    with pytest.raises(NoSequence, match="the unique constraint once is of customer and status"):
        written(live, *both)


@contextlib.contextmanager
def locked(live: Live, row: int) -> Generator[None]:
    """A transaction of somebody else that does not end."""
    with psycopg.connect(live.url.replace("+psycopg", "", 1)) as other:
        other.execute("SELECT FROM orders WHERE id = %s FOR UPDATE", (row,))
        yield


def test_a_row_that_is_locked_for_long_holds_up_no_other_write(live: Live) -> None:
    live.run("INSERT INTO customers SELECT g FROM generate_series(3, 50) g")
    live.run("INSERT INTO orders (customer) SELECT g FROM generate_series(3, 50) g")
    files = written(live, retype("customer", "INTEGER", "BIGINT")).files
    live.migrate(files[0], "up")
    backfill = threading.Thread(target=live.migrate, args=(files[1], "up"), daemon=True)
    with locked(live, 40):
        backfill.start()
        todo = "SELECT count(*) FROM orders WHERE customer_new IS NULL"
        until = time.monotonic() + 30
        while live.rows(todo) != [(1,)]:
            assert backfill.is_alive()
            assert time.monotonic() < until
        live.run("SET LOCAL lock_timeout = '1s'", "UPDATE orders SET status = 'paid' WHERE id = 3")
        assert backfill.is_alive()
    backfill.join(30)
    assert live.rows(todo) == [(0,)]
