"""Which conditions of a revision may be put to live data: those that can do nothing but compare."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<text>'(?:[^'\\]|'')*')|(?P<name>\"[^\"]+\"|`[^`]+`|[A-Za-z_]\w*)"
    r"|(?P<number>\d+(?:\.\d*)?)|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<operator>::|<=|>=|<>|!=|\|\||!~\*?|~\*?|[-+*/%<>=,.])|(?P<space>\s+)"
)
_COMPARING = re.compile(r"--|/\*|\*/")

_FUNCTIONS = frozenset(
    {"abs", "any", "all", "btrim", "ceil", "char_length", "character_length", "coalesce", "floor"}
    | {"in", "greatest", "least", "length", "lower", "ltrim", "mod", "nullif", "num_nonnulls"}
    | {"num_nulls", "octet_length", "position", "round", "rtrim", "substr", "substring", "trim"}
    | {"upper", "and", "or", "not", "between", "like", "ilike", "when", "then", "else", "cast"}
    | {"array", "varchar", "char", "numeric", "decimal", "case", "is", "as", "values", "similar"}
    | {"jsonb_typeof", "json_typeof", "json_valid", "array_length", "cardinality", "isfinite"}
)
"""What may stand before a parenthesis: words of the grammar, and functions without effects."""

_NEVER = frozenset(
    {"select", "from", "union", "with", "into", "table", "execute", "call", "do", "exists"}
    | {"returning", "insert", "update", "delete", "nextval", "setval", "current_setting"}
)
_LONGEST = 2000
"""Characters of a condition that is asked."""


def may_be_asked(text: str) -> bool:
    """Whether a condition is made of columns, literals and harmless functions alone."""
    if not text.strip() or len(text) > _LONGEST or _COMPARING.search(_without_text(text)):
        return False
    position, depth, last = 0, 0, ""
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return False
        position = found.end()
        if found["space"]:
            continue
        depth += bool(found["open"]) - bool(found["close"])
        if depth < 0 or not _fits(found, last):
            return False
        last = found["name"] or ""
    return depth == 0


def _without_text(text: str) -> str:
    return re.sub(r"'[^']*'", "''", text)


def _fits(found: re.Match[str], last: str) -> bool:
    if found["open"] == "(" and last:
        return last.lower() in _FUNCTIONS
    return (found["name"] or "").lower() not in _NEVER
