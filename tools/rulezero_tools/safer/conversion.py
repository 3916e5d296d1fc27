"""How values go from one type to another, and how to tell that none was lost on the way."""

import re
from dataclasses import dataclass
from typing import Literal

from rulezero_tools.safer.parts import MYSQL, Place
from rulezero_tools.shapes import Hold

Family = Literal["number", "text", "boolean", "date", "uuid"]

_TYPE = re.compile(
    r"(?P<base>[A-Z][A-Z0-9_]*(?: [A-Z]+)*?)(?:\(\d+(?:, ?\d+)?\))?(?P<more> UNSIGNED)?"
    r"(?: (?:CHARACTER SET|COLLATE) \"?[\w.]+\"?)*"
)
_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("SMALLINT", "INTEGER", "INT", "BIGINT", "TINYINT", "MEDIUMINT"), "number"),
    **dict.fromkeys(("NUMERIC", "DECIMAL", "FLOAT", "REAL", "DOUBLE"), "number"),
    **dict.fromkeys(("DOUBLE PRECISION", "DOUBLE_PRECISION"), "number"),
    **dict.fromkeys(("VARCHAR", "CHAR", "TEXT", "MEDIUMTEXT", "LONGTEXT"), "text"),
    **dict.fromkeys(("BOOLEAN", "BOOL"), "boolean"),
    **dict.fromkeys(("DATE", "DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"), "date"),
    "UUID": "uuid",
}
"""Types whose conversion is known; all others are refused. A time zone's depends on the session."""

_INTEGERS = frozenset({"INTEGER", "INT"})
_TEXTS = frozenset({"VARCHAR", "TEXT"})
_KEYS = (_TEXTS, frozenset({"SMALLINT", "INTEGER", "BIGINT"}))
"""Types whose values lead to the same row when they are compared with each other."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """From one type to another on one database."""

    place: Place
    before: str
    after: str

    @property
    def _pair(self) -> tuple[Family, Family]:
        return self._family(self.before), self._family(self.after)

    def _base(self, type_: str) -> str:
        found = _TYPE.fullmatch(type_.upper())
        base = found["base"] if found else ""
        if base not in _FAMILIES or (base == "TIMESTAMP" and self.place.dialect in MYSQL):
            raise self.place.refused(f"how values of type {type_} convert is not known here")
        return base

    def _family(self, type_: str) -> Family:
        return _FAMILIES[self._base(type_)]

    def check(self) -> None:
        """See that the database converts there and back.

        Raises:
            NoSequence: It does not, or it is not known.
        """
        before, after = self._pair
        whole = {self._base(self.before), self._base(self.after)} & _INTEGERS
        flags = {before, after} == {"number", "boolean"} and whole
        if before != after and "text" not in (before, after) and not flags:
            raise self.place.refused(f"{self.before} does not convert to {self.after}")

    def carries(self, hold: Hold) -> None:
        """See that what rests on the column means the same on the new type.

        Raises:
            NoSequence: It may not.
        """
        bases = {self._base(self.before), self._base(self.after)}
        if hold.kind == "foreign key" and not any(bases <= kind for kind in _KEYS):
            raise self.place.refused(f"{hold.what} takes no {self.after} for {self.before}")
        same = bases <= _TEXTS or set(self._pair) == {"number"}
        if hold.kind == "check" and (not same or re.search(r"[/%]", hold.said)):
            reason = f"{hold.what} was written for {self.before}: drop it before, and add it after"
            raise self.place.refused(reason)

    def there(self, column: str) -> str:
        """The value of the new type, from `column` of a row."""
        return self._cast(column, self.after)

    def back(self, column: str) -> str:
        """The value of the old type, from `column` of a row."""
        return self._cast(column, self.before)

    def _cast(self, column: str, type_: str) -> str:
        value = f"{{row}}{self.place.quoted(column)}"
        # An assignment converts there, and in strict mode refuses what it would have to alter.
        if self.place.dialect in MYSQL:
            return value
        # SQLite gives a column's values its affinity by itself; its CAST takes DATE for a number.
        if self.place.dialect == "sqlite" and self._family(type_) != "number":
            return value
        return f"CAST({value} AS {type_})"

    def kept(self, old: str, new: str) -> str:
        """True for a row whose new value says what its old one says; never NULL."""
        was, now = self.place.quoted(old), self.place.quoted(new)
        both = f"{was} IS NULL AND {now} IS NULL"
        if self.place.dialect != "postgresql":
            return f"COALESCE({was} = {now}, {both})"
        if self._pair == ("text", "number"):
            # Written as text again, 1.50 would not be 1.5; a value that is no number has none here.
            same = f"CASE WHEN {now} IS NULL THEN NULL ELSE CAST({was} AS numeric) = {now} END"
            return f"COALESCE({same}, {both})"
        return f"COALESCE(CAST({now} AS {self.before}) = {was}, {both})"
