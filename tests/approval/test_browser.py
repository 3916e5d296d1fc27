"""The page in a real Chromium, as a person uses it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from rulezero_policies.plan import Plan
from rulezero_server.approval import enroll_page
from rulezero_tools.ports import Desk

Tab = Callable[..., Page]

CONTRAST = """() => {
  const channel = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const found = parse(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || e.closest("svg") || !e.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([e.textContent.trim().slice(0, 40), ratio]);
  }
  return poor;
}"""

OUTSIDE = """[...document.querySelectorAll("main *:not(pre *):not(svg *)")]
  .filter((e) => e.getBoundingClientRect().right > 321).length"""

UNNAMED = """[...document.querySelectorAll("input:not([type=hidden])")]
  .filter((i) => !i.labels.length).length"""


@pytest.fixture
def keys(tab: Page) -> Callable[..., None]:
    """A virtual authenticator for the tab; `keys(verified=False)` makes it verify nobody."""
    session: Any = tab.context.new_cdp_session(tab)
    session.send("WebAuthn.enable")

    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def change(*, verified: bool) -> None:
        state = {"authenticatorId": made["authenticatorId"], "isUserVerified": verified}
        session.send("WebAuthn.setUserVerified", state)

    return change


@pytest.fixture
def enrolling(desk: Desk, hasher: Any) -> Callable[[], tuple[str, "Future[bool]"]]:
    """`enrolling()`: the address of the page that makes a passkey, and what will come of it."""

    def start() -> tuple[str, "Future[bool]"]:
        said: Future[str] = Future()
        pool = ThreadPoolExecutor(1)
        made = pool.submit(enroll_page, desk, hasher, say=said.set_result, seconds=30)
        pool.shutdown(wait=False)
        return said.result(20).removeprefix("The page is "), made

    return start


@pytest.mark.proves("C02", "D04")
def test_the_pin_and_the_typed_words_approve_by_keyboard_alone(
    counter: Any, critical: Plan, tab: Page, pin: str
) -> None:
    tab.goto(counter.url(critical))
    expect(tab).to_have_title("CRITICAL: Apply this migration? production")
    for _ in range(40):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.id") == "typed":
            break
    style = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"
    tab.keyboard.type("tasks 1204")
    tab.keyboard.press("Tab")
    tab.keyboard.type(pin)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Approved")).to_be_visible()
    assert (counter.answer().answer, counter.answer().level) == ("approved", "secret")
    tab.reload()
    expect(tab.get_by_role("heading", name="Approved")).to_be_visible()


@pytest.mark.proves("D04")
def test_a_passkey_is_made_after_the_pin_and_approves(
    counter: Any,
    critical: Plan,
    tab: Page,
    keys: Callable[..., None],
    enrolling: Callable[[], tuple[str, "Future[bool]"]],
    pin: str,
) -> None:
    url, made = enrolling()
    tab.goto(url)
    tab.fill("#pin", "wrong one")
    tab.click("#by-pin")
    expect(tab.locator("#error")).to_contain_text("That is not the PIN")
    tab.fill("#pin", pin)
    tab.click("#by-pin")
    tab.get_by_label("What to call it").fill("laptop")
    tab.click("#by-passkey")
    expect(tab.get_by_role("heading", name="The passkey is enrolled")).to_be_visible()
    assert made.result(20) is True
    (kept,) = counter.desk.store.passkeys("ann@box")
    assert kept.name == "laptop"

    tab.goto(counter.url(critical, needs="passkey"))
    assert tab.locator("#pin").count() == 0
    tab.fill("#typed", "tasks 1204")
    tab.click("#by-passkey")
    expect(tab.get_by_role("heading", name="Approved")).to_be_visible()
    assert (counter.answer().answer, counter.answer().level) == ("approved", "passkey")
    (used,) = counter.desk.store.passkeys("ann@box")
    assert used.sign_count > kept.sign_count


@pytest.mark.proves("C03", "D04")
def test_a_passkey_that_does_not_verify_its_person_approves_nothing(
    bare: Any,
    critical: Plan,
    tab: Page,
    keys: Callable[..., None],
    enrolling: Callable[[], tuple[str, "Future[bool]"]],
) -> None:
    url, made = enrolling()
    tab.goto(url)
    tab.click("#by-passkey")
    assert made.result(20) is True
    keys(verified=False)
    tab.goto(bare.url(critical, needs="passkey"))
    tab.click("#by-passkey")
    assert tab.locator("#passkey-message").text_content() == ""  # the words are missing
    tab.fill("#typed", "tasks 1204")
    tab.click("#by-passkey")
    expect(tab.locator("#passkey-message")).to_contain_text("The passkey was not used")
    assert bare.answer().answer is None
    keys(verified=True)
    tab.click("#by-passkey")
    expect(tab.get_by_role("heading", name="Approved")).to_be_visible()


def test_an_older_passkey_lets_its_person_make_another_or_cancel(
    bare: Any,
    tab: Page,
    keys: Callable[..., None],
    enrolling: Callable[[], tuple[str, "Future[bool]"]],
) -> None:
    url, made = enrolling()
    tab.goto(url)
    tab.click("#by-passkey")
    assert made.result(20) is True
    url, made = enrolling()
    tab.goto(url)
    expect(tab.get_by_text("First show that it is you")).to_be_visible()
    tab.click("#by-passkey")
    expect(tab.get_by_label("What to call it")).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_role("heading", name="No passkey was made")).to_be_visible()
    assert made.result(20) is False


def test_declining_takes_one_click(counter: Any, critical: Plan, tab: Page) -> None:
    tab.goto(counter.url(critical))
    tab.get_by_role("button", name="Decline").click()
    expect(tab.get_by_role("heading", name="Declined")).to_be_visible()
    assert counter.answer().answer == "declined"


def test_a_question_that_ran_out_while_it_was_read_is_not_answered(
    counter: Any, safe: Plan, tab: Page, pin: str
) -> None:
    tab.goto(counter.url(safe))
    expect(tab.locator("#left")).to_contain_text(" s left")
    counter.clock.forward(minutes=10)
    tab.fill("#pin", pin)
    with tab.expect_navigation():
        tab.evaluate("document.getElementById('approve').requestSubmit()")
    expect(tab.get_by_role("heading", name="Expired")).to_be_visible()
    assert counter.answer().answer is None


@pytest.mark.proves("D04")
def test_a_wrong_pin_is_told_how_many_are_left_until_it_locks(
    counter: Any, generating: Plan, tab: Page
) -> None:
    tab.goto(counter.url(generating))
    for left in (4, 3, 2, 1):
        for box in tab.get_by_role("checkbox").all():
            box.check()
        tab.fill("#pin", "wrong one")
        tab.click("#by-pin")
        expect(tab.locator("#error")).to_contain_text(f"{left} more before it locks")
        expect(tab.locator("#pin")).to_be_focused()
        assert tab.input_value("#pin") == ""
        assert all(box.is_checked() for box in tab.get_by_role("checkbox").all())
    tab.fill("#pin", "wrong one")
    tab.click("#by-pin")
    expect(tab.get_by_role("heading", name="The PIN is locked")).to_be_visible()
    assert tab.locator("#pin").count() == 0
    tab.get_by_role("button", name="Decline").click()
    expect(tab.get_by_role("heading", name="Declined")).to_be_visible()


def test_what_is_missing_is_asked_for_and_what_was_typed_stays(
    counter: Any, critical: Plan, tab: Page, pin: str
) -> None:
    tab.goto(counter.url(critical))
    tab.fill("#typed", "tasks 12")
    tab.fill("#pin", pin)
    tab.click("#by-pin")
    expect(tab.locator("#error")).to_contain_text("'tasks 1204'")
    expect(tab.locator("#typed")).to_be_focused()
    assert (tab.input_value("#typed"), tab.input_value("#pin")) == ("tasks 12", "")


def test_it_works_without_scripts(counter: Any, safe: Plan, open_tab: Tab, pin: str) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.goto(counter.url(safe))
    expect(tab.locator("#left")).to_have_text("10 min 00 s from when this page was loaded")
    tab.fill("#pin", pin)
    tab.click("#by-pin")
    expect(tab.get_by_role("heading", name="Approved")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_both_colour_schemes(
    counter: Any, critical: Plan, open_tab: Tab, soft_passkey: Any, scheme: Any
) -> None:
    tab = open_tab(color_scheme=scheme)
    tab.goto(counter.url(critical))
    tab.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert tab.evaluate(CONTRAST) == []
    page = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (page == "rgb(20, 21, 24)") is (scheme == "dark")


def test_a_narrow_window_needs_no_scrolling_sideways(
    counter: Any, critical: Plan, open_tab: Tab
) -> None:
    tab = open_tab(viewport={"width": 320, "height": 640})
    long = "a_table_with_a_name_that_is_far_too_long_to_fit_into_any_narrow_window_at_all"
    plan = replace(critical, path=f"migrations/versions/{long}.py", description=long * 3)
    tab.goto(counter.url(plan, principal=long))
    assert tab.evaluate("document.documentElement.scrollWidth") == 320
    assert tab.evaluate(OUTSIDE) == 0


def test_every_field_and_picture_has_a_name_for_those_who_do_not_see_it(
    counter: Any, critical: Plan, tab: Page
) -> None:
    tab.goto(counter.url(critical))
    assert tab.evaluate(UNNAMED) == 0
    assert tab.get_by_role("img").count() == 4
    labels = [image.get_attribute("aria-label") for image in tab.get_by_role("img").all()]
    assert labels[0] is not None
    assert "code VARCHAR(20) (dropped)" in labels[0]
    assert labels[2] == "Before: not there yet"
    assert tab.locator("h1").count() == 1


@pytest.fixture
def other_page() -> Iterator[Callable[[str], str]]:
    """`other_page(html)`: the address of a page of somebody else on this machine."""
    content: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content[0].encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def serve(html: str) -> str:
        content.append(html)
        return f"http://localhost:{server.server_port}/"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.proves("C03")
def test_a_frame_in_another_page_stays_empty(
    counter: Any, safe: Plan, chromium: Browser, other_page: Callable[[str], str]
) -> None:
    url: str = counter.url(safe)
    context = chromium.new_context()
    page = context.new_page()
    with page.expect_response(url, timeout=10_000) as framed:
        page.goto(other_page(f"<iframe src='{url}'></iframe>"))
    assert framed.value.status == 403
    context.close()
    assert counter.answer().shown is None


@pytest.mark.proves("C03")
def test_a_form_in_another_page_that_sends_itself_approves_nothing(
    counter: Any,
    safe: Plan,
    chromium: Browser,
    other_page: Callable[[str], str],
    ticket: Callable[[str], str],
    pin: str,
) -> None:
    url: str = counter.url(safe)
    fields = {"ticket": ticket(url), "do": "approve", "pin": pin}
    inputs = "".join(f"<input name='{k}' value='{v}'>" for k, v in fields.items())
    script = "<script>document.forms[0].submit()</script>"
    form = f"<form method='post' action='{url}'>{inputs}</form>{script}"
    context = chromium.new_context()
    page = context.new_page()
    with page.expect_response(url, timeout=10_000) as sent:
        page.goto(other_page(form))
    assert sent.value.status == 403
    context.close()
    assert counter.answer().answer is None
