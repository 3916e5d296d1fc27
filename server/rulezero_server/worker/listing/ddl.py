"""SQLite's CREATE TABLE, read into the parts that make a table what it is.

SQLite keeps the text as it was written, and rewrites it in part when a table is renamed. So two
tables that are the same can have texts that differ in quotes, in the order of their clauses, and in
whether a constraint stands with its column or after all of them.
"""

from __future__ import annotations

from typing import NamedTuple

from .sql import Word, bare, closing, joined, parted, words

_STARTS = frozenset(
    {"constraint", "primary", "not", "null", "unique", "check", "default", "collate"}
    | {"references", "generated", "as", "on", "deferrable", "match", "autoincrement", "initially"}
)
_TABLE = frozenset({"constraint", "primary", "unique", "check", "foreign"})


class Column(NamedTuple):
    """A column as its table has it; `rest` is all but name, type, nullability and default."""

    name: str
    type: str
    not_null: bool
    default: str | None
    rest: str


class Constraint(NamedTuple):
    """`name` is None where the text gives none; `kind` is how it starts."""

    kind: str
    name: str | None
    columns: str
    definition: str


class Table(NamedTuple):
    """Columns in their order, constraints sorted, and what stands after the parenthesis."""

    columns: list[Column]
    constraints: list[Constraint]
    options: str


def table(text: str) -> Table:
    """Read a CREATE TABLE with columns.

    Raises:
        ValueError: There is no list of columns in it.
    """
    found = words(text)
    start = next((n for n, word in enumerate(found) if _is(word, "(")), None)
    if start is None or any(_is(word, "as", "virtual") for word in found[:start]):
        raise ValueError("no columns")
    end = closing(found, start)
    columns: list[Column] = []
    constraints: list[Constraint] = []
    for part in parted(found[start + 1 : end]):
        if _is(part[0], *_TABLE):
            constraints += _Reader(part, "").constraints()
        else:
            column, own = _column(part)
            columns.append(column)
            constraints += own
    options = sorted(joined(part).upper() for part in parted(found[end + 1 :]))
    return Table(columns, sorted(constraints, key=_order), ", ".join(options))


def _order(constraint: Constraint) -> tuple[str, ...]:
    return (constraint.kind, constraint.definition, constraint.name or "")


def _is(word: Word, *wanted: str) -> bool:
    return not word.quoted and word in wanted


def _column(part: list[Word]) -> tuple[Column, list[Constraint]]:
    first = next((n for n, w in enumerate(part) if n and _is(w, *_STARTS)), len(part))
    name = part[0].raw
    reader = _Reader(part[first:], part[0])
    constraints = reader.constraints()
    kind = joined(part[1:first]).upper().replace(", ", ",")
    column = Column(name, kind, reader.not_null, reader.default, " ".join(sorted(reader.rest)))
    return column, constraints


class _Reader:
    """Reads clauses one after the other; those of a column fill its facts as well."""

    def __init__(self, found: list[Word], column: str) -> None:
        self._found, self._at, self._column = found, 0, column
        self.not_null = False
        self.default: str | None = None
        self.rest: list[str] = []

    def constraints(self) -> list[Constraint]:
        """Those that belong to the table, wherever they stand."""
        made: list[Constraint] = []
        name: str | None = None
        while self._at < len(self._found):
            if self._take("constraint"):
                name = self._next().raw
                continue
            constraint = self._constraint(name)
            if constraint is not None:
                made.append(constraint)
            name = None
        return made

    def _constraint(self, name: str | None) -> Constraint | None:
        if self._take("primary"):
            return self._keyed("PRIMARY KEY", name, skip="key")
        if self._take("unique"):
            return self._keyed("UNIQUE", name)
        if self._take("check"):
            said = f"CHECK ({joined(bare(self._parenthesis()))}){self._conflict()}"
            return Constraint("CHECK", name, "", said)
        if self._take("foreign"):
            self._take("key")
            return self._reference(name, joined(self._parenthesis()))
        if self._take("references"):
            self._at -= 1
            return self._reference(name, self._column)
        self._fact()
        return None

    def _keyed(self, kind: str, name: str | None, skip: str = "") -> Constraint:
        if skip:
            self._take(skip)
        columns = self._column
        if self._peek("("):
            columns = joined(self._parenthesis())
        elif self._take("desc"):
            columns += " desc"
        self._take("asc")
        said = f"{kind} ({columns}){self._conflict()}"
        return Constraint(kind, name, columns, said + self._if("autoincrement"))

    def _reference(self, name: str | None, columns: str) -> Constraint:
        self._take("references")
        there = f" REFERENCES {self._next()}"
        if self._peek("("):
            there += f" ({joined(self._parenthesis())})"
        said = f"FOREIGN KEY ({columns}){there}{''.join(sorted(self._actions()))}"
        return Constraint("FOREIGN KEY", name, columns, said)

    def _actions(self) -> list[str]:
        found: list[str] = []
        while True:
            if self._take("on"):
                when, what = self._next(), self._next()
                more = f" {self._next()}" if what in {"set", "no"} else ""
                found.append(f" on {when} {what}{more}".upper())
            elif self._take("match"):
                found.append(f" MATCH {self._next().upper()}")
            elif self._peek("deferrable") or self._peek("not", "deferrable"):
                found.append(self._deferrable())
            else:
                # What is said to be as it is anyway.
                same = {" ON DELETE NO ACTION", " ON UPDATE NO ACTION", " MATCH SIMPLE"}
                return [f for f in found if f and f not in same]

    def _deferrable(self) -> str:
        never = self._take("not")
        self._take("deferrable")
        when = self._next() if self._take("initially") else "immediate"
        return "" if never else f" DEFERRABLE INITIALLY {when.upper()}"

    def _fact(self) -> None:
        if self._take("not"):
            self._take("null")
            self.not_null = True
            self.rest += [f"NOT NULL{conflict}" for conflict in [self._conflict()] if conflict]
        elif self._take("default"):
            self.default = self._value()
        elif self._take("collate"):
            collation = self._next().upper()
            self.rest += [] if collation == "BINARY" else [f"COLLATE {collation}"]
        elif self._take("as"):
            kind = joined(bare(self._parenthesis()))
            stored = "STORED" if self._take("stored") else "VIRTUAL"
            self._take("virtual")
            self.rest.append(f"GENERATED ALWAYS AS ({kind}) {stored}")
        else:
            self._at += 1  # "generated always", "null", and what is not known

    def _value(self) -> str:
        if self._peek("("):
            return joined(bare(self._parenthesis()))
        word = self._next()
        return f"{word}{self._next()}" if word in {"-", "+"} else str(word)

    def _conflict(self) -> str:
        if not self._peek("on", "conflict"):
            return ""
        self._at += 2
        how = self._next().upper()
        return "" if how == "ABORT" else f" ON CONFLICT {how}"

    def _if(self, wanted: str) -> str:
        return f" {wanted.upper()}" if self._take(wanted) else ""

    def _parenthesis(self) -> list[Word]:
        end = closing(self._found, self._at)
        inside = self._found[self._at + 1 : end]
        self._at = end + 1
        return inside

    def _peek(self, *wanted: str) -> bool:
        ahead = self._found[self._at : self._at + len(wanted)]
        return len(ahead) == len(wanted) and all(map(_is, ahead, wanted))

    def _take(self, wanted: str) -> bool:
        found = self._peek(wanted)
        self._at += found
        return found

    def _next(self) -> Word:
        self._at += 1
        return self._found[self._at - 1]
