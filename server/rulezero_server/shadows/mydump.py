"""Dumps a MariaDB or MySQL schema, and restores it as a user who has no other one."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rulezero_server.shadows import mycatalogue, myclient, programs, talking
from rulezero_server.shadows.madeup import Dialect, Table, rows
from rulezero_server.shadows.myclient import identifier, literal
from rulezero_server.shadows.wishes import Wishes

_DUMP = (
    "--single-transaction", "--skip-lock-tables", "--skip-add-locks", "--skip-add-drop-table",
    "--no-tablespaces", "--hex-blob", "--skip-comments", "--quick",
)  # fmt: skip
_WHOLE = ("--routines", "--triggers", "--events")
_TABLES = ("--no-data", "--skip-triggers")
_REST = ("--no-data", "--no-create-info", "--routines", "--triggers", "--events")

_MEND = "See whether the project's user may read every table, view, routine and trigger."

_DEFINER = re.compile(rb"DEFINER\s*=\s*`(?:[^`]|``)*`@`(?:[^`]|``)*`\s*")

ROWS, FEWEST = 1000, 20
"""Rows that are chosen of one table at most, and at least."""

_BATCH = 500
"""Rows that one question names."""

_WHAT = "a sample of the rows could not be read"

_HEAD = (
    b"SET NAMES utf8mb4; SET SESSION foreign_key_checks = 0, unique_checks = 0, "
    b"sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';\n"
)

_DIALECT = Dialect(
    name="mysql",
    quote=identifier,
    text=literal,
    literals={"boolean": lambda _c, n: str((n + 1) % 2)},
)


def whole(target: myclient.Server, made: myclient.Server) -> list[str]:
    """Copy everything; what could not be restored, a line each.

    Raises:
        NoShadow: The target cannot be read.
    """
    return _restored(target, made, *_WHOLE)


def sample(
    target: myclient.Server, made: myclient.Server, facts: mycatalogue.Facts, wishes: Wishes
) -> list[str]:
    """Copy the schema and some rows, seen in one snapshot; what is missing, a line each.

    Raises:
        NoShadow: The target cannot be read.
    """
    lacks = _restored(target, made, *_TABLES)
    described = {table.name: table for table in mycatalogue.described(made)}
    keyless = [name for name, table in described.items() if not _key(table)]
    with target.session() as session:
        session.ask("SET SESSION lock_wait_timeout = 5", _WHAT)
        session.ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", _WHAT)
        session.ask("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", _WHAT)
        chosen = _chosen(session, described, facts, wishes)
        script = [_HEAD, *_inserts(session, described, chosen)]
    made.sql(b"".join(script), "--force")
    lacks += _revisions(target, made, facts)
    lacks += _restored(target, made, *_REST)
    return lacks + [f"rows of {name}: it has no primary key" for name in keyless]


def made_up(
    target: myclient.Server, made: myclient.Server, facts: mycatalogue.Facts
) -> tuple[list[str], list[str]]:
    """Copy the schema and make rows up; what is missing, and the tables that got no row.

    Raises:
        NoShadow: The target's schema cannot be read.
    """
    lacks = _restored(target, made, *_TABLES)
    script = "".join(
        f"{sql};\n" for row in rows(mycatalogue.described(made), _DIALECT) for sql in row.tries
    )
    made.sql(script, "--force")
    lacks += _revisions(target, made, facts)
    lacks += _restored(target, made, *_REST)
    there = mycatalogue.counted(made, tuple(mycatalogue.tables(made)), 1)
    return lacks, [table.name for table in there if not table.rows and not table.version]


def _revisions(
    target: myclient.Server, made: myclient.Server, facts: mycatalogue.Facts
) -> list[str]:
    """Revisions are no data of anybody's, and without them Alembic does not know where it is."""
    for table in (table.name for table in facts.tables if table.version):
        found = target.asked(
            f"SELECT JSON_QUOTE(version_num) FROM {identifier(table)}",  # noqa: S608
            "the target's revision could not be read",
            _MEND,
        )
        made.sql(
            "".join(
                f"REPLACE INTO {identifier(table)} VALUES ({literal(one)});\n"  # noqa: S608
                for one in found
            )
        )
    return []


