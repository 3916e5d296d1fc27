"""What a dropped thing was: the drop often names it only, and the downgrade spells it out."""

from collections.abc import Iterator

from rulezero_policies.operations import Column, Constraint, Operation
from rulezero_policies.scene import Scene


def column(scene: Scene, drop: Operation) -> Column | None:
    """The dropped column's definition, as far as the revision tells."""
    if drop.column is None or drop.column.type:
        return drop.column
    again = (o.column for o in scene.downgrade if _same_table(o, drop) and o.kind == "add_column")
    return next((c for c in again if c and c.name == drop.column.name), drop.column)


def table_columns(scene: Scene, drop: Operation) -> tuple[Column, ...]:
    """The dropped table's columns, as far as the revision tells."""
    again = (
        o.columns for o in scene.downgrade if _same_table(o, drop) and o.kind == "create_table"
    )
    return drop.columns or next(again, ())


def index_columns(scene: Scene, drop: Operation) -> tuple[str, ...]:
    """The dropped index's columns, as far as the revision tells."""
    if drop.index is None or drop.index.columns:
        return drop.index.columns if drop.index else ()
    again = (o.index for o in scene.downgrade if o.kind == "create_index")
    return next((i.columns for i in again if i and i.name == drop.index.name), ())


def constraint(scene: Scene, drop: Operation) -> Constraint:
    """The dropped constraint's definition, as far as the revision tells."""
    known = drop.constraint or Constraint(kind="unknown")
    if known.columns or known.name is None:
        return known
    again = (c for o in scene.downgrade if _same_table(o, drop) for c in created_constraints(o))
    return next((c for c in again if c.name == known.name), known)


def created_constraints(operation: Operation) -> Iterator[Constraint]:
    """The constraints that an operation makes."""
    yield from operation.constraints
    if operation.kind == "create_constraint" and operation.constraint:
        yield operation.constraint


def goes_with(scene: Scene, drop: Operation, columns: tuple[str, ...]) -> bool:
    """Whether what is dropped goes with its table or one of its columns anyway."""
    place = (drop.schema, drop.table or "")
    return place in scene.dropped_tables or any(
        (place, c) in scene.dropped_columns for c in columns
    )


def remade(scene: Scene, drop: Operation, known: Constraint) -> bool:
    """Whether the same upgrade makes the dropped constraint again, by name or by columns."""
    made = (c for o in scene.upgrade if _same_table(o, drop) for c in created_constraints(o))
    return any(
        (c.kind == known.kind and (c.name == known.name is not None or c.columns == known.columns))
        or (not known.columns and _is_default_name(known.name, c, drop.table or ""))
        for c in made
        if c.columns or c.name
    )


def _is_default_name(name: str | None, made: Constraint, table: str) -> bool:
    """Whether a constraint like `made` gets this name from PostgreSQL, or by convention."""
    columns = "_".join(made.columns)
    names = {
        "primary_key": {f"{table}_pkey", f"pk_{table}"},
        "foreign_key": {
            f"{table}_{columns}_fkey",
            f"fk_{table}_{columns}_{made.referred_table}",
            f"fk_{table}_{columns}",
        },
        "unique": {f"{table}_{columns}_key", f"uq_{table}_{columns}"},
    }
    return name in names.get(made.kind, set())


def _same_table(one: Operation, other: Operation) -> bool:
    return (one.schema, one.table) == (other.schema, other.table)
