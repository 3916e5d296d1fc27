"""One port on both loopback addresses, or none."""

import socket
from collections.abc import Callable

import pytest
from starlette.responses import PlainTextResponse

from rulezero_server.approval import serving


def test_a_port_that_a_stranger_has_on_the_other_address_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused: list[int] = []

    def taken_once(port: int) -> list[socket.socket]:
        if not refused:
            refused.append(port)
            raise OSError
        return []

    monkeypatch.setattr(serving, "_six", taken_once)
    served, origin = serving.Serving.start(lambda _: PlainTextResponse("hello"))
    served.stop()
    assert len(refused) == 1
    assert not origin.endswith(f":{refused[0]}")


def test_where_no_port_is_free_on_both_nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(port: int) -> list[socket.socket]:
        raise OSError(port)

    monkeypatch.setattr(serving, "_six", taken)
    with pytest.raises(OSError, match="no port is free"):
        serving.Serving.start(lambda _: PlainTextResponse("hello"))


def test_a_machine_without_ipv6_is_served_on_ipv4(
    monkeypatch: pytest.MonkeyPatch, http: Callable[..., object]
) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)
    served, origin = serving.Serving.start(lambda _: PlainTextResponse("hello"))
    try:
        assert getattr(http(origin), "text", None) == "hello"
    finally:
        served.stop()
