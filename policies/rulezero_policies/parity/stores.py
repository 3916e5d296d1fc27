"""Fallback stores: which there are, and whether they still mirror the schema."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rulezero_policies.parity.storecode import Code, Found
from rulezero_policies.parity.storeshape import Break
from rulezero_policies.parity.values import StoreRule
from rulezero_policies.references import is_test

_FALLBACK = re.compile(r"(?:In_?Memory|Memory|Fake|Fallback|Dummy|Stub|Null|Local)(?=[A-Z])")
_STORE = re.compile(r"(?:Store|Storage|Repository|Repo|Dao|DAO|Database|Backend)$")
_REAL = re.compile(
    r"(?:SQLAlchemy|SqlAlchemy|Sqlalchemy|SQLite|Sqlite|Postgres(?:ql|QL)?|Pg|MySQL|MySql|Mysql"
    r"|MariaDB|SQL|Sql|DB|Db|Database|Orm|ORM|Real|Persistent)(?=[A-Z])"
)


@dataclass(frozen=True, kw_only=True)
class RecordField:
    """A field of a record: whether it may be None, and whether it has a default."""

    name: str
    optional: bool
    default: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the models on main; `filled` is whether it gets a value that nobody gives.

    `attribute` is the name by which the mapped class knows it.
    """

    name: str
    nullable: bool
    filled: bool = False
    attribute: str | None = None


def mirrored(fields: Iterable[RecordField], columns: Iterable[Column]) -> Iterator[Break]:
    """Where a record does not mirror the columns of its table."""
    mine, known = {f.name: f for f in fields}, tuple(columns)
    met: set[str] = set()
    for column in known:
        names = [n for n in (column.attribute, column.name) if n in mine]
        met.update(names)
        if not names:
            must = "" if column.nullable or column.filled else ", which must have a value"
            yield Break(member=column.name, says=f"the record has no field for this column{must}")
        else:
            yield from _held(mine[names[0] or ""], column)
    for field in mine.values():
        if field.name not in met:
            says = "the table has no column for this field"
            yield Break(member=field.name, says=says, sure=not (field.optional or field.default))


def _held(field: RecordField, column: Column) -> Iterator[Break]:
    if column.nullable and not field.optional:
        says = "the column may be NULL, the field may not be None"
        yield Break(member=field.name, says=says)
    elif field.optional and not column.nullable and not column.filled:
        says = "the field may be None, the column must have a value"
        yield Break(member=field.name, says=says)


def guessed(code: Code, service: str, declared: Iterable[StoreRule]) -> tuple[StoreRule, ...]:
    """Fallback stores that nobody declared: found by their names, and what they share."""
    known = {rule.fallback for rule in declared if rule.service == service}
    found = (_guess(code, one, service) for one in code.classes() if one.name not in known)
    return tuple(rule for rule in found if rule is not None)


def _guess(code: Code, one: Found, service: str) -> StoreRule | None:
    name = one.node.name
    if is_test(one.module.path) or not (_FALLBACK.match(name) and _STORE.search(name)):
        return None
    interface = _interface(code, one)
    if interface is None:
        return None
    store = _store(code, one, interface)
    return StoreRule(
        name=name,
        service=service,
        interface=interface.name,
        store=store.name if store else None,
        fallback=one.name,
    )


def _interface(code: Code, one: Found) -> Found | None:
    """What it inherits of the service's own and others do, too; else a Protocol of its name."""
    bases = [base for base in code.lineage(one) if base is not None and base.name != one.name]
    said = [base for base in bases if base.is_interface]
    shared = [base for base in bases if any(_inherits(code, o, base) for o in _others(code, one))]
    if said or shared:
        return (said or shared)[-1]
    plain = _FALLBACK.sub("", one.node.name, count=1)
    wanted = {plain, f"{plain}Protocol", f"{plain}Interface", f"Abstract{plain}", f"Base{plain}"}
    named = [c for c in code.classes() if c.node.name in wanted and c.is_interface]
    return named[0] if len(named) == 1 else None


def _others(code: Code, one: Found) -> Iterator[Found]:
    return (c for c in code.classes() if c.name != one.name and not is_test(c.module.path))


def _inherits(code: Code, one: Found, base: Found) -> bool:
    names = [b.name for b in code.lineage(one) if b is not None]
    return base.name in names[1:]


def _store(code: Code, one: Found, interface: Found) -> Found | None:
    """The store that it stands in for, where there is exactly one that it can be."""
    real = [c for c in _others(code, one) if not _FALLBACK.match(c.node.name)]
    heirs = [c for c in real if _inherits(code, c, interface) and not c.is_interface]
    plain = _FALLBACK.sub("", one.node.name, count=1)
    named = [
        c for c in real if c.name != interface.name and _REAL.sub("", c.node.name, count=1) == plain
    ]
    for some in ([c for c in heirs if c in named], heirs, named):
        if len(some) == 1:
            return some[0]
    return None
