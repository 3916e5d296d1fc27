"""A live table as a change in phases has to know it, and the files of the phases."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ShapeColumn:
    """A live column; `definition` is how MySQL and MariaDB themselves write it."""

    name: str
    nullable: bool
    default: str | None = None
    generated: bool = False
    definition: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What rests on columns; "*" stands for what cannot be told.

    PostgreSQL says of indexes and constraints what they are and how it would write them; `twin`:
    that the name which its twin would have, with "_new" behind it, is taken.
    """

    what: str
    columns: tuple[str, ...]
    kind: str | None = None
    name: str | None = None
    said: str = ""
    twin: bool = False


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A live table as a change in phases has to know it; `key` is empty where it has none."""

    table: str
    key: tuple[str, ...]
    columns: tuple[ShapeColumn, ...]
    held: tuple[Hold, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PhaseFile:
    """One revision of a sequence, as text: `end` stands below its two functions."""

    message: str
    doc: str
    upgrade: tuple[str, ...]
    downgrade: tuple[str, ...]
    imports: tuple[str, ...] = ()
    end: str = ""
