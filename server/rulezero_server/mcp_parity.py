"""The parity tools as a model sees them."""

import warnings
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context, MCPServer
from pydantic import Field

from rulezero_server import mcp_tools
from rulezero_server.lasting import Key, Lasting
from rulezero_server.telling import Say
from rulezero_tools.parity.find import SwitchResult
from rulezero_tools.parity.planviews import ParityPlanResult
from rulezero_tools.parity.views import ParityResult

if TYPE_CHECKING:
    from rulezero_server.app import App

Keys = Annotated[
    list[str] | None,
    Field(description="Only these missing keys; default: all that production lacks."),
]
Enable = Annotated[
    list[str] | None,
    Field(description="Flags to switch on in production, each by its name; none by default."),
]


def register(server: MCPServer, app: "App", lasting: Lasting) -> None:
    """Put them on `server`."""
    with warnings.catch_warnings():
        # pydantic's own `schema` method is deprecated: the result's field may well have its name.
        warnings.filterwarnings("ignore", message='Field name "schema"')
        _check(server, app, lasting)
    _find(server, app)
    _plan(server, app)


def _plan(server: MCPServer, app: "App") -> None:
    @server.tool(title="Plan settings files", annotations=mcp_tools.READS)
    @mcp_tools.reported
    def plan_parity(
        ctx: Context,
        keys: Keys = None,
        enable: Enable = None,
        consolidate: Annotated[  # noqa: FBT002 - the client names every argument
            bool, Field(description="Also move what services share to one root file.")
        ] = False,
    ) -> ParityPlanResult:
        """Plan the settings files that bring production to parity. It writes nothing.

        Missing keys, flags that a person wants on, one root file. No value is shown, none is
        guessed: what only a person knows gets a placeholder that they fill in. The plan goes
        through `confirm` and `apply`, with a backup first.
        """
        from rulezero_server.parity import joining
        from rulezero_tools.parity.check import plan as use_case

        scope = joining.scope(app, mcp_tools.client_name(ctx))
        return use_case(
            scope, consolidate=consolidate, keys=keys or None, enable=tuple(enable or ())
        )


def _check(server: MCPServer, app: "App", lasting: Lasting) -> None:
    @server.tool(title="Check production parity", annotations=mcp_tools.READS)
    @mcp_tools.reported_async
    async def check_parity(ctx: Context) -> ParityResult:
        """Hold production against main: PASS or FAIL, and why. It changes nothing.

        Settings of every service, the live schema, flags, fallback stores; what waits is tried on
        a shadow, smoke tests run there. `report` has the five sections: show it as written. Values
        of settings are never shown, and never ask for them. What takes long answers "StillRunning":
        call again.
        """
        from rulezero_server.parity import joining
        from rulezero_tools.parity.check import check_parity as use_case
        from rulezero_tools.parity.views import shortened

        client = mcp_tools.client_name(ctx)

        def work(say: Say) -> ParityResult:
            return shortened(use_case(joining.scope(app, client, say)))

        return await lasting.told(ctx, Key("check_parity", (client,)), work)


def _find(server: MCPServer, app: "App") -> None:
    @server.tool(title="Find the switch", annotations=mcp_tools.READS)
    @mcp_tools.reported
    def find_switch(
        ctx: Context,
        name: Annotated[
            str,
            Field(description='A function, route ("/notes"), endpoint, CLI command or flag.'),
        ],
    ) -> SwitchResult:
        """Say why something that is merged does not show in production. It changes nothing.

        Whether its code is on main, what gates it, which keys, flags, tables and columns it needs,
        which of them production lacks, and the order to switch them in.
        """
        from rulezero_server.parity import joining
        from rulezero_tools.parity.find import find_switch as use_case

        return use_case(joining.scope(app, mcp_tools.client_name(ctx)), name=name)
