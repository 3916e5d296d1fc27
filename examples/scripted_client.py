"""Migrate a project from a script: the same server, and a person at this terminal decides.

    python examples/scripted_client.py --project path/to/project "add notes to tasks"

The script calls the tools; the questions that rulezero asks come up here, and are answered by
whoever sits here. Nothing is applied without that.
"""

import argparse
import os
import sys
import webbrowser
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult


async def ask(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """Show the question, read the answers; what is neither yes nor no declines."""
    del context
    print(f"\n{params.message}\n", flush=True)
    if isinstance(params, ElicitRequestURLParams):
        shown = await anyio.to_thread.run_sync(webbrowser.open, params.url)
        return ElicitResult(action="accept" if shown else "cancel")
    fields: dict[str, Any] = params.requested_schema.get("properties", {})
    content: dict[str, str | int | float | bool | list[str] | None] = {}
    for name, spec in fields.items():
        prompt = f"{spec.get('title', name)} ({spec.get('description', '')}) "
        typed = await anyio.to_thread.run_sync(input, prompt)
        said = typed.strip().lower()
        if spec["type"] == "boolean" and said not in {"yes", "y", "no", "n"}:
            return ElicitResult(action="decline")
        content[name] = said in {"yes", "y"} if spec["type"] == "boolean" else typed
    return ElicitResult(action="accept", content=content)


class RefusedError(Exception):
    """A tool said no; the message says why and what to do."""


async def call(client: Client, tool: str, **arguments: str) -> dict[str, Any]:
    """Call a tool.

    Raises:
        RefusedError: It refused.
    """
    result = await client.call_tool(tool, arguments)
    if result.is_error or result.structured_content is None:
        raise RefusedError("\n".join(getattr(c, "text", "") for c in result.content))
    return result.structured_content


async def confirmed(client: Client, plan_id: str) -> str:
    """The token for a plan, once a person said yes: in this terminal, or on a page of their own."""
    while True:
        answer = await call(client, "confirm", plan_id=plan_id)
        if answer["status"] == "approved":
            return answer["token"]
        print(answer["next_step"], flush=True)


async def migrate(client: Client, message: str) -> str:
    """analyze, generate, review, confirm, apply."""
    analysis = await call(client, "analyze", description=message)
    print(f"risk {analysis['risk']}: {analysis['strategy']}")
    wanted = {"analysis_id": analysis["analysis_id"], "message": message}
    made = await call(client, "generate", **wanted)
    if made["status"] == "needs_confirmation":
        token = await confirmed(client, made["plan_id"])
        made = await call(client, "generate", token=token, **wanted)
    print(f"wrote {made['path']}")
    plan = (await call(client, "review"))["plan_id"]
    token = await confirmed(client, plan)
    return (await call(client, "apply", plan_id=plan, token=token))["message"]


async def connected(project: str, message: str) -> int:
    """Start the server, migrate, say how it ended; 0 when it was applied."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rulezero_server", "serve", "--project", project],
        env={**os.environ},  # the SDK passes on only a few variables by itself
    )
    async with Client(server, elicitation_callback=ask) as client:
        try:
            print(await migrate(client, message))
        except RefusedError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("message")
    options = parser.parse_args()
    sys.exit(anyio.run(connected, options.project, options.message))


if __name__ == "__main__":
    main()
