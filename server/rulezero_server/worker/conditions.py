"""Which rows a question means, as a condition in the target's dialect."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from . import expressions


class NotAskedError(Exception):
    """The question is not one that can be put to this database, and why."""


_INTEGERS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "INT2": 16,
    "MEDIUMINT": 24,
    "INTEGER": 32,
    "INT": 32,
    "INT4": 32,
    "BIGINT": 64,
    "INT8": 64,
}
_TYPE = re.compile(r"\s*(?P<base>[A-Za-z][\w ]*)(?:\((?P<args>[\d\s,]+)\)(?P<rest>[\w ]*))?")
_TEXTS = {"VARCHAR", "CHAR", "CHARACTER VARYING", "CHARACTER", "NVARCHAR", "NCHAR"}
_DECIMALS = {"NUMERIC", "DECIMAL", "DEC"}

_PATTERNS = {
    "INTEGER": r"^\s*[-+]?[0-9]+\s*$",
    "NUMERIC": r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$",
    "BOOLEAN": r"^\s*(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|off|of|1|0)\s*$",
    "UUID": r"^\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?$",
}
_FAMILIES = {
    **dict.fromkeys(_INTEGERS, "INTEGER"),
    **dict.fromkeys((*_DECIMALS, "REAL", "DOUBLE PRECISION", "FLOAT", "DOUBLE"), "NUMERIC"),
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "UUID": "UUID",
}
_VALID = 16
"""PostgreSQL that has pg_input_is_valid()."""


def column(name: str) -> Any:
    """A column by its name, quoted as it needs."""
    made: Any = sa.column(name)  # pyright: ignore[reportUnknownVariableType] - SQLAlchemy's
    return made


def literal(text: str) -> Any:
    """SQL text as an expression."""
    made: Any = sa.literal_column(text)  # pyright: ignore[reportUnknownVariableType] - SQLAlchemy's
    return made


def condition(connection: Any, asked: dict[str, Any]) -> Any:
    """The condition of the rows that a question counts; None for all of them.

    Raises:
        NotAskedError: It cannot be asked here.
    """
    return _CONDITIONS[asked["probe"]](connection, asked)


def _all(_: Any, __: Any) -> Any:
    return None


def _values(_: Any, asked: dict[str, Any]) -> Any:
    return column(asked["column"]).isnot(None)


def _nulls(_: Any, asked: dict[str, Any]) -> Any:
    return column(asked["column"]).is_(None)


def _violations(_: Any, asked: dict[str, Any]) -> Any:
    text = asked["expression"] or ""
    if not expressions.may_be_asked(text):
        raise NotAskedError("its condition is not one that is asked of live data")
    # NULL passes a CHECK, and NOT of NULL is no row here either.
    return sa.text(f"NOT ({text})".replace(":", "\\:"))


def _misfits(connection: Any, asked: dict[str, Any]) -> Any:
    base, sizes, rest = _parsed(asked["type"])
    value = column(asked["column"])
    if base in _TEXTS and sizes:
        # What sticks out is let go silently where it is nothing but spaces.
        text = sa.func.rtrim(sa.cast(value, _text(connection)))
        sqlite = connection.dialect.name == "sqlite"
        length = sa.func.length(text) if sqlite else sa.func.char_length(text)
        return length > sizes[0]
    if base in _INTEGERS:
        low, high = _range(_INTEGERS[base], unsigned="UNSIGNED" in rest)
        return sa.or_(value < literal(str(low)), value > literal(str(high)))
    if base in _DECIMALS and sizes:
        precision, scale = (*sizes, 0)[:2]
        limit = literal(str(10 ** (precision - scale)))
        return sa.func.abs(_round(connection, value, scale)) >= limit
    raise NotAskedError(f"what fits {asked['type']} is not known here")


def _range(bits: int, *, unsigned: bool) -> tuple[int, int]:
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _rounded(connection: Any, asked: dict[str, Any]) -> Any:
    base, sizes, _rest = _parsed(asked["type"])
    value = column(asked["column"])
    if base in _INTEGERS:
        return value != _round(connection, value, 0)
    if base in _DECIMALS and sizes:
        return value != _round(connection, value, (*sizes, 0)[1])
    raise NotAskedError(f"what {asked['type']} rounds is not known here")


def _round(connection: Any, value: Any, scale: int) -> Any:
    # PostgreSQL rounds no double precision to a scale; MySQL's DECIMAL without one has none.
    known = sa.cast(value, sa.Numeric) if connection.dialect.name == "postgresql" else value
    return sa.func.round(known, literal(str(scale)))


def _uncastable(connection: Any, asked: dict[str, Any]) -> Any:
    if connection.dialect.name == "sqlite":
        return _no_number(asked)
    text = sa.cast(column(asked["column"]), _text(connection))
    if (
        connection.dialect.name == "postgresql"
        and (connection.dialect.server_version_info or (0,))[0] >= _VALID
    ):
        return sa.func.pg_input_is_valid(text, sa.literal(asked["type"].lower())).is_(False)
    family = _FAMILIES.get(_parsed(asked["type"])[0])
    if family is None:
        raise NotAskedError(f"which texts are a {asked['type']} cannot be asked of this version")
    pattern = _PATTERNS[family]
    if connection.dialect.name != "postgresql":  # which has no \s in every version
        pattern = pattern.replace(r"\s", "[[:space:]]").replace(r"\.", "[.]")
    return sa.and_(text.isnot(None), sa.not_(text.regexp_match(pattern)))


def _no_number(asked: dict[str, Any]) -> Any:
    """Texts of which SQLite's CAST makes another number, or 0."""
    family = _FAMILIES.get(_parsed(asked["type"])[0])
    if family not in {"INTEGER", "NUMERIC"}:
        raise NotAskedError("SQLite casts whatever comes")
    digits: Any = sa.func.ltrim(sa.func.trim(column(asked["column"])), "+-")
    odd = "*[^0-9]*" if family == "INTEGER" else "*[^0-9.eE+-]*"
    return sa.or_(digits == "", digits.op("GLOB")(odd))


def _outside(connection: Any, asked: dict[str, Any]) -> Any:
    value = sa.cast(column(asked["column"]), _text(connection))
    return sa.and_(column(asked["column"]).isnot(None), value.notin_(list(asked["values"])))


def _text(connection: Any) -> Any:
    return sa.CHAR() if connection.dialect.name in {"mysql", "mariadb"} else sa.Text()


def _parsed(text: str) -> tuple[str, tuple[int, ...], str]:
    found = _TYPE.fullmatch(text or "")
    if found is None:
        raise NotAskedError(f"the type {text} is not known here")
    sizes = tuple(int(a) for a in (found["args"] or "").split(",") if a.strip())
    base, unsigned, _ = f"{found['base'].upper().strip()} ".partition(" UNSIGNED")
    return base.strip(), sizes, (found["rest"] or "").upper() + unsigned


_CONDITIONS = {
    "rows": _all,
    "values": _values,
    "nulls": _nulls,
    "violations": _violations,
    "misfits": _misfits,
    "rounded": _rounded,
    "uncastable": _uncastable,
    "outside": _outside,
}
