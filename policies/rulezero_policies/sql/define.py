"""Definitions of columns and constraints, as CREATE TABLE and ALTER TABLE write them."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from rulezero_policies.operations import Column, Constraint
from rulezero_policies.sql.tokens import Cursor, NotSql

_ENDS_TYPE = (
    *("NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "REFERENCES", "CHECK", "CONSTRAINT"),
    *("GENERATED", "COLLATE", "AUTO_INCREMENT", "AUTOINCREMENT", "COMMENT", "AFTER", "FIRST"),
    *("AS", "ON", "USING", "KEY", "INVISIBLE", "VISIBLE", "STORED", "PERSISTENT", "VIRTUAL"),
    *("CHARSET", "STORAGE", "COMPRESSION", "DEFERRABLE", "INITIALLY"),
)
_IN_TYPE = frozenset(
    {
        *("VARYING", "PRECISION", "WITH", "WITHOUT", "LOCAL", "TIME", "ZONE", "UNSIGNED", "SIGNED"),
        *("ZEROFILL", "ARRAY", "BINARY", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO"),
        *("CHAR", "CHARACTER", "LARGE", "OBJECT", "VARCHAR"),
    }
)
_ENDS_VALUE = tuple(w for w in _ENDS_TYPE if w not in {"AS", "USING"})
_TABLE_LEVEL = frozenset(
    {"CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE", "LIKE", "INDEX", "KEY"}
)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A column with the constraints that stand beside it."""

    column: Column
    constraints: tuple[Constraint, ...] = ()


def is_constraint(cursor: Cursor) -> bool:
    """Whether a constraint of the table comes next, and no column."""
    return cursor.next in _TABLE_LEVEL


def type_of(cursor: Cursor) -> str:
    """Take a type; its text in capitals, save what stands in quotes.

    Raises:
        NotSql: It goes on with words that no type has.
    """
    start = cursor.at
    cursor.place()
    while not cursor.done and cursor.next not in _ENDS_TYPE:
        if cursor.take("CHARACTER", "SET"):
            cursor.step()
        elif cursor.next in {"(", "["} or cursor.next in _IN_TYPE:
            cursor.skip()
        else:
            raise NotSql(f"{cursor.next or 'what follows'} is not known in a type")
    text = cursor.text_of(cursor.tokens[start : cursor.at])
    shown = re.sub(r"'[^']*'|\"[^\"]*\"|[^'\"]+", _shout, text)
    return re.sub(r"\s+\(", "(", re.sub(r",\s*", ", ", shown))


def _shout(found: re.Match[str]) -> str:
    return found[0] if found[0][0] in "'\"" else found[0].upper()


def column(cursor: Cursor) -> Definition:
    """Take a column's definition, to the end.

    Raises:
        NotSql: It has a part that is not known here.
    """
    name = cursor.name()
    found = Definition(column=Column(name=name, type=type_of(cursor)))
    label: str | None = None
    while not cursor.done:
        if cursor.take("CONSTRAINT"):
            label = cursor.name()
            continue
        found = _part(cursor, found, label)
        label = None
    return found


def _part(cursor: Cursor, found: Definition, label: str | None) -> Definition:
    known = found.column
    if (said := _said(cursor, known)) is not None:
        return replace(found, column=said)
    if cursor.next in {"REFERENCES", "CHECK"}:
        made = _reference(cursor) if cursor.next == "REFERENCES" else _check(cursor)
        columns = (known.name,) if made.kind == "foreign_key" else ()
        made = replace(made, name=label, columns=columns)
        return replace(found, constraints=(*found.constraints, made))
    if cursor.next in {"GENERATED", "AS", "AUTO_INCREMENT", "AUTOINCREMENT"}:
        return replace(found, column=_generated(cursor, known))
    _beside(cursor)
    return found


def _said(cursor: Cursor, known: Column) -> Column | None:
    """The column with what is said of it in one word or two."""
    if cursor.take("NOT", "NULL"):
        return replace(known, nullable=False)
    if cursor.take("PRIMARY", "KEY"):
        return replace(known, primary_key=True, nullable=False)
    if cursor.take("UNIQUE"):
        cursor.take("KEY")
        return replace(known, unique=True)
    if cursor.take("DEFAULT"):
        return replace(known, server_default=value(cursor))
    return None


def value(cursor: Cursor) -> str:
    """Take the expression of a default."""
    start = cursor.at
    cursor.skip()
    cursor.until(*_ENDS_VALUE)
    return cursor.text_of(cursor.tokens[start : cursor.at])


def _generated(cursor: Cursor, known: Column) -> Column:
    if cursor.any_of("AUTO_INCREMENT", "AUTOINCREMENT"):
        return replace(known, generated=True, generation="identity")
    if cursor.take("GENERATED"):
        _ = cursor.take("ALWAYS") or cursor.take("BY", "DEFAULT")
    cursor.expect("AS")
    if cursor.take("IDENTITY"):
        if cursor.next == "(":
            cursor.group()
        return replace(known, generated=True, generation="identity", nullable=False)
    cursor.group()
    word = cursor.any_of("STORED", "PERSISTENT", "VIRTUAL")
    kept: dict[str | None, Literal["stored", "virtual", "computed"]] = {
        "STORED": "stored",
        "PERSISTENT": "stored",
        "VIRTUAL": "virtual",
    }
    return replace(known, generated=True, generation=kept.get(word, "computed"))


