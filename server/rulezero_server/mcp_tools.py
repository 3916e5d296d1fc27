"""The tools as a model sees them: thin, typed, and never the place where something is decided.

A tool's docstring is what the model reads. Use cases are imported when they are first called: a
client waits for the tool list, not for them.
"""

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

from anyio.to_thread import run_sync
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import InputRequiredResult, ToolAnnotations
from pydantic import Field

from rulezero_policies.errors import RulezeroError
from rulezero_server.confirming import Confirming, shows_forms
from rulezero_server.lasting import Key, Lasting
from rulezero_server.telling import Say, told
from rulezero_tools import results, views
from rulezero_tools.shorten import shortened

if TYPE_CHECKING:
    from rulezero_server.app import App
    from rulezero_tools.ports import Session

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger("rulezero")

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES_A_FILE = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
ASKS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
RUNS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)

Environment = Annotated[
    str | None, Field(description="An environment of rulezero.toml; default: the first one.")
]
Resume = Annotated[
    str | None,
    Field(
        description="The plan_id of a run that stopped half way in a revision: only what is left "
        "of it is planned, and what is committed is not sent again."
    ),
]
Database = Annotated[
    str | None,
    Field(description="Of a project that migrates several databases, one by its name in `status`."),
]
PlanId = Annotated[str, Field(description="From the tool that made the plan, such as `review`.")]


