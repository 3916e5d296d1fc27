"""A parity check of one project, put together: what is read, and where things are tried."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rulezero_server import settings
from rulezero_server.parity import history
from rulezero_server.parity.layout import FileDeployment
from rulezero_tools.parity.check import Scope
from rulezero_tools.ports import silent

if TYPE_CHECKING:
    from rulezero_server.app import App
    from rulezero_tools.ports import Session


def deployment(app: "App") -> FileDeployment:
    """The services and environments below the folder that the server was started in."""
    root = app.directory.resolve()
    return FileDeployment(root=root, history=history.Main(root).holds)


def scope(app: "App", client: str, progress: Callable[[str], None] = silent) -> Scope:
    """What `check_parity` and its like work with.

    Args:
        app: The server or the command.
        client: How the caller calls itself.
        progress: Is told what is being done.

    Raises:
        UnreadableConfig: The project's own settings are broken.
    """
    found = deployment(app)

    def session(environment: str) -> "Session":
        return app.session(environment, client=client)

    return Scope(
        deployment=found,
        sessions=session,
        databases=tuple(settings.read(found.root).environments),
        trying=_trying(app, found),
        progress=progress,
    )
