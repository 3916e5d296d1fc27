"""What to ask of the live database before a plan is judged."""

import re
from collections.abc import Iterable, Iterator

from rulezero_policies.column_types import Comparison, compare, is_text
from rulezero_policies.findings import Probe, Question
from rulezero_policies.locks.asks import questions as of_locks
from rulezero_policies.operations import Change, Constraint, Operation
from rulezero_policies.ranges import new_keys
from rulezero_policies.steps import Step, becomes_not_null, demands_value, walk

MYSQL = frozenset({"mysql", "mariadb"})

_NAME = re.compile(r"\w+")
_ENUM = re.compile(r"ENUM\s*\((?P<labels>.*)\)", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"'((?:[^']|'')*)'")

_OF_ROWS = frozenset({None, "truncate", "update", "delete"})
"""Which raw statements take rows away; a drop has no verb."""

MANY_TABLES = 3
"""Dropped tables from which on it is asked how many there are at all."""


def questions(operations: Iterable[Operation], dialect: str = "") -> tuple[Question, ...]:
    """What to ask before these operations are judged, each once.

    Args:
        operations: The plan's, in order.
        dialect: The database's; without it only what every database is asked.
    """
    given = tuple(operations)
    steps = tuple(s for s in walk(given, dialect) if s.operation.table)
    live = [s for s in steps if not s.new_table]
    found = [q for s in live for q in (*_asks(s), *_asks_there(s, dialect), *of_locks(s, dialect))]
    drops = sum(s.operation.kind == "drop_table" for s in live)
    if drops >= MANY_TABLES:
        found.append(TABLES)
    if dialect not in {"", "sqlite"}:
        found += [key.question for key in new_keys(given)]
    return tuple(dict.fromkeys(found))


TABLES = Question(probe="tables")
SQL_MODE = Question(probe="sql_mode")
FOREIGN_KEYS_ON = Question(probe="foreign_keys_on")
TIME_ZONE = Question(probe="time_zone")


def of_table(step: Step, probe: Probe) -> Question:
    """A question about the step's table as the live database names it."""
    return Question(probe=probe, table=step.table or "", schema=step.schema)


def of_column(step: Step, probe: Probe, type_: str | None = None) -> Question:
    """A question about the step's column as the live database names it."""
    return Question(
        probe=probe,
        table=step.table or "",
        schema=step.schema,
        column=step.column,
        type=type_,
    )


def duplicates(step: Step, columns: tuple[str, ...]) -> Question | None:
    """Which values of the columns stand more than once; None where the database cannot know yet."""
    names = tuple(step.live(c) for c in columns if _NAME.fullmatch(c))
    known = tuple(n for n in names if n is not None)
    if not columns or len(known) != len(columns):
        return None
    return Question(probe="duplicates", table=step.table or "", schema=step.schema, columns=known)


def orphans(step: Step, key: Constraint) -> Question | None:
    """Which rows have no parent; None where the database cannot know yet."""
    names = tuple(step.live(c) for c in key.columns)
    known = tuple(n for n in names if n is not None)
    if len(known) != len(key.columns) or len(known) != len(key.referred_columns):
        return None
    return Question(
        probe="orphans",
        table=step.table or "",
        schema=step.schema,
        columns=known,
        referred_schema=key.referred_schema,
        referred_table=key.referred_table,
        referred_columns=key.referred_columns,
    )


def violations(step: Step, expression: str) -> Question:
    """Which rows break a condition."""
    return Question(
        probe="violations", table=step.table or "", schema=step.schema, expression=expression
    )


def outside(step: Step, labels: tuple[str, ...]) -> Question:
    """Which values are none of the new labels."""
    return Question(
        probe="outside",
        table=step.table or "",
        schema=step.schema,
        column=step.column,
        values=labels,
    )


def leftover(step: Step) -> Question:
    """Whether the table that a failed batch block leaves is there."""
    return Question(probe="exists", table=f"_alembic_tmp_{step.table}", schema=step.schema)


def needed_by_key(step: Step, index: str | None) -> Question:
    """Which foreign keys rest on an index alone."""
    return Question(probe="needed_by_key", table=step.table or "", schema=step.schema, name=index)


def type_exists(name: str) -> Question:
    """Whether there is a type of this name."""
    return Question(probe="type_exists", name=name)


_OWN_TYPE = re.compile(r"[a-z_]\w*|\"[^\"]+\"")
_NOT_ENUMS = frozenset({"geometry", "geography", "raster", "vector", "citext", "hstore", "ltree"})


def own_type(step: Step) -> str | None:
    """The type of an added column where it is none of PostgreSQL's own."""
    # SQLAlchemy writes the types that it knows in capitals.
    column = step.operation.column if step.operation.kind == "add_column" else None
    if column is None or step.operation.derived or not _OWN_TYPE.fullmatch(column.type):
        return None
    name = column.type.strip('"')
    return None if name in _NOT_ENUMS else name


def labels(type_: str | None) -> tuple[str, ...]:
    """The labels of an ENUM as its type spells them; empty for other types."""
    found = _ENUM.search(type_ or "")
    return tuple(t.replace("''", "'") for t in _LABEL.findall(found["labels"])) if found else ()


