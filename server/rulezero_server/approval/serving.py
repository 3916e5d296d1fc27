"""A web server on this machine alone, in a thread of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

import uvicorn
from starlette.types import ASGIApp

NAME = "localhost"
"""The only host name that is answered: WebAuthn takes a name, never an IP address."""

_TRIES = 20


class Serving:
    """A server on a random port of loopback, until `stop` or the end of the process."""

    def __init__(self, server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        """Use `start`."""
        self._server = server
        self._thread = threading.Thread(
            target=server.run, args=(sockets,), name="rulezero-page", daemon=True
        )
        self._thread.start()

    @classmethod
    def start(cls, app_at: Callable[[str], ASGIApp]) -> tuple[Self, str]:
        """Serve; whoever connects from now on is answered.

        Args:
            app_at: Makes the application for its origin, `http://localhost:PORT`.

        Returns:
            The server and its origin.

        Raises:
            OSError: There is no free port on loopback.
        """
        sockets = _listen()
        origin = f"http://{NAME}:{sockets[0].getsockname()[1]}"
        config = uvicorn.Config(
            app_at(origin),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",  # no traceback in the host's log
            access_log=False,  # the link must not reach a log
            server_header=False,
            proxy_headers=False,
            limit_concurrency=64,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
        )
        return cls(uvicorn.Server(config), sockets), origin

    def stop(self) -> None:
        """Answer what was asked, then close."""
        self._server.should_exit = True
        self._thread.join()


def _listen() -> list[socket.socket]:
    """Both loopback addresses on one port: a stranger on the other one would be given the PIN."""
    for _ in range(_TRIES):
        four = _bound(socket.AF_INET, ("127.0.0.1", 0))
        try:
            six = _six(four.getsockname()[1])
        except OSError:
            four.close()
            continue
        return [four, *six]
    raise OSError("no port is free on both loopback addresses")


def _six(port: int) -> list[socket.socket]:
    """The same port on ::1, where this machine has it.

    Raises:
        OSError: Somebody else has it.
    """
    if not _has_six():
        return []
    return [_bound(socket.AF_INET6, ("::1", port))]


def _has_six() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        _bound(socket.AF_INET6, ("::1", 0)).close()
    except OSError:
        return False
    return True


def _bound(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:  # on Windows others could take the port over
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        listener.bind(address)
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener
