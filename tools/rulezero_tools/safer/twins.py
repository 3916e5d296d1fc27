"""What rests on a column, made anew on the one that takes its place: PostgreSQL, without a lock."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rulezero_tools.safer.parts import Place, executes
from rulezero_tools.shapes import Hold

_INDEX = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX \S+ ON \S+ USING btree \((?P<columns>[^()]*)\)"
)
_UNIQUE = re.compile(r"UNIQUE \((?P<columns>[^()]*)\)")
_KEY = re.compile(
    r"FOREIGN KEY \((?P<columns>[^()]*)\) (?P<rest>REFERENCES (?:(?!NOT (?:VALID|ENFORCED)).)*)"
)
_CHECK = re.compile(r"CHECK \((?P<rest>.*)\)", re.DOTALL)
_PLAIN = {"index": _INDEX, "unique": _UNIQUE, "foreign key": _KEY, "check": _CHECK}
_WORD = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?P<cast>::\s*|\.)?\w+(?P<call>\s*\()?")

_LIST = re.compile(
    r"\((?P<column>\w+|\"[^\"]+\")\)::text = ANY \(\(ARRAY\["
    r"(?P<values>'[^']*'::character varying(?:, '[^']*'::character varying)*)\]\)::text\[\]\)"
)
"""How PostgreSQL writes a column IN a list; read again as it stands, it would be written anew."""


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A `hold` on `column` in place of the column of `place`; it is built as `name`."""

    place: Place
    hold: Hold
    column: str
    name: str

    @property
    def _quoted(self) -> str:
        return self.place.quoted(self.name)

    @property
    def _columns(self) -> str:
        was = self.place.column
        named = (self.column if c == was else c for c in self.hold.columns)
        return ", ".join(map(self.place.quoted, named))

    @property
    def is_index(self) -> bool:
        """Whether it is an index of its own, and no constraint's."""
        return self.hold.kind == "index"

    def gone(self) -> Iterator[str]:
        """The statements that take it away, or a part of it that an earlier run left."""
        if not self.is_index:
            yield f"ALTER TABLE {self.place.table} DROP CONSTRAINT IF EXISTS {self._quoted}"
        if self.hold.kind in {"index", "unique"}:
            yield f"DROP INDEX CONCURRENTLY IF EXISTS {self._quoted}"

    def indexed(self) -> Iterator[str]:
        """The statement that builds its index, which keeps nobody from writing."""
        if self.hold.kind in {"index", "unique"}:
            found = _INDEX.fullmatch(self.hold.said)
            unique = "UNIQUE " if found is None or found["unique"] else ""
            made = f"CREATE {unique}INDEX CONCURRENTLY {self._quoted}"
            yield f"{made} ON {self.place.table} ({self._columns})"

    def constrained(self) -> Iterator[str]:
        """The statements that make it a constraint; the rows are read without a lock on writes."""
        alter = f"ALTER TABLE {self.place.table}"
        add = f"{alter} ADD CONSTRAINT {self._quoted}"
        if self.hold.kind == "unique":
            yield f"{add} UNIQUE USING INDEX {self._quoted}"
        elif not self.is_index:
            yield f"{add} {self._body()} NOT VALID"
            yield f"{alter} VALIDATE CONSTRAINT {self._quoted}"

    def _body(self) -> str:
        found = _PLAIN[self.hold.kind or ""].fullmatch(self.hold.said)
        rest = found["rest"] if found else ""
        if self.hold.kind == "foreign key":
            return f"FOREIGN KEY ({self._columns}) {rest}"
        return f"CHECK ({_renamed(self.place, rest, self.column)})"

    def dropped(self, name: str) -> str:
        """The statement that drops the one on the column whose place is taken."""
        quoted = self.place.quoted(name)
        if self.is_index:
            return f"DROP INDEX {quoted}"
        return f"ALTER TABLE {self.place.table} DROP CONSTRAINT {quoted}"

    def called(self, name: str) -> str:
        """The statement that gives it another name."""
        quoted = self.place.quoted(name)
        if self.is_index:
            return f"ALTER INDEX {self._quoted} RENAME TO {quoted}"
        return f"ALTER TABLE {self.place.table} RENAME CONSTRAINT {self._quoted} TO {quoted}"


def twins(place: Place, column: str) -> tuple[Twin, ...]:
    """A twin on `column` of everything that rests on the column of `place`.

    Raises:
        NoSequence: Something rests on it that cannot be made anew as it is.
    """
    return tuple(twin(place, hold, column, f"{hold.name}_new") for hold in place.held)


def twin(place: Place, hold: Hold, column: str, name: str) -> Twin:
    """A twin of `hold` on `column`, which is built as `name`.

    Raises:
        NoSequence: It cannot be made anew as it is.
    """
    plain = _PLAIN.get(hold.kind or "")
    found = plain.fullmatch(hold.said) if plain else None
    if found is None or "*" in hold.columns or hold.name is None:
        raise place.refused(f"{hold.what} rests on it, which is not carried over")
    listed = found.groupdict().get("columns")
    if listed is not None and listed.replace('"', "") != ", ".join(hold.columns):
        raise place.refused(f"{hold.what} is more than a list of columns, and is not carried over")
    if hold.kind == "foreign key" and re.search(r"SET (?:NULL|DEFAULT) \(", found["rest"]):
        raise place.refused(f"{hold.what} names columns in its action, and is not carried over")
    if hold.twin and name != hold.name:
        raise place.refused(f"the name {name} is taken, which {hold.what} needs for a while")
    made = Twin(place=place, hold=hold, column=column, name=place.plain(name))
    tuple(made.constrained())
    return made


def _renamed(place: Place, condition: str, column: str) -> str:
    """The condition with the other column in it, as far as it is sure which words are the column.

    Raises:
        NoSequence: A word is the column's name and may be something else.
    """

    def one(found: re.Match[str]) -> str:
        text = found[0]
        if text == f'"{place.column}"' or (text == place.column and place.column.islower()):
            return place.quoted(column)
        if re.search(rf"\b{re.escape(place.column)}\b", text) and not text.startswith("'"):
            raise place.refused(f"a CHECK names {place.column} in a way that is not known here")
        return text

    return _WORD.sub(one, _LIST.sub(_listed, condition))


def _listed(found: re.Match[str]) -> str:
    values = found["values"].replace("::character varying", "")
    return f"{found['column']} IN ({values})"


def built(made: Sequence[Twin]) -> tuple[str, ...]:
    """The lines of a revision that build them, outside a transaction; again, where it failed."""
    if not made:
        return ()
    indexes = [s for t in made for s in t.indexed()]
    body = executes(
        *(["SET lock_timeout = '3s'"]),
        *(s for t in made for s in t.gone()),
        # An index waits for transactions that are old, and nobody for it.
        *(["SET lock_timeout = 0", *indexes, "SET lock_timeout = '3s'"] if indexes else []),
        *(s for t in made for s in t.constrained()),
    )
    lines = ("with op.get_context().autocommit_block():", *("    " + line for line in body))
    return ("\n".join(lines),)


def swapped(made: Sequence[Twin]) -> list[str]:
    """The statements that put them in the place of those that they are the twins of."""
    names = [(t, t.hold.name or "") for t in made]
    return [s for t, name in names for s in (t.dropped(name), t.called(name))]


def unbuilt(made: Sequence[Twin]) -> tuple[str, ...]:
    """The lines that take them away again."""
    body = executes("SET lock_timeout = '3s'", *(s for t in made for s in t.gone()))
    lines = ("with op.get_context().autocommit_block():", *("    " + line for line in body))
    return ("\n".join(lines),) if made else ()
