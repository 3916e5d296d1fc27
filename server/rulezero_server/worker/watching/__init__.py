"""What a statement did beside its result: locks, tables written anew, indexes built.

An observer asks over the migration's own connection, by a cursor of the driver: SQLAlchemy's events
do not see its questions, so that nobody lists them as sent. It is to be called with statements
alone that have a transaction, or a commit of their own, around them; that is so between
`before_cursor_execute` and `after_cursor_execute`. It never raises, and never leaves a transaction
other than it found it; what it could not see is None, or absent.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULES = {
    "postgresql": "postgresql",
    "mysql": "mariadb",
    "mariadb": "mariadb",
    "sqlite": "sqlite",
}


class Observer:
    """Looks at one connection, statement by statement, and says nothing where it fails."""

    def __init__(self, watch: Any) -> None:
        """Ask `watch`, whose `before` and `after` may raise; None watches nothing."""
        self._watch = watch

    def before(self, connection: Any, statement: str) -> Any:
        """What has to be known before a statement is sent over SQLAlchemy's `connection`.

        Returns:
            To be given to `after`, once the statement went through.
        """
        try:
            return None if self._watch is None else self._watch.before(connection, statement)
        except Exception:  # noqa: BLE001 - whatever a driver raises, nothing is then seen
            return None

    def after(self, state: Any) -> dict[str, Any]:
        """What the statement did; not to be called after one that failed.

        Returns:
            Any of `locks`, `rewrites`, `builds` and `algorithm`, as `rehearsal.Sent` has them.
        """
        try:
            return {} if state is None else self._watch.after(state)
        except Exception:  # noqa: BLE001 - as above
            return {"locks": None}


def observer(connection: Any) -> Observer:
    """The observer for the database that this connection leads to; it sends nothing yet."""
    module = _MODULES.get(connection.dialect.name)
    if module is None:
        return Observer(None)
    return Observer(import_module(f".{module}", __package__).Watch(connection))
