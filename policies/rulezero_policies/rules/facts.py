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
    empty: tuple[Severity, Outcome] = ("WARNING", "design"),
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


FAILS: tuple[Severity, Outcome] = ("CRITICAL", "will_fail")
LOSES: tuple[Severity, Outcome] = ("CRITICAL", "loses_data")


def violating(fact: Fact | None, what: str) -> str:
    """How many rows stand against it, and the keys of a few."""
    if fact is None:
        return f"{what} were not counted"
    if fact.count is None:
        reason = fact.question.rpartition(" (")[2].rstrip(")") if "(" in fact.question else ""
        return f"{what} could not be counted{f': {reason}' if reason else ''}"
    keys = f" (keys: {', '.join(fact.sample)})" if fact.sample else ""
    part = f", among the first {fact.looked} rows" if fact.looked else ""
    return f"{fact.amount} {what}{keys}{part}"


def by_violations(
    step: Step,
    fact: Fact | None,
    *,
    evidence: str,
    what: str,
    columns: tuple[str, ...] = (),
    subject: str | None = None,
    certain: tuple[Severity, Outcome] = FAILS,
) -> Hit | None:
    """A hit that the live rows decide on: certain, silent, or not known.

    Args:
        step: The step it is about.
        fact: How many rows stand against it.
        evidence: What the step does; the count is added to it.
        what: What was counted, in the plural.
        columns: Those whose values matter: an earlier step that changes them makes the count old.
        subject: What it is about, where that is not the step's own subject.
        certain: Severity and outcome where there are such rows.
    """
    if is_empty(fact) and not step.stale(*columns):
        return None
    told = violating(fact, what)
    if step.stale(*columns):
        told += "; an earlier step of the plan may change these rows"
    decided = certain if is_filled(fact) and not step.stale(*columns) else (None, None)
    return Hit(
        subject=subject or step.operation.subject,
        evidence=f"{evidence}; {told}",
        line=step.operation.line,
        severity=decided[0],
        outcome=decided[1],
        names=names(step.operation),
    )