_WITH_A_WORD = (*("COLLATE", "COMMENT", "AFTER", "STORAGE", "COMPRESSION", "CHARSET", "INITIALLY"),)


def _beside(cursor: Cursor) -> None:
    """Take what changes nothing for the rows: collation, comment, position, ..."""
    if cursor.any_of("NULL", "FIRST", "KEY", "INVISIBLE", "VISIBLE", "DEFERRABLE"):
        return
    if cursor.any_of(*_WITH_A_WORD):
        cursor.step()
    elif cursor.take("ON", "UPDATE"):
        value(cursor)
    elif not cursor.take("NOT", "DEFERRABLE"):
        raise NotSql(f"{cursor.next or 'what follows'} is not known in a column's definition")


def constraint(cursor: Cursor) -> Constraint:
    """Take a table's constraint, to the end.

    Raises:
        NotSql: It is of a kind that is not known here.
    """
    name = cursor.name() if cursor.take("CONSTRAINT") else None
    if cursor.take("PRIMARY", "KEY"):
        made = _keyed(cursor, Constraint(kind="primary_key"))
    elif cursor.take("UNIQUE"):
        _ = cursor.take("NULLS", "NOT", "DISTINCT") or cursor.any_of("KEY", "INDEX")
        made = _keyed(cursor, Constraint(kind="unique"))
    elif cursor.take("FOREIGN", "KEY"):
        name = name or (None if cursor.next == "(" else cursor.name())
        columns = names(cursor.group())
        made = replace(_reference(cursor), columns=columns)
    elif cursor.next == "CHECK":
        made = _check(cursor)
    elif cursor.next == "EXCLUDE":
        made = Constraint(kind="exclude", expression=cursor.until("DEFERRABLE", "INITIALLY"))
    elif cursor.take("NOT", "NULL"):
        column = cursor.name()
        made = Constraint(kind="check", expression=f"{column} IS NOT NULL", columns=(column,))
    else:
        raise NotSql(f"{cursor.next or 'what follows'} is no constraint that is known")
    return replace(made, name=name or made.name, not_valid=_ending(cursor))


def _keyed(cursor: Cursor, made: Constraint) -> Constraint:
    if cursor.take("USING", "INDEX"):
        return replace(made, using_index=cursor.name())
    if cursor.next not in {"(", "USING"}:
        made = replace(made, name=cursor.name())
    if cursor.take("USING"):
        cursor.step()
    made = replace(made, columns=names(cursor.group()))
    if cursor.take("INCLUDE"):
        cursor.group()
    return made


def _reference(cursor: Cursor) -> Constraint:
    cursor.expect("REFERENCES")
    schema, table = cursor.place()
    columns = names(cursor.group()) if cursor.next == "(" else ()
    on_delete: str | None = None
    while cursor.any_of("ON", "MATCH"):
        word = cursor.any_of("DELETE", "UPDATE")
        _ = cursor.take("SET", "NULL") or cursor.take("SET", "DEFAULT")
        done = cursor.tokens[cursor.at - 1].word
        if done in {"NULL", "DEFAULT"}:
            action = f"SET {done}"
        else:
            action = cursor.step().word
            action = f"{action} {cursor.step().word}" if action == "NO" else action
        on_delete = action if word == "DELETE" else on_delete
    return Constraint(
        kind="foreign_key",
        referred_schema=schema,
        referred_table=table,
        referred_columns=columns,
        on_delete=on_delete,
    )


def _check(cursor: Cursor) -> Constraint:
    cursor.expect("CHECK")
    return Constraint(kind="check", expression=cursor.group().rest())


def _ending(cursor: Cursor) -> bool:
    """Take what may stand behind a constraint; whether it is NOT VALID."""
    not_valid = False
    while not cursor.done:
        if cursor.take("NOT", "VALID"):
            not_valid = True
        elif cursor.take("INITIALLY") or cursor.take("USING"):
            cursor.step()
        elif not (
            cursor.take("NOT", "DEFERRABLE")
            or cursor.take("NO", "INHERIT")
            or cursor.any_of("DEFERRABLE", "ENFORCED")
        ):
            raise NotSql(f"{cursor.next or 'what follows'} is not known in a constraint")
    return not_valid


def names(cursor: Cursor) -> tuple[str, ...]:
    """Names or expressions parted by commas; lengths and orders beside a name are left out."""
    return tuple(_bare(part) for part in cursor.parts())


def _bare(part: Cursor) -> str:
    first = part.tokens[0] if part.tokens else None
    plain = first is not None and (first.kind == "IDENTIFIER" or first.word.isidentifier())
    follows = part.tokens[1].word if len(part.tokens) > 1 else ""
    if first is not None and plain and follows not in {"(", "::", ".", "->", "->>", "||", "+"}:
        return first.text
    length = first is not None and plain and len(part.tokens) == 4 and part.tokens[2].text.isdigit()
    return first.text if first is not None and length else part.rest()
