"""What a count says, in words and in severity."""

from rulezero_policies.findings import Fact, Outcome, Severity
from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import Hit
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step


def rows_words(fact: Fact | None, name: str) -> str:
    """How many rows a table has."""
    if fact is None or fact.count is None:
        return f"the rows of {name} could not be counted"
    return f"{name} is empty now" if fact.count == 0 else f"{name} has {fact.amount} rows"


def is_empty(fact: Fact | None) -> bool:
    """Whether the count is known to be zero."""
    return fact is not None and fact.count == 0


def is_filled(fact: Fact | None) -> bool:
    """Whether the count is known and more than zero."""
    return fact is not None and bool(fact.count)


def names(operation: Operation) -> dict[str, str]:
    """What the fixes are filled with: the operation's table and column."""
    column = operation.column.name if operation.column else ""
    return {"table": operation.qualified, "column": column}


def by_rows(
    scene: Scene,
    step: Step,
    evidence: str,
    *,
    subject: str | None = None,
    unknown: tuple[Severity, Outcome] | None = None,
    filled: tuple[Severity, Outcome] | None = None,
    empty: tuple[Severity, Outcome] = ("WARNING", "may_fail"),
) -> Hit:
    """A hit whose severity hangs on the rows of the step's table.

    Args:
        scene: Where the facts are.
        step: The step it is about.
        evidence: What was seen; the count is added to it.
        subject: What it is about, where that is not the step's own subject.
        unknown: Severity and outcome where the rows are not counted; None for the rule's own.
        filled: Severity and outcome where there are rows; None for the rule's own.
        empty: Severity and outcome where there are none.
    """
    fact = scene.fact(step.rows)
    found = empty if is_empty(fact) else filled if is_filled(fact) else unknown
    severity, outcome = found or (None, None)
    return Hit(
        subject=subject or step.operation.subject,
        evidence=f"{evidence}; {rows_words(fact, step.operation.qualified)}",
        line=step.operation.line,
        severity=severity,
        outcome=outcome,
        names=names(step.operation),
    )
