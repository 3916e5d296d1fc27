"""A real MCP client over stdio, and a person whose answers the test decides."""

import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from mcp import Client, StdioServerParameters
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

Answer = Callable[[Mapping[str, Any]], ElicitResult]
"""From the fields of a form to what a person makes of it."""


def says_yes(fields: Mapping[str, Any]) -> ElicitResult:
    """Tick everything, type what is asked for."""
    content: Any = {
        name: True if spec["type"] == "boolean" else "yes, drop it" for name, spec in fields.items()
    }
    return ElicitResult(action="accept", content=content)


@dataclass(kw_only=True)
class Person:
    """Answers what is asked, and remembers it."""

    answer: Answer = says_yes
    asked: list[str] = field(default_factory=list[str])

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        del context
        self.asked.append(params.message)
        return self.answer(getattr(params, "requested_schema", {})["properties"])


@dataclass(kw_only=True)
class Host:
    """The scripted assistant: calls tools, as good or as hostile as the test wants it."""

    client: Client
    person: Person

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that has to work."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, self._text(result.content)
        assert result.structured_content is not None
        return result.structured_content

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that has to refuse; its error as the model reads it."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        return self._text(result.content)

    @staticmethod
    def _text(content: list[Any]) -> str:
        return " ".join(c.text for c in content if isinstance(c, TextContent))

    async def generated(
        self, message: str, analysis: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """analyze and generate, with the confirmation in between where it is asked for."""
        analysis = analysis or await self.call("analyze", description=message)
        wanted = {"analysis_id": analysis["analysis_id"], "message": message}
        made = await self.call("generate", **wanted)
        if made["status"] == "needs_confirmation":
            token = (await self.call("confirm", plan_id=made["plan_id"]))["token"]
            made = await self.call("generate", token=token, **wanted)
        return made

    async def applied(self, plan_id: str) -> dict[str, Any]:
        """confirm and apply."""
        token = (await self.call("confirm", plan_id=plan_id))["token"]
        return await self.call("apply", plan_id=plan_id, token=token)


Talk = Callable[..., AbstractAsyncContextManager[Host]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> str:
    """Protocol 2025-11-25 by handshake, and 2026-07-28 without one."""
    return request.param


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """`talk(project, mode, answer=…, forms=True, **env)`: a client connected to a fresh server."""

    @asynccontextmanager
    async def connected(
        project: Path,
        mode: str = "auto",
        *,
        answer: Answer = says_yes,
        forms: bool = True,
        **env: str,
    ) -> AsyncGenerator[Host]:
        person = Person(answer=answer)
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "rulezero_server", "serve", "--project", str(project)],
            env={**os.environ, "RULEZERO_STATE_DIR": str(tmp_path / "state"), **env},
        )
        callback = person if forms else None
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            yield Host(client=client, person=person)

    return connected


@dataclass(frozen=True)
class Eyes:
    """Looks at a database itself, not at what a reply says of it."""

    url: str

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def write(self, statement: str) -> None:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text(statement))

    def columns(self, table: str) -> list[str]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        return [c["name"] for c in sa.inspect(engine).get_columns(table)]

    def revision(self) -> str:
        return self.rows("SELECT version_num FROM alembic_version")[0][0]


@pytest.fixture
def eyes() -> type[Eyes]:
    return Eyes
