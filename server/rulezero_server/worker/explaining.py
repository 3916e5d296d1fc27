"""What a failed statement ran into: the database's own words without values, and which rows.

Facts: https://www.postgresql.org/docs/current/errcodes-appendix.html and
https://mariadb.com/kb/en/mariadb-error-code-reference/ for the codes; https://sqlite.org/rescode.html
for SQLite, whose messages were read on 3.40.
"""

from __future__ import annotations

import linecache
import re
import sqlite3
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from . import culprits, errors, probe, secrets
from .culprits import Hit
from .listing.sql import words

_SECONDS = 2.0
"""That asking for the rows may take."""

_MOST = 5
"""Keys that are told."""

_TYPED = (culprits.UNCASTABLE, culprits.MISFITS)

_STATES: dict[str, tuple[str, ...]] = {
    "23502": (culprits.NULLS,),
    "23505": (culprits.DUPLICATES,),
    "23503": (culprits.ORPHANS,),
    "23514": (culprits.VIOLATIONS,),
    "22001": (culprits.MISFITS,),
    **dict.fromkeys(("22003", "22P02", "22007", "22008"), _TYPED),
}
_SYNTAX = "42601"
"""It quotes the statement, into which a revision may have written what it read from a row."""

_DEPENDED_ON = "2BP01"
"""The detail of which names what depends on the object, and no row."""

_ABOUT_NAMES = frozenset({"0A", "23", "25", "2B", "3D", "3F", "40", "42", "53", "54", "55", "57"})
"""Classes of states whose messages quote names alone."""

_NUMBERS: dict[int, tuple[str, ...]] = {
    1048: (culprits.NULLS,),
    1138: (culprits.NULLS,),
    1062: (culprits.DUPLICATES,),
    1451: (),
    1452: (culprits.ORPHANS,),
    4025: (culprits.VIOLATIONS,),
    3819: (culprits.VIOLATIONS,),
    1406: (culprits.MISFITS,),
    # Said of a NULL, of a text that is too long, and of one that is no number.
    1265: (culprits.NULLS, culprits.MISFITS, culprits.UNCASTABLE),
    **dict.fromkeys((1264, 1292, 1366), _TYPED),
}
_SQLITE: dict[str, tuple[str, ...]] = {
    "NOT NULL constraint failed": (culprits.NULLS,),
    "UNIQUE constraint failed": (culprits.DUPLICATES,),
    "CHECK constraint failed": (culprits.VIOLATIONS,),
}

_MY_VALUE = re.compile(
    r"\b(entry|value:?) (?:'.*'(?= for (?:key|column)\b)|'.*'(?=\s*$))", re.DOTALL
)
_MY_SYNTAX = 1064
_MY_COPY = re.compile(r"`#sql[^`]*`")
_MY_PLACE = re.compile(r"(?:`[^`]*`\.)?`(?P<table>[^`]*)`\.`(?P<column>[^`]*)` at row")
_MY_TABLE = re.compile(r"(?:failed for|fails \()\s*`[^`]*`\.`(?P<table>[^`#]+)`")
_MY_COLUMN = re.compile(r"\b[Cc]olumn '(?P<column>[^']*)'")
_MY_NAME = re.compile(r"(?:for key '|CONSTRAINT `)(?:[^'`.]*\.)?(?P<constraint>[^'`]*)['`]")
_MY_SCHEMA = re.compile(r"`[^`]*`\.(?=`)")

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_MARKED = re.compile(r"[^\s'\"`]*[\d@][^\s'\"`]*")
_HIDDEN = "…"


class _Told(NamedTuple):
    """What a driver's error says; `quoted` is what it has in quotes, where that is known."""

    kind: str
    text: str
    hit: Hit
    probes: tuple[str, ...] = ()
    quoted: Literal["names", "values", "either"] = "either"


