"""An SQLite database with the schema of another one, and rows that are made up."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from rulezero_server.shadows.madeup import Column, Dialect, Kind, Reference, Table, rows

_OWN = re.compile(r"^sqlite_", re.IGNORECASE)


def quoted(name: str) -> str:
    """A name as SQLite takes it whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


_DIALECT = Dialect(
    name="sqlite",
    quote=quoted,
    text=lambda text: "'" + text.replace("'", "''") + "'",
    literals={
        "boolean": lambda _c, n: str((n + 1) % 2),
        "uuid": lambda _c, n: f"'{n + 1:032x}'",
    },
)


def tables(connection: sqlite3.Connection) -> list[str]:
    """The tables that hold rows of their own; not those of a virtual table, nor SQLite's."""
    # The 6th column of table_list came later than the pragma's others.
    listed = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name"
    )
    return [name for (name,) in listed if not _OWN.match(name)]


def count(connection: sqlite3.Connection, table: str) -> int:
    """Its rows."""
    return connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]  # noqa: S608


def fill(source: sqlite3.Connection, made: sqlite3.Connection) -> list[str]:
    """Make the schema of `source` in `made`, with made-up rows; the tables that got none."""
    made.isolation_level = None
    schema = source.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for pragma in ("page_size", "encoding", "user_version", "application_id"):
        (value,) = source.execute(f"PRAGMA {pragma}").fetchone()
        made.execute(f"PRAGMA {pragma} = {quoted(str(value))}")
    _create(made, [sql for kind, name, sql in schema if kind == "table" and not _OWN.match(name)])
    names = tables(made)
    versions = [name for name in names if _is_alembics(made, name)]
    for name in versions:
        _copy(source, made, name)
    filled = _insert(made, [_described(made, n) for n in names if n not in versions])
    for kind in ("index", "view", "trigger"):
        _create(made, [sql for k, _, sql in schema if k == kind])
    return sorted(set(names) - set(versions) - filled)


def _create(made: sqlite3.Connection, statements: list[str]) -> None:
    made.execute("BEGIN")
    for sql in statements:
        # The tables behind a virtual table are made by it, and are there already.
        with suppress(sqlite3.OperationalError):
            made.execute(sql)
    made.execute("COMMIT")


def _is_alembics(made: sqlite3.Connection, name: str) -> bool:
    columns = made.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
    return columns == [("version_num",)]


def _copy(source: sqlite3.Connection, made: sqlite3.Connection, table: str) -> None:
    """Revisions are no data of anybody's, and without them Alembic does not know where it is."""
    found = source.execute(f"SELECT version_num FROM {quoted(table)}").fetchall()  # noqa: S608
    made.executemany(f"INSERT INTO {quoted(table)} VALUES (?)", found)  # noqa: S608


def _insert(made: sqlite3.Connection, described: list[Table]) -> set[str]:
    """Fill these tables; the names of those that have rows then."""
    names = {table.name: _bare(table.name) for table in described}
    made.execute("PRAGMA foreign_keys = ON")
    filled: set[str] = set()
    for row in rows(described, _DIALECT):
        for sql in row.tries:
            with suppress(sqlite3.Error):
                made.execute(sql)
                filled.add(names[row.table])
                break
    return filled


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"')


def _described(made: sqlite3.Connection, name: str) -> Table:
    (sql,) = made.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return Table(
        name=quoted(name),
        columns=tuple(_columns(made, name)),
        unique=tuple(_unique(made, name)),
        references=tuple(_references(made, name)),
        checks=tuple(_checks(sql)),
    )


def _columns(made: sqlite3.Connection, table: str) -> Iterator[Column]:
    listed = made.execute(
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', (table,)
    )
    for name, declared, notnull, default, pk, hidden in listed:
        numbers = [int(n) for n in re.findall(r"\d+", declared or "")]
        yield Column(
            name=name,
            kind=_kind(declared or ""),
            nullable=not notnull and not pk,
            length=numbers[0] if numbers else None,
            scale=numbers[1] if len(numbers) > 1 else None,
            given=hidden > 1,
            defaults=default is not None,
        )


_KINDS: tuple[tuple[str, Kind], ...] = (
    ("BOOL", "boolean"), ("INT", "integer"), ("TIMESTAMP", "timestamp"), ("DATETIME", "timestamp"),
    ("DATE", "date"), ("TIME", "time"), ("JSON", "json"), ("UUID", "uuid"),
    ("CHAR", "text"), ("TEXT", "text"), ("CLOB", "text"), ("BLOB", "binary"), ("BINARY", "binary"),
    ("NUM", "number"), ("DEC", "number"), ("REAL", "number"), ("FLOA", "number"),
    ("DOUB", "number"),
)  # fmt: skip


def _kind(declared: str) -> Kind:
    """What a declared type means to those who wrote it, and to SQLAlchemy."""
    for word, kind in _KINDS:
        if word in declared.upper():
            return kind
    return "other"


def _unique(made: sqlite3.Connection, table: str) -> Iterator[tuple[str, ...]]:
    yield tuple(
        name
        for (name,) in made.execute(
            "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,)
        )
    )
    for (index,) in made.execute(
        'SELECT name FROM pragma_index_list(?) WHERE "unique"', (table,)
    ).fetchall():
        names = made.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
        yield tuple(name for (name,) in names if name is not None)


def _references(made: sqlite3.Connection, table: str) -> Iterator[Reference]:
    found: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, to, mine, theirs in made.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq',
        (table,),
    ):
        found.setdefault(number, []).append((to, mine, theirs))
    for pairs in found.values():
        to = pairs[0][0]
        theirs = tuple(column for _, _, column in pairs if column is not None)
        yield Reference(
            columns=tuple(mine for _, mine, _ in pairs),
            table=quoted(to),
            to=theirs or next(_unique(made, to)),
        )


def _checks(sql: str) -> Iterator[str]:
    """What stands in the parentheses after each CHECK."""
    for match in re.finditer(r"\bCHECK\s*\(", sql, re.IGNORECASE):
        depth, end = 1, match.end()
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        yield sql[match.end() : end - 1]
