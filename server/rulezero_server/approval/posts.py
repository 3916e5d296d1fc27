"""Forms as they come in: their fields, and the ticket that each carries once."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock
from urllib.parse import parse_qs

from rulezero_policies.grant import same

_MOST_FIELDS = 32

_OPEN_TICKETS = 32
"""Renderings of one page of which the form still works; reloading more often drops the oldest."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The fields of a form."""

    fields: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        """The field, or "" where it is missing or there twice."""
        values = self.fields.get(name, [])
        return values[0] if len(values) == 1 else ""

    def all(self, name: str) -> frozenset[str]:
        """Every value of a field that may be there several times."""
        return frozenset(self.fields.get(name, []))


def read(body: bytes) -> Sent:
    """The fields in a urlencoded body; none where it is no such thing."""
    try:
        text = body.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Sent(fields={})
    return Sent(fields=fields)


class Tickets:
    """One for each form that was shown, good for sending that form once."""

    def __init__(self) -> None:
        """None is out."""
        self._lock = Lock()
        self._open: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_OPEN_TICKETS))

    def issue(self, page: str) -> str:
        """A ticket for a form of `page`."""
        ticket = token_urlsafe(32)
        with self._lock:
            self._open[page].append(ticket)
        return ticket

    def take(self, page: str, ticket: str) -> bool:
        """Whether `ticket` was issued for `page` and not used before; now it is."""
        with self._lock:
            found = next((t for t in self._open[page] if same(t, ticket)), None)
            if found is None:
                return False
            self._open[page].remove(found)
            return True