def explain(
    exc: BaseException,
    connection_factory: Callable[[], Any],
    earlier: Sequence[str] = (),
) -> dict[str, Any]:
    """Say what stopped a migration.

    Args:
        exc: What was raised, whatever it was.
        connection_factory: Makes a context manager that gives SQLAlchemy's connection to the
            shadow, after the failed transaction was rolled back. It gets the execution option
            `rulezero_watching`: what is sent over it is no part of the migration.
        earlier: Statements that were sent before the one that failed, in order.

    Returns:
        `kind`, `error`, `table`, `constraint` and `keys`, shaped as in `rehearsal.Failed`.
    """
    said = noted(exc)
    bounds = {"bound": _MOST, "seconds": _SECONDS, "total": 2 * _SECONDS}
    fact, column = rows(said, earlier, connection_factory, bounds)
    hit = Hit(**said["hit"])
    constraint = hit.constraint or hit.column or ", ".join(hit.columns) or column
    keys = list((fact or {}).get("sample") or ())[:_MOST]
    told = {name: said[name] for name in ("kind", "error")}
    return {**told, "table": hit.table, "constraint": constraint, "keys": keys}


def noted(exc: BaseException) -> dict[str, Any]:
    """What stopped a migration, without asking anybody: what `rows` needs later, in JSON.

    Returns:
        `kind`, `error` (without values of rows), `hit` (as `culprits.Hit`), `probes` (kinds of
        questions whose answer are the rows in the way) and `statement`.
    """
    links = list(errors.chain(exc))
    told = next((t for t in map(_told, links) if t is not None), None)
    if told is None:
        error = _foreign(exc)
        return {"kind": type(exc).__name__, "error": error, "hit": Hit()._asdict(), **_NOTHING}
    statement = next((str(s) for s in (getattr(e, "statement", None) for e in links) if s), "")
    schema, table = culprits.place(told.hit, statement)
    told = told._replace(hit=told.hit._replace(schema=schema, table=table))
    return {
        "kind": told.kind,
        "error": secrets.scrub(_clean(told, statement)),
        "hit": told.hit._asdict(),
        "probes": list(told.probes),
        "statement": secrets.scrub(statement),
    }


_NOTHING: dict[str, Any] = {"probes": [], "statement": ""}


def _told(exc: BaseException) -> _Told | None:
    """What this one error says, if a driver raised it."""
    if type(exc).__module__.startswith("sqlalchemy"):
        return None
    first = exc.args[0] if exc.args else None
    if isinstance(exc, sqlite3.Error):
        return _sqlite(exc)
    if isinstance(first, int) and len(exc.args) > 1 and "mysql" in type(exc).__module__.lower():
        return _mysql(exc, first, str(exc.args[1]))
    if isinstance(first, dict):
        return _postgresql(exc, _pg8000(cast("Any", first)))
    if _text_of(exc, "sqlstate") or _text_of(exc, "pgcode"):
        return _postgresql(exc, _libpq(exc))
    return None


def _text_of(exc: Any, name: str) -> str | None:
    value = getattr(exc, name, None)
    return value if isinstance(value, str) else None


def _pg8000(said: Mapping[str, Any]) -> dict[str, Any]:
    names = {"C": "state", "M": "text", "s": "schema", "t": "table", "c": "column"}
    more = {"n": "constraint", "D": "detail"}
    return {name: said.get(key) for key, name in {**names, **more}.items()}


def _libpq(exc: Any) -> dict[str, Any]:
    """Psycopg and psycopg2 keep it in `diag`, asyncpg in the error itself."""
    diag = getattr(exc, "diag", exc)
    said = getattr(diag, "message_primary", None) or (exc.args[0] if exc.args else "")
    names = ("schema", "table", "column", "constraint")
    found = {name: getattr(diag, f"{name}_name", None) for name in names}
    state = _text_of(exc, "sqlstate") or _text_of(exc, "pgcode")
    detail = getattr(diag, "message_detail", None) or getattr(diag, "detail", None)
    text = str(said).partition("\n")[0]
    return {**found, "state": state, "text": text, "detail": detail}


def _postgresql(exc: BaseException, said: dict[str, Any]) -> _Told:
    state = str(said["state"])
    names = {name: said[name] for name in ("schema", "table", "column", "constraint")}
    text = " ".join(str(said["text"]).split())
    if state == _DEPENDED_ON and said["detail"]:
        text = f"{text}: {' '.join(str(said['detail']).split())}"
    told = _Told(type(exc).__name__, text, Hit(**names), _STATES.get(state, ()))
    if state == _SYNTAX or state.startswith("22"):
        return told._replace(quoted="values")
    return told._replace(quoted="names" if state[:2] in _ABOUT_NAMES else "either")


