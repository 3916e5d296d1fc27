"""A shadow of a MariaDB or MySQL database: dumped, restored as a user of that schema alone."""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from rulezero_policies.rehearsal import Shadow, TableSize
from rulezero_server.shadows import (
    Made,
    Order,
    folders,
    mycatalogue,
    myclient,
    mydump,
    myserver,
    words,
)

Rows = Literal["all", "some", "made up"]

_MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Everything that the making of one shadow needs."""

    order: Order
    target: myclient.Server
    facts: mycatalogue.Facts
    place: myserver.Host
    made: myserver.Database

    @property
    def rows(self) -> Rows:
        """Which rows the shadow is to hold."""
        if not _copies(self.order):
            return "made up"
        size = sum(table.bytes for table in self.facts.tables) / _MEGABYTE
        many = any(table.rows > self.order.wishes.rows for table in self.facts.tables)
        return "some" if many or size > self.order.wishes.megabytes else "all"


def _copies(order: Order) -> bool:
    stays = order.wishes.place("mysql") == "server"
    return order.wishes.copies_rows(protected=order.protected, stays=stays)


@contextlib.contextmanager
def shadow(order: Order) -> Generator[Made]:
    """A schema like the target for the time of the block.

    Raises:
        NoShadow: There is no server for it, or the target cannot be copied.
    """
    with folders.private(order.folder) as folder:
        driver: Mapping[str, Any] = order.access.get("driver") or {}
        target = myclient.of_driver(
            driver,
            dialect=str(order.access["dialect"]),
            file=folder / "target.cnf",
            until=order.until,
        )
        facts = mycatalogue.read(target)
        target = replace(target, dialect="mariadb" if facts.is_mariadb else "mysql")
        if _copies(order) and not order.empty:
            counted = mycatalogue.counted(target, facts.tables, order.wishes.rows + 1)
            facts = replace(facts, tables=counted)
        place = myserver.host(order, target, facts, folder / "admin.cnf")
        with myserver.database(place, facts, folder / "owner.cnf") as made:
            work = _Work(order=order, target=target, facts=facts, place=place, made=made)
            yield Made(shadow=_filled(work), to=_to(order, made))


def _to(order: Order, made: myserver.Database) -> Mapping[str, Any]:
    there = made.owner.options
    driver: dict[str, Any] = {"user": made.name, "password": made.owner.password}
    if "socket" in there:
        driver["unix_socket"] = there["socket"]
    driver |= {name: there[name] for name in ("host",) if name in there}
    driver |= {"port": int(there["port"])} if "port" in there else {}
    return {"dialect": order.access["dialect"], "driver": {**driver, "database": made.name}}


def _filled(work: _Work) -> Shadow:
    """Fill the new schema; what of the target is not on it is said."""
    if work.order.empty:
        return words.empty(work.place.where, [*work.made.lacks, *_unlike(work)])
    rows, unfilled = work.rows, list[str]()
    target, owner, facts = work.target, work.made.owner, work.facts
    if rows == "all":
        missing = mydump.whole(target, owner)
    elif rows == "some":
        missing = mydump.sample(target, owner, facts, work.order.wishes)
    else:
        missing, unfilled = mydump.made_up(target, owner, facts)
    return _told(
        work, rows, (*work.made.lacks, *_unlike(work), *words.unfilled(unfilled), *missing)
    )


def _unlike(work: _Work) -> Iterator[str]:
    """What the server itself does otherwise than the target."""
    here, there = (myclient.version(v) for v in (work.place.version, work.facts.version))
    if here[:2] != there[:2]:
        age = "older" if here < there else "newer"
        yield f"version {'.'.join(map(str, there))} itself: the shadow is {age}, {work.place.where}"
    if not work.place.private:
        found = mycatalogue.read(work.made.owner)
        own = dict(found.settings)
        yield from (f"the setting {n}" for n, value in work.facts.settings if own.get(n) != value)


def _told(work: _Work, rows: Rows, lacks: tuple[str, ...]) -> Shadow:
    sizes = tuple(_sizes(work, rows))
    words_of = {"all": words.whole, "some": words.sample, "made up": words.made_up}
    complete = not any(name.startswith("table ") for name in lacks)
    return Shadow(
        where=work.place.where,
        rows=words_of[rows](sizes),
        whole=rows == "all" and complete,
        real=rows != "made up",
        lacks=lacks,
        sizes=sizes,
    )


def _sizes(work: _Work, rows: Rows) -> Iterator[TableSize]:
    owner = work.made.owner
    here = mycatalogue.counted(owner, tuple(mycatalogue.tables(owner)), 10**12)
    there = {table.name: table.rows for table in work.facts.tables}
    for table in here:
        target = table.rows if rows == "all" else there.get(table.name)
        yield TableSize(table=table.name, rows=table.rows, target=target)
