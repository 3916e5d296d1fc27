"""The real approval page over HTTP, and an authenticator that can lie."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from rulezero_policies.errors import RulezeroError
from rulezero_server.approval import ApprovalPage
from rulezero_tools import asking, enrolment


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(kw_only=True)
class Visitor:
    """Whoever reaches the real approval page over HTTP, and writes each request as they like."""

    world: Any
    page: ApprovalPage
    pin: str

    def url(self, plan_id: str) -> str:
        """The address of the page for a fresh question about the plan."""
        return self.page.url(self.world.asked(plan_id).challenge)

    def origin(self, url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"

    def send(
        self, url: str, fields: dict[str, str] | None = None, **headers: str | None
    ) -> Answered:
        """GET, or POST of a form as our own page sends it, with headers changed or left out."""
        parts = urlsplit(url)
        own: dict[str, str | None] = {"Host": parts.netloc}
        if fields is not None:
            own |= {
                "Origin": self.origin(url),
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "same-origin",
            }
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in own.items() if value is not None}
        connection = HTTPConnection("127.0.0.1", parts.port, timeout=20)
        try:
            body = None if fields is None else urlencode(fields)
            connection.request("GET" if body is None else "POST", parts.path, body, sent)
            response = connection.getresponse()
            got = {k.lower(): v for k, v in response.getheaders()}
            return Answered(status=response.status, headers=got, text=response.read().decode())
        finally:
            connection.close()

    def ticket(self, url: str) -> str:
        return self.send(url).text.partition('name="ticket" value="')[2].partition('"')[0]

    def form(self, url: str, **fields: str) -> dict[str, str]:
        """A yes with the right PIN, or with what is changed."""
        return {"ticket": self.ticket(url), "do": "approve", "pin": self.pin, **fields}

    def gets_no_token(self, plan_id: str) -> None:
        """The client that asked gets nothing from `confirm`."""
        session = self.world.session()
        try:
            given = asking.collect(session, *asking.open_question(session, plan_id, form=False))
        except RulezeroError:
            given = None
        assert given is None
        assert "approved" not in self.world.events()


@pytest.fixture
def visitor(world: Any, parts: Any) -> Iterator[Visitor]:
    """Somebody at the page of Ann, who enrolled a PIN."""
    world.enroll()
    page = ApprovalPage(lambda: world.session().desk, parts.PlainHasher())
    yield Visitor(world=world, page=page, pin=parts.PIN)
    page.stop()


@pytest.fixture
def soft_key() -> Any:
    """An authenticator that says whatever a test wants it to say; the page's own tests use it."""
    path = Path(__file__).parents[2] / "approval" / "conftest.py"
    spec = spec_from_file_location("rulezero_approval_parts", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.SoftKey()


@pytest.fixture
def passkey(visitor: Visitor, soft_key: Any) -> Any:
    """Ann's passkey, beside her PIN."""
    enrolment.enroll_passkey(visitor.world.session().desk, soft_key.passkey("ann@desk"))
    return soft_key
