"""CREATE, DROP, ALTER of anything, and the statements that are no queries, as operations."""

from collections.abc import Callable, Sequence

from rulezero_policies.operations import Index, Operation
from rulezero_policies.sql import alter, define
from rulezero_policies.sql.tokens import Cursor, NotSql

_OBJECTS = (
    *(("MATERIALIZED", "VIEW"), ("VIEW",), ("SEQUENCE",), ("EXTENSION",), ("TRIGGER",)),
    *(("EVENT", "TRIGGER"), ("FUNCTION",), ("PROCEDURE",), ("AGGREGATE",), ("DOMAIN",)),
    *(("TYPE",), ("SCHEMA",), ("DATABASE",), ("POLICY",), ("RULE",), ("STATISTICS",)),
    *(("COLLATION",), ("CAST",), ("OPERATOR",), ("ROLE",), ("USER",)),
)
_OF_A_TABLE = frozenset({"trigger", "policy", "rule"})
WIDE = frozenset({"schema", "database", "role", "user", "event trigger"})
_SETTINGS = frozenset(
    {
        *("LOCK_TIMEOUT", "STATEMENT_TIMEOUT", "DEADLOCK_TIMEOUT", "TRANSACTION_TIMEOUT"),
        *("IDLE_IN_TRANSACTION_SESSION_TIMEOUT", "MAINTENANCE_WORK_MEM", "WORK_MEM"),
        *("LOCK_WAIT_TIMEOUT", "INNODB_LOCK_WAIT_TIMEOUT", "MAX_STATEMENT_TIME", "TIMEZONE"),
        *("CLIENT_MIN_MESSAGES", "CLIENT_ENCODING", "APPLICATION_NAME", "TIME_ZONE"),
        *("MAX_PARALLEL_MAINTENANCE_WORKERS", "STANDARD_CONFORMING_STRINGS"),
    }
)
"""Settings that change neither rows nor what later statements do to them."""
_PRAGMAS = frozenset(
    {"FOREIGN_KEYS", "DEFER_FOREIGN_KEYS", "LEGACY_ALTER_TABLE", "FOREIGN_KEY_CHECK"}
)

Read = Callable[[Cursor, str], Sequence[Operation]]


def _says(
    verb: str,
    *,
    name: str | None = None,
    schema: str | None = None,
    table: str | None = None,
    detail: str | None = None,
) -> tuple[Operation, ...]:
    said = Operation(
        kind="statement", verb=verb, name=name, schema=schema, table=table, detail=detail
    )
    return (said,)


def _create(cursor: Cursor, dialect: str) -> Sequence[Operation]:
    replaces = cursor.take("OR", "REPLACE")
    while cursor.any_of(
        "TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "TRUSTED", "CONSTRAINT"
    ):
        continue
    if cursor.take("TABLE"):
        return _create_table(cursor)
    if cursor.next in {"UNIQUE", "INDEX", "FULLTEXT", "SPATIAL"}:
        return (_create_index(cursor),)
    if dialect in {"mysql", "mariadb"}:
        _definer(cursor)
    return _create_object(cursor, replaces=replaces)


def _definer(cursor: Cursor) -> None:
    """What MySQL may say between CREATE and the kind of the object."""
    while not cursor.done and cursor.next not in {"VIEW", "TRIGGER", "FUNCTION", "PROCEDURE"}:
        cursor.step()


def _create_table(cursor: Cursor) -> Sequence[Operation]:
    cursor.take("IF", "NOT", "EXISTS")
    schema, table = cursor.place()
    if cursor.next != "(":
        if not cursor.any_of("AS", "PARTITION", "LIKE"):
            raise NotSql("CREATE TABLE without columns")
        cursor.rest()
        return (Operation(kind="create_table", schema=schema, table=table),)
    found: list[define.Definition] = []
    constraints: list[define.Constraint] = []
    for part in cursor.group().parts():
        if part.next in {"LIKE", "INDEX", "KEY", "FULLTEXT", "SPATIAL"}:
            continue
        if define.is_constraint(part):
            constraints.append(define.constraint(part))
        else:
            found.append(define.column(part))
    cursor.rest()
    beside = (c for d in found for c in d.constraints)
    made = Operation(
        kind="create_table",
        schema=schema,
        table=table,
        columns=tuple(d.column for d in found),
        constraints=(*constraints, *beside),
    )
    return (made,)


