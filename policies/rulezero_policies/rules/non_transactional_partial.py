"""A migration that would stop half-way on a database that cannot take DDL back."""

from collections.abc import Iterator

from rulezero_policies.findings import Finding
from rulezero_policies.operations import Operation
from rulezero_policies.rules import (
    add_check,
    add_foreign_key,
    add_unique,
    not_null_without_default,
    set_not_null,
)
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene

_DATABASES = ("mysql", "sqlite")
_FAILING = (
    add_check.RULE,
    add_foreign_key.RULE,
    add_unique.RULE,
    not_null_without_default.RULE,
    set_not_null.RULE,
)
_NO_DDL = frozenset({"execute", "bulk_insert", "opaque"})


def _fails(scene: Scene) -> Iterator[Finding]:
    found = (f for rule in _FAILING for f in rule.findings(scene))
    return (f for f in found if f.outcome in {"will_fail", "may_fail"} and f.line is not None)


def _stay(scene: Scene, line: int) -> tuple[Operation, ...]:
    """The DDL that has run when the step of `line` comes."""
    numbers = [n for n, o in enumerate(scene.upgrade) if o.line == line]
    before = scene.upgrade[: min(numbers, default=0)]
    return tuple(o for o in before if o.kind not in _NO_DDL)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect not in _DATABASES:
        return
    for finding in _fails(scene):
        before = _stay(scene, finding.line or 0)
        if before:
            steps = f"{len(before)} step{'s' * (len(before) > 1)} before it"
            word = "fails" if finding.outcome == "will_fail" else "may fail"
            yield Hit(
                subject=finding.subject,
                evidence=f"this step {word} ({finding.rule}), and {steps} would stay: "
                f"{scene.dialect} does not take DDL back",
                line=finding.line,
            )
            return


RULE = Rule(
    id="non-transactional-partial",
    severity="WARNING",
    outcome="design",
    title="A step that may fail after steps that stay",
    why="MySQL, MariaDB and SQLite (as Python's driver uses it) commit each DDL statement by "
    "itself: when a later step fails, the earlier ones are in and the revision is not, and running "
    "it again fails on what is already there.",
    fix="Put the step on {subject} into a revision of its own, or before everything else.",
    bad=revision(
        "op.add_column('tasks', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_unique_constraint('uq_tasks_title', 'tasks', ['title'])",
        "op.drop_constraint('uq_tasks_title', 'tasks', type_='unique')\n"
        "op.drop_column('tasks', 'notes')",
    ),
    good=revision(
        "op.add_column('tasks', sa.Column('notes', sa.Text(), nullable=True))\n"
        "op.create_index('ix_tasks_title', 'tasks', ['title'])",
        "op.drop_index('ix_tasks_title', table_name='tasks')\nop.drop_column('tasks', 'notes')",
    ),
    check=_check,
    dialect="mysql",
    databases=_DATABASES,
    source="https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html",
)
