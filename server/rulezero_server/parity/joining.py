"""A parity check of one project, put together: what is read, and where things are tried."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rulezero_policies.errors import NoProject
from rulezero_policies.parity.values import Layout
from rulezero_server import settings
from rulezero_server.parity import realvalues
from rulezero_server.parity.history import History
from rulezero_server.parity.layout import FileDeployment, Running
from rulezero_server.parity.settingsfiles import ProjectSettings
from rulezero_server.parity.shadowed import Place, ShadowSmokeTests
from rulezero_server.parity.storeprobe import WorkerStoreProbe
from rulezero_server.project import WorkerProject
from rulezero_tools.parity.check import Scope, Trying
from rulezero_tools.ports import silent

if TYPE_CHECKING:
    from rulezero_server.app import App
    from rulezero_tools.ports import Session


def deployment(app: "App", running: Running | None = None) -> FileDeployment:
    """The services and environments below the folder that the server was started in.

    Args:
        app: The server or the command.
        running: What a running check says of the environment that it runs in.

    Raises:
        NoProject: There is no such folder.
    """
    root = app.directory.resolve()
    if not root.is_dir():
        raise NoProject(root=str(app.directory))
    besides = app.preferences().settings_folders
    main = History(root).on_main
    return FileDeployment(root=root, besides=besides, history=main, running=running)


def scope(
    app: "App",
    client: str,
    progress: Callable[[str], None] = silent,
    *,
    running: Running | None = None,
) -> Scope:
    """What `check_parity` and its like work with.

    Args:
        app: The server or the command.
        client: How the caller calls itself.
        progress: Is told what is being done.
        running: What a running check says of the environment that it runs in.

    Raises:
        UnreadableConfig: The project's own settings are broken.
    """
    found = deployment(app, running)

    def session(environment: str) -> "Session":
        return app.session(environment, client=client)

    def trying(layout: Layout, keys: frozenset[str]) -> Trying:
        place = _place(app, found, layout, keys)
        return Trying(smoke=ShadowSmokeTests(place), stores=WorkerStoreProbe(place))

    return Scope(
        deployment=found,
        sessions=session,
        files=ProjectSettings(found.root),
        databases=tuple(settings.read(found.root).environments),
        trying=trying,
        progress=progress,
    )


def _place(app: "App", found: FileDeployment, layout: Layout, keys: frozenset[str]) -> Place:
    project = WorkerProject.open(app.directory, layout.production)
    protected = app.policy().protected_environments
    return Place(
        project=project,
        top=found.root,
        layout=layout,
        values=realvalues.of(found.root, layout),
        wishes=app.preferences().rehearsal,
        marked=project.protected or project.environment in protected,
        keys=keys,
    )
