"""What people read before they decide, in the coordinator's words, with the real names in it."""

from collections.abc import Iterable, Sequence
from typing import Literal

from rulezero_policies import backup, judged
from rulezero_policies.checklist import pre_migration_checklist
from rulezero_policies.findings import Finding, Outcome
from rulezero_policies.operations import Operation
from rulezero_policies.parity import filewords
from rulezero_policies.plan import Plan, PlanKind
from rulezero_policies.policy import DROP_PHRASE, to_type
from rulezero_policies.references import References
from rulezero_policies.renames import RenameCandidate
from rulezero_policies.steps import walk
from rulezero_policies.text import visible

LINES = 40
"""Lines of a list that an approval request holds."""

_NOT_NULL = """\
WARNING: Adding NOT NULL column '{column}' without server_default.

{consequence}

Recommended fix:
Option A: Add server_default in migration
Option B: Make nullable first, backfill, then add constraint

Proceed anyway? (Only if table is empty)"""

_DROP = """\
WARNING: Dropping {what} '{name}' will permanently delete data.

This cannot be undone after migration is applied.

Recommendations:
1. Backup database before proceeding
2. Verify no code references this {what}
3. Consider soft-deprecation first

Proceed? (Requires explicit '{phrase}')"""

_TYPE = """\
WARNING: Changing '{name}' from {old} to {new}.

This may cause data loss or conversion errors.

Safer approach:
1. Add new column with new type
2. Migrate data with conversion
3. Verify data integrity
4. Drop old column

Use safer approach? (yes/no)"""

_CONSEQUENCES = {
    "not-null-without-default": "This WILL FAIL if the table has existing rows.",
    "mysql-implicit-default": "This WILL INVENT values (0, '' or a zero date) in existing rows.",
}

_BREAKING: frozenset[Outcome] = frozenset(
    {"will_fail", "may_fail", "loses_data", "blocks", "unknown"}
)


def critical_warnings(
    findings: Iterable[Finding], operations: Iterable[Operation]
) -> tuple[str, ...]:
    """The coordinator's three warnings, one for each finding they are about."""
    # What is dropped while it is empty loses nothing: the finding says so, without alarm.
    found = {
        (f.rule, f.subject)
        for f in findings
        if f.severity == "CRITICAL" or f.rule not in {"drop-column", "drop-table"}
    }
    steps = (step.operation for step in walk(operations))
    return tuple(dict.fromkeys(w for o in steps for w in _warnings(found, o)))


def _warnings(found: set[tuple[str, str]], operation: Operation) -> Iterable[str]:
    name = visible(operation.subject)
    match operation.kind:
        case "add_column" if operation.column:
            column = visible(operation.column.name)
            for rule, consequence in _CONSEQUENCES.items():
                if (rule, name) in found:
                    yield _NOT_NULL.format(column=column, consequence=consequence)
        case "drop_column" if ("drop-column", name) in found:
            yield _DROP.format(what="column", name=name, phrase=DROP_PHRASE)
        case "drop_table" if ("drop-table", name) in found:
            yield _DROP.format(what="table", name=name, phrase=DROP_PHRASE)
        case "alter_column" if {("type-change", name), ("narrow", name)} & found:
            yield _type_warning(name, operation)
        case _:
            return


def _type_warning(name: str, operation: Operation) -> str:
    change = operation.change("type")
    old = (change.before if change else None) or "its present type"
    new = (change.after if change else None) or "another type"
    return _TYPE.format(name=name, old=visible(old), new=visible(new))


def approval_request(plan: Plan) -> str:
    """The approval request (STEP 5), for an upgrade or for a downgrade."""
    if plan.kind == "files":
        return filewords.request(plan)
    what, undo = _NAMED.get(plan.kind, ("migration", "Rollback Command"))
    return "\n".join(
        (
            f"## {what.capitalize()} Ready for Review",
            "",
            f"**Description:** {visible(plan.description)}",
            f"**File:** {visible(plan.path)}",
            *_bind(plan),
            f"**Risk Level:** {plan.risk}",
            *_rehearsal(plan),
            *backup_lines(plan),
            "",
            "### Changes",
            *(_changes(plan)),
            "",
            "### Breaking Changes",
            *(_breaking(plan.findings) or ("None detected",)),
            "",
            "### Recommended Actions Before Apply",
            *(f"- [ ] {action}" for action in _actions(plan)),
            "",
            f"### {undo}",
            visible(plan.rollback_command),
            "",
            "---",
            f"Should I apply this {what}? (Reply: yes/no)",
        )
    )


