"""The tool `generate` as a model sees it."""

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context, MCPServer
from pydantic import Field

from rulezero_policies.plan import Strategy
from rulezero_server import mcp_tools
from rulezero_tools.results import GenerateResult

if TYPE_CHECKING:
    from rulezero_server.app import App

AnalysisId = Annotated[str, Field(description="From `analyze`; needed for all but a merge.")]
Message = Annotated[str, Field(description="The revision's message.", min_length=1)]
Token = Annotated[
    str | None, Field(description="Only where a plan had to be confirmed: from `confirm`.")
]
Renames = Annotated[
    list[str] | None,
    Field(
        max_length=12,
        description="Drops and adds that analyze's rename_candidates lack but the person is to be "
        "asked about, as 'table.old -> new' or 'table -> new'. The person decides about these and "
        "about all candidates when they confirm.",
    ),
]
Way = Annotated[
    Strategy, Field(description="'safer': phases, a revision each, where one is risky.")
]
Archive = Annotated[
    bool,
    Field(
        description="Keep what is dropped or narrowed: the revision archives it beside the table "
        "first, and its downgrade puts it back."
    ),
]
Branch = Annotated[
    str | None, Field(description="Of several heads, the one to follow: its label or revision.")
]
Merge = Annotated[
    bool | None, Field(description="Write the revision that joins all heads, and nothing else.")
]


def register(server: MCPServer, app: "App") -> None:
    """Put `generate` on `server`."""

    @server.tool(title="Generate the revision", annotations=mcp_tools.WRITES_A_FILE)
    @mcp_tools.reported
    def generate(
        ctx: Context,
        message: Message,
        analysis_id: AnalysisId = "",
        token: Token = None,
        renames: Renames = None,
        environment: mcp_tools.Environment = None,
        branch: Branch = None,
        merge: Merge = None,
        strategy: Way = "direct",
        archive: Archive = False,  # noqa: FBT002 - the client names every argument
    ) -> GenerateResult:
        """Write one new revision file from an analysis; it never applies anything.

        A CRITICAL analysis, or one with rename_candidates, writes nothing at first: it answers
        with a plan_id that a person has to confirm; call again with the token. In that
        confirmation the person, and nobody else, says which candidates are renames; the others
        are dropped and added. "Use safer approach?" is `strategy="safer"`: a type change, a rename,
        NOT NULL or a drop is written as phases with deployments between, a plan each.
        """
        from rulezero_tools.generate import generate as use_case
        from rulezero_tools.merge import merge as join

        session = mcp_tools.session_of(app, ctx, environment)
        if merge:
            return join(session, message=message)
        return use_case(
            session,
            analysis_id=analysis_id,
            message=message,
            token=token,
            renames=renames or (),
            branch=branch or None,
            strategy=strategy,
            archive=archive,
        )
