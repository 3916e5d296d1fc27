"""Which databases are connected to while a project is read, and which of them is the target."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from . import guard, places, secrets

_HERE, _FILE = "localhost", "an SQLite file"

_USUAL = frozenset(
    {
        "", "localhost", "127.0.0.1", "::1", "/run/postgresql", "/var/run/postgresql",
        "/tmp",  # noqa: S108 - where libpq looks by default; nothing is written there
        "/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock",
        "/tmp/mysql.sock",  # noqa: S108 - as above
    }
)  # fmt: skip
"""Ways to the one server of this machine, as the drivers and the servers have them by default."""


class Address(NamedTuple):
    """Where a driver is told to connect to."""

    dialect: str
    hosts: tuple[str, ...]
    port: str
    name: str

    @property
    def where(self) -> str:
        """The host and port, as the policy names them."""
        return f"{','.join(self.hosts)}:{self.port}"

    @property
    def label(self) -> str:
        """For people, without user and password."""
        return secrets.scrub(f"{self.where} ({self.dialect} {self.name})")


def postgresql(given: Mapping[str, Any]) -> Address:
    """The address in libpq's words: host, hostaddr, port, dbname, user, service."""
    service = given.get("service") or os.environ.get("PGSERVICE")
    host = given.get("hostaddr") or given.get("host") or os.environ.get("PGHOST") or ""
    user = given.get("user") or os.environ.get("PGUSER") or ""
    return Address(
        dialect="postgresql",
        hosts=tuple(f"service {service}" if service and not host else _local(host).split(",")),
        port=str(given.get("port") or os.environ.get("PGPORT") or 5432),
        name=str(given.get("dbname") or os.environ.get("PGDATABASE") or user),
    )


def mysql(given: Mapping[str, Any]) -> Address:
    """The address in the words of MySQL's drivers."""
    host = given.get("unix_socket") or given.get("host") or ""
    name = given.get("database") or given.get("db") or ""
    text = name.decode() if isinstance(name, bytes) else str(name)
    return Address("mysql", (_local(str(host)),), str(given.get("port") or 3306), text)


def _local(host: Any) -> str:
    """One name for the ways to this machine: an app and its env.py may use different ones."""
    text = str(host)
    return _HERE if text in _USUAL else text


class Databases:
    """What `guard` says about databases, kept up as they are connected to."""

    def __init__(self, standing: guard.Guard) -> None:
        """Hold to the guard that is in force."""
        self._recording = self._shown = False
        self._guard = standing
        self._known: dict[int, Address] = {}
        self._given: dict[int, dict[str, Any]] = {}
        self.parameters: dict[str, Any] | None = None
        self.address: Address | None = None
        self._targets: list[Address] | None = None
        self._migrated: list[Address] = []
        self._noted: list[tuple[Address, places.Origin]] = []
        self._may_reach = guard.reaching(standing.hosts)

    def check(self, address: Address) -> None:
        """Note that a driver is about to connect.

        Raises:
            RefusedError: It is not to the target.
        """
        if self._recording:
            self.used(address.label)
        if self._allowed(address):
            return
        origin = places.of_origin(self._guard.root)
        if self._targets is None:
            self._noted.append((address, origin))
        elif not any(same(address, target) for target in self._targets):
            self._guard.report("connection", address.label, origin)
            raise guard.unreachable(address.where)

    @contextmanager
    def beside_recording(self) -> Generator[None]:
        """While it lasts a revision is recorded, which has a connection and needs no other one."""
        self.settle()
        self._recording = True
        try:
            yield
        finally:
            self._recording = False

    def checked_out(self, connection: Any) -> None:
        """Note that a connection is taken from SQLAlchemy's pool, opened before or just now."""
        if self._recording:
            self.used(self.label(connection))

    def file_opened(self) -> None:
        """Note that an SQLite file is opened; it is opened to be read, whichever it is."""
        if self._recording:
            self.used(_FILE)

    def used(self, label: str) -> None:
        """Report a connection that a revision makes use of beside the one that it is given."""
        origin = places.of_origin(self._guard.root)
        self._guard.report("connection", f"{label}, beside the migration's own,", origin)

    def opened(self, connection: Any, address: Address, given: Mapping[str, Any]) -> None:
        """Remember where a driver's connection leads, and what the driver was given."""
        self._known[id(connection)] = address
        self._given[id(connection)] = dict(given)

    def elsewhere(self, address: Address) -> None:
        """Report a connection that a rehearsal does not open."""
        self._guard.report("connection", address.label, places.of_origin(self._guard.root))

    def label(self, connection: Any) -> str:
        """Where a driver's connection leads, for people."""
        known = self._known.get(id(connection))
        if known is not None:
            return known.label
        return _FILE if "sqlite" in type(connection).__module__ else "a database"

    def migrates(self, connection: Any) -> None:
        """Note the driver's connection that env.py hands to Alembic."""
        self._shown = True
        self.parameters = self._given.get(id(connection))
        self.address = address = self._known.get(id(connection))
        if address is not None and address not in self._migrated:
            self._migrated.append(address)

    def beside(self, address: Address | None) -> list[dict[str, Any]]:
        """The addresses that env.py migrates besides this one."""
        others = (a for a in self._migrated if address is None or not same(a, address))
        return [a._asdict() for a in others]

    def settle(self) -> None:
        """Env.py has shown what it migrates: report what was connected to and is not that."""
        if self._targets is not None or not self._shown:  # offline it shows no connection
            return
        self._targets = self._migrated
        for address, origin in self._noted:
            if not any(same(address, target) for target in self._targets):
                self._guard.report("connection", address.label, origin)

    def _allowed(self, address: Address) -> bool:
        number = int(address.port) if address.port.isdigit() else address.port
        return all(self._may_reach((host, number)) for host in address.hosts)


def same(one: Address, other: Address) -> bool:
    """Whether two addresses lead to one database."""
    if (one.dialect, one.port, one.name) != (other.dialect, other.port, other.name):
        return False
    return one.hosts == other.hosts or not _numbers(one).isdisjoint(_numbers(other))


def _numbers(address: Address) -> frozenset[str]:
    return frozenset(ip for host in address.hosts if host != _HERE for ip in guard.addresses(host))
