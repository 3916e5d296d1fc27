"""A plan approved elsewhere, run through a server that was started read-only"""

from typing import Any

import anyio
import pytest
from mcp import Client

from rulezero_server.app import App
from rulezero_server.server import make_server
from rulezero_server.stores import open_store

pytestmark = [
    pytest.mark.attack(
        stopped_by="a read-only server offers no tool that asks, writes or runs", level="client"
    ),
    pytest.mark.proves("C03", "D11"),
]


def test_a_read_only_server_runs_nothing(real: Any, untouched: Any) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    server = make_server(App(real.folder, store=open_store(real.state), read_only=True))

    async def attack() -> None:
        async with Client(server) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert {"apply", "confirm", "generate"}.isdisjoint(tools)
            arguments = {"plan_id": found.plan_id, "token": token}
            result = await client.call_tool("apply", arguments)
            assert result.is_error

    with untouched(real):
        anyio.run(attack)