def new_labels(step: Step, change: Change) -> tuple[str, ...]:
    """The labels that the column has after a change of its type, as far as the plan spells them."""
    if spelled := labels(change.after):
        return spelled
    name = re.escape((change.after or "").strip('"'))
    made = re.compile(rf"CREATE\s+TYPE\s+(?:\w+\.)?\"?{name}\"?\s+AS\s+ENUM", re.IGNORECASE)
    for text in reversed(step.earlier):
        if text and name and (found := made.search(text)):
            return labels("ENUM" + text[found.end() :])
    return ()


def _asks(step: Step) -> Iterator[Question]:
    operation = step.operation
    match operation.kind:
        case "drop_table" | "statement":
            yield from (step.rows for _ in _OF_ROWS & {operation.verb})
        case "create_constraint" if operation.constraint:
            yield step.rows
            yield from _asks_of_constraint(step, operation.constraint)
        case "drop_column" if not step.new_column:
            yield step.values
        case "add_column":
            if operation.column and demands_value(operation.column):
                yield step.rows
        case "create_index" if operation.index and operation.index.unique:
            yield step.rows
            yield from _known(duplicates(step, operation.index.columns))
        case "alter_column":
            yield from _asks_of_alter(step)
        case _:
            return


def _known(question: Question | None) -> Iterator[Question]:
    if question is not None:
        yield question


def _asks_of_constraint(step: Step, constraint: Constraint) -> Iterator[Question]:
    if constraint.not_valid or constraint.using_index:
        return
    match constraint.kind:
        case "unique" | "primary_key":
            yield from _known(duplicates(step, constraint.columns))
            if constraint.kind == "primary_key":
                yield from nulls_of(step, constraint.columns)
        case "foreign_key":
            yield from _known(orphans(step, constraint))
        case "check" if constraint.expression:
            yield violations(step, constraint.expression)
        case _:
            return


def nulls_of(step: Step, columns: tuple[str, ...]) -> Iterator[Question]:
    """How many NULLs the columns that are there already hold."""
    for name in filter(None, map(step.live, columns)):
        yield Question(probe="nulls", table=step.table or "", schema=step.schema, column=name)


def _asks_of_alter(step: Step) -> Iterator[Question]:
    change = step.operation.change("type")
    if change and not step.new_column:
        yield step.rows
        yield from _asks_of_type(step, change)
    if becomes_not_null(step.operation):
        name = step.operation.column.name if step.operation.column else ""
        if name in step.empty:
            yield step.rows
        elif not step.new_column:
            yield step.nulls


def comparison(change: Change) -> Comparison:
    """What a change of type does to the values; from a type that is not stated, anything."""
    return compare(change.before, change.after or "") if change.before else "changed"


def _asks_of_type(step: Step, change: Change) -> Iterator[Question]:
    match comparison(change):
        case "narrower":
            yield of_column(step, "misfits", change.after)
            yield of_column(step, "rounded", change.after)
        case "changed":
            if spelled := new_labels(step, change):
                yield outside(step, spelled)
            elif is_text(change.before):
                yield of_column(step, "uncastable", change.after)
        case _:
            return


def _asks_there(step: Step, dialect: str) -> Iterator[Question]:
    """What only one database is asked."""
    if dialect == "postgresql":
        yield from _asks_postgresql(step)
    elif dialect in MYSQL:
        yield from _asks_mysql(step)
    elif dialect == "sqlite" and step.operation.recreates:
        yield FOREIGN_KEYS_ON
        yield leftover(step)
        yield of_table(step, "incoming")
        yield of_table(step, "lost_on_recreate")
        yield of_table(step, "dependents")
    elif dialect == "sqlite" and step.operation.kind in {"drop_table", "create_constraint"}:
        yield FOREIGN_KEYS_ON
        yield of_table(step, "incoming")
    elif dialect == "sqlite" and _computes(step.operation):
        yield step.rows


def _computes(operation: Operation) -> bool:
    column = operation.column if operation.kind == "add_column" else None
    return column is not None and column.server_default is not None


def _asks_postgresql(step: Step) -> Iterator[Question]:
    if name := own_type(step):
        yield type_exists(name)
    match step.operation.kind:
        case "drop_table":
            yield of_table(step, "dependents")
            yield of_table(step, "incoming")
        case "drop_column" if not step.new_column:
            yield of_column(step, "dependents")
            yield of_column(step, "incoming")
        case "alter_column" if step.operation.change("type") and not step.new_column:
            yield of_column(step, "dependents")
            yield of_column(step, "attributes")
            yield TIME_ZONE
        case "statement" if step.operation.verb == "truncate":
            yield of_table(step, "emptied_too")
        case _:
            return


def _asks_mysql(step: Step) -> Iterator[Question]:
    match step.operation.kind:
        case "drop_table":
            yield of_table(step, "incoming")
        case "drop_index" if step.operation.index and step.operation.index.name:
            yield needed_by_key(step, step.operation.index.name)
        case "alter_column" if not step.new_column:
            yield SQL_MODE
            yield of_column(step, "attributes")
        case _:
            return
