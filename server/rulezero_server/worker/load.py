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

from . import chain, errors, places


def _heard(environment: Any, output: Any, databases: Any = None) -> Any:
    """`environment`, with an ear for what env.py says to it.

    Its new attribute `given` holds the arguments that revisions are called with
    (`context.run_migrations(...)`). Offline SQL goes to `output`, unless that is None. `databases`
    is told which connection is migrated.
    """
    configure, run_migrations = environment.configure, environment.run_migrations
    environment.given = {}

    def configured(*args: Any, **kwargs: Any) -> None:
        connection = kwargs.get("connection") or next(iter(args), None)
        if databases is not None and connection is not None:
            databases.migrates(_raw(connection))
        configure(*args, **(kwargs if output is None else {**kwargs, "output_buffer": output}))

    def run(**kw: Any) -> None:
        environment.given = kw
        run_migrations(**kw)

    # Alembic finds the functions of `alembic.context` by the class: a subclass would have none.
    environment.configure, environment.run_migrations = configured, run
    return environment


def _raw(connection: Any) -> Any:
    """The driver's own connection under SQLAlchemy's."""
    pooled = getattr(connection, "connection", None)
    return getattr(pooled, "driver_connection", None) or getattr(pooled, "dbapi_connection", None)


class Loaded:
    """A project whose configuration and revisions are read. Paths are absolute."""

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

    def run_env(self, fn: Callable[[Any, Any], Any], *, output: Any = None, **options: Any) -> None:
        """Run env.py with `fn(revision, context)` in place of the migrations.

        What `fn` raises is raised here, also when env.py swallows it. SQL rendered offline goes to
        `output`, wherever env.py would have it go.

        Raises:
            Failure: env.py failed, or never got to the migrations.
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
        with errors.stage("env", self.ground):
            try:
                plain = EnvironmentContext(self.config, self.script, fn=watched, **given)
                with _heard(plain, output, self.databases):
                    self.script.run_env()
            finally:
                if self.databases is not None:
                    self.databases.settle()
                raised = next((exc for exc in calls if exc is not None), None)
                if raised is not None and sys.exc_info()[1] is None:
                    raise raised
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
