"""The catalogue of MariaDB and MySQL as things.

Facts: https://mariadb.com/kb/en/information-schema-tables/ and, for what a foreign key or a CHECK
without a name gets as one, measured on MariaDB 10.11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Ask = Callable[[str], list[tuple[Any, ...]]]
Thing = dict[str, Any]

_TABLES = """SELECT t.table_name, t.table_type, t.engine, t.table_collation, t.create_options,
        t.table_comment
    FROM information_schema.tables t
    WHERE t.table_schema = database() AND t.table_type <> 'VIEW'"""

_PARTITIONS = """SELECT table_name, partition_name, partition_method, partition_expression,
        partition_description
    FROM information_schema.partitions
    WHERE table_schema = database() AND partition_name IS NOT NULL
    ORDER BY table_name, partition_ordinal_position"""

_COLUMNS = """SELECT c.table_name, c.column_name, c.column_type, c.collation_name,
        c.is_nullable, c.column_default, c.extra, c.generation_expression, c.column_comment,
        c.ordinal_position, t.table_collation
    FROM information_schema.columns c JOIN information_schema.tables t
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = database() AND t.table_type NOT IN ('VIEW', 'SEQUENCE')"""

_INDEXES = """SELECT table_name, index_name, non_unique, index_type, column_name, sub_part,
        collation
    FROM information_schema.statistics WHERE table_schema = database()
    ORDER BY table_name, index_name, seq_in_index"""

_KEYS = """SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema,
        k.referenced_table_name, k.referenced_column_name, r.update_rule, r.delete_rule, database()
    FROM information_schema.key_column_usage k
    JOIN information_schema.referential_constraints r
    ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
    AND r.table_name = k.table_name
    WHERE k.table_schema = database() AND k.referenced_table_name IS NOT NULL
    ORDER BY k.table_name, k.constraint_name, k.ordinal_position"""

_CHECKS = """SELECT table_name, constraint_name, check_clause
    FROM information_schema.check_constraints WHERE constraint_schema = database()"""

_CHECKS_OF_MYSQL = """SELECT t.table_name, t.constraint_name, c.check_clause
    FROM information_schema.check_constraints c JOIN information_schema.table_constraints t
    ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name
    WHERE t.constraint_schema = database() AND t.constraint_type = 'CHECK'"""

_VIEWS = """SELECT table_name, view_definition, check_option, security_type
    FROM information_schema.views WHERE table_schema = database()"""

_TRIGGERS = """SELECT event_object_table, trigger_name, action_timing, event_manipulation,
        action_statement
    FROM information_schema.triggers WHERE trigger_schema = database()"""

_ROUTINES = """SELECT r.routine_name, r.routine_type, r.dtd_identifier, r.is_deterministic,
        r.sql_data_access, r.security_type, r.routine_definition,
        (SELECT group_concat(concat_ws(' ', p.parameter_mode, p.parameter_name, p.dtd_identifier)
            ORDER BY p.ordinal_position SEPARATOR ', ')
        FROM information_schema.parameters p WHERE p.specific_schema = r.routine_schema
            AND p.specific_name = r.specific_name AND p.ordinal_position > 0)
    FROM information_schema.routines r WHERE r.routine_schema = database()"""

_EVENTS = """SELECT event_name, concat_ws(' ', event_type, execute_at, interval_value,
        interval_field, status, event_definition)
    FROM information_schema.events WHERE event_schema = database()"""

_PRIVILEGES = """SELECT table_name, concat(grantee, ' on ', table_name),
        group_concat(concat(privilege_type, if(is_grantable = 'YES', ' WITH GRANT OPTION', ''))
        ORDER BY privilege_type SEPARATOR ', ')
    FROM information_schema.table_privileges WHERE table_schema = database()
    GROUP BY table_name, grantee
    UNION ALL SELECT table_name, concat(grantee, ' on ', table_name, '.', column_name),
        group_concat(concat(privilege_type, if(is_grantable = 'YES', ' WITH GRANT OPTION', ''))
        ORDER BY privilege_type SEPARATOR ', ')
    FROM information_schema.column_privileges WHERE table_schema = database()
    GROUP BY table_name, column_name, grantee"""

_SEQUENCE = """SELECT concat('SEQUENCE START ', start_value, ' INCREMENT ', increment,
        ' MINVALUE ', minimum_value, ' MAXVALUE ', maximum_value, ' CACHE ', cache_size,
        if(cycle_option, ' CYCLE', ''))
    FROM {name}"""

_MADE_UP = re.compile(r"(?:.*_ibfk_|.*_chk_|CONSTRAINT_)?\d+", re.IGNORECASE)


def things(ask: Ask) -> Iterator[Thing]:
    """Everything of the connected schema.

    Args:
        ask: Sends a query, and returns its rows.
    """

    def text(query: str) -> list[tuple[Any, ...]]:
        return [tuple(map(_text, row)) for row in ask(query)]

    ((schema, version),) = text("SELECT database(), version()")
    checks = _CHECKS if "mariadb" in version.lower() else _CHECKS_OF_MYSQL
    found = [
        *_tables(text(_TABLES), text(_PARTITIONS), text),
        *_columns(text(_COLUMNS)),
        *_indexes(text(_INDEXES)),
        *_keys(text(_KEYS)),
        *(_check(*row) for row in text(checks)),
        *(_view(*row) for row in text(_VIEWS)),
        *(_trigger(*row) for row in text(_TRIGGERS)),
        *(_routine(*row) for row in text(_ROUTINES)),
        *(_thing("function", "", name, f"EVENT {said}") for name, said in text(_EVENTS)),
        *(_thing("privilege", *row) for row in text(_PRIVILEGES)),
    ]
    for thing in found:
        yield {**thing, "definition": thing["definition"].replace(f"`{schema}`.", "")}


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, (bytes, bytearray)) else value


def _thing(kind: str, table: str, name: str, definition: str, position: int | None = None) -> Thing:
    return {
        "kind": kind,
        "table": table,
        "name": name,
        "definition": definition,
        "position": position,
    }


def _tables(
    rows: list[tuple[Any, ...]], partitions: list[tuple[Any, ...]], ask: Ask
) -> Iterator[Thing]:
    for name, kind, engine, collation, options, comment in rows:
        if kind == "SEQUENCE":
            quoted = name.replace("`", "``")
            ((definition,),) = ask(_SEQUENCE.replace("{name}", f"`{quoted}`"))
            yield _thing("sequence", "", name, definition)
            continue
        parted = _parted([row[1:] for row in partitions if row[0] == name])
        versioned = "WITH SYSTEM VERSIONING" if kind == "SYSTEM VERSIONED" else ""
        parts = ["table", versioned, f"ENGINE={engine}", f"COLLATE={collation}", options, parted]
        yield _thing("table", "", name, " ".join(part for part in parts if part))
        if comment:
            yield _thing("comment", name, f"table {name}", comment)


def _parted(rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return ""
    (_, method, expression, __), *_rest = rows
    names = ", ".join(f"{name} {values}" if values else name for name, _, __, values in rows)
    return f"PARTITION BY {method} ({expression}) ({names})"


def _columns(rows: list[tuple[Any, ...]]) -> Iterator[Thing]:
    for table, name, kind, collation, nullable, default, extra, made, comment, at, usual in rows:
        parts = [
            kind,
            f"COLLATE {collation}" if collation and collation != usual else "",
            "NOT NULL" if nullable == "NO" else "",
            f"DEFAULT {default}" if default not in {None, "NULL"} and not made else "",
            f"AS ({made})" if made else "",
            str(extra or "").upper(),
        ]
        yield _thing("column", table, name, " ".join(part for part in parts if part), int(at))
        if comment:
            yield _thing("comment", table, f"column {name} of table {table}", comment)


def _grouped(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Rows that are about the same object, whose table and name come first."""
    group: list[tuple[Any, ...]] = []
    for row in rows:
        if group and row[:2] != group[0][:2]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _indexes(rows: list[tuple[Any, ...]]) -> Iterator[Thing]:
    for group in _grouped(rows):
        table, name, not_unique, method, *_ = group[0]
        columns = ", ".join(_part(*row[4:]) for row in group)
        if name == "PRIMARY":
            yield _thing("constraint", table, "PRIMARY KEY", f"PRIMARY KEY ({columns})")
            continue
        unique = "" if int(not_unique) else "UNIQUE "
        yield _thing("index", table, name, f"{unique}INDEX USING {method} ({columns})")


