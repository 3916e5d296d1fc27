"""The page that makes a passkey, as it goes over HTTP."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from rulezero_policies.errors import StoreFailed
from rulezero_server.approval import enroll_page
from rulezero_tools import enrolment
from rulezero_tools.ports import Desk

Send = Callable[..., Any]
Ticket = Callable[[str], str]

pytestmark = pytest.mark.proves("D04")


@dataclass(kw_only=True)
class Enrolling:
    """A page that is served, and what will come of it."""

    url: str
    made: "Future[bool]"

    @property
    def origin(self) -> str:
        return self.url.partition("/e/")[0]


@pytest.fixture
def enroll(desk: Desk, hasher: Any) -> Iterator[Callable[..., Enrolling]]:
    """`enroll()`: serve the page, on a thread that waits as the command does."""
    pool = ThreadPoolExecutor(4)

    def start(*, desk: Desk = desk, seconds: float = 20) -> Enrolling:
        said: Future[str] = Future()
        made = pool.submit(enroll_page, desk, hasher, say=said.set_result, seconds=seconds)
        return Enrolling(url=said.result(20).removeprefix("The page is "), made=made)

    yield start
    pool.shutdown()


def _challenge(text: str) -> str:
    """The text that the page wants hashed is a secret of the page: its hash stands in the page."""
    return text.partition("&#34;challenge&#34;: &#34;")[2].partition("&#34;")[0]


def test_the_first_passkey_needs_no_proof_and_is_offered_in_the_persons_browser(
    bare: Any, enroll: Any, http: Send, post: Send, ticket: Ticket, opened: Callable[[], str]
) -> None:
    page = enroll()
    text = http(page.url).text
    assert "Make the passkey" in text
    assert _challenge(text)
    assert post(page.url, {"ticket": ticket(page.url), "do": "stop"}).status == 200
    assert page.made.result(20) is False
    assert opened() == page.url
    assert bare.desk.store.passkeys("ann@box") == ()


@pytest.mark.proves("C03")
def test_without_the_pin_no_passkey_is_offered_or_made(
    counter: Any, enroll: Any, http: Send, post: Send, ticket: Ticket, soft_key: Any
) -> None:
    page = enroll()
    assert _challenge(http(page.url).text) == ""
    made = soft_key.create("anything", origin=page.origin)
    fields = {"do": "go", "passkey": made}
    assert post(page.url, {**fields, "ticket": ticket(page.url)}).status == 422
    assert post(page.url, {"ticket": ticket(page.url), "do": "go", "pin": ""}).status == 422
    post(page.url, {"ticket": ticket(page.url), "do": "stop"})
    assert page.made.result(20) is False
    assert counter.desk.store.passkeys("ann@box") == ()


def test_wrong_pins_lock_here_as_everywhere(
    counter: Any, enroll: Any, post: Send, ticket: Ticket, pin: str
) -> None:
    page = enroll()
    for guess in ("guess", "guess", "guess", "guess", "guess", pin):
        last = post(page.url, {"ticket": ticket(page.url), "do": "go", "pin": guess})
    assert "is locked out until" in last.text
    post(page.url, {"ticket": ticket(page.url), "do": "stop"})
    assert page.made.result(20) is False


def test_an_older_passkey_proves_the_person_but_approves_no_plan_by_it(
    counter: Any, enroll: Any, http: Send, post: Send, ticket: Ticket, soft_passkey: Any
) -> None:
    page = enroll()
    assert soft_passkey.id in http(page.url).text
    answer = {"do": "go", "passkey": '{"id": "nonsense"}'}
    assert (
        "its answer cannot be read" in post(page.url, {**answer, "ticket": ticket(page.url)}).text
    )
    post(page.url, {"ticket": ticket(page.url), "do": "stop"})
    assert page.made.result(20) is False


@pytest.mark.proves("C03")
def test_a_form_from_elsewhere_or_sent_twice_does_nothing(
    counter: Any, enroll: Any, http: Send, post: Send, ticket: Ticket, pin: str
) -> None:
    page = enroll()
    held = ticket(page.url)
    fields = {"ticket": held, "do": "go", "pin": pin}
    assert post(page.url, fields, headers={"Origin": "http://localhost:3000"}).status == 403
    assert http(f"{page.url}x").status == 404
    assert post(page.url, {**fields, "pin": "wrong"}).status == 422
    assert "was sent before" in post(page.url, fields).text
    post(page.url, {"ticket": ticket(page.url), "do": "stop"})
    assert page.made.result(20) is False


def test_nobody_waits_for_ever(bare: Any, enroll: Any) -> None:
    assert enroll(seconds=0.01).made.result(20) is False


def test_a_passkey_that_was_not_made_is_asked_for_again(
    bare: Any, enroll: Any, post: Send, ticket: Ticket
) -> None:
    page = enroll()
    reply = post(page.url, {"ticket": ticket(page.url), "do": "go", "passkey": ""})
    assert (reply.status, "has no passkey yet" in reply.text) == (422, True)
    post(page.url, {"ticket": ticket(page.url), "do": "stop"})
    assert page.made.result(20) is False
    assert enrolment.enrolled(bare.desk) is None


def test_a_store_that_fails_is_one_sentence(enroll: Any, desk: Desk, http: Send) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise StoreFailed(reason="disk full")

    broken: Any = Broken()
    page = enroll(
        desk=Desk(store=broken, clock=desk.clock, policy=desk.policy, person="a"), seconds=2
    )
    reply = http(page.url)
    assert (reply.status, "failed: disk full" in reply.text) == (500, True)