_NAMED: dict[PlanKind, tuple[str, str]] = {
    "downgrade": ("rollback", "Command to Undo the Rollback"),
    "restore": ("restore", "Command to Go On From There"),
    "undo": ("undo", "Command to Run the Migration Again"),
    "purge": ("purge", "Rollback Command"),
    "discard": ("discard", "Way Back"),
}


def backup_lines(plan: Plan) -> tuple[str, ...]:
    """What backup is made before the run, or why none can be; nothing where none is asked for."""
    if plan.backup is None:
        return ()
    return (f"**Backup:** {visible(backup.line(plan.backup), limit=800)}",)


def _bind(plan: Plan) -> tuple[str, ...]:
    """Which of the project's databases it is for, where it has several."""
    if plan.bind is None:
        return ()
    return (f"**Database:** {visible(plan.bind)} (the project's other databases stay as they are)",)


def _rehearsal(plan: Plan) -> tuple[str, ...]:
    """What was tried before anybody is asked; nothing where that was not asked for."""
    if plan.rehearsal is None:
        return ()
    return (f"**Rehearsal:** {visible(judged.line(plan.rehearsal), limit=800)}",)


HEADINGS: dict[PlanKind, str] = {
    "upgrade": "Apply this migration?",
    "downgrade": "Roll back this migration?",
    "generate": "Write this revision?",
    "restore": "Restore this backup?",
    "undo": "Undo what a failed run left?",
    "purge": "Drop this archive for good?",
    "discard": "Remove this revision file?",
    "files": "Write these settings files?",
}
"""What is asked, in a word."""


def own_warnings(plan: Plan) -> tuple[str, ...]:
    """The warnings where a person answers with their PIN: they name what is typed there."""
    typed = to_type(plan)
    own = (w.replace(DROP_PHRASE, visible(typed)) if typed else w for w in plan.warnings)
    return (*own, *proceed_anyway(plan))


_ANYWAY = (
    "Should these be fixed first, or do you proceed anyway? A yes proceeds anyway; to have them "
    "fixed, say no."
)


def proceed_anyway(plan: Plan) -> tuple[str, ...]:
    """What a yes means where the review is not SAFE; nothing where it is."""
    if plan.verdict == "SAFE" or plan.kind == "generate":
        return ()
    count = len(plan.findings)
    issues = "issue" if count == 1 else "issues"
    lines = (f"- [{f.severity}] {visible(f.subject)}: {f.rule}" for f in plan.findings)
    return (
        "\n".join(
            (
                f"The review says {plan.verdict}: {count} {issues} as this stands.",
                *_readable(tuple(lines), "findings"),
                _ANYWAY,
            )
        ),
    )


def _changes(plan: Plan) -> tuple[str, ...]:
    lines = (f"- {visible(c.subject)}: {visible(c.description)}" for c in plan.changes)
    return _readable(tuple(lines), "changes") or ("- No schema changes",)


def _readable(lines: tuple[str, ...], section: str) -> tuple[str, ...]:
    """Nobody reads a form of hundreds of lines: the rest is counted, and where it stands said."""
    rest = len(lines) - LINES
    more = f"- … and {rest} more: have `get_plan`, section {section}, shown before you answer"
    return (*lines[:LINES], more) if rest > 0 else lines


def _breaking(findings: Iterable[Finding]) -> tuple[str, ...]:
    lines = (
        f"- [{f.severity}] {visible(f.subject)}: {visible(f.evidence)} ({f.rule})"
        for f in sorted(findings, key=lambda f: f.severity)
        if f.severity == "CRITICAL" or f.outcome in _BREAKING
    )
    return _readable(tuple(lines), "findings")


def _actions(plan: Plan) -> tuple[str, ...]:
    where = f"{plan.environment}, {plan.place}"
    typed = (f"Be ready to type: {phrase}" for phrase in plan.phrases)
    # What is archived before it is dropped does come back.
    kept = plan.findings and not any(f.outcome == "loses_data" for f in plan.findings)
    lost = ("Know that a rollback brings back what is dropped, never the data that was in it",)
    return (
        f"Check that this is the database you mean: {visible(where)}",
        *pre_migration_checklist(plan.findings),
        *(lost if not kept and any(p.startswith(DROP_PHRASE) for p in plan.phrases) else ()),
        *typed,
    )


def generation_question(
    findings: Sequence[Finding],
    operations: Iterable[Operation],
    renames: Iterable[RenameCandidate] = (),
) -> str:
    """What a person answers before a CRITICAL revision is even written.

    What goes only where a candidate of `renames` is none is said to.
    """
    open_still = frozenset(c.rename.subject for c in renames)
    drops = tuple(s.operation for s in walk(operations) if s.operation.kind.startswith("drop_"))
    deletes = tuple(dict.fromkeys(_deleted(drops, open_still)))
    others = (
        f"{visible(f.subject)}: {visible(f.evidence)}"
        for f in findings
        if f.severity == "CRITICAL" and f.rule not in {"drop-column", "drop-table"}
    )
    lines = tuple(f"CRITICAL: {text}" for text in (*deletes, *others))
    thing = "table" if any(o.kind == "drop_table" for o in drops) else "column"
    return "\n".join(
        (
            *lines,
            "",
            "Before I generate this migration:",
            "1. Have you backed up the database?",
            f"2. Are you sure no code references this {thing}?",
            "",
            "Proceed with migration generation? (yes/no)",
        )
    )


