"""A name longer than the database keeps."""

from collections.abc import Iterator

from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene

_LONGEST = {"postgresql": 63, "mysql": 64, "mariadb": 64}
"""Bytes of an identifier for PostgreSQL, characters for MySQL; SQLite knows no limit."""


def _names(operation: Operation) -> Iterator[str | None]:
    match operation.kind:
        case "create_table":
            yield operation.table
            yield from (c.name for c in operation.columns)
            yield from (c.name for c in operation.constraints)
        case "add_column" if operation.column:
            yield operation.column.name
        case "create_index" if operation.index:
            yield operation.index.name
        case "create_constraint" if operation.constraint:
            yield operation.constraint.name
        case "rename_table":
            yield operation.name
        case "alter_column":
            change = operation.change("name")
            yield change.after if change else None
        case _:
            return


def _refused(operation: Operation) -> bool:
    """Whether SQLAlchemy refuses to write the name; other names PostgreSQL cuts."""
    return operation.kind in {"create_index", "create_constraint"} and not operation.derived


def _check(scene: Scene) -> Iterator[Hit]:
    longest = _LONGEST.get(scene.dialect)
    if longest is None:
        return
    for operation in scene.upgrade:
        for name in _names(operation):
            if name and len(name.encode()) > longest:
                cut = scene.dialect == "postgresql" and not _refused(operation)
                yield Hit(
                    subject=operation.qualified or name,
                    evidence=f"{name} has {len(name.encode())} bytes, {longest} are kept",
                    line=operation.line,
                    severity="WARNING" if cut else None,
                    outcome="design" if cut else None,
                )


_LONG = "ix_orders_" + "_".join(["customer"] * 7)

RULE = Rule(
    id="name-too-long",
    severity="CRITICAL",
    outcome="will_fail",
    title="A name is too long",
    why="PostgreSQL keeps 63 bytes of a name and MySQL 64 characters: SQLAlchemy and MySQL refuse "
    "longer ones, and PostgreSQL cuts them, so that the name to drop later is another one.",
    fix="Give it a shorter name ({subject}), or a naming_convention that makes short ones.",
    bad=revision(
        f"op.create_index('{_LONG}', 'orders', ['customer'])",
        f"op.drop_index('{_LONG}', table_name='orders')",
    ),
    good=revision(
        "op.create_index('ix_orders_customer', 'orders', ['customer'])",
        "op.drop_index('ix_orders_customer', table_name='orders')",
    ),
    check=_check,
    databases=("postgresql", "mysql"),
    source="https://www.postgresql.org/docs/current/limits.html; "
    "https://dev.mysql.com/doc/refman/8.4/en/identifier-length.html; run on PostgreSQL 18 and "
    "MariaDB 10.11",
)
