"""How one column type compares to another, both as the target's dialect writes them."""

import re
from typing import Literal

Comparison = Literal["same", "wider", "narrower", "lossless", "changed"]

_TYPE = re.compile(
    r"(?P<base>DOUBLE PRECISION|CHARACTER VARYING|[A-Z_]\w*)"
    r"\s*(?:\((?P<args>[\d\s,]+)\))?(?P<rest>.*)"
)

_SYNONYMS = {
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "INT8": "BIGINT",
    "INT2": "SMALLINT",
    "DECIMAL": "NUMERIC",
    "DEC": "NUMERIC",
    "BOOL": "BOOLEAN",
    "CHARACTER VARYING": "VARCHAR",
    "CHARACTER": "CHAR",
    "NVARCHAR": "VARCHAR",
    "FLOAT8": "DOUBLE PRECISION",
    "FLOAT4": "REAL",
    "DOUBLE": "DOUBLE PRECISION",
    "CLOB": "TEXT",
}
_NO_ZONE = re.compile(r"\s*WITHOUT TIME ZONE$")
_INTEGERS = ("TINYINT", "SMALLINT", "MEDIUMINT", "INTEGER", "BIGINT")
_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "MEDIUMINT": 8, "INTEGER": 10, "BIGINT": 19}
_TEXTS = ("VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT")
_LOSSLESS = frozenset({("REAL", "DOUBLE PRECISION"), ("JSON", "JSONB")})
_FAMILIES = (
    frozenset({*_TEXTS, "CHAR"}),
    frozenset({*_INTEGERS, "NUMERIC", "FLOAT", "REAL", "DOUBLE PRECISION"}),
    frozenset({"DATE", "DATETIME", "TIMESTAMP"}),
    frozenset({"JSON", "JSONB"}),
)

_Parsed = tuple[str, tuple[int, ...], str]


def compare(before: str, after: str) -> Comparison:
    """What going from `before` to `after` does to the values.

    "same" changes nothing; "wider" and "narrower" are changes of length, precision or size within
    one type; "lossless" keeps every value but stores it anew; "changed" may lose or refuse values.
    """
    old, new = _parsed(before), _parsed(after)
    if old == new:
        return "same"
    if old[0] in _DIGITS and new[0] in {*_DIGITS, "NUMERIC"} and old[2] == new[2]:
        return _integers(old[0], new)
    if (old[0], new[0]) in _LOSSLESS:
        return "lossless"
    if old[2] != new[2]:
        return "changed"
    if old[0] in _TEXTS and new[0] in _TEXTS and old[0] != new[0]:
        return "wider" if _TEXTS.index(old[0]) < _TEXTS.index(new[0]) else "narrower"
    return _sizes(old[1], new[1]) if old[0] == new[0] else "changed"


def similar(one: str, other: str) -> bool:
    """Whether values of one type could have been values of the other; unknown types could."""
    if not one or not other:
        return True
    first, second = _parsed(one)[0], _parsed(other)[0]
    return first == second or any({first, second} <= family for family in _FAMILIES)


def _parsed(text: str) -> _Parsed:
    """Base name, sizes, and what else was said."""
    plain = _NO_ZONE.sub("", " ".join(text.upper().split()))
    found = _TYPE.fullmatch(plain)
    if found is None:
        return plain, (), ""
    base, rest = found["base"], found["rest"].strip()
    sizes = tuple(int(a) for a in (found["args"] or "").split(",") if a.strip())
    name = _SYNONYMS.get(base, base)
    return "TEXT" if name == "VARCHAR" and not sizes else name, sizes, rest


def _integers(old: str, new: _Parsed) -> Comparison:
    if new[0] == "NUMERIC":
        return _as_numeric(_DIGITS[old], new[1])
    # A display width, as in MySQL's INTEGER(11), says nothing about the values.
    before, after = _INTEGERS.index(old), _INTEGERS.index(new[0])
    if before == after:
        return "same"
    return "lossless" if before < after else "narrower"


def _as_numeric(digits: int, sizes: tuple[int, ...]) -> Comparison:
    """Integers of at most so many digits in a NUMERIC; without a size it holds any."""
    precision, scale = (*sizes, 0)[:2] if sizes else (digits, 0)
    return "lossless" if precision - scale >= digits else "narrower"


def _sizes(old: tuple[int, ...], new: tuple[int, ...]) -> Comparison:
    """No size at all is the widest."""
    if not new:
        return "wider"
    if not old:
        return "narrower"
    (before, scale), (after, new_scale) = (*old, 0)[:2], (*new, 0)[:2]
    fits = after - new_scale >= before - scale and new_scale >= scale
    return "wider" if fits else "narrower"


def is_text(text: str | None) -> bool:
    """Whether it is a type of texts of any length."""
    return bool(text) and _parsed(text or "")[0] in {*_TEXTS, "CHAR"}


_NUMBERS = frozenset({*_INTEGERS, "NUMERIC", "REAL", "DOUBLE PRECISION", "FLOAT", "MONEY"})
_ASSIGNED = frozenset(
    {
        ("DATE", "TIMESTAMP"),
        ("TIMESTAMP", "DATE"),
        ("TIMESTAMP", "TIME"),
        ("TIME", "INTERVAL"),
        ("INTERVAL", "TIME"),
        ("JSON", "JSONB"),
        ("JSONB", "JSON"),
        ("CIDR", "INET"),
        ("INET", "CIDR"),
    }
)
_KNOWN = frozenset(
    {*_NUMBERS, *_TEXTS, "CHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIME", "INTERVAL", "UUID"}
    | {"JSON", "JSONB", "BYTEA", "INET", "CIDR", "MACADDR", "XML"}
)

_OF_EXTENSIONS = frozenset({"CITEXT", "GEOMETRY", "GEOGRAPHY"})
"""Types that bring an assignment cast from text with them."""


def assignable(before: str, after: str) -> bool | None:
    """Whether PostgreSQL converts one type to another without USING; None where it is not known.

    Source: pg_cast of PostgreSQL 18 (castcontext a or i), and that every type can be assigned to a
    text, through its output function.
    """
    old, new = _parsed(before), _parsed(after)
    if old[0] == new[0] or new[0] in {*_TEXTS, "CHAR"}:
        return None if {old[2], new[2]} & {"[]"} else True
    if (old[0] in _NUMBERS and new[0] in _NUMBERS) or (old[0], new[0]) in _ASSIGNED:
        return True
    if is_text(before) and new[0] in _OF_EXTENSIONS:
        return True
    if is_text(before) or {old[0], new[0]} <= _KNOWN:
        return False
    return None


def shifts_zone(before: str, after: str) -> bool:
    """Whether it goes from a timestamp without a time zone to one with, or back."""
    old, new = (_parsed(t.upper().replace("TIMESTAMPTZ", _ZONED)) for t in (before, after))
    return old[0] == new[0] == "TIMESTAMP" and {old[2], new[2]} == {"", "WITH TIME ZONE"}


_ZONED = "TIMESTAMP WITH TIME ZONE"
