"""Undo what a run left of a revision that it did not finish: SQL of ours, made of its journal."""

from rulezero_policies import checklist, rules, sql, words
from rulezero_policies.scene import Scene, questions
from rulezero_tools import graph, resuming
from rulezero_tools.planning import Draft, pictures
from rulezero_tools.ports import Session
from rulezero_tools.reaching import reaches_out
from rulezero_tools.records import Description
from rulezero_tools.rehearse import Ways


def undone(session: Session, seen: Description, plan_id: str) -> tuple[Draft, Ways]:
    """The draft of a plan that undoes what the run of `plan_id` left half done.

    Raises:
        GateError: That run left nothing that could be undone so.
    """
    old, statements = resuming.undoing(session, seen, plan_id)
    dialect = seen.database.identity.dialect
    steps = tuple(o for text in statements for s in sql.read(text, dialect) for o in s.operations)
    asked = questions(steps, dialect)
    facts = session.project.probe(asked) if asked else ()
    scene = Scene(
        dialect=dialect,
        version=seen.database.numbers,
        stage="rollback",
        upgrade=steps,
        facts=facts,
    )
    findings = (*reaches_out(seen.interceptions), *rules.review(scene))
    at = graph.at(seen.database.current)
    draft = Draft(
        kind="undo",
        to_revision=at,
        revisions=(),
        description=f"undo what the run of {plan_id} left half done",
        path=old.path,
        changes=tuple(map(checklist.describe, steps)),
        findings=findings,
        facts=facts,
        warnings=words.critical_warnings(findings, steps),
        sql="".join(f"{text};\n" for text in statements),
        rollback_command=old.rollback_command
        if old.kind == "undo"
        else words.upgrade_command(seen.flavour, old.to_revision),
        pictures=pictures(session, steps),
        continues=plan_id,
        statements=statements,
    )
    return draft, Ways(direction="downgrade", first=steps, back=())
