"""Which changes get a sequence, which are refused, and when a phase may be planned."""

import ast
import json
from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import NoSequence, OutOfOrder, PhaseNotReady, PlanStale
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.renames import Rename
from rulezero_tools import safer
from rulezero_tools.analyze import analyze
from rulezero_tools.apply import apply
from rulezero_tools.asking import FormAnswer, answer_form, open_question
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session
from rulezero_tools.review import review, review_files
from rulezero_tools.shapes import Hold, Shape, ShapeColumn

pytestmark = pytest.mark.proves("A15")

ID = ShapeColumn(name="id", nullable=False)
CODE = ShapeColumn(name="code", nullable=True)
TASKS = Shape(table="tasks", key=("id",), columns=(ID, CODE))


def retype(before: str, after: str) -> Operation:
    change = Change(attribute="type", before=before, after=after)
    column = Column(name="code", type=before)
    return Operation(kind="alter_column", table="tasks", column=column, changes=(change,))


def required(default: str | None = None) -> Operation:
    null = Change(attribute="nullable", before="true", after="false")
    given = Change(attribute="server_default", before=None, after=default)
    changes = (null, given) if default else (null,)
    column = Column(name="code", type="VARCHAR(9)")
    return Operation(kind="alter_column", table="tasks", column=column, changes=changes)


NUMBER = retype("VARCHAR(20)", "INTEGER")


def written(
    *operations: Operation,
    shape: Shape = TASKS,
    dialect: str = "postgresql",
    nulls: int | None = 0,
    renames: tuple[Rename, ...] = (),
) -> safer.Sequenced | None:
    return safer.sequence(
        operations,
        (shape,),
        dialect=dialect,
        message="change",
        nulls={("tasks", "code"): nulls},
        renames=renames,
    )


def test_what_needs_no_phases_gets_none() -> None:
    plain = Operation(kind="add_column", table="tasks", column=Column(name="note", type="TEXT"))
    assert written(plain) is None
    assert written(replace(NUMBER, table="elsewhere")) is None


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "sqlite"])
def test_every_phase_is_python_that_says_what_it_waits_for(dialect: str) -> None:
    found = written(NUMBER, dialect=dialect)
    assert found is not None
    assert found.without == (("tasks", "code"),)
    assert [t.partition(": ")[2] for t in found.told] == [
        "expand)",
        "backfill)",
        "switch)",
        "contract)",
    ]
    for file in found.files:
        for lines in (file.upgrade, file.downgrade, (file.end,)):
            ast.parse("\n".join(lines))
        assert "rulezero_" not in file.end


def test_phases_of_two_changes_stand_in_the_same_files() -> None:
    more = Operation(
        kind="drop_column", table="tasks", column=Column(name="note", type="TEXT", nullable=True)
    )
    shape = replace(TASKS, columns=(ID, CODE, ShapeColumn(name="note", nullable=False)))
    found = written(NUMBER, more, shape=shape)
    assert found is not None
    assert len(found.files) == 4
    assert found.without == (("tasks", "code"), ("tasks", "note"))
    assert 'DROP COLUMN "note"' in "".join(found.files[3].upgrade)


def test_no_table_is_read_under_the_lock_of_another_change() -> None:
    more = ShapeColumn(name="note", nullable=True)
    needed = replace(required(), column=Column(name="note", type="TEXT"))
    both = safer.sequence(
        (NUMBER, needed),
        (replace(TASKS, columns=(ID, CODE, more)),),
        dialect="postgresql",
        message="change",
        nulls={("tasks", "note"): 0},
    )
    assert both is not None
    (switch,) = (f for f in both.files if "switch" in f.message)
    locks = [line.startswith("op.execute(") for line in switch.upgrade]
    reads = [line.startswith(("hold(", "with op.get_context()")) for line in switch.upgrade]
    assert sum(reads) == 3
    assert not any(reads[locks.index(True) :])


@pytest.mark.parametrize(
    ("operation", "shape", "reason"),
    [
        (NUMBER, replace(TASKS, key=()), "no primary key"),
        (NUMBER, replace(TASKS, key=("code",)), "primary key"),
        (NUMBER, replace(TASKS, held=(Hold(what="the index ix", columns=("code",)),)), "index ix"),
        (NUMBER, replace(TASKS, held=(Hold(what="the index ix", columns=("*",)),)), "index ix"),
        (NUMBER, replace(TASKS, columns=(ID, replace(CODE, generated=True))), "by itself"),
        (NUMBER, replace(TASKS, columns=(ID, replace(CODE, default="nextval('s')"))), "sequence"),
        (NUMBER, replace(TASKS, columns=(ID, CODE, replace(CODE, name="code_new"))), "code_new"),
        (NUMBER, replace(TASKS, key=('i"d',)), "letters and digits"),
        (retype("VARCHAR(9)", "TIMESTAMP WITH TIME ZONE"), TASKS, "not known"),
        (retype("JSON", "JSONB"), TASKS, "not known"),
        (retype("UUID", "INTEGER"), TASKS, "does not convert"),
        (retype("NUMERIC(5, 2)", "BOOLEAN"), TASKS, "does not convert"),
        (required("random()"), TASKS, "no plain value"),
        (replace(NUMBER, changes=(*NUMBER.changes, *required().changes)), TASKS, "not all"),
    ],
)
def test_a_sequence_that_cannot_be_written_well_is_refused(
    operation: Operation, shape: Shape, reason: str
) -> None:
    with pytest.raises(NoSequence, match=reason):
        written(operation, shape=shape)


def test_sqlite_is_not_asked_to_alter_what_it_cannot() -> None:
    needed = replace(TASKS, columns=(ID, replace(CODE, nullable=False)))
    with pytest.raises(NoSequence, match="copying"):
        written(NUMBER, shape=needed, dialect="sqlite")


