"""What has to be known of a MariaDB or MySQL database to make a shadow of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rulezero_server.shadows import myclient
from rulezero_server.shadows.madeup import Column, Kind, Reference, Table
from rulezero_server.shadows.myclient import identifier

_MEND = "See whether the client on this machine reaches the database as the project does."

_CARRIED = (
    "sql_mode", "innodb_strict_mode", "explicit_defaults_for_timestamp", "default_storage_engine",
    "character_set_server", "collation_server",
)  # fmt: skip
"""Settings of a server that say what a statement does; all can be set while it runs."""

_SETTINGS = "".join(f", '{name}', CAST(@@GLOBAL.{name} AS CHAR)" for name in _CARRIED)

_FACTS = f"""
SELECT JSON_OBJECT('version', version(), 'names', @@lower_case_table_names, 'charset',
  (SELECT default_character_set_name FROM information_schema.schemata
   WHERE schema_name = database()), 'collation',
  (SELECT default_collation_name FROM information_schema.schemata
   WHERE schema_name = database()){_SETTINGS})
"""  # noqa: S608 - constants alone

_TABLES = """
SELECT JSON_OBJECT('name', table_name, 'rows', table_rows,
                   'bytes', coalesce(data_length, 0) + coalesce(index_length, 0))
FROM information_schema.tables
WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY table_name
"""

_COLUMNS = """
SELECT JSON_OBJECT('table', table_name, 'name', column_name, 'type', column_type,
                   'nullable', is_nullable = 'YES', 'key', column_key, 'extra', extra)
FROM information_schema.columns WHERE table_schema = database()
ORDER BY table_name, ordinal_position
"""

_UNIQUE = """
SELECT JSON_OBJECT('table', table_name, 'name', index_name, 'column', column_name)
FROM information_schema.statistics WHERE table_schema = database() AND non_unique = 0
ORDER BY table_name, index_name, seq_in_index
"""

_KEYS = """
SELECT JSON_OBJECT('table', table_name, 'name', constraint_name, 'column', column_name,
                   'schema', referenced_table_schema = database(), 'parent', referenced_table_name,
                   'to', referenced_column_name)
FROM information_schema.key_column_usage
WHERE table_schema = database() AND referenced_table_name IS NOT NULL
ORDER BY table_name, constraint_name, ordinal_position
"""

_CHECKS = """
SELECT JSON_OBJECT('table', table_name, 'check', check_clause)
FROM information_schema.check_constraints WHERE constraint_schema = database()
"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A table with its size; `version` is whether it is one of Alembic's."""

    name: str
    rows: int
    bytes: int
    version: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A database, as far as its shadow has to be like it."""

    version: str
    names: int
    charset: str
    collation: str
    settings: tuple[tuple[str, str], ...]
    tables: tuple[Held, ...] = field(repr=False)

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB, by its own word."""
        return "mariadb" in self.version.lower()


def read(target: myclient.Server) -> Facts:
    """Ask the target.

    Raises:
        NoShadow: It does not answer.
    """
    (found,) = target.asked(_FACTS, "the target's catalogue could not be read", _MEND)
    return Facts(
        version=found["version"],
        names=int(found["names"]),
        charset=found["charset"],
        collation=found["collation"],
        settings=tuple((name, str(found[name])) for name in _CARRIED if found[name] is not None),
        tables=tuple(tables(target)),
    )


def tables(server: myclient.Server) -> Iterator[Held]:
    """The tables with rows of their own."""
    columns: dict[str, list[str]] = {}
    for one in server.asked(_COLUMNS, "the columns could not be read", _MEND):
        columns.setdefault(one["table"], []).append(one["name"])
    for one in server.asked(_TABLES, "the tables could not be read", _MEND):
        yield Held(
            name=one["name"],
            rows=int(one["rows"] or 0),
            bytes=int(one["bytes"] or 0),
            version=columns.get(one["name"]) == ["version_num"],
        )


