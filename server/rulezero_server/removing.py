"""The tools that plan a removal: an archive's, and an unapplied revision's."""

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context, MCPServer
from pydantic import Field

from rulezero_tools import removals, results

if TYPE_CHECKING:
    from rulezero_server.app import App


def register(server: MCPServer, app: "App") -> None:
    """Put them on `server`: they plan, and remove nothing themselves."""
    from rulezero_server.mcp_tools import READS, Database, Environment, reported, session_of

    @server.tool(title="Plan to drop an archive", annotations=READS)
    @reported
    def purge(
        ctx: Context,
        archive: Annotated[str, Field(description="An archive's name, from `status`.")],
        environment: Environment = None,
        database: Database = None,
    ) -> results.RollbackResult:
        """Plan to drop what a revision archived, for good. It drops nothing itself.

        Afterwards that revision's downgrade can bring nothing back. The plan goes through
        `confirm`, where a person types that they mean it, and `apply`.
        """
        from rulezero_tools.purge import purge as use_case

        return use_case(session_of(app, ctx, environment, database), archive=archive)

    @server.tool(title="Plan to remove a revision file", annotations=READS)
    @reported
    def discard(
        ctx: Context,
        revision: Annotated[str, Field(description="A revision that was never applied.")],
        environment: Environment = None,
    ) -> removals.DiscardResult:
        """Plan to remove an unapplied revision's file. It removes nothing itself.

        Only for a revision that the person no longer wants. One that is applied, was run, or that
        another follows is refused. The plan goes through `confirm` and `apply`; the file's bytes
        are kept.
        """
        from rulezero_tools.discard import discard as use_case

        return use_case(session_of(app, ctx, environment), revision=revision)