def _mysql(exc: BaseException, number: int, text: str) -> _Told:
    names = dict[str, Any]()
    for pattern in (_MY_NAME, _MY_COLUMN, _MY_TABLE, _MY_PLACE) if number in _NUMBERS else ():
        found = pattern.search(_MY_VALUE.sub(r"\1", text))
        names.update(found.groupdict() if found else {})
    said = " ".join(_MY_VALUE.sub(rf"\1 '{_HIDDEN}'", text).split())
    told = _Told(type(exc).__name__, f"{said} ({number})", Hit(**names), _NUMBERS.get(number, ()))
    if number == _MY_SYNTAX:
        return told._replace(quoted="values")
    return told._replace(quoted="names" if number in _NUMBERS else "either")


def _sqlite(exc: sqlite3.Error) -> _Told:
    said = " ".join(str(exc).split())
    head, _, what = said.partition(": ")
    probes = _SQLITE.get(head, ())
    shown = said.replace(culprits.COPY, "")
    told = _Told(type(exc).__name__, shown, Hit(), probes, quoted="names")
    if not probes:
        return told._replace(quoted="values" if "syntax error" in said else "either")
    if probes == (culprits.VIOLATIONS,):
        return told._replace(hit=Hit(constraint=what))
    if what.startswith("index '"):
        return told._replace(hit=Hit(constraint=what[len("index '") : -1]))
    places = [place.rpartition(".")[::2] for place in what.split(", ")]
    columns = tuple(column for _, column in places)
    hit = Hit(table=places[0][0] or None, columns=columns)
    if probes == (culprits.NULLS,):
        hit = Hit(table=hit.table, column=columns[0])
    return told._replace(hit=hit)


def _clean(told: _Told, statement: str) -> str:
    """The text without what may be a value: quotes keep what the statement itself names."""
    hit, text = told.hit, told.text
    if "`" in text:  # the shadow's name, and what a table is called while it is copied
        text = _MY_COPY.sub(f"`{hit.table}`", _MY_SCHEMA.sub("", text))
    if told.quoted != "names":
        known = {name for name in (hit.table, hit.column, hit.constraint) if name}
        said = words(statement) if told.quoted == "either" else []
        text = _masked(text, known | {word.raw for word in said if not word.startswith("'")})
    return text[: errors.LONGEST]


def _masked(text: str, known: Container[str]) -> str:
    def shown(found: re.Match[str]) -> str:
        quote, said = found.group()[0], found.group()[1:-1]
        name = said if said in known else said.rpartition(".")[2]
        return f"{quote}{name if name in known else _HIDDEN}{quote}"

    return _QUOTED.sub(shown, text)


def _foreign(exc: BaseException) -> str:
    """The text of what is no error of a database: what may be a value has to be in the source."""
    text = errors.text(exc)
    if type(exc).__module__.partition(".")[0] in {"alembic", "sqlalchemy"}:
        return secrets.scrub(text)
    known = {word.raw.strip("'\"") for line in _source(exc) for word in words(line)}
    marked = _MARKED.sub(lambda m: m.group() if m.group() in known else _HIDDEN, text)
    return secrets.scrub(_masked(marked, known))


def _source(exc: BaseException) -> list[str]:
    """The lines of the files that an error came through."""
    files: set[str] = set()
    step = exc.__traceback__
    while step is not None:
        files.add(step.tb_frame.f_code.co_filename)
        step = step.tb_next
    return [line for file in files for line in linecache.getlines(file)]


def rows(
    said: dict[str, Any],
    earlier: Sequence[str],
    connection_factory: Callable[[], Any],
    bounds: dict[str, Any],
) -> tuple[dict[str, Any] | None, str | None]:
    """How many rows are in the way, with the keys of some, and the column that holds them back.

    Args:
        said: What `noted` gave.
        earlier: As for `explain`.
        connection_factory: As for `explain`.
        bounds: Those of `probe.answers`.
    """
    fact: dict[str, Any] | None = None
    column: str | None = None
    if not said["probes"]:
        return fact, column
    try:
        with connection_factory() as given:
            around = culprits.Around(given.execution_options(rulezero_watching=True), earlier)
            for wanted in said["probes"]:
                asked = culprits.question(wanted, Hit(**said["hit"]), said["statement"], around)
                column = column or (asked or {}).get("column")
                if asked is not None and not (fact or {}).get("count"):
                    (fact,) = probe.answers(around.connection, {**bounds, "questions": [asked]})
    except Exception:  # noqa: BLE001 - whatever a driver raises, the failure is told without them
        return None, column
    return fact, column
