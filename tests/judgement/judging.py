"""What the review says of a case, and whether that is what happened."""

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from pydantic import TypeAdapter

from rulezero_policies import rules
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.scene import questions
from rulezero_server.worker import probe
from rulezero_server.worker import trace as worker
from rulezero_tools.records import Database, Trace
from rulezero_tools.scenes import scene_of

from .happened import Label, what_happens
from .scenarios import Case

_TRACE = TypeAdapter(Trace)
_FACTS = TypeAdapter(tuple[Fact, ...])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A case with its label, what the review said, and where the two disagree."""

    case: Case
    label: Label
    findings: tuple[Finding, ...]
    misses: tuple[str, ...]
    false_alarms: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the review said what happened, and nothing else."""
        return not (self.misses or self.false_alarms)

    def __str__(self) -> str:
        """Everything there is to know when it is wrong."""
        said = "; ".join(f"{f.rule} {f.severity} {f.outcome}: {f.evidence}" for f in self.findings)
        wrong = " / ".join((*self.misses, *self.false_alarms))
        return f"{self.case.id}: {wrong}\n  happened: {self.label}\n  said: {said or 'nothing'}"


def judge(case: Case, engine: sa.Engine, folder: Path) -> Judged:
    """Set the case up, review it as it stands, let it happen, and compare."""
    _prepare(case, engine)
    path = folder / "revision.py"
    path.write_text(case.source)
    module = _loaded(path)
    findings = tuple(_findings(engine, path, module))
    label = what_happens(engine, module)
    return Judged(
        case=case,
        label=label,
        findings=findings,
        misses=tuple(_misses(case, label, findings)),
        false_alarms=tuple(_false_alarms(case, label, findings)),
    )


def _prepare(case: Case, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for statement in case.setup:
            connection.exec_driver_sql(statement)


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("revision", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _findings(engine: sa.Engine, path: Path, module: ModuleType) -> Iterator[Finding]:
    """What the rules say, from the worker's own recording and its own probes."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        context = MigrationContext.configure(connection)
        script: Any = SimpleNamespace(
            path=str(path), module=module, revision=module.revision, down_revision=None, doc=""
        )
        seen: Any = vars(worker)["_trace"](script, context, str(path.parent), set[str]())
        trace = _TRACE.validate_python(seen)
        connection.rollback()
        asked = questions(trace.upgrade, engine.dialect.name)
        told = probe.answers(connection, {"questions": [asdict(q) for q in asked]})
        version = ".".join(map(str, engine.dialect.server_version_info or ()))
    scene = scene_of(_database(engine, version), trace, (), _FACTS.validate_python(told))
    # A label tells of the upgrade alone.
    found = rules.review(scene)
    yield from (f for f in found if not f.rule.startswith(("downgrade-", "enum-duplicate")))


def _database(engine: sa.Engine, version: str) -> Database:
    identity = DatabaseIdentity(
        dialect=engine.dialect.name, host=None, port=None, name="judged", server_id=None
    )
    return Database(identity=identity, version=version, current=(), fingerprint=None)


def _misses(case: Case, label: Label, findings: Iterable[Finding]) -> Iterator[str]:
    found = tuple(findings)
    outcomes = {f.outcome for f in found}
    if label.error and "will_fail" not in outcomes:
        yield "it failed, and no finding says that it will"
    if label.lost and not label.error and "loses_data" not in outcomes:
        yield f"it lost {', '.join(label.lost)}, and no finding says so"
    if case.data == "large" and label.rewritten and "blocks" not in outcomes:
        yield f"it stored {', '.join(label.rewritten)} anew, and no finding says so"
    yield from (
        f"{rule} does not speak" for rule in case.scenario.design if rule not in _rules(found)
    )


def _rules(findings: Iterable[Finding]) -> set[str]:
    return {f.rule for f in findings}


def _false_alarms(case: Case, label: Label, findings: Iterable[Finding]) -> Iterator[str]:
    happened = bool(label.error or label.lost)
    known = {*case.scenario.design, *case.scenario.may}
    busy = case.data == "large" and bool(label.rewritten or label.lock)
    for finding in findings:
        if finding.outcome == "will_fail" and not label.error:
            yield f"{finding.rule} says that it fails"
        elif finding.outcome == "loses_data" and not label.lost and not label.error:
            yield f"{finding.rule} says that it loses data"
        elif finding.outcome == "blocks" and not busy and not label.error:
            yield f"{finding.rule} says that it blocks others"
        elif not happened and not busy and finding.rule not in known:
            yield f"{finding.rule} speaks where nothing happened"
