"""ALTER TABLE in the forms that migrations use, as operations."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from rulezero_policies.operations import (
    Change,
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Operation,
    OperationKind,
)
from rulezero_policies.sql import define
from rulezero_policies.sql.tokens import Cursor, NotSql

Place = tuple[str | None, str]

_VERBS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("SET", "UNLOGGED"), "set unlogged"),
    (("SET", "LOGGED"), "set logged"),
    (("SET", "TABLESPACE"), "set tablespace"),
    (("SET", "ACCESS", "METHOD"), "set access method"),
    (("ATTACH", "PARTITION"), "attach partition"),
    (("CONVERT", "TO"), "convert charset"),
    (("ENABLE",), "enable"),
    (("DISABLE",), "disable"),
    (("FORCE", "ROW"), "force row level security"),
    (("NO", "FORCE", "ROW"), "no force row level security"),
    (("OWNER", "TO"), "change owner"),
    (("REPLICA", "IDENTITY"), "set replica identity"),
    (("CLUSTER", "ON"), "cluster on"),
    (("ENGINE",), "rebuild"),
    (("ROW_FORMAT",), "rebuild"),
    (("FORCE",), "rebuild"),
    (("AUTO_INCREMENT",), "set storage option"),
    (("COMMENT",), "comment"),
)
"""Actions that change no column or constraint: how they begin, and what they are called."""

_OF_COLUMN: tuple[tuple[tuple[str, ...], str], ...] = (
    (("SET", "STATISTICS"), "set statistics"),
    (("SET", "STORAGE"), "set storage"),
    (("SET", "COMPRESSION"), "set storage"),
    (("SET", "EXPRESSION"), "set expression"),
    (("DROP", "EXPRESSION"), "drop expression"),
    (("ADD", "GENERATED"), "add identity"),
    (("DROP", "IDENTITY"), "drop identity"),
    (("SET", "GENERATED"), "set identity"),
    (("RESTART",), "set identity"),
    (("SET", "("), "set storage option"),
    (("RESET", "("), "set storage option"),
)


class _Alter:
    """The actions of one ALTER TABLE."""

    def __init__(self, place: Place, dialect: str) -> None:
        """On the table at `place`."""
        self.schema, self.table = place
        self.dialect = dialect

    def make(self, kind: OperationKind, **known: Any) -> Operation:
        """An operation on this table."""
        return Operation(kind=kind, schema=self.schema, table=self.table, **known)

    def verb(self, verb: str, name: str | None = None, detail: str | None = None) -> Operation:
        """A statement on this table that is none of the other kinds."""
        return self.make("statement", verb=verb, name=name, detail=detail)

    def action(self, cursor: Cursor) -> Iterator[Operation]:
        """The operations of one action."""
        for words, read in _ACTIONS:
            if cursor.take(*words):
                yield from read(self, cursor)
                return
        for words, verb in _VERBS:
            if cursor.take(*words):
                yield self.verb(verb, detail=cursor.rest() or None)
                return
        if cursor.next in {"SET", "RESET"} and cursor.tokens[cursor.at + 1 :][:1]:
            cursor.step()
            if cursor.next == "(":
                yield self.verb("set storage option", detail=cursor.rest())
                return
        raise NotSql(f"ALTER TABLE ... {cursor.next or 'what follows'} is not known here")

    def add(self, cursor: Cursor) -> Iterator[Operation]:
        """ADD a column or several, a constraint or an index."""
        if cursor.next in {"UNIQUE", "FULLTEXT", "SPATIAL", "INDEX", "KEY"} and _is_index(cursor):
            yield self._index(cursor)
        elif define.is_constraint(cursor):
            yield self.make("create_constraint", constraint=define.constraint(cursor))
        else:
            cursor.take("COLUMN")
            cursor.take("IF", "NOT", "EXISTS")
            several = cursor.group().parts() if cursor.next == "(" else (cursor,)
            for one in several:
                yield from self._column(define.column(one))

    def _index(self, cursor: Cursor) -> Operation:
        word = cursor.any_of("UNIQUE", "FULLTEXT", "SPATIAL")
        _ = cursor.any_of("INDEX", "KEY")
        cursor.take("IF", "NOT", "EXISTS")
        name = None if cursor.next == "(" else cursor.name()
        columns = define.names(cursor.group())
        method = word.lower() if word in {"FULLTEXT", "SPATIAL"} else None
        index = Index(name=name, columns=columns, unique=word == "UNIQUE", method=method)
        return self.make("create_index", index=index)

    def _column(self, made: define.Definition) -> Iterator[Operation]:
        column = made.column
        yield self.make("add_column", column=column)
        for constraint in made.constraints:
            yield self.make("create_constraint", constraint=constraint)
        if column.unique:
            unique = Constraint(kind="unique", columns=(column.name,))
            yield self.make("create_constraint", constraint=unique)

    def drop(self, cursor: Cursor) -> Iterator[Operation]:
        """DROP a column, a constraint or an index."""
        if cursor.take("PRIMARY", "KEY"):
            yield self._unconstrain("primary_key", None)
        elif cursor.take("FOREIGN", "KEY"):
            cursor.take("IF", "EXISTS")
            yield self._unconstrain("foreign_key", cursor.name())
        elif word := cursor.any_of("CONSTRAINT", "CHECK"):
            cursor.take("IF", "EXISTS")
            yield self._unconstrain("check" if word == "CHECK" else "unknown", cursor.name())
        elif cursor.any_of("INDEX", "KEY"):
            cursor.take("IF", "EXISTS")
            yield self.make("drop_index", index=Index(name=cursor.name()))
        elif cursor.next in {"PARTITION", "PERIOD", "SYSTEM"}:
            raise NotSql(f"ALTER TABLE ... DROP {cursor.next} is not known here")
        else:
            cursor.take("COLUMN")
            cursor.take("IF", "EXISTS")
            yield self.make("drop_column", column=Column(name=cursor.name(), type=""))
        cursor.any_of("CASCADE", "RESTRICT")

    def _unconstrain(self, kind: ConstraintKind, name: str | None) -> Operation:
        dropped = Constraint(kind=kind, name=name)
        return self.make("drop_constraint", constraint=dropped)

    def alter(self, cursor: Cursor) -> Iterator[Operation]:
        """ALTER COLUMN."""
        if cursor.next in {"CONSTRAINT", "INDEX"}:
            raise NotSql(f"ALTER TABLE ... ALTER {cursor.next} is not known here")
        cursor.take("COLUMN")
        column = Column(name=cursor.name(), type="")
        while not cursor.done:
            yield self._altered(cursor, column)

    def _altered(self, cursor: Cursor, column: Column) -> Operation:
        for words, verb in _OF_COLUMN:
            if cursor.take(*words):
                cursor.until("RESTART")
                return replace(self.verb(verb), column=column)
        change = _change(cursor)
        return self.make("alter_column", column=column, changes=(change,))

    def rename(self, cursor: Cursor) -> Iterator[Operation]:
        """RENAME the table, one of its columns, constraints or indexes."""
        if word := cursor.any_of("CONSTRAINT", "INDEX", "KEY"):
            thing = "constraint" if word == "CONSTRAINT" else "index"
            yield self.verb(f"rename {thing}", detail=cursor.rest())
            return
        if cursor.any_of("TO", "AS"):
            yield self.make("rename_table", name=cursor.place()[1])
            return
        cursor.take("COLUMN")
        old = cursor.name()
        cursor.expect("TO")
        change = Change(attribute="name", before=old, after=cursor.name())
        yield self.make(kind="alter_column", column=Column(name=old, type=""), changes=(change,))

    def modify(self, cursor: Cursor) -> Iterator[Operation]:
        """MySQL's MODIFY: the column as it shall be, whole."""
        cursor.take("COLUMN")
        cursor.take("IF", "EXISTS")
        yield self._redefined(define.column(cursor), None)

    def change(self, cursor: Cursor) -> Iterator[Operation]:
        """MySQL's CHANGE: as MODIFY, with a name."""
        cursor.take("COLUMN")
        cursor.take("IF", "EXISTS")
        old = cursor.name()
        yield self._redefined(define.column(cursor), old)

    def _redefined(self, made: define.Definition, old: str | None) -> Operation:
        new = made.column
        changes = [
            Change(attribute="type", before=None, after=new.type),
            Change(attribute="nullable", before=None, after="true" if new.nullable else "false"),
            Change(attribute="server_default", before=None, after=new.server_default),
        ]
        if old is not None and old != new.name:
            changes.append(Change(attribute="name", before=old, after=new.name))
        column = Column(name=old or new.name, type="")
        return self.make("alter_column", column=column, changes=tuple(changes))

    def validate(self, cursor: Cursor) -> Iterator[Operation]:
        """VALIDATE CONSTRAINT."""
        yield self.verb("validate constraint", cursor.name())

    def detach(self, cursor: Cursor) -> Iterator[Operation]:
        """DETACH PARTITION, perhaps CONCURRENTLY."""
        name = cursor.place()[1]
        detail = "concurrently" if cursor.any_of("CONCURRENTLY", "FINALIZE") else None
        yield self.verb("detach partition", name, detail)


