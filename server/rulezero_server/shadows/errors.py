"""Why there is no shadow."""

from rulezero_policies.rehearsal import NotRehearsed


class NoShadow(Exception):
    """A shadow cannot be made; `reason` and `mend` are for people and hold no value of a row."""

    def __init__(self, reason: str, mend: str) -> None:
        """Say why, and what to do for there to be one."""
        super().__init__(reason)
        self.reason, self.mend = reason, mend

    @property
    def answer(self) -> NotRehearsed:
        """This, as the answer to who wanted a rehearsal."""
        return NotRehearsed(reason=self.reason, mend=self.mend)
