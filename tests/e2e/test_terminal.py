"""A person at a real terminal: choosing a PIN, and deciding what waits."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rulezero_server.app import person

pexpect = pytest.importorskip("pexpect", reason="pseudo-terminals are POSIX's")

pytestmark = [pytest.mark.anyio, pytest.mark.proves("C02", "D04")]

PIN = "482915"

Typed = Callable[..., str]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'notes.sqlite').as_posix()}"


@pytest.fixture
def notes(copy_project: Any, to_head: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A protected application at its head."""
    monkeypatch.setenv("DATABASE_URL", url)
    folder = copy_project("flask_notes")
    to_head(folder)
    folder.joinpath("rulezero.toml").write_text("[environments.development]\nprotected = true\n")
    return folder


@pytest.fixture
def at_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """`at_terminal("approve", (prompt, answer), …)`: what the screen said, prompts answered."""
    config = tmp_path / "config"
    config.mkdir(mode=0o700)
    config.joinpath("policy.toml").write_text("[page]\nwait_seconds = 0.01\nopen_browser = false\n")
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(config))
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")

    def typed(command: str, *dialogue: tuple[str, str]) -> str:
        arguments = ["-m", "rulezero_server", *command.split()]
        screen = pexpect.spawn(
            sys.executable, arguments, encoding="utf-8", timeout=60, dimensions=(50, 100)
        )
        said = ""
        for prompt, answer in dialogue:
            screen.expect(re.escape(prompt))
            said += screen.before + screen.after
            screen.sendline(answer)
        screen.expect(pexpect.EOF)
        screen.close()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", said + screen.before)
        return f"{plain}\nexit {screen.exitstatus}"

    return typed


@pytest.fixture
def enrolled(at_terminal: Typed) -> None:
    """The person chose a PIN at this terminal."""
    said = at_terminal("enroll", ("New PIN", PIN), ("same again", PIN))
    assert "is set" in said
    assert PIN not in said


def test_a_new_pin_needs_the_old_one_and_weak_ones_are_refused(
    enrolled: None, at_terminal: Typed
) -> None:
    weak = at_terminal(
        "enroll", ("you have now", PIN), ("New PIN", "111111"), ("same again", "111111")
    )
    assert "WeakPin" in weak
    wrong = at_terminal(
        "enroll", ("you have now", "000000"), ("New PIN", "777123"), ("same again", "777123")
    )
    assert "WrongPin" in wrong
    unlike = at_terminal(
        "enroll", ("you have now", PIN), ("New PIN", "777123"), ("same again", "777124")
    )
    assert "not the same" in unlike
    right = at_terminal(
        "enroll", ("you have now", PIN), ("New PIN", "777123"), ("same again", "777123")
    )
    assert "is set" in right
    assert "exit 0" in right


async def test_a_drop_is_shown_and_approved_with_its_count_and_the_pin(
    notes: Path, talk: Any, url: str, eyes: Any, enrolled: None, at_terminal: Typed
) -> None:
    assert f"Nothing waits for {person()}" in at_terminal("approve")
    eyes(url).write("INSERT INTO users (id, email) VALUES (7, 'a@x'), (8, 'b@x')")
    async with talk(notes, forms=False) as host:
        plan = await host.call("rollback", revision="base")
        plan_id = plan["plan_id"]
        assert (await host.call("confirm", plan_id=plan_id))["status"] == "pending"
        said = at_terminal(
            "approve",
            ("pprove, ", "a"),
            ("To go on, type", "users 2"),
            ("PIN: ", "999999"),
            ("PIN: ", PIN),
        )
        assert "Roll back this migration?" in said
        assert "(Requires explicit 'users 2')" in said
        assert "DROP TABLE" in said
        assert "if that fails, nothing runs" in " ".join(said.split())
        assert "not the PIN" in said
        assert "Approved" in said
        assert PIN not in said
        got = await host.call("confirm", plan_id=plan_id)
        assert got["approved_through"] == "terminal"
        done = await host.call("apply", plan_id=plan_id, token=got["token"])
        assert done["status"] == "applied"


async def test_what_is_declined_at_the_terminal_needs_no_pin_and_gives_nothing(
    notes: Path, talk: Any, url: str, enrolled: None, at_terminal: Typed
) -> None:
    before = Path(url.removeprefix("sqlite:///")).read_bytes()
    async with talk(notes, forms=False) as host:
        plan_id = (await host.call("rollback"))["plan_id"]
        await host.call("confirm", plan_id=plan_id)
        assert "stays open" in at_terminal("approve", ("pprove, ", ""))
        assert "Declined" in at_terminal(f"approve {plan_id} --decline")
        assert "Declined" in await host.refused("confirm", plan_id=plan_id)
    assert Path(url.removeprefix("sqlite:///")).read_bytes() == before


@pytest.mark.proves("D07")
async def test_a_rename_is_told_from_a_drop_before_the_revision_is_written(
    notes: Path, talk: Any, url: str, eyes: Any, enrolled: None, at_terminal: Typed
) -> None:
    eyes(url).write("INSERT INTO users (id, email, name) VALUES (7, 'a@x', 'Ann')")
    models = notes / "notes" / "models.py"
    text = models.read_text("utf-8")
    models.write_text(text.replace("    name =", "    full_name ="), "utf-8")
    async with talk(notes, forms=False) as host:
        call = {"analysis_id": (await host.call("analyze"))["analysis_id"], "message": "rename"}
        plan_id = (await host.call("generate", **call))["plan_id"]
        await host.call("confirm", plan_id=plan_id)
        said = at_terminal(
            "approve",
            ("pprove, ", "a"),
            ("new name of users.name? (yes/no)", ""),
            ("new name of users.name? (yes/no)", "yes"),
            ("backed up the database?", "yes"),
            ("no code references", "yes"),
            ("PIN: ", PIN),
        )
        assert "No: users.name is dropped with 1 value." in said
        assert "Type yes or no." in said
        token = (await host.call("confirm", plan_id=plan_id))["token"]
        made = await host.call("generate", token=token, **call)
        assert "new_column_name='full_name'" in (notes / made["path"]).read_text("utf-8")
