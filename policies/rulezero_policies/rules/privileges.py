"""Raw SQL changes who may do what."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.rules.rule import Hit, Rule, revision
from rulezero_policies.scene import Scene

_VERBS = frozenset({"grant", "revoke", "change owner"})


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        if operation.verb in _VERBS:
            what = sql.masked(operation.detail or "")[:200]
            evidence = f"{operation.verb}: {what}"
            yield Hit(
                subject=operation.table or "privileges", evidence=evidence, line=operation.line
            )


RULE = Rule(
    id="privileges",
    severity="WARNING",
    outcome="design",
    title="Privileges change",
    why="Who may read or change data is decided here, and the models and the downgrade say nothing "
    "of it.",
    fix="Let whoever is responsible for access look at it; take it back in the downgrade. Better "
    "keep privileges ({subject}) apart from migrations.",
    bad=revision("op.execute('GRANT ALL ON users TO public')", "op.execute('SELECT 1')"),
    good=revision(
        "op.add_column('users', sa.Column('note', sa.Text(), nullable=True))",
        "op.drop_column('users', 'note')",
    ),
    check=_check,
)