def _create_index(cursor: Cursor) -> Operation:
    word = cursor.any_of("UNIQUE", "FULLTEXT", "SPATIAL")
    cursor.expect("INDEX")
    concurrently = cursor.take("CONCURRENTLY")
    there = cursor.take("IF", "NOT", "EXISTS")
    name = None if cursor.next == "ON" else cursor.place()[1]
    cursor.expect("ON")
    cursor.take("ONLY")
    schema, table = cursor.place()
    method = cursor.step().text.lower() if cursor.take("USING") else None
    columns = define.names(cursor.group())
    detail = _pinned(cursor.rest())
    index = Index(
        name=name,
        columns=columns,
        unique=word == "UNIQUE",
        method=method or (word.lower() if word in {"FULLTEXT", "SPATIAL"} else None),
        concurrently=concurrently,
        if_exists=there,
    )
    return Operation(kind="create_index", schema=schema, table=table, index=index, detail=detail)


def _pinned(rest: str) -> str | None:
    text = rest.upper()
    return text if "ALGORITHM" in text or "LOCK" in text else None


def _create_object(cursor: Cursor, *, replaces: bool) -> Sequence[Operation]:
    what = _object(cursor)
    cursor.take("IF", "NOT", "EXISTS")
    name = None if what in {"cast", "operator"} else cursor.place()[1]
    if what == "type" and cursor.take("AS", "ENUM"):
        return _says("create type", name=name, detail=cursor.group().rest())
    table = _table_of(cursor) if what in _OF_A_TABLE else None
    verb = f"{'replace' if replaces else 'create'} {what}"
    schema, table_name = table or (None, None)
    cursor.rest()
    return _says(verb, name=name, schema=schema, table=table_name)


def _object(cursor: Cursor) -> str:
    for words in _OBJECTS:
        if cursor.take(*words):
            return " ".join(words).lower()
    raise NotSql(f"{cursor.next or 'what follows'} is not known here")


def _table_of(cursor: Cursor) -> tuple[str | None, str] | None:
    """The table of a trigger, policy or rule: what stands behind ON."""
    cursor.until("ON", "TO")
    return cursor.place() if cursor.any_of("ON", "TO") else None


def _drop(cursor: Cursor, _: str) -> Sequence[Operation]:
    cursor.any_of("TEMPORARY", "TEMP")
    if cursor.take("TABLE"):
        return [Operation(kind="drop_table", schema=s, table=t) for s, t in _dropped(cursor)]
    if cursor.take("INDEX"):
        return _drop_index(cursor)
    what = _object(cursor)
    if what in WIDE:
        return _says(f"drop {what}", name=cursor.rest())
    cursor.take("IF", "EXISTS")
    name = None if what in {"cast", "operator"} else cursor.place()[1]
    table = _table_of(cursor) if what in _OF_A_TABLE else None
    cursor.rest()
    return _says(f"drop {what}", name=name, table=table[1] if table else None)


def _dropped(cursor: Cursor) -> list[tuple[str | None, str]]:
    cursor.take("IF", "EXISTS")
    found = [cursor.place()]
    while cursor.take(","):
        found.append(cursor.place())
    cursor.any_of("CASCADE", "RESTRICT")
    return found


def _drop_index(cursor: Cursor) -> Sequence[Operation]:
    concurrently = cursor.take("CONCURRENTLY")
    there = cursor.next == "IF"
    names = [name for _, name in _dropped(cursor)]
    schema, table = cursor.place() if cursor.take("ON") else (None, None)
    pinned = _pinned(cursor.rest())
    return [
        Operation(
            kind="drop_index",
            schema=schema,
            table=table,
            index=Index(name=name, concurrently=concurrently, if_exists=there),
            detail=pinned,
        )
        for name in names
    ]


def _alter(cursor: Cursor, dialect: str) -> Sequence[Operation]:
    if cursor.take("TABLE") or cursor.take("FOREIGN", "TABLE"):
        cursor.take("IF", "EXISTS")
        cursor.take("ONLY")
        return alter.actions(cursor, cursor.place(), dialect)
    if cursor.take("INDEX"):
        cursor.take("IF", "EXISTS")
        name = cursor.place()[1]
        verb = "rename index" if cursor.next == "RENAME" else "alter index"
        return _says(verb, name=name, detail=cursor.rest())
    if cursor.take("TYPE"):
        return _alter_type(cursor)
    what = _object(cursor)
    if what not in {"sequence", "view", "materialized view", "function", "extension"}:
        raise NotSql(f"ALTER {what.upper()} is not known here")
    cursor.take("IF", "EXISTS")
    return _says(f"alter {what}", name=cursor.place()[1], detail=cursor.rest())


