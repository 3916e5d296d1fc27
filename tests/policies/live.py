"""A revision, a database as it is found, what the rules say, and what the database then does."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from pydantic import TypeAdapter

from rulezero_policies.findings import Fact, Finding
from rulezero_policies.operations import Operation
from rulezero_policies.rules import review
from rulezero_policies.rules.rule import revision
from rulezero_policies.scene import Scene, Stage, questions
from rulezero_server.worker import probe, trace, tree

FACTS = TypeAdapter(tuple[Fact, ...])
OPERATIONS = TypeAdapter(tuple[Operation, ...])


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was said of a revision, and how it went."""

    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    error: str | None

    def of(self, rule: str) -> list[tuple[str, str]]:
        """Severity and outcome of a rule's findings."""
        return [(f.severity, f.outcome) for f in self.findings if f.rule == rule]

    @property
    def failing(self) -> set[str]:
        """The rules that say it will fail."""
        return {f.rule for f in self.findings if f.outcome == "will_fail"}


@dataclass(frozen=True, kw_only=True)
class Live:
    """A throw-away database."""

    engine: sa.Engine
    folder: Path

    @property
    def dialect(self) -> str:
        """Which one it is, as the rules call it."""
        return "mysql" if self.engine.dialect.name == "mariadb" else self.engine.dialect.name

    def run(self, *statements: str) -> None:
        """Execute them, committed."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def review(self, upgrade: str) -> Case:
        """What the rules say of these operations, facts included; nothing is run."""
        return self._judged(self._script(upgrade), run=False)

    def judge(self, upgrade: str) -> Case:
        """What the rules say of these operations, and then run them."""
        return self._judged(self._script(upgrade), run=True)

    def review_file(self, upgrade: str, downgrade: str = "pass") -> Case:
        """What the rules say of a whole revision file, facts included; nothing is run."""
        return self._judged(self._script(upgrade, downgrade), run=False, stage="revision")

    def scene(self, text: str, *, size: int | None = None) -> Scene:
        """What the rules see of a whole file; its tables are as large as is said."""
        self._script("pass")
        versions = self.folder / "migrations" / "versions"
        # Byte code is known by whole seconds and size: what only changes places would not be read.
        shutil.rmtree(versions / "__pycache__", ignore_errors=True)
        (versions / "one.py").write_text(text, encoding="utf-8")
        script = self._files()
        with self.engine.connect() as connection:
            up = OPERATIONS.validate_python(self._recorded(script, connection))
            down = OPERATIONS.validate_python(self._recorded(script, connection, "downgrade"))
            asked = [dataclasses.asdict(q) for q in questions(up, self.dialect)]
            found = FACTS.validate_python(probe.answers(connection, {"questions": asked}))
        if size is not None:
            sized = (f.asked.probe == "size" for f in found)
            found = tuple(
                dataclasses.replace(f, count=size) if is_size else f
                for f, is_size in zip(found, sized, strict=True)
            )
        told = tree.tree(str(self.folder / "migrations" / "versions" / "one.py"), str(self.folder))
        return Scene(
            dialect=self.dialect,
            upgrade=up,
            downgrade=down,
            has_downgrade=told["has_downgrade"],
            downgrade_is_empty=told["downgrade_is_empty"],
            downgrade_line=told["downgrade_line"],
            facts=found,
        )

    def move(self, target: str) -> str | None:
        """Go to "head" or "base" with the file last reviewed; the error, if there was one."""
        return self._ran(self._files(), target)

    def _script(self, upgrade: str, downgrade: str = "pass") -> ScriptDirectory:
        folder = self.folder / "migrations"
        (folder / "versions").mkdir(parents=True, exist_ok=True)
        (folder / "env.py").touch()
        (folder / "versions" / "one.py").write_text(revision(upgrade, downgrade), encoding="utf-8")
        return self._files()

    def _files(self) -> ScriptDirectory:
        config = Config()
        config.set_main_option("script_location", (self.folder / "migrations").as_posix())
        return ScriptDirectory.from_config(config)

    def _judged(self, script: ScriptDirectory, *, run: bool, stage: Stage = "rollback") -> Case:
        with self.engine.connect() as connection:
            operations = OPERATIONS.validate_python(self._recorded(script, connection))
            undone = OPERATIONS.validate_python(self._recorded(script, connection, "downgrade"))
            asked = [dataclasses.asdict(q) for q in questions(operations, self.dialect)]
            found = probe.answers(connection, {"questions": asked})
        facts = FACTS.validate_python(found)
        scene = Scene(
            dialect=self.dialect, stage=stage, upgrade=operations, downgrade=undone, facts=facts
        )
        error = self._ran(script) if run else None
        return Case(findings=review(scene), facts=facts, error=error)

    def _recorded(
        self, script: ScriptDirectory, connection: sa.Connection, direction: str = "upgrade"
    ) -> Any:
        seen: list[Any] = []

        def look(_: Any, context: Any) -> list[Any]:
            (one,) = script.walk_revisions()
            steps, error = trace.record(one, direction, context)
            assert error is None, error
            seen.extend(steps)
            return []

        self._in(script, connection, look)
        return seen

    def _ran(self, script: ScriptDirectory, target: str = "head") -> str | None:
        steps = cast("Any", script)

        def move(current: Any, _: Any) -> Any:
            going = steps._upgrade_revs if target == "head" else steps._downgrade_revs
            return going(target, current)

        try:
            with self.engine.connect() as connection:
                self._in(script, connection, move)
        except Exception as error:  # noqa: BLE001 - which error is what the tests look at
            return f"{type(error).__name__}: {error}"
        return None

    def _in(
        self, script: ScriptDirectory, connection: sa.Connection, move: Callable[..., Any]
    ) -> None:
        environment = EnvironmentContext(Config(), script, fn=move)
        with environment:
            environment.configure(connection=connection, fn=move)
            with environment.begin_transaction():
                environment.run_migrations()
            connection.commit()


def lives(engine: sa.Engine, folder: Path) -> Iterator[Live]:
    """A `Live` for a fixture."""
    yield Live(engine=engine, folder=folder)
    engine.dispose()
