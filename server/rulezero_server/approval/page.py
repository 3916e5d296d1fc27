"""The approval page: one question, all that would run, and the person's answer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from rulezero_policies import choices
from rulezero_policies.errors import AnswerRefused, GateError, PasskeyRefused, RulezeroError
from rulezero_policies.grant import Challenge, Proof
from rulezero_policies.plan import plan_id_of
from rulezero_policies.policy import confirmations
from rulezero_server.approval import browser, passkeys, posts, view
from rulezero_server.approval.headers import Guard
from rulezero_server.approval.rendering import page
from rulezero_server.approval.serving import Serving
from rulezero_tools import answering, enrolment
from rulezero_tools.answering import Waiting
from rulezero_tools.ports import Desk, PinHasher

_log = logging.getLogger("rulezero.page")


class ApprovalPage:
    """The page of this process: served on loopback from the first question on.

    A link names one question and lives in this process's memory. It approves nothing: whoever has
    it can read the plan and decline it, and needs the PIN or a passkey for a yes.
    """

    def __init__(self, desk_of: Callable[[], Desk], hasher: PinHasher) -> None:
        """Nothing is served yet.

        Args:
            desk_of: Where the person answers, asked for with every request.
            hasher: What the PINs were hashed with.
        """
        self._desk_of = desk_of
        self._hasher = hasher
        self._lock = Lock()
        self._serving: tuple[Serving, str] | None = None
        self._links: dict[str, str] = {}

    def url(self, challenge: Challenge) -> str:
        """The address of the page for this question; for one question always the same.

        Raises:
            OSError: There is no free port on loopback.
        """
        with self._lock:
            if self._serving is None:
                self._serving = Serving.start(self._app)
            link = next((k for k, v in self._links.items() if v == challenge.nonce), None)
            if link is None:
                link = token_urlsafe(32)
                self._links[link] = challenge.nonce
            return f"{self._serving[1]}/q/{link}"

    def open(self, challenge: Challenge) -> bool:
        """Show the page in the person's own browser; whether there was one to show it."""
        return browser.open_link(self.url(challenge))

    def stop(self) -> None:
        """Serve no longer; without it the server ends with the process."""
        with self._lock:
            serving, self._serving = self._serving, None
            self._links.clear()
        if serving is not None:
            serving[0].stop()

    def _app(self, origin: str) -> ASGIApp:
        endpoint = _Questions(
            desk_of=self._desk_of,
            hasher=self._hasher,
            nonce_of=self._links.get,
            tickets=posts.Tickets(),
            origin=origin,
        )
        return web_app("/q/{link}", endpoint.answer, origin=origin)