def counted(server: myclient.Server, found: Sequence[Held], most: int) -> tuple[Held, ...]:
    """The same tables, their rows counted where there are fewer than `most`.

    The statistics of InnoDB are off by half as often as not.
    """
    near = [table for table in found if table.rows < 2 * most]
    if not near:
        return tuple(found)
    parts = (
        f"SELECT JSON_ARRAY({number}, (SELECT count(*) FROM "  # noqa: S608
        f"(SELECT 1 FROM {identifier(table.name)} LIMIT {most}) t))"
        for number, table in enumerate(near)
    )
    answers: list[list[int]] = server.asked(
        " UNION ALL ".join(parts), "the rows could not be counted", _MEND
    )
    counts = {near[number].name: count for number, count in answers}
    return tuple(replace(table, rows=counts.get(table.name, table.rows)) for table in found)


def described(server: myclient.Server) -> list[Table]:
    """The tables with what their rows must keep to."""
    columns = _by_table(server, _COLUMNS)
    unique = _by_table(server, _UNIQUE)
    keys = _by_table(server, _KEYS)
    # MySQL tells a CHECK's table elsewhere; without one, its values are not thought of.
    checks = _by_table(server, _CHECKS, optional=True)
    return [
        Table(
            name=identifier(table.name),
            columns=tuple(_column(one) for one in columns.get(table.name, ())),
            unique=tuple(tuple(names) for names in _grouped(unique.get(table.name, []))),
            references=tuple(_references(keys.get(table.name, []))),
            checks=tuple(one["check"] for one in checks.get(table.name, ())),
        )
        for table in tables(server)
        if not table.version
    ]


def _by_table(
    server: myclient.Server, select: str, *, optional: bool = False
) -> dict[str, list[dict[str, Any]]]:
    if optional and not server.tried(f"{select};\n"):
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for one in server.asked(select, "the catalogue could not be read", _MEND):
        found.setdefault(one["table"], []).append(one)
    return found


def _grouped(entries: list[dict[str, Any]]) -> Iterator[list[str]]:
    """The columns of each index or constraint, in order."""
    found: dict[str, list[str]] = {}
    for one in entries:
        found.setdefault(one["name"], []).append(one["column"])
    yield from found.values()


def _references(entries: list[dict[str, Any]]) -> Iterator[Reference]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in entries:
        if one["schema"]:
            found.setdefault(one["name"], []).append(one)
    for pairs in found.values():
        yield Reference(
            columns=tuple(one["column"] for one in pairs),
            table=identifier(pairs[0]["parent"]),
            to=tuple(one["to"] for one in pairs),
        )


def _column(one: dict[str, Any]) -> Column:
    inside = one["type"].partition("(")[2]
    numbers = [int(n) for n in re.findall(r"\d+", inside)]
    labels = re.findall(r"'((?:[^']|'')*)'", inside)
    return Column(
        name=one["name"],
        kind=kind(one["type"]),
        nullable=bool(one["nullable"]),
        length=numbers[0] if numbers and not labels else None,
        scale=numbers[1] if len(numbers) > 1 else None,
        choices=tuple(label.replace("''", "'") for label in labels),
        given="GENERATED" in one["extra"].upper() and "DEFAULT" not in one["extra"].upper(),
    )


_KINDS: tuple[tuple[str, Kind], ...] = (
    ("enum", "choice"), ("set", "choice"), ("tinyint(1)", "boolean"), ("bit", "boolean"),
    ("tinyint", "integer"), ("smallint", "integer"), ("mediumint", "integer"), ("int", "integer"),
    ("bigint", "integer"), ("decimal", "number"), ("float", "number"), ("double", "number"),
    ("datetime", "timestamp"), ("timestamp", "timestamp"), ("date", "date"), ("time", "time"),
    ("year", "integer"), ("json", "json"), ("uuid", "uuid"), ("inet", "network"),
    ("char", "text"), ("varchar", "text"), ("tinytext", "text"), ("text", "text"),
    ("mediumtext", "text"), ("longtext", "text"), ("binary", "binary"), ("varbinary", "binary"),
    ("tinyblob", "binary"), ("blob", "binary"), ("mediumblob", "binary"), ("longblob", "binary"),
)  # fmt: skip


def kind(declared: str) -> Kind:
    """What a column's type is."""
    for start, found in _KINDS:
        if declared.lower().startswith(start):
            return found
    return "other"
