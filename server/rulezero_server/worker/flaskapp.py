"""The Flask app, found and made as the `flask` command does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import current_app
from flask.cli import ScriptInfo, load_dotenv

from . import errors


def config(project: dict[str, Any], ground: errors.Ground) -> Any:
    """Flask-Migrate's own configuration, inside the pushed context of the app.

    Raises:
        Failure: The app is not found, does not load, or has no Flask-Migrate.
    """
    with errors.stage("app", ground):
        environment(project["flask_app"])
        app = ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
        app.app_context().push()
        if "migrate" not in current_app.extensions:
            raise errors.Failure(
                "AppNotFound",
                error="it loads, but Flask-Migrate is not set up on it (no Migrate(app, db))",
            )
        migrate = current_app.extensions["migrate"].migrate
        return migrate.get_config(_directory(project, ground))


def environment(named: str | None) -> None:
    """What the `flask` command makes of its own variables, before an app is loaded.

    Args:
        named: What FLASK_APP is to hold; None for what the project says.
    """
    os.environ["FLASK_RUN_FROM_CLI"] = "true"  # the command sets it, and apps look at it
    if named:
        os.environ["FLASK_APP"] = named
    load_dotenv()
    if "FLASK_APP" not in os.environ:
        _without_dotenv()


def _without_dotenv() -> None:
    """FLASK_APP out of .flaskenv, for an interpreter that lacks python-dotenv."""
    path = Path(".flaskenv")
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        key, found, value = line.strip().removeprefix("export ").partition("=")
        if found and key.strip() == "FLASK_APP":
            os.environ["FLASK_APP"] = value.strip().strip("\"'")


def _directory(project: dict[str, Any], ground: errors.Ground) -> str | None:
    """The migrations folder as it is written on the command line: relative where possible."""
    given = project["directory"]
    return os.path.relpath(given, ground.root) if given else None
