"""The whole flow on a throw-away project, through a real MCP client over stdio.

The person's part is played by this program, visibly, and said to be played.
"""

import os
import sys
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from rulezero_server.cli.demo_project import DemoProject, demo_project
from rulezero_server.cli.show import console, spoken

INVENTED = "rz1_" + "0" * 64

Result = dict[str, Any]


class UnexpectedError(Exception):
    """The flow did not go as it has to; the message is a tool's own."""


@dataclass(kw_only=True)
class Person:
    """Answers the forms: ticks every box, types the words that are asked for."""

    asked: int = 0
    answers: list[str] = field(default_factory=list[str])

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        """Show the question, answer it, show the answer."""
        del context
        self.asked += 1
        fields: dict[str, Any] = getattr(params, "requested_schema", {})["properties"]
        content: dict[str, str | int | float | bool | list[str] | None] = {
            name: True if spec["type"] == "boolean" else "yes, drop it"
            for name, spec in fields.items()
        }
        spoken("rulezero asks the person", params.message, "yellow")
        said = "; ".join(f"{fields[n].get('title', n)}: {_word(v)}" for n, v in content.items())
        spoken("the person (played by this demo)", said, "yellow")
        return ElicitResult(action="accept", content=content)


def _word(value: object) -> str:
    return "yes" if value is True else str(value)


def run(database: str) -> int:
    """Run the demo; 0 when everything happened as it should."""
    with demo_project(database) as project:
        return anyio.run(_flow, project)


async def _flow(project: DemoProject) -> int:
    person, good = Person(), False
    async with Client(_server(project), elicitation_callback=person) as client:
        try:
            applied = await _migrate(Calls(client), project)
            undone = await _roll_back(Calls(client), applied)
            good = applied["verified"] and undone["verified"] and person.asked == 3
        except UnexpectedError as error:
            spoken("this should not have happened", str(error), "red")
    console.print()
    sys.stdout.write("demo: applied, verified, rolled back\n" if good else "demo: failed\n")
    return 0 if good else 1


def _server(project: DemoProject) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "rulezero_server", "serve", "--project", str(project.root)],
        env={
            **os.environ,
            "RULEZERO_STATE_DIR": str(project.state),
            # The person is played: whatever policy you have, it is about your projects.
            "RULEZERO_CONFIG_DIR": str(project.state),
        },
    )


@dataclass(frozen=True)
class Calls:
    """The assistant's side: a scripted client that shows what it calls."""

    client: Client

    async def __call__(self, tool: str, /, **arguments: str) -> Result:
        """Call a tool; an error is shown and ends the demo."""
        result = await self.client.call_tool(tool, arguments)
        if result.is_error or result.structured_content is None:
            raise UnexpectedError(f"{tool}: {_text(result.content)}")
        return result.structured_content

    async def refused(self, tool: str, /, **arguments: str) -> None:
        """Call a tool that has to refuse."""
        result = await self.client.call_tool(tool, arguments)
        if not result.is_error:
            raise UnexpectedError(f"{tool} was not refused")
        spoken(f"refused: {tool}", _text(result.content), "red")


def _text(content: list[Any]) -> str:
    return " ".join(c.text for c in content if isinstance(c, TextContent))


def _step(tool: str, *lines: str) -> None:
    spoken(f"assistant calls {tool}", "\n".join(line for line in lines if line), "cyan")


async def _migrate(call: Calls, project: DemoProject) -> Result:
    status = await call("status")
    _step("status", f"database {status['database']['identity']}", f"at {status['current'][0]}")
    spoken("the developer (played by this demo)", project.change_the_models(), "yellow")
    analysis = await call("analyze", description="drop legacy_code")
    _step(
        "analyze", f"risk {analysis['risk']}", *_changes(analysis), *_evidence(analysis["breaking"])
    )
    wanted = {"analysis_id": analysis["analysis_id"], "message": "drop legacy_code"}
    stopped = await call("generate", **wanted)
    _step("generate", stopped["next_step"])
    token = (await call("confirm", plan_id=stopped["plan_id"]))["token"]
    written = await call("generate", token=token, **wanted)
    _step("generate, with the token", f"wrote {written['path']}")
    review = await call("review")
    _step("review", f"verdict {review['verdict']}", *_evidence(review["findings"]))
    await call.refused("apply", plan_id=review["plan_id"], token=INVENTED)
    return await _approved(call, review["plan_id"])


async def _roll_back(call: Calls, applied: Result) -> Result:
    plan = await call("rollback")
    _step("rollback", f"to {plan['to_revision']}", *_changes(plan), *_evidence(plan["findings"]))
    if plan["to_revision"] != applied["previous_revision"]:
        raise UnexpectedError("rollback planned another revision")
    return await _approved(call, plan["plan_id"])


async def _approved(call: Calls, plan_id: str) -> Result:
    token = (await call("confirm", plan_id=plan_id))["token"]
    done = await call("apply", plan_id=plan_id, token=token)
    _step("apply, with the token", done["message"])
    return done


def _changes(result: Result) -> list[str]:
    return [f"{c['subject']}: {c['description']}" for c in result["changes"]]


def _evidence(findings: list[Result]) -> list[str]:
    return [f"{f['severity']} {f['rule']}: {f['evidence']}" for f in findings]
