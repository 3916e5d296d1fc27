"""Raw SQL, as far as it can be told for sure what it does. What is not recognised is unknown."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from rulezero_policies.operations import Column, Operation

_PIECES = re.compile(
    r"(?P<quoted>'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    r"|(?P<comment>--[^\n]*|/\*(?!!).*?\*/)|(?P<end>;)|(?P<other>.)",
    re.DOTALL,
)
_PART = r"(?:\"[^\"]+\"|`[^`]+`|\[[^\]]+\]|\w+)"
_NAME = rf"(?:(?P<schema>{_PART})\s*\.\s*)?(?P<table>{_PART})"
_FLAGS = re.IGNORECASE | re.DOTALL

_TIMEOUTS = (
    "lock_timeout|statement_timeout|deadlock_timeout|idle_in_transaction_session_timeout"
    "|transaction_timeout|maintenance_work_mem|work_mem|lock_wait_timeout|innodb_lock_wait_timeout"
)
_HARMLESS = tuple(
    re.compile(pattern, _FLAGS)
    for pattern in (
        rf"SET\s+(?:(?:LOCAL|SESSION)\s+)?(?:{_TIMEOUTS})\s*(?:=|\bTO\b)\s*[\w'. ]+",
        r"RESET\s+(?:lock_timeout|statement_timeout)",
        r"ANALYZE(?:\s+(?:TABLE\s+)?[\w.\"`]+)?",
        r"COMMENT\s+ON\s+(?:TABLE|COLUMN)\s+[\w.\"`]+\s+IS\s+(?:''|NULL)",
        r"CREATE\s+INDEX\s+[^;]*",
        rf"ALTER\s+TABLE\s+(?:ONLY\s+)?{_NAME}\s+VALIDATE\s+CONSTRAINT\s+{_PART}",
        r"SELECT\s+1",
    )
)
_DROP_TABLE = re.compile(
    rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<names>{_PART}[^()]*?)(?:\s+(?:CASCADE|RESTRICT))?",
    _FLAGS,
)
_ALTER = re.compile(
    rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}\s+(?P<actions>.*)", _FLAGS
)
_DROP_COLUMN = re.compile(
    rf"DROP\s+(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?(?P<column>{_PART})(?:\s+(?:CASCADE|RESTRICT))?",
    _FLAGS,
)
_NOT_COLUMNS = frozenset(
    {"constraint", "index", "key", "primary", "foreign", "check", "partition", "default"}
)
_UPDATE = re.compile(
    rf"UPDATE\s+(?:ONLY\s+)?{_NAME}(?:\s+(?:AS\s+)?(?!SET\b)\w+)?\s+SET\s+(?P<rest>.*)", _FLAGS
)
_DELETE = re.compile(rf"DELETE\s+FROM\s+(?:ONLY\s+)?{_NAME}(?P<rest>.*)", _FLAGS)
_INSERT = re.compile(rf"INSERT\s+INTO\s+{_NAME}\b(?P<rest>.*)", _FLAGS)
_UPSERT = re.compile(r"\bON\s+(?:CONFLICT|DUPLICATE)\b", _FLAGS)
_TAUTOLOGY = re.compile(
    r"\(*\s*(?:TRUE|NOT\s+FALSE|1|(?P<same>\w+|'[^']*')\s*(?:=|<=|>=)\s*(?P=same))\s*\)*", _FLAGS
)
_ASSIGNED = re.compile(rf"(?:^|,)\s*(?:{_PART}\s*\.\s*)?(?P<column>{_PART})\s*=", _FLAGS)


@dataclass(frozen=True, kw_only=True)
class Dml:
    """One statement that changes rows. `condition` is the text of WHERE; None without one."""

    verb: Literal["UPDATE", "DELETE", "INSERT"]
    schema: str | None
    table: str
    columns: tuple[str, ...] = ()
    condition: str | None = None

    @property
    def everywhere(self) -> bool:
        """Whether it takes every row: no WHERE, or one that is always true."""
        if self.verb == "INSERT":
            return False
        return self.condition is None or _TAUTOLOGY.fullmatch(self.condition.strip()) is not None

    @property
    def only_nulls(self) -> bool:
        """Whether it is an UPDATE that only fills what is NULL."""
        condition = (self.condition or "").strip()
        found = re.fullmatch(rf"\(*\s*({_PART})\s+IS\s+NULL\s*\)*", condition, _FLAGS)
        return found is not None and self.columns == (bare(found.group(1)),)


def bare(name: str) -> str:
    """An identifier without its quotes."""
    return name[1:-1] if name[:1] in {'"', "`", "["} else name


def statements(sql: str) -> tuple[str, ...]:
    """The statements of `sql`, without comments and with single spaces."""
    parts, current = list[str](), list[str]()
    for piece in _PIECES.finditer(sql):
        if piece["end"]:
            parts.append("".join(current))
            current = []
        else:
            current.append(" " if piece["comment"] else piece[0])
    parts.append("".join(current))
    return tuple(text for part in parts if (text := " ".join(part.split())))


def masked(statement: str) -> str:
    """The statement with the contents of its strings taken out."""
    return _PIECES.sub(
        lambda m: "''" if m[0][:1] in {"'", "$"} and m["quoted"] else m[0], statement
    )


def harmless(statement: str) -> bool:
    """Whether it is known to change neither data nor what the schema promises."""
    text = masked(statement)
    return any(pattern.fullmatch(text) for pattern in _HARMLESS)


def dml(statement: str) -> Dml | None:
    """What rows a plain UPDATE, DELETE or INSERT changes; None for anything else."""
    text = masked(statement)
    if found := _UPDATE.fullmatch(text):
        assigned, condition = _condition(found["rest"])
        schema, table = _place(found)
        columns = tuple(bare(m["column"]) for m in _ASSIGNED.finditer(_flat(assigned)))
        return Dml(verb="UPDATE", table=table, schema=schema, columns=columns, condition=condition)
    if found := _DELETE.fullmatch(text):
        schema, table = _place(found)
        condition = _condition(found["rest"])[1]
        return Dml(verb="DELETE", table=table, schema=schema, condition=condition)
    if (found := _INSERT.fullmatch(text)) and not _UPSERT.search(text):
        schema, table = _place(found)
        return Dml(verb="INSERT", table=table, schema=schema)
    return None


def truncated(statement: str) -> str | None:
    """The tables a TRUNCATE names, as written; None if it is none."""
    found = re.fullmatch(r"TRUNCATE\s+(?:TABLE\s+)?(?P<names>.+)", masked(statement), _FLAGS)
    return found["names"] if found else None


def cascades(statement: str) -> bool:
    """Whether it drops more than it names: CASCADE, or a whole schema or database."""
    text = masked(statement)
    wide = re.match(r"DROP\s+(?:SCHEMA|DATABASE|OWNED)\b", text, _FLAGS)
    return bool(wide or re.search(r"\bDROP\b.*\bCASCADE\b", text, _FLAGS))


def drops(operation: Operation) -> tuple[Operation, ...]:
    """The drops of tables and columns that an `execute` carries out, as operations."""
    found = [o for s in statements(operation.sql or "") for o in _drops(masked(s))]
    return tuple(replace(o, line=operation.line, batch=operation.batch) for o in found)


def only_drops(statement: str) -> bool:
    """Whether all that it does is to drop tables or columns, each of them told."""
    text = masked(statement)
    found = _ALTER.fullmatch(text)
    wanted = len(_flat(found["actions"]).split(",")) if found else 1
    return len(_drops(text)) >= wanted


def _drops(statement: str) -> list[Operation]:
    if found := _DROP_TABLE.fullmatch(statement):
        names = (re.fullmatch(_NAME, name.strip()) for name in found["names"].split(","))
        places = (_place(name) for name in names if name)
        return [Operation(kind="drop_table", schema=s, table=t) for s, t in places]
    if found := _ALTER.fullmatch(statement):
        schema, table = _place(found)
        actions = (_DROP_COLUMN.fullmatch(a.strip()) for a in _flat(found["actions"]).split(","))
        columns = (Column(name=bare(a["column"]), type="") for a in actions if a)
        return [
            Operation(kind="drop_column", schema=schema, table=table, column=column)
            for column in columns
            if column.name.lower() not in _NOT_COLUMNS
        ]
    return []


def _place(found: re.Match[str]) -> tuple[str | None, str]:
    schema: str | None = found["schema"]
    return bare(schema) if schema else None, bare(found["table"])


def _flat(text: str) -> str:
    """`text` with everything in parentheses taken out, so that only its own level is read."""
    before = None
    while before != text:
        before, text = text, re.sub(r"\([^()]*\)", " ", text)
    return text


def _condition(rest: str) -> tuple[str, str | None]:
    """What stands before WHERE, and the condition, at the statement's own level."""
    depth = 0
    for found in re.finditer(r"[()]|\bWHERE\b", rest, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0].upper() == "WHERE":
            return rest[: found.start()], re.split(r"\bRETURNING\b", rest[found.end() :])[0]
    return rest, None
