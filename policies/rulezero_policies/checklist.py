"""What the analysis and the review answer: checklist, strategy, order, indexes, in plain words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rulezero_policies.findings import Finding
from rulezero_policies.operations import Change, Column, Constraint, Index, Operation
from rulezero_policies.plan import PlannedChange
from rulezero_policies.text import visible


@dataclass(frozen=True, kw_only=True)
class CheckItem:
    """One line of the review's checklist; `rules` are the rules that answer it."""

    label: str
    passed: bool
    rules: tuple[str, ...]


_UNDONE = ("downgrade-missing", "downgrade-pass", "downgrade-raises")

_SHOWN = ("downgrade-fails", "downgrade-differs", "downgrade-loses-data")
"""What a rehearsal shows of the way back."""

_ITEMS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Both upgrade() and downgrade() are implemented", _UNDONE, ""),
    (
        "Downgrade properly reverses all upgrade changes",
        (*_UNDONE, *_SHOWN, "downgrade-mismatch", "unnamed-drop"),
        "",
    ),
    (
        "server_default specified for NOT NULL columns",
        ("not-null-without-default", "mysql-implicit-default"),
        "",
    ),
    ("Indexes dropped before columns in downgrade", ("downgrade-order",), r"index |constraint "),
    ("Foreign keys in correct order", ("foreign-key-order", "downgrade-order"), "foreign key "),
    ("JSONB uses postgresql.JSONB type", ("json-type",), ""),
    ("GIN indexes for JSONB columns", ("gin-index",), ""),
)
"""Label, the rules that answer it, and how their evidence starts where a rule answers for two."""


def checklist(findings: Iterable[Finding]) -> tuple[CheckItem, ...]:
    """The review's checklist, in the coordinator's order and words."""
    found = tuple(findings)
    return tuple(
        CheckItem(
            label=label,
            passed=not any(f.rule in rules and _starts(f.evidence, start) for f in found),
            rules=rules,
        )
        for label, rules, start in _ITEMS
    )


def _starts(evidence: str, start: str) -> bool:
    """A review of several revisions puts the revision's id in brackets first."""
    return re.match(rf"(?:\[\w+\] )?(?:{start})", evidence) is not None


_DROP = "stop using it, deploy, back it up, and drop it in a later revision"
_STRATEGIES = {
    "not-null-without-default": "give the column a server default, or add it nullable, "
    "backfill, then set NOT NULL",
    "mysql-implicit-default": "give the column a server default",
    "drop-column": _DROP,
    "drop-table": _DROP,
    "rename-as-drop-add": "say whether it is a rename; a rename keeps the data",
    "rename-live": "add the new name beside the old one, copy, switch the code, drop the old one",
    "type-change": "add a column of the new type, convert the data into it, verify, switch, "
    "drop the old one",
    "narrow": "look for values that no longer fit before narrowing",
    "set-not-null": "backfill the NULLs, then set NOT NULL",
    "add-primary-key": "look for duplicates and NULLs first",
    "cast": "correct the values, drop the old default, and convert with USING",
    "enum-remove": "give the rows that hold a removed label another one first",
    "sqlite-batch-cascade": "turn foreign_keys off on the migration's connection first",
    "sqlite-no-alter": "write it in a batch block",
    "add-unique": "look for duplicates first",
    "add-foreign-key": "look for rows without a parent first",
    "add-check": "look for rows that break the condition first",
    "drop-foreign-key": "keep the foreign key, or take over its checks in the application first",
    "opaque": "read by eye what could not be followed",
}


def strategy(findings: Iterable[Finding], operations: Iterable[Operation]) -> str:
    """The recommended way to bring these operations to the database."""
    found = tuple(findings)
    if not any(True for _ in operations):
        return "Nothing to migrate: models and database agree."
    if not found:
        return "Safe change: one revision, applied after review."
    known = (_STRATEGIES.get(f.rule) for f in found)
    ways = tuple(dict.fromkeys(way for way in known if way))
    text = "; ".join(ways or ("mend what the review found",)) + "."
    if any(f.severity == "CRITICAL" for f in found):
        return f"Back up first. Then {text}"
    return text[0].upper() + text[1:]


_ACTIONS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"drop-column", "drop-table", "rename-live", "rename-as-drop-add"}),
        "Verify no code references what is dropped or renamed",
    ),
    (
        frozenset({"type-change", "narrow", "cast", "enum-remove"}),
        "Verify that every value converts",
    ),
    (frozenset({"not-null-without-default"}), "Verify that the table is empty, or add a default"),
    (frozenset({"set-not-null"}), "Backfill NULL values"),
    (frozenset({"add-unique", "add-primary-key"}), "Check for duplicate values"),
    (frozenset({"add-foreign-key"}), "Check for rows whose parent is missing"),
    (frozenset({"add-check"}), "Check for rows that break the condition"),
    (
        frozenset({*_UNDONE, *_SHOWN, "downgrade-mismatch", "downgrade-order", "unnamed-drop"}),
        "Mend the downgrade, or accept that there is no way back",
    ),
    (
        frozenset({"upgrade-fails", "not-repeatable"}),
        "Mend what failed in the rehearsal, and rehearse again",
    ),
    (
        frozenset({"rehearsal-cut-off"}),
        "Rehearse by hand what a limit cut off",
    ),
    (frozenset({"opaque", "dml-without-where"}), "Read by eye what the review names"),
)


