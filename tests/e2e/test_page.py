"""A person who decides on a page of their own, while the client waits or comes back."""

import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from rulezero_server.app import person
from rulezero_server.approval import Argon2Hasher
from rulezero_server.stores import open_store
from rulezero_tools.records import Pin

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A01", "C02", "C03", "D04")]

PIN = "482915"

TELL = """\
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as told:
    told.sendall(sys.argv[2].encode())
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"


@pytest.fixture
def notes(copy_project: Any, to_head: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A protected application at its first revision: the second one waits."""
    monkeypatch.setenv("DATABASE_URL", url)
    folder = copy_project("flask_notes")
    to_head(folder, revision="1a0c7d2e9f31")
    folder.joinpath("rulezero.toml").write_text("[environments.development]\nprotected = true\n")
    return folder


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `confirm` that comes back at once."""
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    folder.joinpath("policy.toml").write_text("[page]\nwait_seconds = 0.01\n")
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(folder))


@pytest.fixture
def enrolled(tmp_path: Path) -> None:
    """The person has a PIN."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    store = open_store(state / "store.sqlite3")
    store.save_pin(Pin(person=person(), hash=Argon2Hasher().hash(PIN)))


@dataclass(frozen=True)
class Browser:
    """The person's browser: it tells the test which link it was opened with."""

    links: MemoryObjectReceiveStream[str]
    command: str


@asynccontextmanager
async def browser(folder: Path) -> AsyncGenerator[Browser]:
    """A browser to set as `$BROWSER`."""
    script = folder / "tell.py"
    script.write_text(TELL, encoding="utf-8")
    send, receive = anyio.create_memory_object_stream[str](10)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
        send,
        receive,
    ):
        port = listener.listeners[0].extra(anyio.abc.SocketAttribute.local_port)
        tasks.start_soon(listener.serve, _hearing(send))
        yield Browser(links=receive, command=f"{sys.executable} {script} {port} %s")
        tasks.cancel_scope.cancel()


def _hearing(send: MemoryObjectSendStream[str]) -> Callable[[SocketStream], Any]:
    async def hear(stream: SocketStream) -> None:
        async with stream:
            await send.send((await stream.receive()).decode())

    return hear


def get(link: str) -> str:
    with urllib.request.urlopen(link) as reply:
        return reply.read().decode()


def post(link: str, **fields: str) -> str:
    """Send the form that the page shows now, filled in."""
    ticket = re.search(r'name="ticket" value="([^"]+)"', get(link))
    assert ticket is not None
    body = urllib.parse.urlencode({"ticket": ticket[1], **fields}).encode()
    origin = link.partition("/q/")[0]
    request = urllib.request.Request(link, body, {"Origin": origin})
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


async def on_page(link: str, **fields: str) -> str:
    return await anyio.to_thread.run_sync(lambda: post(link, **fields))


async def test_a_yes_with_the_pin_reaches_the_client_that_waits(
    notes: Path, talk: Any, url: str, eyes: Any, era: str, enrolled: None, tmp_path: Path
) -> None:
    given: dict[str, Any] = {}
    links: list[str] = []
    async with (
        browser(tmp_path) as opened,
        talk(notes, era, forms=False, BROWSER=opened.command) as host,
    ):
        plan_id = (await host.call("review"))["plan_id"]

        async def confirm() -> None:
            given.update(await host.call("confirm", plan_id=plan_id))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(confirm)
            link = await opened.links.receive()
            links.append(link)
            assert "approved" in (await on_page(link, do="approve", pin=PIN)).lower()
        assert (given["status"], given["approved_through"]) == ("approved", "approval page")
        assert "'secret'" in given["proves"]
        done = await host.call("apply", plan_id=plan_id, token=given["token"])
        assert done["status"] == "applied"
        entries = (await host.call("history"))["entries"]
        assert [e["event"] for e in entries][-5:] == [
            "asked",
            "answered",
            "approved",
            "spent",
            "applied",
        ]
        assert links[0].rpartition("/")[2] not in str(entries)
    assert "events" in str(eyes(url).rows("SELECT name FROM sqlite_master"))


async def test_a_client_that_does_not_wait_gets_the_token_with_its_next_call(
    notes: Path, talk: Any, enrolled: None, impatient: None, tmp_path: Path, era: str
) -> None:
    async with (
        browser(tmp_path) as opened,
        talk(notes, era, forms=False, BROWSER=opened.command) as host,
    ):
        plan_id = (await host.call("review"))["plan_id"]
        first = await host.call("confirm", plan_id=plan_id)
        assert (first["status"], first["token"]) == ("pending", None)
        assert "call `confirm` again" in first["next_step"]
        link = opened.links.receive_nowait()
        assert link not in str(first)
        assert "not the PIN" in await on_page(link, do="approve", pin="000000")
        again = await host.call("confirm", plan_id=plan_id)
        assert again["status"] == "pending"
        with pytest.raises(anyio.WouldBlock):  # it is not opened a second time
            opened.links.receive_nowait()
        await on_page(link, do="approve", pin=PIN)
        assert (await host.call("confirm", plan_id=plan_id))["status"] == "approved"


async def test_a_no_on_the_page_is_told_once_and_needs_no_secret(
    notes: Path, talk: Any, enrolled: None, impatient: None, tmp_path: Path, url: str
) -> None:
    async with browser(tmp_path) as opened, talk(notes, BROWSER=opened.command) as host:
        host.person.opens = "cancel"
        plan_id = (await host.call("review"))["plan_id"]
        await host.call("confirm", plan_id=plan_id)
        [link] = host.person.links
        await on_page(link, do="decline")
        assert "Declined" in await host.refused("confirm", plan_id=plan_id)
        assert (await host.call("confirm", plan_id=plan_id))["status"] == "pending"


async def test_a_client_that_opens_links_is_given_the_link_once(
    notes: Path, talk: Any, enrolled: None, impatient: None, era: str
) -> None:
    async with talk(notes, era) as host:
        plan_id = (await host.call("review"))["plan_id"]
        for _ in range(3):
            result = await host.call("confirm", plan_id=plan_id)
            assert result["status"] == "pending"
            assert "http" not in str(result)
        [link] = host.person.links
        await on_page(link, do="approve", pin=PIN)
        assert (await host.call("confirm", plan_id=plan_id))["status"] == "approved"


async def test_a_link_that_the_client_does_not_open_comes_up_in_the_browser_with_the_next_call(
    notes: Path, talk: Any, enrolled: None, impatient: None, era: str, tmp_path: Path
) -> None:
    async with browser(tmp_path) as opened, talk(notes, era, BROWSER=opened.command) as host:
        host.person.opens = "decline"
        plan_id = (await host.call("review"))["plan_id"]
        first = await host.call("confirm", plan_id=plan_id)
        assert "rulezero approve" in first["next_step"]
        await host.call("confirm", plan_id=plan_id)
        assert host.person.links == [opened.links.receive_nowait()]


async def test_nothing_enrolled_fails_closed_with_the_command_that_mends_it(
    notes: Path, talk: Any, era: str
) -> None:
    async with talk(notes, era) as host:
        plan_id = (await host.call("review"))["plan_id"]
        error = await host.refused("confirm", plan_id=plan_id)
        assert "NoChannel" in error
        assert "rulezero enroll" in error
        assert host.person.asked == []