def _restored(target: myclient.Server, made: myclient.Server, *what: str) -> list[str]:
    """Dump and restore, as far as the user may; the objects that failed, by kind and name."""
    dumped = target.dump(*_DUMP, *what)
    dump = programs.checked(dumped, "the target could not be dumped", _MEND)
    own = f"{identifier(target.database or '')}.".encode()
    lines = [_plain(line, own) for line in dump.splitlines(keepends=True)]
    ran = made.sql(b"".join(lines), "--force")
    failed = [int(number) for number in re.findall(r"^ERROR \d+ .*? at line (\d+)", ran.err, re.M)]
    if ran.status != 0 and not failed:
        programs.checked(ran, "the shadow could not be filled", _MEND)
    return list(dict.fromkeys(_named(lines, number) for number in failed))


def loaded(made: myclient.Server, file: Path, database: str, plain: Path) -> list[str]:
    """Load a dump that was written to a file; the objects that failed, by kind and name.

    Args:
        made: Where it is loaded.
        file: The dump.
        database: The target's own name, which views may hold.
        plain: A file that is made on the way, without that name and without definers.

    Raises:
        NoShadow: Nothing could be loaded.
    """
    own = f"{identifier(database)}.".encode()
    with file.open("rb") as source, plain.open("wb") as made_plain:
        made_plain.writelines(_plain(line, own) for line in source)
    ran = made.load(plain, "--force")
    failed = {int(number) for number in re.findall(r"^ERROR \d+ .*? at line (\d+)", ran.err, re.M)}
    if ran.status != 0 and not failed:
        programs.checked(ran, "the dump could not be loaded", _MEND)
    return _failed_in(plain, failed)


def _failed_in(file: Path, failed: set[int]) -> list[str]:
    """What stands at these lines of a dump; no more of it is held than the lines since the last."""
    found: list[str] = []
    near: list[bytes] = []
    with file.open("rb") as source:
        for number, text in enumerate(source, start=1):
            near = [*near[-_NEAR:], text[:_NAMED]]
            if number in failed:
                found.append(_named(near, len(near)))
    return list(dict.fromkeys(found))


_NEAR, _NAMED = 300, 500
"""Lines above a failure among which its object is named, and characters of each."""

_ROWS = (b"INSERT INTO", b"(")
"""How the lines of a dump begin that hold rows."""


def _plain(line: bytes, own: bytes) -> bytes:
    """A line of a dump without the target's own name, and without who defined what.

    A definer's rights are another user's, and a view names the schema that it stood in.
    """
    if line.startswith(_ROWS):
        return line
    if line.startswith(b"/*M!999999"):  # other clients than the newest do not know it
        return b"\n"
    return _DEFINER.sub(b"", line).replace(own, b"")


_OBJECT = re.compile(
    rb"\b(TABLE|VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|INSERT INTO)\s+"
    rb"(?:IF (?:NOT )?EXISTS\s+)?`?([^`\s(]+)"
)


def _named(lines: Sequence[bytes], number: int) -> str:
    """The object that is named last before a line of a dump; never a row."""
    for line in reversed(lines[:number]):
        match = None if line.startswith(b"(") else _OBJECT.search(line)
        if match:
            kind = match[1].decode().lower().replace("insert into", "table data")
            return f"{kind} {match[2].decode(errors='replace')}"
    return "something of the schema"


def _key(table: Table) -> tuple[str, ...]:
    """The columns that tell its rows apart: its first unique key, none of them NULL."""
    nullable = {column.name for column in table.columns if column.nullable}
    return next((key for key in table.unique if nullable.isdisjoint(key)), ())


