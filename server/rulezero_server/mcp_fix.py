"""The tool `fix` as a model sees it."""

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context, MCPServer
from pydantic import Field

from rulezero_server import mcp_tools
from rulezero_server.lasting import Key, Lasting
from rulezero_server.telling import Say
from rulezero_tools.fixed import FixResult

if TYPE_CHECKING:
    from rulezero_server.app import App


def register(server: MCPServer, app: "App", lasting: Lasting) -> None:
    """Put `fix` on `server`."""

    @server.tool(title="Fix the revision", annotations=mcp_tools.WRITES_A_FILE)
    @mcp_tools.reported_async
    async def fix(
        ctx: Context,
        revision: Annotated[str, Field(description="A revision that waits to be applied.")],
        findings: Annotated[
            list[str] | None,
            Field(description="Rules of `review`'s findings to cure; default: all of them."),
        ] = None,
        dry_run: Annotated[bool, Field(description="Only show the diff.")] = False,
        environment: mcp_tools.Environment = None,
        database: mcp_tools.Database = None,
    ) -> FixResult:
        """Rewrite a revision that is not applied yet so that it reviews clean; it applies nothing.

        What each change cures, what stays and why, and the diff: show them to the person. The old
        file is kept beside it, and what would be worse is not written. It is reviewed again: that
        plan needs a person's approval like any other.
        """
        from rulezero_tools.fix import fix as use_case

        chosen = tuple(findings or ())

        def work(say: Say) -> FixResult:
            session = mcp_tools.session_of(app, ctx, environment, database)
            return use_case(
                session, revision=revision, findings=chosen, dry_run=dry_run, progress=say
            )

        asked = (environment, revision, chosen, dry_run, database)
        key = Key("fix", (mcp_tools.client_name(ctx), *asked))
        return await lasting.told(ctx, key, work)