def reported(tool: Callable[P, R]) -> Callable[P, R]:
    """Turn our errors into what a model can act on; everything else into one frozen sentence."""

    @functools.wraps(tool)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return tool(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a boundary: nothing of it may reach the client
            raise _told(tool.__name__, error) from None

    return call


def reported_async(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The same for a tool that waits."""

    @functools.wraps(tool)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            raise _told(tool.__name__, error) from None

    return call


def _told(tool: str, error: Exception) -> ToolError:
    if isinstance(error, ToolError):
        return error
    if isinstance(error, RulezeroError):
        return ToolError(f"{error.code}: {error} Next: {error.advice}")
    _log.error("%s in %s", type(error).__name__, tool)
    return ToolError(
        f"InternalError: {tool} failed inside rulezero. Nothing more is known to have changed. "
        "Next: call `status`."
    )


def client_name(ctx: Context) -> str:
    """The client as it calls itself."""
    params = ctx.session.client_params
    return params.client_info.name if params and params.client_info else "unnamed client"


def register(server: MCPServer, app: "App") -> None:
    """Put every tool on `server`; a read-only one gets none that asks or writes."""
    from rulezero_server import mcp_fix, mcp_generate, mcp_parity, removing

    lasting = Lasting()
    _readers(server, app, lasting)
    _planners(server, app, lasting)
    _rollback_planner(server, app, lasting)
    removing.register(server, app)
    mcp_parity.register(server, app, lasting)
    if not app.read_only:
        mcp_generate.register(server, app)
        mcp_fix.register(server, app, lasting)
        _executor(server, app)
        _asker(server, app)


def session_of(
    app: "App", ctx: Context, environment: str | None, database: str | None = None
) -> "Session":
    """The project in an environment, for this caller."""
    # A client that leaves an argument out may well send it empty.
    return app.session(environment, client=client_name(ctx), database=database or None)


def _readers(server: MCPServer, app: "App", lasting: Lasting) -> None:
    @server.tool(title="Migration status", annotations=READS)
    @reported
    def status(
        ctx: Context, environment: Environment = None, database: Database = None
    ) -> results.StatusResult:
        """Read where the project and its database stand, who can approve, and the next step.

        Call this first. It changes nothing. Several databases, and several heads, are listed.
        """
        session = session_of(app, ctx, environment, database)
        seen = app.status(session, can_ask=shows_forms(ctx))
        return replace(seen, warnings=(*seen.warnings, *lasting.running()))

    @server.tool(title="Read a plan", annotations=READS)
    @reported
    def get_plan(
        ctx: Context,
        plan_id: PlanId,
        section: results.Section = "summary",
        page: int = 1,
        environment: Environment = None,
    ) -> results.PlanSection:
        """Read one section of a plan, page by page: sql, findings, changes, rehearsal, run."""
        from rulezero_tools import reading

        session = session_of(app, ctx, environment)
        return reading.get_plan(session, plan_id=plan_id, section=section, page=page)

    @server.tool(title="Audit trail", annotations=READS)
    @reported
    def history(
        ctx: Context,
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        environment: Environment = None,
    ) -> views.HistoryResult:
        """Read the audit trail: every proposal, question, answer, refusal and outcome."""
        from rulezero_tools import reading

        return reading.history(session_of(app, ctx, environment), limit=limit)


def _planners(server: MCPServer, app: "App", lasting: Lasting) -> None:
    @server.tool(title="Analyze model changes", annotations=READS)
    @reported
    def analyze(
        ctx: Context,
        description: Annotated[str, Field(description="What the change is for.")] = "",
        environment: Environment = None,
        database: Database = None,
    ) -> results.AnalyzeResult:
        """Compare the models with the database: what changes, what breaks, how risky it is.

        It changes nothing. Call it before `generate`, which needs its analysis_id. Show the
        person the changes, the breaking ones and the warnings as they are written.
        """
        from rulezero_tools.analyze import analyze as use_case

        session = session_of(app, ctx, environment, database)
        return shortened(use_case(session, description=description))

    @server.tool(title="Review what waits to run", annotations=READS)
    @reported_async
    async def review(
        ctx: Context,
        revision: Annotated[
            str | None, Field(description="Review up to this revision; default: the head.")
        ] = None,
        resume: Resume = None,
        environment: Environment = None,
        database: Database = None,
        branch: Annotated[
            str | None, Field(description="Of several heads, this one: its label or revision.")
        ] = None,
    ) -> results.ReviewResult:
        """Review the pending revisions and make the plan a person can confirm. It applies nothing.

        It rehearses them: up, down and up again on a shadow that is thrown away. The verdict is
        SAFE, NEEDS_CHANGES or UNSAFE, each finding with its evidence and its fix. Show the
        approval_request and the warnings to the person as they are written. What takes long
        answers "StillRunning": it goes on; call again. After a partial failure `resume` goes on.
        """
        from rulezero_tools.review import review as use_case

        def work(say: Say) -> results.ReviewResult:
            session = session_of(app, ctx, environment, database)
            return shortened(
                use_case(
                    session,
                    revision=revision,
                    resume=resume,
                    branch=branch or None,
                    progress=say,
                )
            )

        asked = (environment, revision, resume, database, branch)
        key = Key("review", (client_name(ctx), *asked))
        return await lasting.told(ctx, key, work)


def _rollback_planner(server: MCPServer, app: "App", lasting: Lasting) -> None:
    @server.tool(title="Plan a rollback", annotations=READS)
    @reported_async
    async def rollback(
        ctx: Context,
        revision: Annotated[
            str | None,
            Field(description='Go back to this revision, or "base"; default: one step.'),
        ] = None,
        restore: Annotated[
            str | None,
            Field(description="Instead: plan_id of a plan that ran; its backup is put back."),
        ] = None,
        resume: Resume = None,
        undo: Annotated[
            str | None,
            Field(
                description="The plan_id of a run that stopped half way in a revision: what it "
                "left of that revision is undone; no revision is run."
            ),
        ] = None,
        environment: Environment = None,
        database: Database = None,
        branch: Annotated[
            str | None,
            Field(description="Of several heads that the database is at, only this one."),
        ] = None,
    ) -> results.RollbackResult:
        """Plan a downgrade and say which data it loses. It rolls nothing back.

        It is rehearsed, down and up again, on a shadow that is thrown away. A downgrade brings
        back no data; with `restore` the plan puts a backup back, and says what is lost since. After
        a partial failure `undo` takes back what the failed run left. The plan goes through
        `confirm` and `apply` like any other.
        """
        from rulezero_tools.rollback import rollback as use_case

        def work(say: Say) -> results.RollbackResult:
            session = session_of(app, ctx, environment, database)
            return shortened(
                use_case(
                    session,
                    revision=revision,
                    restore=restore,
                    resume=resume,
                    undo=undo,
                    branch=branch or None,
                    progress=say,
                )
            )

        asked = (environment, revision, restore, resume, undo, database, branch)
        key = Key("rollback", (client_name(ctx), *asked))
        return await lasting.told(ctx, key, work)


def _executor(server: MCPServer, app: "App") -> None:
    @server.tool(
        title="Apply an approved plan",
        annotations=RUNS,
        meta={"anthropic/requiresUserInteraction": True},
    )
    @reported_async
    async def apply(
        ctx: Context,
        plan_id: PlanId,
        token: Annotated[str, Field(description="From `confirm`, for this plan.")],
        environment: Environment = None,
    ) -> results.ApplyResult:
        """Run a plan that a person approved through `confirm`; without its token nothing runs.

        It runs exactly the approved bytes on exactly the approved database, once, and reads the
        revision back. A second call answers with the recorded outcome.
        """
        from rulezero_tools.apply import apply as use_case

        def work(say: Say) -> results.ApplyResult:
            session = session_of(app, ctx, environment)
            return use_case(
                session, app.runner(session), plan_id=plan_id, token=token, progress=say
            )

        return await told(ctx, work, to_the_end=True)


def _asker(server: MCPServer, app: "App") -> None:
    confirming = Confirming(app=app)

    @server.tool(title="Ask a person", annotations=ASKS)
    @reported_async
    async def confirm(
        ctx: Context, plan_id: PlanId, environment: Environment = None
    ) -> results.ConfirmResult | InputRequiredResult:
        """Put a plan before a person; only a person's yes gives the token that `apply` needs.

        You cannot answer it, and no argument counts as an answer. Never claim that the person
        agreed: this call is where they do. "pending" means that they are still deciding on a page
        of their own: tell them, wait, then call again.
        """
        session = await run_sync(session_of, app, ctx, environment)
        return await confirming.confirm(ctx, session, plan_id)
