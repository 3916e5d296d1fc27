"""The link goes to the person's own browser, and nowhere else."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rulezero_server.approval.browser import open_link


def test_the_persons_browser_gets_the_link(opened: Callable[[], str]) -> None:
    assert open_link("http://localhost:1/q/secret")
    assert opened() == "http://localhost:1/q/secret"


def test_what_the_browser_prints_stays_out_of_the_mcp_stream() -> None:
    code = (
        "from rulezero_server.approval.browser import open_link\n"
        "assert open_link('http://localhost:1/')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_browser_that_fails_is_said_to_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(sys.executable).as_posix()
    monkeypatch.setenv("BROWSER", f'"{python}" -c "raise SystemExit(1)" %s')
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if sys.platform in {"darwin", "win32"}:
        pytest.skip("there is always another browser here")
    assert not open_link("http://localhost:1/")


def test_where_no_window_can_open_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform in {"darwin", "win32"}:
        pytest.skip("a window can always open here")
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not open_link("http://localhost:1/")


@pytest.mark.proves("C03")
def test_a_module_planted_in_the_project_does_not_get_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[[], str]
) -> None:
    planted = tmp_path / "project"
    planted.mkdir()
    (planted / "webbrowser.py").write_text("raise SystemExit(0)\n")
    monkeypatch.chdir(planted)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    assert open_link("http://localhost:1/q/secret")
    assert opened() == "http://localhost:1/q/secret"
