"""A smoke test of a service that runs already: one request, which changes nothing."""

import ipaddress
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from rulezero_policies.parity.values import SmokeRule
from rulezero_tools.parity.smoke import Outcome, SmokeResult

MOST_BYTES = 1_000_000
"""Of an answer, in which a text is looked for."""

_HARMLESS = frozenset({"GET", "HEAD"})


def asked(rule: SmokeRule, hosts: Sequence[str]) -> SmokeResult:
    """Ask the address that a rule names; a redirect is an answer and is not followed.

    Args:
        rule: Of the kind "http".
        hosts: Other hosts than this machine that the person's own policy lets be reached.
    """
    why = _not_asked(rule, hosts)
    if why is not None:
        return _result(rule, "not_run", why)
    try:
        return _answered(rule)
    except (OSError, HTTPException, ValueError) as error:
        return _result(rule, "failed", "no answer", type(error).__name__)


def shown(target: str) -> str:
    """An address without user, password and query."""
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or "?", parts.port
    except ValueError:
        return "?"
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def _not_asked(rule: SmokeRule, hosts: Sequence[str]) -> str | None:
    try:
        parts = urlsplit(rule.target)
        port = parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "it is no address of http or https"
    if rule.method.upper() not in _HARMLESS:
        return f"{rule.method} may change something, and what answers is no shadow"
    named = {parts.hostname, f"{parts.hostname}:{port}"}
    if not _is_here(parts.hostname) and named.isdisjoint(hosts):
        return (
            f"{parts.hostname} is not this machine; "
            f'hosts = ["{parts.hostname}"] under [reading] in your policy.toml allows it'
        )
    return None


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answered(rule: SmokeRule) -> SmokeResult:
    parts = urlsplit(rule.target)
    until = time.monotonic() + rule.seconds
    connection = _connection(parts, rule.seconds)
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.request(rule.method.upper(), path)
        answer = connection.getresponse()
        return _judged(rule, answer.status, _body(answer, until))
    finally:
        connection.close()


def _connection(parts: SplitResult, seconds: float) -> HTTPConnection:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=seconds)


def _body(answer: HTTPResponse, until: float) -> bytes:
    read = b""
    while len(read) < MOST_BYTES:
        part = answer.read1(65_536)
        if not part:
            break
        if time.monotonic() > until:
            raise TimeoutError
        read += part
    return read


def _judged(rule: SmokeRule, status: int, body: bytes) -> SmokeResult:
    right, seen = status == rule.status, f"status {status}"
    if rule.contains is not None:
        holds = rule.contains in body.decode("utf-8", "replace")
        seen += ", holds the text" if holds else ", does not hold the text"
        right = right and holds
    return _result(rule, "passed" if right else "failed", seen)


def _result(rule: SmokeRule, outcome: Outcome, seen: str, error: str | None = None) -> SmokeResult:
    return SmokeResult(
        name=rule.name,
        service=rule.service,
        kind=rule.kind,
        target=shown(rule.target),
        outcome=outcome,
        seen=seen,
        error=error,
    )