def _change(cursor: Cursor) -> Change:
    if cursor.take("SET", "NOT", "NULL"):
        return Change(attribute="nullable", before=None, after="false")
    if cursor.take("DROP", "NOT", "NULL"):
        return Change(attribute="nullable", before=None, after="true")
    if cursor.take("SET", "DEFAULT"):
        return Change(attribute="server_default", before=None, after=cursor.rest())
    if cursor.take("DROP", "DEFAULT"):
        return Change(attribute="server_default", before=None, after=None)
    if cursor.take("SET", "DATA", "TYPE") or cursor.take("TYPE"):
        type_ = define.type_of(cursor)
        if cursor.take("COLLATE"):
            type_ = f"{type_} COLLATE {cursor.place()[1]}"
        using = cursor.rest() if cursor.take("USING") else None
        return Change(attribute="type", before=None, after=type_, using=using)
    raise NotSql(f"ALTER COLUMN ... {cursor.next or 'what follows'} is not known here")


_Read = Callable[[_Alter, Cursor], Iterator[Operation]]

_ACTIONS: tuple[tuple[tuple[str, ...], _Read], ...] = (
    (("ADD",), _Alter.add),
    (("DROP",), _Alter.drop),
    (("ALTER",), _Alter.alter),
    (("RENAME",), _Alter.rename),
    (("MODIFY",), _Alter.modify),
    (("CHANGE",), _Alter.change),
    (("VALIDATE", "CONSTRAINT"), _Alter.validate),
    (("DETACH", "PARTITION"), _Alter.detach),
)


def _is_index(cursor: Cursor) -> bool:
    """MySQL's ADD UNIQUE [INDEX] makes an index; the standard's ADD UNIQUE (...) a constraint."""
    return cursor.next != "UNIQUE" or cursor.tokens[cursor.at + 1].word in {"INDEX", "KEY"}


def actions(cursor: Cursor, place: Place, dialect: str) -> tuple[Operation, ...]:
    """What an ALTER TABLE does, after the table's name.

    Raises:
        NotSql: Some of it is not known here.
    """
    alter, pinned, found = _Alter(place, dialect), list[str](), list[Operation]()
    for part in cursor.parts():
        if word := part.any_of("ALGORITHM", "LOCK"):
            part.take("=")
            pinned.append(f"{word}={part.step().word}")
            continue
        found += alter.action(part)
        if not part.done:
            raise NotSql(f"{part.rest()} is not known here")
    said = ", ".join(pinned) or None
    return tuple(replace(o, detail=o.detail or said) for o in found)
