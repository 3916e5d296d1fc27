"""What a project says about itself: rulezero.toml, or [tool.rulezero] in pyproject.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rulezero_policies.errors import PolicyLoosened, UnknownEnvironment
from rulezero_server import dotenv
from rulezero_server.policyfile import Line, lines, of_apply
from rulezero_server.tomlfile import Reader, load

DEFAULT_ENVIRONMENT = "development"

USERS_OWN = ("page", "store", "reading", "rehearsal")
"""Tables of policy.toml that a project may not have at all."""

_NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One place the project runs in. `env` wins over what `env_file` holds.

    `says_unprotected` is whether the file says `protected = false`, and not merely nothing.
    """

    name: str
    env_file: Path | None = None
    env: Mapping[str, str] = field(default_factory=lambda: _NO_VARIABLES)
    protected: bool = False
    says_unprotected: bool = False

    def variables(self) -> Mapping[str, str]:
        """The environment variables that this environment adds.

        Raises:
            UnreadableConfig: `env_file` is missing or unreadable.
        """
        return {**(dotenv.read(self.env_file) if self.env_file else {}), **self.env}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. Times are in seconds; None means: find out.

    `python` is the interpreter that runs the project, `config` the alembic.ini, pyproject.toml or
    Flask-Migrate folder that is meant, `flask_app` what FLASK_APP would hold. `origin` is the
    file they were read from; `approval`, what it says about approvals, which counts only where it
    tightens the user's policy.
    """

    python: Path | None = None
    config: Path | None = None
    flask_app: str | None = None
    timeout: float = 60.0
    run_timeout: float = 3600.0
    origin: str | None = None
    approval: tuple[Line, ...] = ()
    environments: Mapping[str, Environment] = field(
        default_factory=lambda: {DEFAULT_ENVIRONMENT: Environment(name=DEFAULT_ENVIRONMENT)}
    )

    def environment(self, name: str | None = None) -> Environment:
        """The environment called `name`; without a name, the first one.

        Raises:
            UnknownEnvironment: There is none of that name.
        """
        chosen = next(iter(self.environments)) if name is None else name
        if chosen not in self.environments:
            known = ", ".join(self.environments)
            raise UnknownEnvironment(environment=chosen, known=known)
        return self.environments[chosen]


def read(folder: Path) -> Settings:
    """The settings of the project in `folder`; the defaults where it says nothing.

    Raises:
        UnreadableConfig: A file is broken, or holds an unknown key or a wrong type.
        PolicyLoosened: A file says what only the user's own policy may say.
    """
    table = said(folder)
    return Settings() if table is None else _settings(table)


def said(folder: Path) -> Reader | None:
    """The table that holds the settings of the project in `folder`; None if it says nothing.

    Raises:
        UnreadableConfig: A file is broken.
    """
    for name, keys in (("rulezero.toml", ()), ("pyproject.toml", ("tool", "rulezero"))):
        path = folder / name
        table = load(path, keys) if path.is_file() else None
        if table is not None:
            return table
    return None


def _settings(table: Reader) -> Settings:
    for name in USERS_OWN:
        if name in table.table:
            what = f"[{name}], which only the user's own policy.toml may hold"
            raise PolicyLoosened(path=table.file, what=what)
    table.only(
        "python",
        "config",
        "flask_app",
        "timeout",
        "run_timeout",
        "environments",
        "approval",
        "apply",
        "parity",  # read by parity.config, and only where parity is asked for
    )
    named = table.inner("environments")
    environments = {name: _environment(named, name) for name in named.table}
    seconds = "a number of seconds above 0"
    return Settings(
        python=_interpreter(table),
        config=table.path("config"),
        flask_app=table.text("flask_app"),
        timeout=table.number("timeout", seconds) or Settings.timeout,
        run_timeout=table.number("run_timeout", seconds) or Settings.run_timeout,
        origin=table.file,
        approval=(*lines(table.inner("approval")), *_of_apply(table)),
        environments=environments or Settings().environments,
    )


def _of_apply(table: Reader) -> tuple[Line, ...]:
    """A project may ask for more backups, and has no say in how or where they are made."""
    said = table.inner("apply")
    for key in said.table:
        if key != "backup":
            what = f"[apply] {key}, which only the user's own policy.toml may hold"
            raise PolicyLoosened(path=table.file, what=what)
    return of_apply(said)


def _environment(named: Reader, name: str) -> Environment:
    table = named.inner(name)
    table.only("env_file", "env", "protected")
    env = table.inner("env")
    for key, value in env.table.items():
        if not isinstance(value, str):
            raise env.wrong(key, "a string")
    said = table.truth("protected")
    return Environment(
        name=name,
        env_file=table.path("env_file"),
        env=env.table,
        protected=said is True,
        says_unprotected=said is False,
    )


def _interpreter(table: Reader) -> Path | None:
    """A bare command name is looked up on PATH; everything else is a path."""
    value = table.text("python") or ""
    bare = value and not any(mark in value for mark in "/\\")
    return Path(value) if bare else table.path("python")
