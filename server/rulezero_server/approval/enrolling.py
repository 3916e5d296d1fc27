"""Making a passkey, on a page that is served for that alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_urlsafe
from threading import Event

from starlette.responses import Response
from starlette.types import ASGIApp

from rulezero_policies.errors import GateError, NotEnrolled, RulezeroError
from rulezero_policies.grant import Challenge
from rulezero_server.approval import browser, passkeys, posts
from rulezero_server.approval.page import web_app
from rulezero_server.approval.rendering import page
from rulezero_server.approval.serving import Serving
from rulezero_tools import enrolment
from rulezero_tools.ports import Desk, PinHasher

_DATABASE = "(enrolment)"
"""Stands where a question's database stands in what a passkey signs: it can approve no plan."""


def enroll_page(
    desk: Desk, hasher: PinHasher, *, say: Callable[[str], object], seconds: float = 300
) -> bool:
    """Have the person make a passkey on a page in their browser.

    Whoever has a PIN or a passkey proves it on that page first: the first one enrolled is the root
    of trust for every later one.

    Args:
        desk: Where the person answers.
        hasher: What their PIN was hashed with.
        say: Told where the page is, for a person whose browser does not open.
        seconds: How long the page stays.

    Returns:
        Whether a passkey was enrolled; False when they gave up or let the time pass.

    Raises:
        OSError: There is no free port on loopback.
    """
    link = token_urlsafe(32)
    made = _Enrolling(desk=desk, hasher=hasher, link=link, secret=token_urlsafe(32))
    serving, origin = Serving.start(made.app)
    try:
        url = f"{origin}/e/{link}"
        say(f"The page is {url}")
        browser.open_link(url)
        made.over.wait(seconds)
    finally:
        serving.stop()
    return made.enrolled


@dataclass(kw_only=True)
class _Enrolling:
    """One enrolment: prove who you are, make the key, done."""

    desk: Desk
    hasher: PinHasher
    link: str
    secret: str
    origin: str = ""
    proved: bool = False
    enrolled: bool = False
    tickets: posts.Tickets = field(default_factory=posts.Tickets)
    over: Event = field(default_factory=Event)

    def app(self, origin: str) -> ASGIApp:
        """The application for `origin`."""
        self.origin = origin
        return web_app("/e/{link}", self.answer, origin=origin)

    def answer(self, method: str, link: str, body: bytes, nonce: str) -> Response:
        """The page, or what became of a form that was sent from it."""
        if link != self.link:
            return Response(status_code=404)
        error = ""
        try:
            if method == "POST":
                error = self._sent(posts.read(body))
            return self._page(nonce, error)
        except RulezeroError as failed:
            return page("failed.html", status=500, nonce=nonce, error=str(failed))

    def _sent(self, sent: posts.Sent) -> str:
        """Take a form; what is wrong with it, in words."""
        if self.over.is_set():
            return ""
        if not self.tickets.take(self.link, sent.one("ticket")):
            return "This form was sent before, or it is an old one. Nothing was changed by it."
        if sent.one("do") == "stop":
            self.over.set()
            return ""
        try:
            self._step(sent)
        except GateError as error:
            return str(error)
        return ""

    def _step(self, sent: posts.Sent) -> None:
        if not self._must_prove():
            self._make(sent)
        elif sent.one("passkey"):
            self._prove_by_passkey(sent.one("passkey"))
        else:
            enrolment.check_pin(self.desk, self.hasher, sent.one("pin"))
        self.proved = True

    def _must_prove(self) -> bool:
        return not self.proved and enrolment.enrolled(self.desk) is not None

    def _prove_by_passkey(self, answer: str) -> None:
        keys = self.desk.store.passkeys(self.desk.person)
        used = passkeys.signed_by(keys, answer, text=self._to_sign(), origin=self.origin)
        enrolment.prove_by_passkey(self.desk, self._challenge(), used)

    def _make(self, sent: posts.Sent) -> None:
        if not sent.one("passkey"):
            raise NotEnrolled(person=self.desk.person, what="passkey")
        passkey = passkeys.made(
            sent.one("passkey"),
            text=self.secret,
            origin=self.origin,
            person=self.desk.person,
            name=sent.one("name"),
            now=self.desk.clock.now(),
        )
        enrolment.enroll_passkey(self.desk, passkey)
        self.enrolled = True
        self.over.set()

    def _challenge(self) -> Challenge:
        """What an older passkey signs here: no plan has a digest like this."""
        now = self.desk.clock.now()
        return Challenge(
            nonce=self.secret,
            plan_digest=_DATABASE,
            principal=self.desk.person,
            person=self.desk.person,
            channel="approval page",
            needs="passkey",
            created=now,
            expires=now + timedelta(minutes=5),
        )

    def _to_sign(self) -> str:
        return enrolment.passkey_challenge(self._challenge(), _DATABASE)

    def _page(self, nonce: str, error: str) -> Response:
        keys = self.desk.store.passkeys(self.desk.person)
        step = "prove" if self._must_prove() else "make"
        options = ""
        if self.over.is_set():
            step = "done" if self.enrolled else "stopped"
        elif step == "make":
            options = passkeys.offer(self.desk.person, keys, self.secret)
        elif keys:
            options = passkeys.ask_for(keys, self._to_sign())
        return page(
            "enroll.html",
            status=422 if error else 200,
            nonce=nonce,
            person=self.desk.person,
            step=step,
            pin=self.desk.store.pin(self.desk.person) is not None,
            options=options,
            keys=keys,
            ticket=self.tickets.issue(self.link),
            error=error,
        )