def _part(column: str | None, length: Any, order: str | None) -> str:
    cut = f"({length})" if length else ""
    return f"{column or 'an expression'}{cut}{' DESC' if order == 'D' else ''}"


def _keys(rows: list[tuple[Any, ...]]) -> Iterator[Thing]:
    for group in _grouped(rows):
        table, name, _, schema, referred, __, update, delete, here = group[0]
        columns = ", ".join(str(row[2]) for row in group)
        there = referred if schema == here else f"{schema}.{referred}"
        referring = ", ".join(str(row[5]) for row in group)
        actions = f"{_action('UPDATE', update)}{_action('DELETE', delete)}"
        said = f"FOREIGN KEY ({columns}) REFERENCES {there} ({referring}){actions}"
        shown = f"FOREIGN KEY ({columns})" if _MADE_UP.fullmatch(name) else name
        yield _thing("constraint", table, shown, said)


def _action(when: str, what: str) -> str:
    # The two mean the same, and are what holds where nothing is said.
    return "" if what in {"RESTRICT", "NO ACTION"} else f" ON {when} {what}"


def _check(table: str, name: str, clause: str) -> Thing:
    said = f"CHECK ({clause})"
    return _thing("constraint", table, said if _MADE_UP.fullmatch(name) else name, said)


def _view(name: str, definition: str, option: str, security: str) -> Thing:
    checked = "" if option == "NONE" else f" WITH {option} CHECK OPTION"
    return _thing("view", "", name, f"VIEW SQL SECURITY {security} {definition}{checked}")


def _trigger(table: str, name: str, timing: str, event: str, statement: str) -> Thing:
    return _thing("trigger", table, name, f"{timing} {event} {' '.join(statement.split())}")


def _routine(
    name: str,
    kind: str,
    returns: str | None,
    deterministic: str,
    access: str,
    security: str,
    body: str | None,
    parameters: str | None,
) -> Thing:
    head = f"{kind} ({parameters or ''}) RETURNS {returns or 'nothing'}"
    rest = f"DETERMINISTIC {deterministic} {access} SQL SECURITY {security}"
    return _thing("function", "", name, f"{head} {rest}\n{body or ''}")
