"""The MCP prompts `migrate` and `parity`: the workflows, for a person to start."""

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


PARITY = """\
Find out with the rulezero tools why this is merged and does not show in production: {feature}

Work in this order, and stop where a person has to decide:
1. `find_switch` with its name (a function, a route, a CLI command or a flag): show what it lacks.
2. `check_parity`: show its report as written. Its verdict is PASS or FAIL, and nothing else.
3. On FAIL, the schema: `review` with production's environment, then `confirm` and `apply`.
4. On FAIL, the settings: `plan_parity`. Name in `enable` only flags that the person wants on. Show
   what it would write, then `confirm` and `apply` with production's environment. Where it set a
   placeholder, a person fills in the value: never ask for it, and never write it yourself.
5. `check_parity` again, until it is PASS or a person has to change code.

Never apply anything that was not confirmed. End with the verdict alone: PASS or FAIL."""


def register_prompts(server: MCPServer) -> None:
    """Put the prompts on `server`."""

    @server.prompt(name="migrate", title="Migrate a database, a person decides")
    def migrate(
        description: Annotated[str, Field(description="What should change, in a sentence.")],
    ) -> str:
        """The whole workflow, from model change to verified migration."""
        return MIGRATE.format(description=description)

    @server.prompt(name="parity", title="Find the switch that is off in production")
    def parity(
        feature: Annotated[str, Field(description="What is merged and not seen, in a few words.")],
    ) -> str:
        """From what is missing in production to PASS."""
        return PARITY.format(feature=feature)
