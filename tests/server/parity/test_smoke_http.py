"""A smoke test over HTTP: this machine alone, nothing that changes anything, no redirect."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rulezero_policies.parity.values import SmokeRule
from rulezero_server.parity.http import asked, shown

pytestmark = pytest.mark.proves("B10")

CANARY = "canary-5c1e77d0"


class Handler(BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"ready {CANARY}".encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Print nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def rule(target: str, **more: Any) -> SmokeRule:
    return SmokeRule(name="up", service="web", kind="http", target=target, **more)


def test_an_answer_is_judged_by_its_status_and_a_text_and_not_shown(address: str) -> None:
    passed = asked(rule(f"{address}/", contains="ready"), ())
    assert (passed.outcome, passed.seen) == ("passed", "status 200, holds the text")
    without = asked(rule(f"{address}/", contains="gone"), ())
    assert (without.outcome, without.seen) == ("failed", "status 200, does not hold the text")
    assert asked(rule(f"{address}/", status=404), ()).outcome == "failed"
    assert CANARY not in str((passed, without))


def test_a_redirect_is_an_answer_and_is_not_followed(address: str) -> None:
    told = asked(rule(f"{address}/moved?q=1", status=302), ())
    assert told.outcome == "passed", told
    assert Handler.seen == ["/moved?q=1"]


@pytest.mark.parametrize(
    ("target", "more", "says"),
    [
        ("http://example.com/", {}, "not this machine"),
        ("http://127.0.0.1.example.com/", {}, "not this machine"),
        ("http://10.0.0.1/", {}, "not this machine"),
        ("ftp://127.0.0.1/", {}, "no address"),
        ("file:///etc/passwd", {}, "no address"),
        ("http://127.0.0.1:x/", {}, "no address"),
        ("http://127.0.0.1:9/", {"method": "POST"}, "may change something"),
    ],
)
def test_what_is_elsewhere_or_may_change_something_is_not_asked(
    target: str, more: dict[str, Any], says: str
) -> None:
    told = asked(rule(target, **more), ())
    assert told.outcome == "not_run"
    assert says in told.seen
    assert told.reason is not None


def test_the_persons_own_policy_lets_another_host_be_reached() -> None:
    told = asked(rule("http://nowhere.invalid:9/", seconds=0.5), ("nowhere.invalid:9",))
    assert told.outcome == "failed", "it was tried"


def test_a_service_that_does_not_answer_fails_with_the_kind_of_error() -> None:
    told = asked(rule("http://127.0.0.1:9/", seconds=2), ())
    assert (told.outcome, told.error) == ("failed", "ConnectionRefusedError")


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    said = shown(f"http://user:{CANARY}@localhost:80/x?token={CANARY}")
    assert said == "http://localhost:80/x"
    assert shown("http://[x") == "?"
