"""Operations of alembic, as the plain values that the rules read."""

import inspect
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from pydantic import TypeAdapter
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import UserDefinedType

from rulezero_policies.operations import Column, Constraint, Operation
from rulezero_server.worker import operations

PG, LITE = postgresql.dialect(), sqlite.dialect()


def read(*made: Any, dialect: Any = PG, as_run: bool = False) -> tuple[Operation, ...]:
    context = MigrationContext.configure(dialect=dialect) if as_run else None
    steps = operations.serialize(list(made), dialect, context=context)
    return TypeAdapter(tuple[Operation, ...]).validate_python(steps)


def concrete() -> list[type[Any]]:
    grouping = (ops.OpContainer, ops.MigrationScript)
    abstract = {ops.MigrateOperation, ops.AlterTableOp}
    found = [c for _, c in inspect.getmembers(ops, inspect.isclass)]
    return [
        c
        for c in found
        if issubclass(c, ops.MigrateOperation) and not issubclass(c, grouping) and c not in abstract
    ]


@pytest.mark.parametrize("kind", concrete(), ids=lambda c: c.__name__)
def test_every_operation_of_alembic_has_a_reader(kind: type[Any]) -> None:
    assert operations.reader_of(object.__new__(kind)) is not None


def test_a_created_table_is_read_with_everything_that_stands_in_it() -> None:
    columns = [
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("app.teams.id", name="fk_team")),
        sa.Column("email", sa.String(50), unique=True, nullable=False, server_default="it's"),
        sa.Column("size", sa.Integer(), index=True, default=3),
        sa.Column("twice", sa.Integer(), sa.Computed("size * 2")),
        sa.CheckConstraint("size > 0", name="ck_size"),
    ]
    table, index = read(ops.CreateTableOp("users", columns, schema="app"))
    assert (table.kind, table.qualified) == ("create_table", "app.users")
    by_name = {c.name: c for c in table.columns}
    assert by_name["email"] == Column(
        name="email", type="VARCHAR(50)", nullable=False, server_default="'it''s'", unique=True
    )
    assert by_name["size"].python_default
    assert by_name["twice"].generated
    assert by_name["id"].primary_key
    assert set(table.constraints) == {
        Constraint(kind="primary_key", columns=("id",)),
        Constraint(
            kind="foreign_key",
            name="fk_team",
            columns=("team_id",),
            referred_schema="app",
            referred_table="teams",
            referred_columns=("id",),
        ),
        Constraint(kind="unique", columns=("email",)),
        Constraint(kind="check", name="ck_size", expression="size > 0"),
    }
    assert index.kind == "create_index"
    assert index.index is not None
    assert index.index.columns == ("size",)


@pytest.mark.parametrize(
    ("default", "text"),
    [
        ("medium", "'medium'"),
        ("0", "'0'"),
        (sa.text("0"), "0"),
        (sa.func.now(), "now()"),
        (sa.false(), "false"),
        (None, None),
    ],
)
def test_a_server_default_is_written_as_the_ddl_would(default: Any, text: str | None) -> None:
    (step,) = read(ops.AddColumnOp("t", sa.Column("c", sa.String(), server_default=default)))
    assert step.column is not None
    assert step.column.server_default == text


def test_types_are_written_in_the_dialect() -> None:
    add = ops.AddColumnOp("t", sa.Column("c", sa.DateTime(timezone=True)))
    shown = {d.name: read(add, dialect=d)[0].column for d in (PG, LITE, mysql.dialect())}
    assert {name: column.type for name, column in shown.items() if column} == {
        "postgresql": "TIMESTAMP WITH TIME ZONE",
        "sqlite": "DATETIME",
        "mysql": "DATETIME",
    }


def test_a_type_that_the_dialect_cannot_write_is_shown_as_it_is() -> None:
    class Odd(UserDefinedType[Any]):
        def __repr__(self) -> str:
            return "Odd()"

    (step,) = read(ops.AddColumnOp("t", sa.Column("c", Odd())))
    assert step.column is not None
    assert step.column.type == "Odd()"


