"""Other pages, other programs, other names for this address: none of them gets an answer in."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from rulezero_policies.plan import Plan
from rulezero_tools import enrolment

Send = Callable[..., Any]
Ticket = Callable[[str], str]

pytestmark = pytest.mark.proves("C03", "D04")


def unanswered(counter: Any) -> bool:
    kept = counter.answer()
    return (kept.answer, kept.level, kept.approver) == (None, None, None)


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1:{port}", "localhost", "localhost:{port}.evil"]
)
def test_dns_rebinding_another_name_for_this_address_is_refused(
    counter: Any, safe: Plan, http: Send, post: Send, ticket: Ticket, pin: str, host: str
) -> None:
    url: str = counter.url(safe)
    held = ticket(url)
    shown = counter.answer().shown
    named = {"Host": host.format(port=urlsplit(url).port)}
    assert (http(url, headers=named).status, http(url, headers=named).text) == (421, "")
    fields = {"ticket": held, "do": "approve", "pin": pin}
    assert post(url, fields, headers=named).status == 421
    assert unanswered(counter)
    assert counter.answer().shown == shown


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:{port}"]
)
def test_a_form_of_another_page_is_refused(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str, origin: str
) -> None:
    url: str = counter.url(safe)
    fields = {"ticket": ticket(url), "do": "approve", "pin": pin}
    named = {"Origin": origin.format(port=urlsplit(url).port)}
    assert post(url, fields, headers=named).status == 403
    assert unanswered(counter)


def test_a_form_without_an_origin_is_refused(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    fields = {"ticket": ticket(url), "do": "approve", "pin": pin}
    assert post(url, fields, without=("Origin",)).status == 403
    assert unanswered(counter)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "cross-site, same-origin"])
def test_a_request_that_another_page_started_is_refused(
    counter: Any, safe: Plan, http: Send, post: Send, ticket: Ticket, pin: str, site: str
) -> None:
    url = counter.url(safe)
    started = {"Sec-Fetch-Site": site}
    assert http(url, headers=started).status == 403
    assert counter.answer().shown is None
    fields = {"ticket": ticket(url), "do": "approve", "pin": pin}
    assert post(url, fields, headers=started).status == 403
    assert unanswered(counter)


@pytest.mark.parametrize("place", ["iframe", "embed", "object", "image", "empty"])
def test_the_page_is_nothing_but_a_page(counter: Any, safe: Plan, http: Send, place: str) -> None:
    url = counter.url(safe)
    assert http(url, headers={"Sec-Fetch-Dest": place}).status == 403
    assert counter.answer().shown is None


def test_every_response_keeps_out_of_frames_caches_and_other_origins(
    counter: Any, safe: Plan, http: Send, post: Send
) -> None:
    url = counter.url(safe)
    replies = [http(url), http(f"{url}x"), http(url, method="PUT"), post(url, {})]
    assert [r.status for r in replies] == [200, 404, 405, 409]
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'nonce-")
        assert "unsafe" not in policy
        for part in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert part in policy
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        assert reply.headers["referrer-policy"] == "same-origin"
        assert not {"server", "set-cookie", "access-control-allow-origin"} & reply.headers.keys()
    nonces = {r.headers["content-security-policy"] for r in replies}
    assert len(nonces) == len(replies)


def test_a_form_that_was_sent_does_nothing_when_it_is_sent_again(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    held = ticket(url)
    wrong = {"ticket": held, "do": "approve", "pin": "wrong one"}
    assert post(url, wrong).status == 422
    assert post(url, {**wrong, "pin": pin}).status == 409
    assert unanswered(counter)
    kept = counter.desk.store.pin("ann@box")
    assert kept.failures == 1


@pytest.mark.parametrize("forged", ["", "x" * 43, "\udcff"])
def test_a_form_with_an_invented_ticket_does_nothing(
    counter: Any, safe: Plan, post: Send, pin: str, forged: str
) -> None:
    url = counter.url(safe)
    fields = {"ticket": forged.encode("utf-8", "replace"), "do": "approve", "pin": pin}
    assert post(url, fields).status == 409
    assert unanswered(counter)


def test_the_ticket_of_another_question_does_nothing(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    other, url = counter.url(replace(safe, description="other")), counter.url(safe)
    assert post(url, {"ticket": ticket(other), "do": "approve", "pin": pin}).status == 409
    assert unanswered(counter)


def test_only_the_newest_renderings_of_a_page_can_be_answered(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    first = ticket(url)
    for _ in range(32):
        ticket(url)
    assert post(url, {"ticket": first, "do": "approve", "pin": pin}).status == 409


@pytest.mark.parametrize("path", ["/", "/q/", "/q/nonce-1", "/q/../q/x", "/favicon.ico", "/docs"])
def test_a_guessed_address_answers_with_nothing(
    counter: Any, safe: Plan, http: Send, path: str
) -> None:
    url = counter.url(safe)
    reply = http(url[: url.index("/q/")] + path)
    assert (reply.status, reply.text) == (404, "")


@pytest.mark.parametrize(
    "more", [{"channel": "form elicitation"}, {"person": "bob@box"}], ids=["form", "other person"]
)
def test_a_question_that_is_not_for_this_person_on_this_page_has_none(
    counter: Any, safe: Plan, http: Send, more: dict[str, Any]
) -> None:
    assert http(counter.url(safe, **more)).status == 404


def test_a_link_without_the_pin_approves_nothing(
    counter: Any, safe: Plan, post: Send, ticket: Ticket
) -> None:
    url = counter.url(safe)
    for fields in ({}, {"pin": ""}, {"pin": ["a", "b"]}, {"passkey": "{}"}, {"passkey": "true"}):
        reply = post(url, {"ticket": ticket(url), "do": "approve", **fields})
        assert reply.status == 422
    assert unanswered(counter)


def test_guessing_the_pin_locks_it_for_the_right_one_too(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    guesses = [f"guess {n}" for n in range(8)]
    for guess in (*guesses, pin):
        post(url, {"ticket": ticket(url), "do": "approve", "pin": guess})
    assert unanswered(counter)
    assert counter.desk.store.pin("ann@box").failures == 5


def test_the_right_pin_is_not_even_tried_where_a_passkey_is_needed(
    counter: Any, critical: Plan, post: Send, ticket: Ticket, pin: str, soft_passkey: Any
) -> None:
    url = counter.url(critical, needs="passkey")
    fields = {"do": "approve", "pin": "wrong one", "typed": "tasks 1204"}
    assert post(url, {**fields, "ticket": ticket(url), "pin": pin}).status == 422
    assert post(url, {**fields, "ticket": ticket(url)}).status == 422
    assert unanswered(counter)
    assert counter.desk.store.pin("ann@box").failures == 0


def test_a_passkeys_signature_is_good_for_its_question_alone(
    counter: Any, critical: Plan, post: Send, ticket: Ticket, soft_key: Any, soft_passkey: Any
) -> None:
    first = counter.ask(critical, needs="passkey")
    origin = counter.page.url(first).partition("/q/")[0]
    text = enrolment.passkey_challenge(first, critical.database.label)
    signed = soft_key.sign(text, origin=origin)
    url = counter.url(replace(critical, description="another"), needs="passkey")
    fields = {"do": "approve", "typed": "tasks 1204", "passkey": signed}
    assert post(url, {**fields, "ticket": ticket(url)}).status == 422
    assert unanswered(counter)


@pytest.mark.parametrize("lie", [{"verified": False}, {"origin": "http://localhost:1"}])
def test_a_passkey_without_the_person_or_from_another_page_approves_nothing(
    counter: Any,
    critical: Plan,
    post: Send,
    ticket: Ticket,
    soft_key: Any,
    soft_passkey: Any,
    lie: dict[str, Any],
) -> None:
    challenge = counter.ask(critical, needs="passkey")
    url = counter.page.url(challenge)
    text = enrolment.passkey_challenge(challenge, critical.database.label)
    signed = soft_key.sign(text, **{"origin": url.partition("/q/")[0], **lie})
    fields = {"do": "approve", "typed": "tasks 1204", "passkey": signed}
    reply = post(url, {**fields, "ticket": ticket(url)})
    assert (reply.status, unanswered(counter)) == (422, True)


def test_a_copied_passkey_is_noticed_by_its_counter(
    counter: Any, critical: Plan, post: Send, ticket: Ticket, soft_key: Any, soft_passkey: Any
) -> None:
    counter.desk.store.save_passkey(replace(soft_passkey, sign_count=7))
    challenge = counter.ask(critical, needs="passkey")
    url = counter.page.url(challenge)
    text = enrolment.passkey_challenge(challenge, critical.database.label)
    signed = soft_key.sign(text, origin=url.partition("/q/")[0])
    fields = {"do": "approve", "typed": "tasks 1204", "passkey": signed}
    reply = post(url, {**fields, "ticket": ticket(url)})
    assert "it may have been copied" in reply.text
    assert unanswered(counter)


def test_a_body_that_is_too_long_is_not_read(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    fields = {"ticket": ticket(url), "do": "approve", "pin": pin, "more": "x" * 65_536}
    assert post(url, fields).status == 413
    many = {f"f{n}": "x" for n in range(40)}
    assert post(url, {**many, "ticket": ticket(url), "do": "approve", "pin": pin}).status == 409
    assert unanswered(counter)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_no_other_method_does_anything(counter: Any, safe: Plan, http: Send, method: str) -> None:
    reply = http(counter.url(safe), method=method)
    assert (reply.status, reply.text) == (405, "")
    assert counter.answer().shown is None


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data"])
def test_only_a_plain_form_is_read(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str, kind: str
) -> None:
    url = counter.url(safe)
    fields = {"ticket": ticket(url), "do": "approve", "pin": pin}
    assert post(url, fields, headers={"Content-Type": kind}).status == 415
    assert unanswered(counter)


def test_both_loopback_addresses_are_ours_and_no_other(
    counter: Any, safe: Plan, http: Send
) -> None:
    url: str = counter.url(safe)
    port = urlsplit(url).port
    assert http(url, address="127.0.0.1").status == 200
    own = socket.gethostbyname(socket.gethostname())
    if not own.startswith("127."):
        with pytest.raises(OSError, match=r".+"):
            socket.create_connection((own, port), timeout=2)
    if not _has_six():
        pytest.skip("this machine has no ::1")
    assert http(url, address="::1").status == 200
    with socket.socket(socket.AF_INET6) as stranger, pytest.raises(OSError, match=r".+"):
        stranger.bind(("::1", port))


def _has_six() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as found:
            found.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_answers_that_race_are_one_answer(
    counter: Any, safe: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    forms = [{"ticket": ticket(url), "do": "approve", "pin": pin} for _ in range(8)]
    forms[3]["do"] = forms[6]["do"] = "decline"
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(partial(post, url), forms))
    done = [form["do"] for form, reply in zip(forms, replies, strict=True) if reply.status == 303]
    assert len(done) == 1
    said = {"approve": "approved", "decline": "declined"}[done[0]]
    assert counter.answer().answer == said