def _alter_type(cursor: Cursor) -> Sequence[Operation]:
    name = cursor.place()[1]
    if cursor.take("ADD", "VALUE"):
        cursor.take("IF", "NOT", "EXISTS")
        value = cursor.step().text
        cursor.rest()
        return _says("add enum value", name=name, detail=value)
    if cursor.take("RENAME", "VALUE"):
        old = cursor.step().text
        cursor.expect("TO")
        return _says("rename enum value", name=name, detail=f"{old} -> {cursor.step().text}")
    if cursor.take("RENAME", "TO"):
        return _says("rename type", name=name, detail=cursor.name())
    raise NotSql(f"ALTER TYPE ... {cursor.next or 'what follows'} is not known here")


def _set(cursor: Cursor, _: str) -> Sequence[Operation]:
    word = cursor.any_of("LOCAL", "SESSION")
    if cursor.take("TIME", "ZONE"):
        return _says("set", name="timezone", detail=cursor.rest())
    name = cursor.name()
    if name.upper() not in _SETTINGS or not (cursor.any_of("=", "TO")):
        raise NotSql(f"what SET {name} changes is not known here")
    if cursor.done or cursor.next == "(":
        raise NotSql(f"SET {name} to something that is computed")
    value = cursor.step()
    detail = f"{'local ' if word == 'LOCAL' else ''}{value.text}"
    if value.kind != "STRING":
        cursor.rest()
    return _says("set", name=name.lower(), detail=detail)


def _reset(cursor: Cursor, _: str) -> Sequence[Operation]:
    name = cursor.name()
    if name.upper() not in _SETTINGS:
        raise NotSql(f"what RESET {name} changes is not known here")
    return _says("reset", name=name.lower())


def _pragma(cursor: Cursor, _: str) -> Sequence[Operation]:
    name = cursor.name().upper()
    if name not in _PRAGMAS:
        raise NotSql(f"what PRAGMA {name} changes is not known here")
    return _says("pragma", name=name.lower(), detail=cursor.rest().lstrip("= ").upper() or None)


def _vacuum(cursor: Cursor, _: str) -> Sequence[Operation]:
    text = cursor.rest().upper()
    return _says("vacuum full" if "FULL" in text else "vacuum")


def _on_table(verb: str) -> Read:
    def read(cursor: Cursor, _: str) -> Sequence[Operation]:
        cursor.any_of("TABLE", "TABLES")
        schema, table = (None, None) if cursor.done else cursor.place()
        return _says(verb, schema=schema, table=table, detail=cursor.rest() or None)

    return read


def _reindex(cursor: Cursor, _: str) -> Sequence[Operation]:
    if cursor.next == "(":
        cursor.group()
    what = cursor.step().word.lower()
    detail = "concurrently" if cursor.take("CONCURRENTLY") else None
    schema, name = cursor.place()
    if what == "table":
        return _says("reindex", schema=schema, table=name, detail=detail)
    return _says("reindex", name=name, detail=detail)


def _refresh(cursor: Cursor, _: str) -> Sequence[Operation]:
    cursor.expect("MATERIALIZED", "VIEW")
    detail = "concurrently" if cursor.take("CONCURRENTLY") else None
    name = cursor.place()[1]
    cursor.rest()
    return _says("refresh materialized view", name=name, detail=detail)


def _truncate(cursor: Cursor, _: str) -> Sequence[Operation]:
    cursor.take("TABLE")
    cursor.take("ONLY")
    found = [cursor.place()]
    while cursor.take(","):
        found.append(cursor.place())
    made = (_says("truncate", schema=s, table=t) for s, t in found)
    cursor.rest()
    return [one for (one,) in made]


def _plainly(verb: str) -> Read:
    def read(cursor: Cursor, _: str) -> Sequence[Operation]:
        return _says(verb, detail=cursor.rest() or None)

    return read


READERS: dict[str, Read] = {
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "SET": _set,
    "RESET": _reset,
    "PRAGMA": _pragma,
    "VACUUM": _vacuum,
    "CLUSTER": _on_table("cluster"),
    "OPTIMIZE": _on_table("optimize"),
    "ANALYZE": _on_table("analyze"),
    "ANALYSE": _on_table("analyze"),
    "LOCK": _on_table("lock table"),
    "REINDEX": _reindex,
    "REFRESH": _refresh,
    "TRUNCATE": _truncate,
    "COMMENT": _plainly("comment"),
    "GRANT": _plainly("grant"),
    "REVOKE": _plainly("revoke"),
    "BEGIN": _plainly("begin"),
    "COMMIT": _plainly("commit"),
    "END": _plainly("commit"),
    "ROLLBACK": _plainly("rollback"),
    "SAVEPOINT": _plainly("savepoint"),
    "RELEASE": _plainly("savepoint"),
}
