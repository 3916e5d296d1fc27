"""What kind of statement a piece of SQL is, as far as its text tells."""

from __future__ import annotations

import inspect
import re

# A comment that starts with ! or M! is executed by MySQL and MariaDB.
_COMMENT = re.compile(r"/\*(?!M?!).*?\*/|--[^\n]*", re.DOTALL)
_READ = re.compile(r"[\s(]*(select|with|show|pragma|explain|values|describe|desc|table)\b", re.I)
_WRITE_IN_READ = re.compile(r"\b(insert|update|delete|merge|into|analyze)\b", re.I)
_SESSION = re.compile(
    r"\s*(?:set(?!\s+(?:global|persist|password|@@global|@@persist))|begin|start|commit|end|rollback"
    r"|abort|savepoint|release|reset|lock|unlock|use)\b[^;]*;?\s*$",
    re.I,
)
RETURNING = re.compile(r"\breturning\b", re.I)
SEQUENCE = re.compile(r"\s*select\s+nextval\b|\s*select\s+next\s+value\b", re.I)
_CATALOGUE = re.compile(
    r"\b(pg_catalog|information_schema|sqlite_(temp_)?(master|schema)|pg_(class|type|enum|index"
    r"|indexes|tables|views|constraint|attribute|namespace|extension|sequence|proc|trigger))\b"
    r"|^\s*show\s+(full\s+)?(create|tables|columns|index|variables|databases|collation)\b"
    r"|^\s*desc(ribe)?\s|^\s*pragma\s+(\w+\.)?(table_x?info|index_x?info|index_list|table_list"
    r"|foreign_key_list|database_list)\b",
    re.I,
)
_REFLECTING = re.compile(r"sqlalchemy\.dialects\.\w+\.(base|reflection|pg_catalog)$")
_CALL = re.compile(r"([a-z_]\w*|[\"`\]])\s*\(", re.I)
_HARMLESS = frozenset((
    "all", "and", "any", "array", "array_agg", "as", "bool_and", "bool_or", "case", "cast",
    "coalesce", "col_description", "concat", "count", "database_list", "else", "exists",
    "filter", "foreign_key_list", "format_type", "from", "generate_series",
    "generate_subscripts", "group_concat", "ifnull", "in", "index_info", "index_list",
    "index_xinfo", "join", "json_agg", "json_build_object", "lateral", "length", "like",
    "lower", "max", "min", "not", "nullif", "obj_description", "on", "or", "order", "over",
    "pg_table_is_visible", "pg_type_is_visible", "pragma_index_info", "pragma_table_info",
    "pragma_table_list", "quote_ident", "replace", "row_number", "select", "string_agg",
    "substr", "sum", "table_info", "table_list", "table_xinfo", "then", "to_regclass", "trim",
    "unnest", "upper", "using", "values", "when", "where",
))  # fmt: skip
"""What may be called in a query that is passed on: it reads, and has no effect of its own."""


def bare(statement: str) -> str:
    """A statement without its comments."""
    return _COMMENT.sub(" ", statement)


def is_read(statement: str) -> bool:
    """Whether a statement, free of comments, only asks."""
    return bool(_READ.match(statement)) and not _WRITE_IN_READ.search(statement)


def keeps_nothing(statement: str) -> bool:
    """Whether a statement, free of comments, changes at most the session it is sent in."""
    return is_read(statement) or bool(_SESSION.match(statement))


def is_catalogue_read(statement: str) -> bool:
    """Whether a statement only asks what the database's catalogue says."""
    text = bare(statement)
    if not is_read(text):
        return False
    return (bool(_CATALOGUE.search(text)) and _is_harmless(statement)) or _asked_by_sqlalchemy()


def _asked_by_sqlalchemy() -> bool:
    """Whether SQLAlchemy's own reflection is what asks, on behalf of whoever called that."""
    frame, ours = inspect.currentframe(), str(__package__)
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module == "sqlalchemy.engine.reflection" or _REFLECTING.match(module):
            return True
        if not module.startswith(("sqlalchemy.", ours)):
            return False
        frame = frame.f_back
    return False


def is_insert(statement: str) -> bool:
    """Whether a statement, free of comments, inserts."""
    return statement.lstrip().lower().startswith("insert")


def _is_harmless(statement: str) -> bool:
    """Whether it calls nothing but what is known to have no effect, and is one statement.

    Read with its comments and without them: what looks like a comment may stand in a string.
    """
    if ";" in statement.rstrip().rstrip(";"):
        return False
    called = {name.lower() for name in _CALL.findall(f"{statement} {bare(statement)}")}
    return all(name in _HARMLESS or name.startswith("pg_get_") for name in called)
