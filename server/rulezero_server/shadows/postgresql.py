"""A shadow of a PostgreSQL database: dumped with pg_dump, restored as a role that owns no more."""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rulezero_policies.rehearsal import Shadow, TableSize
from rulezero_server.shadows import (
    Made,
    Order,
    folders,
    pgcatalogue,
    pginstalls,
    pgmadeup,
    pgrestore,
    pgsample,
    pgserver,
    programs,
    psql,
    words,
)
from rulezero_server.shadows.errors import NoShadow

Rows = Literal["all", "some", "made up"]

_MEGABYTE = 1_000_000

_PASSED_ON = {
    "PGHOST": "host", "PGHOSTADDR": "hostaddr", "PGPORT": "port", "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert", "PGCONNECT_TIMEOUT": "connect_timeout",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Everything that the making of one shadow needs."""

    order: Order
    target: psql.Server
    facts: pgcatalogue.Facts
    place: pgserver.Host
    made: pgserver.Database

    @property
    def rows(self) -> Rows:
        """Which rows the shadow is to hold."""
        wishes = self.order.wishes
        if not wishes.copies_rows(protected=self.order.protected, stays=stays(self.order)):
            return "made up"
        size = sum(table.bytes for table in self.facts.tables) / _MEGABYTE
        many = any((table.rows or 0) > wishes.rows for table in self.facts.tables)
        return "some" if many or size > wishes.megabytes else "all"


@contextlib.contextmanager
def shadow(order: Order) -> Generator[Made]:
    """A database like the target for the time of the block.

    Raises:
        NoShadow: There is no server for it, or the target cannot be copied.
    """
    facts = pgcatalogue.read(target_of(order, pginstalls.any_client()))
    target = target_of(order, pginstalls.client(facts.major))
    copies = order.wishes.copies_rows(protected=order.protected, stays=stays(order))
    if copies and not order.empty:
        facts = pgcatalogue.counted(target, facts, order.wishes.rows + 1)
    place = pgserver.host(order, target, facts)
    with pgserver.database(place, facts) as made:
        work = _Work(order=order, target=target, facts=facts, place=place, made=made)
        yield Made(shadow=_filled(work), to=_to(order, made))


def target_of(
    order: Order, install: pginstalls.Install, *, asked: str = psql.READ_ONLY
) -> psql.Server:
    """The target, for these programs; `asked` are options of its sessions."""
    # A project names its database. What else it sets is not for programs that nothing guards.
    named = {name: value for name, value in order.variables.items() if name.startswith("PG")}
    variables = psql.variables(_driver(order), {**programs.inherited(), **named})
    options = f"{variables.get('PGOPTIONS', '')} {asked}".strip()
    return psql.Server(
        install=install,
        variables={**variables, "PGOPTIONS": options, "PGAPPNAME": "rulezero"},
        until=order.until,
    )


def stays(order: Order) -> bool:
    """Whether rows that are copied stay on the target's own server."""
    return order.wishes.place("postgresql") == "server"


def _driver(order: Order) -> Mapping[str, Any]:
    return order.access.get("driver") or {}


def _to(order: Order, made: pgserver.Database) -> Mapping[str, Any]:
    """How the shadow is connected to; a connection's own options go with it."""
    there = made.owner.variables
    driver = {name: there[v] for v, name in _PASSED_ON.items() if there.get(v)}
    options = _driver(order).get("options")
    own = {"user": made.name, "password": made.password, "dbname": made.name}
    return {
        "dialect": "postgresql",
        "driver": {**driver, **own, **({"options": options} if options else {})},
    }


def _filled(work: _Work) -> Shadow:
    """Fill the new database; what of the target is not on it is said."""
    rows, made, facts = work.rows, work.made, work.facts
    lacks = [*made.lacks, *_version(work), *pgrestore.prepare(work.place, made, facts)]
    if work.order.empty:
        return words.empty(work.place.where, lacks)
    with folders.private(work.order.folder) as folder:
        dump = folder / "dump"
        if rows == "some":
            missing = pgsample.copy(work.target, made, facts, work.order.wishes, dump)
        else:
            pgrestore.dump(work.target, dump, *(["--schema-only"] if rows == "made up" else []))
            missing = pgrestore.restore(made, dump, facts)
    _check(work, missing)
    if rows == "made up":
        lacks += words.unfilled(pgmadeup.fill(work.target, made, facts))
    return _told(work, rows, (*lacks, *missing))


def _check(work: _Work, missing: list[str]) -> None:
    """A table that an older server cannot make is no table to rehearse on."""
    tables = [name for name in missing if pgrestore.is_table(name)]
    if tables and work.place.major < work.facts.major:
        raise NoShadow(
            f"{work.place.where}, is older than the target ({work.facts.version.split()[0]}) and "
            f"cannot hold {tables[0]}",
            pginstalls.INSTALL,
        )


def _version(work: _Work) -> Iterator[str]:
    if work.place.major < work.facts.major:
        yield (
            f"what is new in PostgreSQL {work.facts.major}: the shadow is older, {work.place.where}"
        )
    elif work.place.major > work.facts.major:
        yield f"PostgreSQL {work.facts.major} itself: the shadow is {work.place.where}"


def _told(work: _Work, rows: Rows, lacks: tuple[str, ...]) -> Shadow:
    sizes = _sizes(work, rows)
    words_of = {"all": words.whole, "some": words.sample, "made up": words.made_up}
    complete = not any(pgrestore.is_table(name) for name in lacks)
    return Shadow(
        where=work.place.where,
        rows=words_of[rows](sizes),
        whole=rows == "all" and complete,
        real=rows != "made up",
        lacks=lacks,
        sizes=sizes,
    )


def _sizes(work: _Work, rows: Rows) -> tuple[TableSize, ...]:
    here = pgcatalogue.read(work.made.owner).tables
    counts = pgcatalogue.counts(work.made.owner, here)
    there = {(table.schema, table.name): table.rows for table in work.facts.tables}
    sizes: list[TableSize] = []
    for table, count in zip(here, counts, strict=True):
        name, schema = work.facts.called(table)
        target = count if rows == "all" else there.get((table.schema, table.name))
        sizes.append(TableSize(table=name, schema=schema, rows=count, target=target))
    return tuple(sizes)