def pre_migration_checklist(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What to do before applying, in order; the backup comes first where anything is CRITICAL."""
    found = tuple(findings)
    rules = {f.rule for f in found}
    backup = any(f.severity == "CRITICAL" for f in found)
    return (
        *(("Back up the database",) if backup else ()),
        *(action for about, action in _ACTIONS if about & rules),
        "Try the migration on a copy or a staging database",
    )


def foreign_key_order(operations: Iterable[Operation]) -> tuple[str, ...]:
    """The tables in the order that foreign keys force, each with why; empty where none does."""
    links = tuple((child, key) for child, key in _foreign_keys(operations))
    parents: dict[str, set[str]] = {}
    for child, key in links:
        parents.setdefault(child, set()).update({_referred(key)} - {child})
        parents.setdefault(_referred(key), set())
    return tuple(_why(table, links) for table in _sorted(parents))


def _sorted(parents: dict[str, set[str]]) -> list[str]:
    """Parents first; tables that refer to each other come last, as they stand."""
    done = list[str]()
    while waiting := [t for t in parents if t not in done]:
        ready = [t for t in waiting if parents[t] <= set(done)]
        done += ready or waiting
    return done


def _why(table: str, links: Iterable[tuple[str, Constraint]]) -> str:
    reasons = (
        f"{', '.join(k.columns)} refers to {_referred(k)}" for child, k in links if child == table
    )
    why = "; ".join(dict.fromkeys(reasons))
    return visible(f"{table}: {why or 'before the tables that refer to it'}")


def _referred(key: Constraint) -> str:
    schema = f"{key.referred_schema}." if key.referred_schema else ""
    return f"{schema}{key.referred_table}"


def _foreign_keys(operations: Iterable[Operation]) -> Iterator[tuple[str, Constraint]]:
    for operation in operations:
        made = (operation.constraint,) if operation.kind == "create_constraint" else ()
        for constraint in (*operation.constraints, *made):
            if constraint and constraint.kind == "foreign_key":
                yield operation.qualified, constraint


def indexes_worth_adding(operations: Sequence[Operation], *, dialect: str = "") -> tuple[str, ...]:
    """Foreign-key columns that get no index here. MySQL and MariaDB make one by themselves."""
    if dialect in {"mysql", "mariadb"}:
        return ()
    indexed = {key for o in operations for key in _leading(o)}
    wanted = dict.fromkeys(
        (table, key.columns) for table, key in _foreign_keys(operations) if key.columns
    )
    return tuple(
        visible(f"{table}.{columns[0]}: an index for the foreign key ({', '.join(columns)})")
        for table, columns in wanted
        if (table, columns[0]) not in indexed
    )


def _leading(operation: Operation) -> Iterator[tuple[str, str]]:
    """The columns by which an index made by `operation` can be searched."""
    if operation.kind == "create_index" and operation.index:
        yield from ((operation.qualified, c) for c in operation.index.columns[:1])
    if operation.column and operation.column.unique:
        yield operation.qualified, operation.column.name
    made = (operation.constraint,) if operation.kind == "create_constraint" else ()
    for constraint in (*operation.constraints, *made):
        if constraint and constraint.kind in {"primary_key", "unique"}:
            yield from ((operation.qualified, c) for c in constraint.columns[:1])
    yield from ((operation.qualified, c.name) for c in operation.columns if c.unique)


def describe(operation: Operation) -> PlannedChange:
    """One line on what `operation` does, in plain words."""
    return PlannedChange(
        subject=visible(operation.subject), description=visible(_words(operation), limit=300)
    )


def _words(o: Operation) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a kind
    match o.kind:
        case "create_table":
            return f"create table with {', '.join(c.name for c in o.columns) or 'no columns'}"
        case "drop_table":
            return "drop table, with any rows in it"
        case "rename_table":
            return f"rename table to {o.name}"
        case "add_column" if o.column:
            return f"add column {_definition(o.column)}"
        case "drop_column" if o.column:
            return f"drop column {o.column.name}, with any data in it"
        case "alter_column":
            return "; ".join(map(_alteration, o.changes)) or "alter column"
        case "create_index" | "drop_index" if o.index:
            return f"{o.kind.removesuffix('_index')} {_index_words(o.index)}"
        case "create_constraint" | "drop_constraint" if o.constraint:
            return f"{'add' if o.kind[0] == 'c' else 'drop'} {_constraint_words(o.constraint)}"
        case "execute":
            return f"run SQL: {' '.join((o.sql or '').split())}"
        case "bulk_insert":
            return "insert rows"
        case "statement":
            return " ".join(filter(None, (o.verb, o.name)))
        case "table_comment":
            return "change the table's comment"
        case _:
            return f"not understood: {o.detail or o.kind}"


def _definition(column: Column) -> str:
    default = f", default {column.server_default}" if column.server_default else ""
    return (
        f"{column.name} {column.type}, {'nullable' if column.nullable else 'NOT NULL'}{default}"
        f"{', unique' if column.unique else ''}"
    )


def _alteration(change: Change) -> str:
    if change.attribute == "nullable":
        return "set NOT NULL" if (change.after or "").lower() == "false" else "allow NULL"
    if change.attribute == "name":
        return f"rename column to {change.after}"
    what = change.attribute.replace("_", " ")
    return f"change {what} from {change.before or 'none'} to {change.after or 'none'}"


def _index_words(index: Index) -> str:
    on = f" on ({', '.join(index.columns)})" if index.columns else ""
    return f"{'unique ' if index.unique else ''}index {index.name or '(unnamed)'}{on}"


def _constraint_words(constraint: Constraint) -> str:
    kind = constraint.kind.replace("_", " ")
    on = f" on ({', '.join(constraint.columns)})" if constraint.columns else ""
    to = f" to {_referred(constraint)}" if constraint.referred_table else ""
    of = f": {constraint.expression}" if constraint.expression else ""
    return f"{kind} constraint {constraint.name or '(unnamed)'}{on}{to}{of}"
