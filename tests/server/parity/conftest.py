"""A service whose function is merged and not visible: what smoke tests and stores are tried on."""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.parity.values import Entry, Layout, Service, Source
from rulezero_server.parity.shadowed import Place
from rulezero_server.project import WorkerProject
from rulezero_server.shadows.wishes import Wishes

CANARY = "canary-5c1e77d0"

FACTORY = """
import os
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from notes.models import Task, db

ROOT = Path(__file__).resolve().parent.parent


def create_app() -> Flask:
    app = Flask(__name__)
    default = f"sqlite:///{(ROOT / 'notes.db').as_posix()}"
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", default)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "dev")
    db.init_app(app)
    Migrate(app, db)

    @app.get("/tasks")
    def tasks():
        return {"tasks": db.session.query(Task).count(), "secret": app.config["SECRET_KEY"]}

    if os.environ.get("FEATURE_SEARCH") == "true":

        @app.get("/search")
        def search():
            return os.environ["SEARCH_URL"]

    return app
"""

MakePlace = Callable[..., Place]


def entries(path: str, values: Mapping[str, str]) -> tuple[Entry, ...]:
    return tuple(
        Entry(key=key, path=path, line=number, shape="text", mark=key)
        for number, key in enumerate(values, start=1)
    )


@pytest.fixture
def service(
    copy_project: Callable[[str], Path], to_head: Callable[..., None], monkeypatch: Any
) -> Path:
    """The Flask-Migrate sample with routes, its SQLite database one revision before its head."""
    folder = copy_project("flask_notes")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (folder / "notes" / "__init__.py").write_text(FACTORY, encoding="utf-8")
    to_head(folder, revision="1a0c7d2e9f31")
    with closing(sqlite3.connect(folder / "notes.db")) as made:
        made.execute("INSERT INTO users (id, email, name) VALUES (1, ?, 'x')", (CANARY,))
        made.commit()
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlace:
    """`place(folder, production, staging=…)`: a project with one service and these settings."""

    def make(
        folder: Path,
        production: Mapping[str, str] | None = None,
        staging: Mapping[str, str] | None = None,
        *,
        within: str = ".",
        **more: Any,
    ) -> Place:
        given = {"production": production or {}, "staging": staging or {}}
        sources: list[Source] = []
        for name, values in given.items():
            path = f".env.{name}"
            text = "".join(f"{key}={value}\n" for key, value in values.items())
            (folder / path).write_text(text, encoding="utf-8")
            sources.append(
                Source(
                    service=None,
                    environment=name,
                    path=path,
                    kind="file",
                    entries=entries(path, values),
                )
            )
        layout = Layout(
            production="production",
            baseline=("staging",),
            services=(Service(name="api", folder=within),),
            sources=tuple(sources),
        )
        monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setenv("ONLY_THE_SERVERS", CANARY)
        assert "ONLY_THE_SERVERS" in os.environ
        return replace(
            Place(
                project=WorkerProject.open(folder),
                top=folder,
                layout=layout,
                values=lambda _service, environment: given.get(environment, {}),
                wishes=Wishes(seconds=60),
                marked=False,
            ),
            **more,
        )

    return make


@pytest.fixture
def notes_on_postgresql(
    copy_project: Callable[[str], Path],
    to_head: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    postgres_url: str,
) -> Path:
    """The sample on PostgreSQL, one revision before its head."""
    folder = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    to_head(folder, revision="1a0c7d2e9f31")
    return folder
