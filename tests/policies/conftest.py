"""Revision sources as scenes, through the worker's own recording."""

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.script import Script
from pydantic import TypeAdapter
from sqlalchemy import create_engine

from rulezero_policies.findings import Fact, Question
from rulezero_policies.operations import Operation
from rulezero_policies.plan import DatabaseIdentity, FileHash, Plan, PlannedChange
from rulezero_policies.policy import Policy
from rulezero_policies.scene import Flaw, Scene
from rulezero_server.worker import chain, trace, tree

OPERATIONS = TypeAdapter(tuple[Operation, ...])
FLAWS = TypeAdapter(tuple[Flaw, ...])

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

    def scene(source: str, dialect: str = "postgresql", env: str = "") -> Scene:
        path = versions / f"revision_{next(numbers)}.py"
        path.write_text(source)
        module = chain.lenient(path, lambda: _loaded(path))
        joined = chain.Chain([Script(module, module.revision, str(path))], str(tmp_path))
        flaws = FLAWS.validate_python(joined.flaws)
        if hasattr(module, "broken"):
            return Scene(dialect=dialect, revision=module.revision, flaws=flaws)
        script = SimpleNamespace(path=str(path), module=module)
        engine = create_engine(URLS[dialect])
        speaking = SimpleNamespace(engine=engine, dialect=engine.dialect)
        context = SimpleNamespace(
            connection=speaking,
            dialect=engine.dialect,
            as_sql=False,
            opts={},
            environment_context=None,
            _in_external_transaction=env == "external transaction",
        )
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
            flaws=flaws,
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
    del told["ignores"], told["phase"]
    return {**told, "app_imports": tuple((m, n) for m, n in told["app_imports"])}


NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """The time at which `plan` was made."""
    return NOW


@pytest.fixture(scope="session")
def plan() -> Plan:
    """An upgrade plan, alive for an hour."""
    asked = Question(probe="values", table="users", column="old")
    return Plan(
        kind="upgrade",
        project="/srv/shop",
        environment="development",
        protected=False,
        database=DatabaseIdentity(
            dialect="postgresql", host="localhost", port=5432, name="shop", server_id="7/16384"
        ),
        from_revisions=("a1",),
        to_revision="b2",
        revisions=("b2",),
        files=(
            FileHash(path="migrations/env.py", sha256="0" * 64),
            FileHash(path="migrations/versions/b2.py", sha256="1" * 64),
        ),
        sql="ALTER TABLE users DROP COLUMN old",
        fingerprint="f" * 64,
        description="Drop old",
        path="migrations/versions/b2.py",
        changes=(PlannedChange(subject="users.old", description="drop column old"),),
        findings=(),
        facts=(Fact(question="values in users.old", count=0, asked=asked),),
        verdict="SAFE",
        risk="SAFE",
        warnings=(),
        phrases=(),
        rollback_command="flask db downgrade a1",
        policy=Policy().digest,
        created=NOW,
        expires=NOW + timedelta(hours=1),
    )