def safer_question(told: Sequence[str]) -> str:
    """The offer to do in phases what is hazardous at once."""
    phases = ", ".join(t.strip().strip("()").partition(": ")[2] for t in told)
    return (
        f"Use safer approach? (yes/no) It is {len(told)} revisions ({phases}) with a deployment "
        'between them: say no here and have `generate` called with strategy "safer".'
    )


def used_lines(references: References | None) -> tuple[str, ...]:
    """What of the project's own code still uses what goes away, for whoever is asked about it."""
    shown = [r for r in (references.found if references else ()) if r.confidence != "possible"]
    if not shown or references is None:
        return ()
    lines = (f"- {visible(f'{r.place} ({r.confidence}): {r.subject}, {r.how}')}" for r in shown)
    sure = sum(u.sure for u in references.used)
    more = (f"- … and {sure - len(shown)} more",) if sure > len(shown) else ()
    return ("\n".join(("Still used in the code:", *lines, *more)),)


def _deleted(drops: Iterable[Operation], open_still: frozenset[str]) -> Iterable[str]:
    for operation in drops:
        unless = ", unless it is a rename" if operation.subject in open_still else ""
        if operation.kind == "drop_table":
            yield f"This will DELETE all data in {visible(operation.qualified)}{unless}."
        elif operation.kind == "drop_column" and operation.column:
            yield f"This will DELETE all data in {visible(operation.column.name)}{unless}."


def needs_changes_question(findings: Sequence[Finding]) -> str:
    """The issues with a fix for each, and the question that goes to a person."""
    issues = (
        f"{number}. [{f.severity}] {visible(f.subject)}: {visible(f.evidence)}\n"
        f"   Fix: {visible(f.fix, limit=800)}"
        for number, f in enumerate(findings, start=1)
    )
    return "\n".join((*issues, "", "Should I fix these issues, or proceed anyway?"))


_DONE: dict[PlanKind, tuple[str, str]] = {
    "downgrade": ("Rollback applied successfully.", "To undo it if needed:"),
    "restore": ("Backup restored successfully.", "To go on from there:"),
}


def applied_text(
    *, current: str, previous: str, rollback_command: str, kind: PlanKind = "upgrade"
) -> str:
    """What is said after a successful apply, rollback or restore, always with the way back."""
    usual = ("Migration applied successfully.", "To rollback if needed:")
    done, undo = _DONE.get(kind, usual)
    return (
        f"{done}\n\n{undo}\n{visible(rollback_command)}\n\n"
        f"Current revision: {visible(current)}\nPrevious revision: {visible(previous)}"
    )


def undone_text(*, current: str, statements: Sequence[str]) -> str:
    """What is said after what a failed run left was undone."""
    sent = "\n".join(f"- {visible(text)}" for text in statements[:LINES])
    return (
        f"What the failed run left half done is undone:\n{sent}\n\n"
        f"Current revision: {visible(current)}"
    )


Flavour = Literal["flask-migrate", "alembic"]


def rollback_command(flavour: Flavour, to: str | None, *, bind: str | None = None) -> str:
    """The command that goes back to `to`, in Alembic's words, after an upgrade.

    Args:
        flavour: Which command the project has.
        to: A revision, "base", or either on a branch; None where no command leads there.
        bind: The project's name for the database, where it migrates several.
    """
    return _command(flavour, "downgrade", to, bind)


def upgrade_command(flavour: Flavour, to: str | None, *, bind: str | None = None) -> str:
    """The command that goes forward to `to` again, after a rollback; the arguments are the same."""
    return _command(flavour, "upgrade", to, bind)


def _command(flavour: Flavour, verb: str, to: str | None, bind: str | None) -> str:
    tool = "flask db" if flavour == "flask-migrate" else "alembic"
    plan = "rollback" if verb == "downgrade" else "review"
    if to is None:
        return f"no one command leads back: plan it branch by branch with `{plan}`"
    if bind is None:
        return f"{tool} {verb} {to}"
    # Neither command line moves one database alone.
    alone = f"`{plan}` with database={bind!r}"
    return f"{tool} {verb} {to} (moves every database of the project; {alone} plans it for one)"
