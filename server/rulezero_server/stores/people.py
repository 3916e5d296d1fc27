"""The store's part about people: their PINs, hashed, and their passkeys."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select, update

from rulezero_policies.errors import StoreFailed
from rulezero_server.stores.base import Base, inserting, put
from rulezero_server.stores.engine import reading, writing
from rulezero_server.stores.tables import passkeys, pins
from rulezero_tools.records import Passkey, Pin


class People(Base):
    """What people enrolled."""

    def pin(self, person: str) -> Pin | None:
        """A person's PIN, hashed, with what was tried since it was last right."""
        with reading(self._ready) as connection:
            found = connection.execute(select(pins).where(pins.c.person == person))
            row = found.mappings().first()
        return None if row is None else Pin(**row)

    def save_pin(self, pin: Pin) -> None:
        """Keep or replace a person's PIN."""
        with writing(self._ready) as connection:
            put(connection, pins, asdict(pin))

    def try_pin(self, person: str, failures: int, at: datetime) -> bool:
        """Count one more failure, before the PIN is looked at, if there were `failures` until now.

        False when somebody else tried at the same time: one atomic statement, so that guesses that
        race are all counted.
        """
        mine = (pins.c.person == person) & (pins.c.failures == failures)
        counted = update(pins).where(mine).values(failures=failures + 1, last_failure=at)
        with writing(self._ready) as connection:
            return connection.execute(counted).rowcount == 1

    def pin_was_right(self, person: str) -> None:
        """Forget the failures."""
        right = update(pins).where(pins.c.person == person)
        with writing(self._ready) as connection:
            connection.execute(right.values(failures=0, last_failure=None))

    def passkeys(self, person: str) -> tuple[Passkey, ...]:
        """A person's passkeys, oldest first."""
        query = select(passkeys).where(passkeys.c.person == person)
        with reading(self._ready) as connection:
            rows = connection.execute(query.order_by(passkeys.c.created, passkeys.c.id))
            return tuple(Passkey(**row) for row in rows.mappings())

    def save_passkey(self, passkey: Passkey) -> None:
        """Keep or replace a passkey (by its id).

        Raises:
            StoreFailed: That id is another person's.
        """
        row = asdict(passkey)
        with writing(self._ready) as connection:
            statement = inserting(connection, passkeys).values(row)
            mine = passkeys.c.person == passkey.person
            kept = statement.on_conflict_do_update(index_elements=["id"], set_=row, where=mine)
            if connection.execute(kept.returning(passkeys.c.id)).first() is None:
                raise StoreFailed(reason="that passkey is another person's")
