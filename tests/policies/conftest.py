"""Revision sources as scenes, through the worker's own recording."""

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import create_engine

from rulezero_policies.operations import Operation
from rulezero_policies.scene import Scene
from rulezero_server.worker import trace, tree

OPERATIONS = TypeAdapter(tuple[Operation, ...])

URLS = {
    "postgresql": "postgresql+psycopg://",
    "mysql": "mysql+pymysql://",
    "sqlite": "sqlite://",
}


@pytest.fixture
def scene_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scene]]:
    """`scene_of(source, dialect)`: what the rules see of a revision file."""
    application = tmp_path / "app"
    application.mkdir()
    (application / "__init__.py").touch()
    (application / "models.py").write_text("class Event:\n    pass\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    numbers = itertools.count()

    def scene(source: str, dialect: str = "postgresql") -> Scene:
        path = versions / f"revision_{next(numbers)}.py"
        path.write_text(source)
        script = SimpleNamespace(path=str(path), module=_loaded(path))
        engine = create_engine(URLS[dialect])
        speaking = SimpleNamespace(engine=engine, dialect=engine.dialect)
        context = SimpleNamespace(connection=speaking, opts={}, environment_context=None)
        upgrade, upgrade_error = trace.record(script, "upgrade", context)
        downgrade, downgrade_error = trace.record(script, "downgrade", context)
        engine.dispose()
        return Scene(
            dialect=dialect,
            revision="1a2b3c4d5e6f",
            upgrade=OPERATIONS.validate_python(upgrade),
            downgrade=OPERATIONS.validate_python(downgrade),
            upgrade_error=upgrade_error,
            downgrade_error=downgrade_error,
            **_tree(path, tmp_path),
        )

    yield scene
    for name in ("app", "app.models"):
        sys.modules.pop(name, None)


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tree(path: Path, root: Path) -> dict[str, Any]:
    told = tree.tree(str(path), str(root))
    return {**told, "app_imports": tuple((m, n) for m, n in told["app_imports"])}