def _value(table: Table, column: str, alias: str) -> str:
    """SQL that writes a value as a literal."""
    name = f"{alias}.{identifier(column)}"
    kind = next(one.kind for one in table.columns if one.name == column)
    if kind in {"binary", "other"}:
        return f"IF({name} IS NULL, 'NULL', CONCAT('x''', HEX({name}), ''''))"
    return f"IF({name} IS NULL, 'NULL', QUOTE({name}))"


def _place(table: Table, alias: str) -> str:
    """SQL that writes a row's key, as it stands in a list of keys, as JSON."""
    parts = ", ',', ".join(_value(table, column, alias) for column in _key(table))
    return f"JSON_QUOTE(CONCAT('(', {parts}, ')'))"


def _within(table: Table, places: Sequence[str], alias: str) -> str:
    names = ", ".join(f"{alias}.{identifier(column)}" for column in _key(table))
    return f"({names}) IN ({', '.join(places)})"


Chosen = dict[str, set[str]]


def _chosen(
    session: talking.Session,
    tables: dict[str, Table],
    facts: mycatalogue.Facts,
    wishes: Wishes,
) -> Chosen:
    """Keys of some rows of each table, and of those that they refer to."""
    chosen: Chosen = {name: set() for name in tables}
    sizes = {identifier(table.name): table for table in facts.tables}
    share = wishes.megabytes * 1_000_000 / max(len(tables), 1)
    for name, table in tables.items():
        if not _key(table):
            continue
        held = sizes[name]
        width = held.bytes / held.rows if held.rows else 100
        many = max(FEWEST, int(min(ROWS, wishes.rows, share / max(width, 1))))
        order = ", ".join(identifier(column) for column in _key(table))
        sql = f"SELECT {_place(table, 't')} FROM {name} t ORDER BY {order} LIMIT {many}"  # noqa: S608
        found = _json(session, sql)
        _add(session, tables, chosen, name, found)
    return chosen


def _add(
    session: talking.Session,
    tables: dict[str, Table],
    chosen: Chosen,
    name: str,
    places: Sequence[str],
) -> None:
    """Choose these rows, those that they refer to, those that these refer to, and so on."""
    waiting = [(name, list(places))]
    while waiting:
        child, found = waiting.pop()
        new = [place for place in found if place not in chosen[child]]
        chosen[child].update(new)
        for start in range(0, len(new), _BATCH):
            waiting.extend(_parents(session, tables, child, new[start : start + _BATCH]))


def _parents(
    session: talking.Session, tables: dict[str, Table], child: str, places: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    for reference in tables[child].references:
        parent = tables.get(reference.table)
        if parent is None or not _key(parent):
            continue
        pairs = zip(reference.columns, reference.to, strict=True)
        matches = " AND ".join(f"p.{identifier(to)} = c.{identifier(mine)}" for mine, to in pairs)
        sql = (
            f"SELECT DISTINCT {_place(parent, 'p')} FROM {parent.name} p JOIN {child} c "  # noqa: S608
            f"ON {matches} WHERE {_within(tables[child], places, 'c')}"
        )
        yield parent.name, _json(session, sql)


def _inserts(session: talking.Session, tables: dict[str, Table], chosen: Chosen) -> Iterator[bytes]:
    """The chosen rows as INSERTs, as the target writes them."""
    for name, places in chosen.items():
        table, ordered = tables[name], sorted(places)
        columns = [column.name for column in table.columns if not column.given]
        names = ", ".join(identifier(column) for column in columns)
        values = ", ',', ".join(_value(table, column, "t") for column in columns)
        start = literal(f"INSERT INTO {name} ({names}) VALUES (")  # noqa: S608
        for at in range(0, len(ordered), _BATCH):
            batch = ordered[at : at + _BATCH]
            sql = (
                f"SELECT CONCAT({start}, {values}, ');') FROM {name} t "  # noqa: S608
                f"WHERE {_within(table, batch, 't')}"
            )
            yield session.ask(sql, _WHAT)


def _json(session: talking.Session, sql: str) -> list[str]:
    return [json.loads(line) for line in session.ask(sql, _WHAT).splitlines() if line]
