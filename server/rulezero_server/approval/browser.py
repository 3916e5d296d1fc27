"""The person's own browser."""

import os
import subprocess
import sys

_CODE = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1], new=2))"

_PATIENCE = 5.0
"""Seconds after which a browser that still runs counts as opened."""

_running: list[subprocess.Popen[bytes]] = []


def open_link(url: str) -> bool:
    """Show `url` in the browser of whoever sits here; whether there was one to show it.

    `$BROWSER` is honoured, as by every Python program. It happens in a process of its own: what a
    browser prints must not reach the MCP stream on standard output.

    Args:
        url: The address of the page.
    """
    if not _has_screen():
        return False
    # Isolated: a `webbrowser.py` in the current folder, the project's, is not ours to run.
    command = [sys.executable, "-I", "-c", _CODE, url]
    nothing = subprocess.DEVNULL
    child = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)
    _running[:] = [other for other in _running if other.poll() is None]
    try:
        return child.wait(_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        _running.append(child)
        return True


def _has_screen() -> bool:
    """Whether a window could open; else `webbrowser` starts a text browser that nobody sees."""
    if os.name != "posix" or sys.platform == "darwin":
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