def test_an_identity_column_is_filled_by_the_database() -> None:
    (step,) = read(ops.AddColumnOp("t", sa.Column("c", sa.Integer(), sa.Identity())))
    assert step.column is not None
    assert step.column.generated


def test_an_altered_column_says_what_was_and_what_becomes() -> None:
    (step,) = read(
        ops.AlterColumnOp(
            "t",
            "c",
            existing_type=sa.String(50),
            existing_nullable=True,
            modify_type=sa.Text(),
            modify_nullable=False,
            modify_server_default=None,
            modify_name="d",
            modify_comment="why",
        )
    )
    assert step.column == Column(name="c", type="VARCHAR(50)", stated=("nullable",))
    assert {c.attribute: (c.before, c.after) for c in step.changes} == {
        "type": ("VARCHAR(50)", "TEXT"),
        "nullable": ("true", "false"),
        "server_default": (None, None),
        "name": ("c", "d"),
        "comment": (None, "why"),
    }


def test_what_was_not_stated_about_a_column_is_not_invented() -> None:
    (step,) = read(ops.AlterColumnOp("t", "c", modify_nullable=False))
    assert step.column == Column(name="c", type="")
    assert [(c.attribute, c.before) for c in step.changes] == [("nullable", None)]


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("foreignkey", "foreign_key"),
        ("primary", "primary_key"),
        ("unique", "unique"),
        ("check", "check"),
        (None, "unknown"),
    ],
)
def test_a_dropped_constraint_keeps_its_kind(type_: str | None, kind: str) -> None:
    (step,) = read(ops.DropConstraintOp("k", "t", type_=type_))
    assert step.constraint == Constraint(kind=kind, name="k")  # pyright: ignore[reportArgumentType] - parametrized


def test_constraints_are_read_with_schema_and_columns() -> None:
    foreign, unique, check, primary, exclude = read(
        ops.CreateForeignKeyOp(
            "f", "t", "o", ["a"], ["b"], source_schema="s1", referent_schema="s2"
        ),
        ops.CreateUniqueConstraintOp("u", "t", ["a", "b"], schema="s1"),
        ops.CreateCheckConstraintOp("c", "t", sa.column("a") > 5),
        ops.CreatePrimaryKeyOp("p", "t", ["id"]),
        postgresql_exclude(),
    )
    assert foreign.qualified == "s1.t"
    assert foreign.constraint == Constraint(
        kind="foreign_key",
        name="f",
        columns=("a",),
        referred_schema="s2",
        referred_table="o",
        referred_columns=("b",),
    )
    assert unique.constraint == Constraint(kind="unique", name="u", columns=("a", "b"))
    assert check.constraint == Constraint(kind="check", name="c", expression="a > 5")
    assert primary.constraint == Constraint(kind="primary_key", name="p", columns=("id",))
    assert exclude.constraint is not None
    assert exclude.constraint.kind == "exclude"


def postgresql_exclude() -> Any:
    from alembic.ddl.postgresql import CreateExcludeConstraintOp  # noqa: PLC0415

    return CreateExcludeConstraintOp("e", "t", [(sa.column("a"), "=")], using="gist")


def test_an_index_is_read_with_expressions_method_and_concurrently() -> None:
    made, dropped = read(
        ops.CreateIndexOp(
            "i",
            "t",
            [sa.text("lower(a)"), "b"],
            unique=True,
            postgresql_using="gin",
            postgresql_concurrently=True,
        ),
        ops.DropIndexOp("i", "t", postgresql_concurrently=True),
    )
    assert made.index is not None
    assert made.index.columns == ("lower(a)", "b")
    assert (made.index.unique, made.index.method, made.index.concurrently) == (True, "gin", True)
    assert dropped.index is not None
    assert (dropped.index.columns, dropped.index.concurrently) == ((), True)


