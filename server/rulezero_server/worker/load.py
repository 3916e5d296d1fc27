"""The project, loaded as its own command line would load it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionMap

from . import chain, errors, hearing, places


class Loaded:
    """A project whose configuration and revisions are read. Paths are absolute.

    `database` names the one that is meant where env.py migrates several; `heard` is what env.py
    said the last time that it ran.
    """

    def __init__(
        self, flavour: str, ground: errors.Ground, config: Config, script: ScriptDirectory
    ) -> None:
        """Keep what was loaded."""
        self.flavour = flavour
        self.ground = ground
        self.root = ground.root
        self.config = config
        self.script = script
        self.files: list[Any] = []
        self.broken: BaseException | None = None
        self.flaws: list[dict[str, Any]] = []
        self.guard: Any = None
        self.log: list[dict[str, Any]] = []
        self.progress: Callable[[str], None] = lambda _text: None
        self.database: str | None = None
        self.heard = hearing.Hearing(None)

    def join(self) -> None:
        """Load every revision file; what is wrong with them is kept until somebody asks."""
        self.files = chain.keep(self.script)
        try:
            with errors.stage("script", self.ground):
                self.script.get_heads()
        except errors.Failure as failure:
            self.broken = failure
        else:
            self.flaws = chain.Chain(self.files, self.root).flaws

    def insist(self) -> None:
        """Refuse to go on with files that alembic refuses.

        Raises:
            Failure: What alembic says.
        """
        if self.broken is not None:
            raise self.broken

    def mend(self) -> None:
        """Go on without the files and links that alembic refuses, for reading only."""
        if self.broken is None:
            return
        with errors.stage("script", self.ground):
            joined = chain.Chain(chain.read(self.script), self.root)
            self.flaws = joined.flaws
            self.script.revision_map = RevisionMap(lambda: joined.scripts)
            self.script.get_heads()

    @property
    def databases(self) -> Any:
        """Who knows which databases are connected to; None inside a run."""
        return getattr(self.guard, "databases", None)

    def autogenerates(self, *, on: bool) -> None:
        """Say what Alembic's command line says to env.py when it autogenerates."""
        options: Any = self.config.cmd_opts
        if on:
            options.autogenerate = True
        elif hasattr(options, "autogenerate"):
            del options.autogenerate

    def run_env(
        self,
        fn: Callable[[Any, Any], Any],
        *,
        output: Any = None,
        every: bool = False,
        **options: Any,
    ) -> None:
        """Run env.py with `fn(revision, context)` in place of the migrations.

        What `fn` raises is raised here, also when env.py swallows it. SQL rendered offline goes to
        `output`, wherever env.py would have it go. Of several databases `fn` gets the chosen one,
        or with `every`, where none is chosen, one after another.

        Raises:
            Failure: env.py failed, never got to the migrations, or did not get to one database.
        """
        calls: list[BaseException | None] = []

        def watched(revision: Any, context: Any) -> Any:
            calls.append(None)
            try:
                return fn(revision, context)
            except BaseException as exc:
                calls[-1] = exc
                raise

        given = {"dont_mutate": True, **options}
        heard = hearing.Hearing(self.database, every=every, output=output, databases=self.databases)
        self.heard = heard
        with errors.stage("env", self.ground):
            try:
                plain = EnvironmentContext(self.config, self.script, fn=watched, **given)
                with heard.to(plain):
                    self.script.run_env()
            finally:
                if self.databases is not None:
                    self.databases.settle()
                raised = next((exc for exc in calls if exc is not None), None)
                if raised is not None and sys.exc_info()[1] is None:
                    raise raised
        heard.end()
        if not calls:
            raise errors.Failure(
                "EnvScriptError",
                error="env.py ended without a call of context.run_migrations()",
                file=places.relative(str(Path(self.script.dir, "env.py")), self.root),
                line=1,
            )


def load(project: dict[str, Any], ground: errors.Ground) -> Loaded:
    """Load the app (for Flask-Migrate), the configuration and the revision files.

    Raises:
        Failure: The app or the configuration does not load; for the files see `Loaded.insist`.
    """
    if project["flavour"] == "flask-migrate":
        from . import flaskapp  # noqa: PLC0415 - only these projects have Flask

        config = flaskapp.config(project, ground)
    else:
        config = _alembic_config(project)
    with errors.stage("script", ground):
        script = _script(config, ground)
    loaded = Loaded(project["flavour"], ground, config, script)
    loaded.join()
    return loaded


def _alembic_config(project: dict[str, Any]) -> Config:
    sys.path.append(project["root"])  # `python -m alembic` and PYTHONPATH=. are this common
    given = Namespace(x=None, name="alembic", raiseerr=False)
    path = Path(project["config"])
    if path.name != "pyproject.toml":
        return Config(str(path), cmd_opts=given)
    return Config(str(path.with_name("alembic.ini")), toml_file=path, cmd_opts=given)


def _script(config: Config, ground: errors.Ground) -> ScriptDirectory:
    script = ScriptDirectory.from_config(config)
    if not Path(script.dir, "env.py").is_file():
        raise errors.Failure("NoMigrations", path=places.relative(script.dir, ground.root))
    return script
