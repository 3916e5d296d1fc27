"""What stops other pages in the person's browser, before anything of ours looks at a request.

Nothing here stops a program on this machine: the PIN or the passkey does.
"""

from collections.abc import Iterable
from secrets import token_urlsafe

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 64 * 1024
"""Bytes of a form; an answer with a passkey takes some 2 KB."""

FORM = "application/x-www-form-urlencoded"

_FIXED = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With `no-referrer` a browser sends `Origin: null` with our own forms, and we could not tell.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}

_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Guard:
    """Lets through what the person's own browser asks of this very page, and nothing else.

    Every response carries the headers that keep it out of frames, caches and other origins. The
    nonce of its style and script is `request.state.nonce`.
    """

    def __init__(self, app: ASGIApp, *, origin: str) -> None:
        """Guard `app`, which is served at `origin` (`http://localhost:PORT`)."""
        self._app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        nonce = token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        status = refusal(scope, self._origin)
        body = b"" if status else await _body(receive)
        if body is None:
            status = 413
        sending = _with_headers(send, nonce)
        if status:
            await _empty(sending, status)
        else:
            await self._app(scope, _replayed(body or b""), sending)


def refusal(scope: Scope, origin: str) -> int | None:
    """The status that refuses a request, or None.

    Args:
        scope: The request as ASGI has it.
        origin: Where this is served.
    """
    sent = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
    if _values(sent, "host") != [origin.removeprefix("http://")]:
        return 421  # DNS rebinding: another name that leads here
    if scope["method"] not in {"GET", "POST"}:
        return 405
    if not set(_values(sent, "sec-fetch-site")) <= _SITES[scope["method"]]:
        return 403
    # Never a frame, an image or a script of some page.
    if not set(_values(sent, "sec-fetch-dest")) <= {"document"}:
        return 403
    if scope["method"] == "POST":
        return _refused_post(sent, origin)
    return None


_SITES = {"GET": {"same-origin", "none"}, "POST": {"same-origin"}}
"""Where a request may come from; "none" is the person: a link opened from outside the browser.

Another port of localhost is "same-site", and may be a page that the assistant wrote.
"""


def _refused_post(sent: list[tuple[str, str]], origin: str) -> int | None:
    if _values(sent, "origin") != [origin]:
        return 403
    kinds = {value.partition(";")[0].strip().lower() for value in _values(sent, "content-type")}
    return None if kinds == {FORM} else 415


def _values(sent: Iterable[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in sent if key.lower() == name]


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None if it is too long."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LONGEST_BODY:
            return None
        if not message.get("more_body", False):
            return body


def _replayed(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _with_headers(send: Send, nonce: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_FIXED)
            headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
        await send(message)

    return sending


async def _empty(send: Send, status: int) -> None:
    """A refusal says nothing: not even that there is something."""
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