def test_statements_are_read_with_their_values_in_them() -> None:
    table = sa.table("t", sa.column("a", sa.String()))
    plain, built = read(
        ops.ExecuteSQLOp(r"UPDATE t SET a = '\:x' WHERE a LIKE 'y%'"),
        ops.ExecuteSQLOp(table.update().where(table.c.a == "b%").values(a="it's")),
    )
    assert plain.sql == "UPDATE t SET a = ':x' WHERE a LIKE 'y%'"
    assert built.sql == "UPDATE t SET a='it''s' WHERE t.a = 'b%'"


def test_the_rest_is_read_too() -> None:
    table = sa.table("t", sa.column("a"))
    renamed, inserted, comment, no_comment, dropped, column = read(
        ops.RenameTableOp("t", "u", schema="s"),
        ops.BulkInsertOp(table, [{"a": 1}, {"a": 2}]),
        ops.CreateTableCommentOp("t", "what it is"),
        ops.DropTableCommentOp("t"),
        ops.DropTableOp("t", schema="s"),
        ops.DropColumnOp("t", "c"),
    )
    assert (renamed.qualified, renamed.name) == ("s.t", "u")
    assert (inserted.table, inserted.detail) == ("t", "2 rows")
    assert (comment.kind, comment.detail) == ("table_comment", "what it is")
    assert no_comment.kind == "table_comment"
    assert dropped.qualified == "s.t"
    assert column.subject == "t.c"


@pytest.mark.proves("A22")
def test_an_operation_nobody_knows_is_opaque() -> None:
    class CreateViewOp(ops.MigrateOperation):
        pass

    (step,) = read(CreateViewOp())
    assert step.kind == "opaque"
    assert "CreateViewOp" in (step.detail or "")


def test_checks_of_a_type_are_read_only_where_the_dialect_makes_them() -> None:
    columns = [sa.Column("a", sa.Boolean(create_constraint=True, name="ck_a"))]
    kinds = {d.name: read(ops.CreateTableOp("t", columns), dialect=d) for d in (PG, LITE)}
    assert [c.name for c in kinds["sqlite"][0].constraints] == ["ck_a"]
    assert kinds["postgresql"][0].constraints == ()


def test_a_column_that_is_run_brings_its_constraints_and_indexes_along() -> None:
    column = sa.Column("a", sa.Integer(), sa.ForeignKey("o.id"), unique=True, index=True)
    kinds = [s.kind for s in read(ops.AddColumnOp("t", column), as_run=True)]
    assert sorted(kinds) == ["add_column", "create_constraint", "create_index"]


def models() -> sa.MetaData:
    names = {
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
    metadata = sa.MetaData(naming_convention={**names, "fk": "fk_%(table_name)s_%(column_0_name)s"})
    sa.Table("teams", metadata, sa.Column("id", sa.Integer(), primary_key=True))
    sa.Table(
        "notes",
        metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("slug", sa.String(9), unique=True),
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("teams.id"), index=True),
    )
    return metadata


def test_what_autogenerate_proposes_is_read_once_and_under_its_names(sqlite_url: str) -> None:
    engine = sa.create_engine(sqlite_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": models()})
        proposed = produce_migrations(context, models())
        assert proposed.upgrade_ops is not None
        steps = read(proposed.upgrade_ops, dialect=engine.dialect)
    engine.dispose()
    constraints = [s.constraint for s in steps if s.kind == "create_constraint" and s.constraint]
    assert sorted((c.kind, c.name) for c in constraints) == [
        ("foreign_key", "fk_notes_team_id"),
        ("unique", "uq_notes_slug"),
    ]
    assert [s.index.name for s in steps if s.index] == ["ix_notes_team_id"]
    assert {s.subject for s in steps if s.kind == "add_column"} == {"notes.slug", "notes.team_id"}
    (dropped,) = (s for s in steps if s.kind == "drop_column")
    assert dropped.column == Column(name="body", type="TEXT")
