"""What the use cases need of the machine: the time, and randomness."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        ...


class Chance(Protocol):
    """Randomness fit for secrets."""

    def token(self) -> str:
        """256 random bits as lower-case hex."""
        ...

    def nonce(self) -> str:
        """A short name that cannot be guessed."""
        ...
