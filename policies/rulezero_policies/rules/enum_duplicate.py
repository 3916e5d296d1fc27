"""A downgrade that leaves the enumeration type, which the next upgrade makes again."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import IN_A_FILE, POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene
from rulezero_policies.steps import mentions

CHECKED = "checkfirst"
"""How the recording marks a CREATE TYPE that is left out where the type is there."""


@dataclass(kw_only=True)
class _Types:
    """The types that steps touch: those that were there before, and those that are there now."""

    was: set[str] = field(default_factory=set[str])
    now: dict[str, Operation] = field(default_factory=dict[str, Operation])
    checked: bool = False

    def take(self, operation: Operation) -> None:
        """Count one step in."""
        if operation.kind == "execute":
            self.checked = operation.detail == CHECKED
        elif operation.kind == "create_table":
            for column in operation.columns:
                self._make(column.makes_type, operation)
        elif operation.verb == "create type" and not self.checked:
            self._make(operation.name, operation)
        elif operation.verb in {"drop type", "rename type"}:
            self._leave(operation.name or "")

    def _make(self, name: str | None, operation: Operation) -> None:
        if name:
            self.now.setdefault(name, operation)

    def _leave(self, name: str) -> None:
        if self.now.pop(name, None) is None:
            self.was.add(name)


def _dropped(scene: Scene, name: str) -> bool:
    """Whether the downgrade's own SQL may drop the type in a way that is not followed."""
    texts = (o.sql or "" for o in scene.downgrade)
    return any(mentions(text, "drop") and mentions(text, name) for text in texts)


def _left(scene: Scene) -> dict[str, Operation]:
    types = _Types()
    for operation in scene.upgrade:
        types.take(operation)
    made = dict(types.now)
    for operation in scene.downgrade:
        types.take(operation)
    return {
        name: operation
        for name, operation in made.items()
        if name in types.now and name not in types.was and not _dropped(scene, name)
    }


def _follows(scene: Scene) -> bool:
    """Whether the downgrade is there, and all of it is seen."""
    unseen = any(o.kind == "opaque" for o in scene.downgrade)
    wide = any((o.verb or "").startswith("drop schema") for o in scene.downgrade)
    return bool(scene.downgrade) and not (scene.downgrade_error or unseen or wide)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql" or not _follows(scene):
        return
    for name, operation in _left(scene).items():
        yield Hit(
            subject=f"type {name}",
            evidence=f"upgrade() makes the type {name} and downgrade() leaves it: upgrading again "
            f"after a downgrade fails, type {name} exists already",
            line=operation.line,
            names={"type": name},
        )


_TABLE = (
    "op.create_table('people', sa.Column('id', sa.BigInteger(), primary_key=True), "
    "sa.Column('mood', sa.Enum('sad', 'ok', name='mood'), nullable=False))"
)

RULE = Rule(
    id="enum-duplicate",
    severity="WARNING",
    outcome="design",
    title="A downgrade leaves the enumeration type",
    why="op.create_table makes the type of an Enum column, op.drop_table drops only the table. "
    "After a downgrade the type is still there, and the next upgrade fails: it exists already.",
    fix="Drop it in downgrade(), after its table: op.execute('DROP TYPE {type}').",
    bad=revision(_TABLE, "op.drop_table('people')"),
    good=revision(_TABLE, "op.drop_table('people')\nop.execute('DROP TYPE mood')"),
    check=_check,
    stages=IN_A_FILE,
    databases=POSTGRESQL,
    source="run on PostgreSQL 18 with Alembic 1.20",
)
