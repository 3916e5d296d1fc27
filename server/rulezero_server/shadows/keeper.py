"""Keeps a private server: `python keeper.py FOLDER UID:GID SIGNAL COMMAND…`, its owner at stdin.

When the owner closes the pipe, or dies, the server is stopped and the folder removed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

_PATIENCE = 10.0
"""Seconds in which a server that was told to stop must be gone."""


def main(folder: str, user: str, ending: str, *command: str) -> None:
    """Start the server, wait for its end, and remove its folder."""
    uid, _, gid = user.partition(":")
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=int(uid) if uid else None,
        group=int(gid) if gid else None,
        extra_groups=[] if uid else None,
        cwd=folder,
    )
    threading.Thread(target=_end_with_the_owner, args=(server, ending), daemon=True).start()
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _end_with_the_owner(server: "subprocess.Popen[bytes]", ending: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 1024):
            pass
    with contextlib.suppress(OSError):
        server.send_signal(getattr(signal, ending, signal.SIGTERM))
    try:
        server.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
