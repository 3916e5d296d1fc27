"""Where the migrations are: alembic.ini, [tool.alembic], or a Flask-Migrate folder."""

import configparser
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rulezero_policies.errors import NoMigrations, NoProject, SeveralProjects, UnreadableConfig
from rulezero_server.settings import Settings
from rulezero_tools.records import Flavour

DEPTH = 2
"""How many folders below the given one are looked into."""

_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env", "build"})

_STARTS_FLASK = (".flaskenv", "wsgi.py", "app.py")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A project: the folder its commands run in, and what configures its migrations.

    `config` is the alembic.ini or pyproject.toml of a plain Alembic project, `directory` the
    migrations folder of a Flask-Migrate one.
    """

    flavour: Flavour
    root: Path
    config: Path | None = None
    directory: Path | None = None

    @property
    def marker(self) -> Path:
        """What it was found by."""
        return self.config or self.directory or self.root


def find(folder: Path, settings: Settings) -> Found:
    """The one project in `folder` or up to two folders below it.

    Raises:
        NoProject: There is none.
        SeveralProjects: There is more than one, and `config` does not choose.
        NoMigrations: `config` names something that is no migrations configuration.
        UnreadableConfig: A configuration file is broken.
    """
    top = folder.resolve()
    if not top.is_dir():
        raise NoProject(root=str(folder))
    if settings.config is not None:
        return _chosen(settings.config.resolve(), top, settings)
    found = [project for place in _places(top, DEPTH) for project in _in(place, top, settings)]
    if not found:
        raise NoProject(root=str(top))
    if len(found) > 1:
        named = ", ".join(p.marker.relative_to(top).as_posix() for p in found)
        raise SeveralProjects(root=str(top), found=named)
    return found[0]


def _chosen(config: Path, top: Path, settings: Settings) -> Found:
    folder = config if config.is_dir() else config.parent
    found = [p for p in _in(folder, top, settings) if config in {p.config, p.directory}]
    if not found:
        raise NoMigrations(path=str(config))
    return found[0]


def _places(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth == 0:
        return
    for below in sorted(folder.iterdir()):
        if _is_searched(below):
            yield from _places(below, depth - 1)


def _is_searched(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name in _SKIPPED
    return path.is_dir() and not path.is_symlink() and not hidden and not _is_venv(path)


def _is_venv(path: Path) -> bool:
    return (path / "pyvenv.cfg").is_file()


def _in(folder: Path, top: Path, settings: Settings) -> list[Found]:
    """The projects configured in this very folder; pyproject.toml and alembic.ini are one."""
    if _is_flask_migrate(folder):
        return [
            Found(
                flavour="flask-migrate", root=_flask_root(folder, top, settings), directory=folder
            )
        ]
    for path, location in (
        (folder / "pyproject.toml", _pyproject_location),
        (folder / "alembic.ini", _ini_location),
    ):
        written = location(path) if path.is_file() else None
        if written is not None:
            return [Found(flavour="alembic", root=_alembic_root(path, top, written), config=path)]
    return []


def _is_flask_migrate(folder: Path) -> bool:
    env, ini = folder / "env.py", folder / "alembic.ini"
    if not env.is_file() or "current_app" not in _text(env):
        return False
    return not ini.is_file() or _ini_location(ini) is None


def _flask_root(folder: Path, top: Path, settings: Settings) -> Path:
    """The folder `flask` is run in: where the app is named or found, else above the migrations."""
    if settings.flask_app is not None:
        return top
    above = [p for p in folder.parents if p == top or p.is_relative_to(top)]
    starts = [p for p in above if any((p / name).is_file() for name in _STARTS_FLASK)]
    return (starts or above or [folder])[0]


def _alembic_root(config: Path, top: Path, location: str) -> Path:
    """Alembic takes a relative location from the folder it runs in, often not the config's."""
    here = config.parent
    relative = not location.startswith(("%(here)s", "/")) and ":" not in location
    elsewhere = relative and not (here / location).is_dir() and (top / location).is_dir()
    return top if elsewhere else here


def _ini_location(path: Path) -> str | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_text(path))
    except configparser.Error as exc:
        raise UnreadableConfig(path=path.name, reason=_one_line(exc)) from exc
    return parser.get("alembic", "script_location", fallback=None)


def _pyproject_location(path: Path) -> str | None:
    try:
        table: Any = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as exc:
        raise UnreadableConfig(path=path.name, reason=_one_line(exc)) from exc
    for key in ("tool", "alembic", "script_location"):
        table = cast("dict[str, Any]", table).get(key) if isinstance(table, dict) else None
    return table if isinstance(table, str) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UnreadableConfig(path=path.name, reason=type(exc).__name__) from exc


def _one_line(exc: Exception) -> str:
    return " ".join(str(exc).split())
