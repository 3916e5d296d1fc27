"""The MCP prompt `migrate`: the workflow, for a person to start."""

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from pydantic import Field

MIGRATE = """\
Carry out this database migration with the rulezero tools: {description}

Work in this order, and stop where a person has to decide:
1. `status`: say which database this is and what waits.
2. `analyze`: show the changes, the breaking changes, the warnings and the checklist as written.
3. `generate` with the analysis_id. If it answers needs_confirmation, show its question, call
   `confirm`, and call `generate` again with the token. Show the file's path. Where the question
   offers the safer approach and the person wants it: `generate` with strategy "safer", which
   writes phases; each is then reviewed, confirmed and applied by itself, with a deployment between.
4. `review`: show the approval request as written. If the verdict is NEEDS_CHANGES or UNSAFE, ask
   whether to fix the issues or go on; to fix, call `fix` with the revision, and show its diff and
   what it could not cure.
5. `confirm` with the plan_id: the person is asked there. Do not ask for a yes in the chat instead.
   If it says pending, tell the person where they decide, wait for them, then call it again.
6. `apply` with the plan_id and the token. Show the current revision and the rollback command.

Never apply anything that was not confirmed, and never say that a person agreed."""


def register_prompts(server: MCPServer) -> None:
    """Put the prompts on `server`."""

    @server.prompt(name="migrate", title="Migrate a database, a person decides")
    def migrate(
        description: Annotated[str, Field(description="What should change, in a sentence.")],
    ) -> str:
        """The whole workflow, from model change to verified migration."""
        return MIGRATE.format(description=description)