@pytest.mark.parametrize(("nulls", "count"), [(3, "3 rows"), (None, "an unknown number of rows")])
def test_which_value_a_null_gets_is_not_made_up(nulls: int | None, count: str) -> None:
    with pytest.raises(NoSequence, match=count):
        written(required(), nulls=nulls)
    found = written(required("'new'"), nulls=nulls)
    assert found is not None
    assert repr("\"code\" = 'new'") in "".join(found.files[1].upgrade)


def test_a_rename_of_more_than_the_name_is_refused() -> None:
    old = Operation(kind="drop_column", table="tasks", column=Column(name="code", type="TEXT"))
    new = Operation(kind="add_column", table="tasks", column=Column(name="label", type="INTEGER"))
    one = Rename(kind="column", table="tasks", old="code", new="label")
    with pytest.raises(NoSequence, match="more than its name"):
        written(old, new, renames=(one,))


def _confirmed(session: Session, plan_id: str) -> str:
    plan, challenge = open_question(session, plan_id, form=True)
    ticked: Any = frozenset({"backed_up", "no_code_references", "meant_as_drops"})
    given = FormAnswer(action="accept", approve=True, ticked=ticked)
    return answer_form(session, plan, challenge, given).token or ""


def test_what_is_written_is_the_strategy_that_was_confirmed(session: Session, project: Any) -> None:
    project.wanted, project.standing = (NUMBER,), (TASKS,)
    call: dict[str, Any] = {"analysis_id": analyze(session).analysis_id, "message": "number"}
    asked = generate(session, strategy="safer", **call)
    assert "expand" in (asked.question or "")
    token = _confirmed(session, asked.plan_id or "")
    with pytest.raises(OutOfOrder):
        generate(session, token=token, **call)
    made = generate(session, token=token, strategy="safer", **call)
    assert (made.path, len(made.also)) == ("versions/p1.py", 3)


def test_the_direct_question_offers_the_safer_approach(session: Session, project: Any) -> None:
    project.wanted, project.standing = (NUMBER,), (TASKS,)
    asked = generate(session, analysis_id=analyze(session).analysis_id, message="number")
    assert "Use safer approach? (yes/no)" in (asked.question or "")
    project.standing = ()
    asked = generate(session, analysis_id=analyze(session).analysis_id, message="number")
    assert "It is 4 revisions" not in (asked.question or "")


NOTE = Operation(kind="add_column", table="tasks", column=Column(name="note", type="TEXT"))


def _phase(number: int, **more: Any) -> str:
    said: dict[str, Any] = {
        "phase": "switch",
        "number": number,
        "deployed": [],
        "holds": [],
        "triggers": [],
    }
    return json.dumps({**said, **more})


def test_a_plan_ends_before_the_next_phase(session: Session, project: Any) -> None:
    project.revisions = {"r2": (NOTE,), "r3": (replace(NOTE, table="users"),)}
    project.said = {"r2": _phase(1), "r3": _phase(2)}
    found = review(session)
    assert found.revision == "r2"
    assert any("ends before r3 (switch)" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "not what rulezero wrote"),
        ("[1]", "not what rulezero wrote"),
        (_phase(2, holds=[["tasks", "code IS NOT NULL"]]), "3 violations of tasks"),
        (_phase(2, triggers=[["tasks", "sync_tasks_code"]]), "no trigger sync_tasks_code"),
    ],
)
def test_a_phase_whose_time_does_not_show_is_not_planned(
    session: Session, project: Any, said: str, reason: str
) -> None:
    project.revisions, project.said = {"r2": (NOTE,)}, {"r2": said}
    with pytest.raises(PhaseNotReady, match=reason):
        review(session)


def test_what_shows_in_no_database_is_typed_by_a_person(session: Session, project: Any) -> None:
    project.counts = 0
    holds = [["tasks", "code IS NOT NULL"]]
    said = _phase(2, holds=holds, deployed=["code that knows label"])
    project.revisions, project.said = {"r2": (NOTE,)}, {"r2": said}
    found = review(session)
    assert any("code that knows label" in w for w in found.warnings)
    plan = session.store.plan(found.plan_id or "")
    assert plan is not None
    assert plan.phrases == ("yes, it is deployed",)
    assert "violations" in {f.asked.probe for f in plan.facts}


def test_a_phase_whose_time_no_longer_shows_at_apply_is_stale(
    session: Session, project: Any, runner: Any
) -> None:
    project.counts = 0
    said = _phase(2, holds=[["tasks", "code IS NOT NULL"]])
    project.revisions, project.said = {"r2": (NOTE,)}, {"r2": said}
    plan, challenge = open_question(session, review(session).plan_id or "", form=True)
    yes = FormAnswer(action="accept", approve=True)
    token = answer_form(session, plan, challenge, yes).token or ""
    project.counts = 1
    with pytest.raises(PlanStale, match="violations of tasks: was 0, is 1"):
        apply(session, runner, plan_id=plan.plan_id, token=token)
    assert runner.runs == []


def test_a_reading_without_a_plan_has_each_phase_by_itself(session: Session, project: Any) -> None:
    project.revisions = {"r2": (NOTE,), "r3": (NOTE,), "r4": (NOTE,)}
    project.said = {"r3": _phase(1), "r4": _phase(2)}
    assert [r.revision for r in review_files(session)] == ["r3", "r4"]
    project.said["r4"] = "unreadable"
    assert [r.revision for r in review_files(session)] == ["r3", "r4"]
    (one,) = review_files(session, revision="r4")
    assert one.revision == "r4"
