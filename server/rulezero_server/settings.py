"""What a project says about itself: rulezero.toml, or [tool.rulezero] in pyproject.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rulezero_policies.errors import UnknownEnvironment, UnreadableConfig
from rulezero_server import dotenv

DEFAULT_ENVIRONMENT = "development"

_NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One place the project runs in. `env` wins over what `env_file` holds."""

    name: str
    env_file: Path | None = None
    env: Mapping[str, str] = field(default_factory=lambda: _NO_VARIABLES)
    protected: bool = False

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
    file they were read from.
    """

    python: Path | None = None
    config: Path | None = None
    flask_app: str | None = None
    timeout: float = 60.0
    run_timeout: float = 3600.0
    origin: str | None = None
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
    """
    for name, keys in (("rulezero.toml", ()), ("pyproject.toml", ("tool", "rulezero"))):
        path = folder / name
        table = _table(path, keys) if path.is_file() else None
        if table is not None:
            return _Reader(path).settings(table)
    return Settings()


def _table(path: Path, keys: tuple[str, ...]) -> Mapping[str, Any] | None:
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UnreadableConfig(path=path.name, reason=str(exc)) from exc
    for key in keys:
        found = cast("dict[str, Any]", found).get(key) if isinstance(found, dict) else None
    if found is not None and not isinstance(found, dict):
        reason = f"{'.'.join(keys)} must be a table"
        raise UnreadableConfig(path=path.name, reason=reason)
    return cast("Mapping[str, Any] | None", found)


@dataclass(frozen=True)
class _Reader:
    """Checks types while it reads; paths are relative to the file's folder."""

    path: Path

    def settings(self, table: Mapping[str, Any]) -> Settings:
        known = ("python", "config", "flask_app", "timeout", "run_timeout", "environments")
        self._only(table, known, "")
        environments = self._table(table, "environments")
        named = {name: self._environment(name, entry) for name, entry in environments.items()}
        return Settings(
            python=self._interpreter(table),
            config=self._path(table, "config"),
            flask_app=self._get(table, "flask_app", str, "a string"),
            timeout=self._seconds(table, "timeout", 60.0),
            run_timeout=self._seconds(table, "run_timeout", 3600.0),
            origin=self.path.name,
            environments=named or Settings().environments,
        )

    def _environment(self, name: str, table: Any) -> Environment:
        where = f"environments.{name}."
        if not isinstance(table, dict):
            raise self._wrong(where.rstrip("."), "a table")
        entry = cast("Mapping[str, Any]", table)
        self._only(entry, ("env_file", "env", "protected"), where)
        env = self._table(entry, "env", where)
        for key, value in env.items():
            if not isinstance(value, str):
                raise self._wrong(f"{where}env.{key}", "a string")
        return Environment(
            name=name,
            env_file=self._path(entry, "env_file", where),
            env=env,
            protected=self._get(entry, "protected", bool, "true or false", where) or False,
        )

    def _only(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                raise self._unreadable(f"unknown key {where}{key}; known: {', '.join(known)}")

    def _get(
        self, table: Mapping[str, Any], key: str, kind: type, called: str, where: str = ""
    ) -> Any:
        value = table.get(key)
        if value is not None and not isinstance(value, kind):
            raise self._wrong(where + key, called)
        return value

    def _table(self, table: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
        return self._get(table, key, dict, "a table", where) or {}

    def _seconds(self, table: Mapping[str, Any], key: str, default: float) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self._wrong(key, "a number of seconds above 0")
        return float(value)

    def _path(self, table: Mapping[str, Any], key: str, where: str = "") -> Path | None:
        value = self._get(table, key, str, "a string", where)
        return None if value is None else self.path.parent / Path(value).expanduser()

    def _interpreter(self, table: Mapping[str, Any]) -> Path | None:
        """A bare command name is looked up on PATH; everything else is a path."""
        value = self._get(table, "python", str, "a string") or ""
        bare = value and not any(mark in value for mark in "/\\")
        return Path(value) if bare else self._path(table, "python")

    def _wrong(self, key: str, called: str) -> UnreadableConfig:
        return self._unreadable(f"{key} must be {called}")

    def _unreadable(self, reason: str) -> UnreadableConfig:
        return UnreadableConfig(path=self.path.name, reason=reason)
