"""PINs as argon2id hashes."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher


class Argon2Hasher:
    """Implements `rulezero_tools.ports.PinHasher` with argon2id in the library's own strength.

    The parameters and the salt stand in the hash, so that a stronger default later reads old ones.
    """

    def hash(self, pin: str) -> str:
        """The hash with its parameters and salt."""
        return self._argon2.hash(_bytes(pin))

    def matches(self, hashed: str, pin: str) -> bool:
        """Whether `pin` is the one that was hashed; False for a hash that cannot be read."""
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - start-up time

        try:
            return self._argon2.verify(hashed, _bytes(pin))
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _argon2(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # noqa: PLC0415 - start-up time

        return PasswordHasher()


def _bytes(pin: str) -> bytes:
    """A form may hold lone surrogates; they are no reason to fail."""
    return pin.encode("utf-8", "surrogatepass")
