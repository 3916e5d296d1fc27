"""The end of the time that a rehearsal has: the statement that runs then is interrupted."""

from __future__ import annotations

import threading
import time
from typing import Any

from . import identity


class OutOfTimeError(Exception):
    """A rehearsal took as long as it may."""


class Limit:
    """The seconds of a rehearsal; `over` once they are gone."""

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.seconds = seconds
        self.end = time.monotonic() + seconds
        self._raw: Any = None
        self._timer = threading.Timer(seconds, self._interrupt)
        self._timer.daemon = True
        self._timer.start()

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self.end

    def check(self) -> None:
        """Go on only while there is time.

        Raises:
            OutOfTimeError: There is none.
        """
        if self.over:
            raise OutOfTimeError("the rehearsal took as long as it may")

    def set_on(self, connection: Any) -> None:
        """Have the server end statements too late, where a driver cannot be told to stop one."""
        raw: Any = identity.driver_connection(connection)
        left = max(self.end - time.monotonic(), 0.05)
        if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {left:.3f}")
        elif connection.dialect.name == "postgresql" and not hasattr(raw, "cancel"):
            connection.exec_driver_sql(f"SET statement_timeout = {int(left * 1000)}")

    def running(self, connection: Any) -> None:
        """Say over which connection a statement is about to run; None when it has."""
        self._raw = None if connection is None else identity.driver_connection(connection)

    def stop(self) -> None:
        """Nothing is interrupted any more."""
        self._timer.cancel()

    def _interrupt(self) -> None:
        """SQLite and libpq's drivers can be told from another thread to stop."""
        raw = self._raw
        stop: Any = getattr(getattr(raw, "_conn", raw), "interrupt", None)
        stop = stop or getattr(raw, "cancel", None)
        if stop is None:
            return
        try:
            stop()
        except Exception:  # noqa: BLE001 - it may have ended by itself, whatever the driver says then
            return