def web_app(
    path: str, answer: Callable[[str, str, bytes, str], Response], *, origin: str
) -> ASGIApp:
    """A guarded application with one address.

    Args:
        path: The address, with its `{link}`.
        answer: Called on a thread with the method, the link, the body and the nonce for styles.
        origin: Where it is served.
    """

    async def endpoint(request: Request) -> Response:
        body, link = await request.body(), str(request.path_params["link"])
        nonce = str(request.state.nonce)
        return await run_in_threadpool(answer, request.method, link, body, nonce)

    async def nothing(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
        return Response(status_code=404)

    async def failed(request: Request, error: Exception) -> Response:
        _log.error("the page failed: %s", type(error).__name__)
        sentence = "Something in rulezero failed. Nothing was changed."
        return page("failed.html", status=500, nonce=request.state.nonce, error=sentence)

    route = Route(path, endpoint, methods=["GET", "POST"])
    handlers = {404: nothing, 405: nothing, Exception: failed}
    app = Starlette(routes=[route], exception_handlers=handlers)
    return Guard(app, origin=origin)


@dataclass(frozen=True, kw_only=True)
class _Questions:
    """The questions that have a link, as they are asked for over HTTP."""

    desk_of: Callable[[], Desk]
    hasher: PinHasher
    nonce_of: Callable[[str], str | None]
    tickets: posts.Tickets
    origin: str

    def answer(self, method: str, link: str, body: bytes, nonce: str) -> Response:
        """The page, or what became of a form that was sent from it."""
        shown = _Shown(link=link, nonce=nonce)
        try:
            desk = self.desk_of()
            asked = _asked(desk, self.nonce_of(link))
            if asked is None:
                return Response(status_code=404)
            if method == "POST":
                return self._sent(desk, asked, posts.read(body), shown)
            if view.state(asked.challenge, desk.clock.now()) == "open":
                answering.shown(desk, asked)
            return self._page(desk, asked, shown)
        except RulezeroError as error:
            return page("failed.html", status=500, nonce=nonce, error=str(error))

    def _sent(self, desk: Desk, asked: Waiting, sent: posts.Sent, shown: "_Shown") -> Response:
        if not self.tickets.take(shown.link, sent.one("ticket")):
            again = "This form was sent before, or it is an old one. Nothing was changed by it."
            return self._page(desk, asked, shown.with_error(again, sent, status=409))
        if view.state(asked.challenge, desk.clock.now()) != "open":
            return self._page(desk, asked, shown.with_error("", sent, status=409))
        try:
            self._take(desk, asked, sent)
        except GateError as error:
            fresh = _asked(desk, asked.challenge.nonce) or asked
            return self._page(desk, fresh, shown.with_error(_in_words(error), sent, of=error))
        return RedirectResponse(f"/q/{shown.link}", status_code=303)

    def _take(self, desk: Desk, asked: Waiting, sent: posts.Sent) -> None:
        """Take the answer.

        Raises:
            GateError: It is none, or does not approve.
        """
        match sent.one("do"):
            case "decline":
                answering.decline(desk, asked, channel="approval page")
            case "approve":
                proof = self._proof(desk, asked, sent)
                ticked = frozenset(confirmations(asked.plan)).intersection(sent.all("tick"))
                answering.approve(
                    desk,
                    asked,
                    proof,
                    typed=sent.one("typed"),
                    ticked=ticked,
                    decided=_decided(asked, sent),
                )
            case _:
                reason = "it says neither yes nor no"
                raise AnswerRefused(plan_id=asked.plan.plan_id, reason=reason)

    def _proof(self, desk: Desk, asked: Waiting, sent: posts.Sent) -> Proof:
        challenge, keys = asked.challenge, desk.store.passkeys(desk.person)
        answer = sent.one("passkey")
        if answer:
            text = enrolment.passkey_challenge(challenge, asked.plan.database.label)
            used = passkeys.signed_by(keys, answer, text=text, origin=self.origin)
            return enrolment.prove_by_passkey(desk, challenge, used)
        if challenge.needs == "passkey":
            raise PasskeyRefused(reason="none was used, and this plan needs one")
        return enrolment.prove_by_pin(
            desk, self.hasher, challenge, sent.one("pin"), channel="approval page"
        )

    def _page(self, desk: Desk, asked: Waiting, shown: "_Shown") -> Response:
        common = {"nonce": shown.nonce, "plan": asked.plan, "challenge": asked.challenge}
        stands = view.state(asked.challenge, desk.clock.now())
        if stands != "open":
            return page("closed.html", status=shown.status, state=stands, **common)
        can = view.ways(desk, asked.challenge)
        text = enrolment.passkey_challenge(asked.challenge, asked.plan.database.label)
        return page(
            "question.html",
            status=shown.status,
            view=view.view(desk, asked),
            ways=can,
            options=passkeys.ask_for(can.passkeys, text) if can.passkeys else "",
            ticket=self.tickets.issue(shown.link),
            error=shown.error,
            about=shown.about,
            kept=shown.kept,
            **common,
        )


_NOTHING = posts.Sent(fields={})


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """One rendering: for which link, and what of the form just sent is shown again."""

    link: str
    nonce: str
    status: int = 200
    error: str = ""
    about: str = ""
    kept: posts.Sent = _NOTHING

    def with_error(
        self, text: str, sent: posts.Sent, *, of: GateError | None = None, status: int = 422
    ) -> "_Shown":
        """The same with a message; the template shows again what was typed and ticked."""
        return _Shown(
            link=self.link,
            nonce=self.nonce,
            status=status,
            error=text,
            about=_about(of),
            kept=sent,
        )


def _decided(asked: Waiting, sent: posts.Sent) -> dict[str, bool]:
    """What was said of each rename; what was neither yes nor no is not in it."""
    said = {key: sent.one(key) for key in choices.keyed(asked.plan.renames)}
    return {key: answer == "yes" for key, answer in said.items() if answer in {"yes", "no"}}


def _in_words(error: GateError) -> str:
    """The refusal as the page says it: the plan's name is no news there."""
    if isinstance(error, AnswerRefused):
        return f"Not approved: {error.facts.get('reason')}. Nothing was changed."
    return str(error)


def _about(error: GateError | None) -> str:
    """The field that a refusal is about."""
    match error:
        case None:
            return ""
        case AnswerRefused():
            reason = str(error.facts.get("reason"))
            named = {"typed": "typed", "rename": "rename"}
            return next((field for word, field in named.items() if word in reason), "tick")
        case PasskeyRefused():
            return "passkey"
        case _:
            return "pin"


def _asked(desk: Desk, nonce: str | None) -> Waiting | None:
    """The question of this person that is to be answered here, with its plan as it was stored."""
    challenge = desk.store.challenge(nonce) if nonce else None
    if challenge is None or challenge.channel != "approval page":
        return None
    plan = desk.store.plan(plan_id_of(challenge.plan_digest))
    if challenge.person != desk.person or plan is None or plan.digest != challenge.plan_digest:
        return None
    return Waiting(plan=plan, challenge=challenge)
