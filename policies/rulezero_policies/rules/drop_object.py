"""A view, function, trigger or another object is dropped in raw SQL."""

from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.operations import Operation
from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _made_again(scene: Scene, drop: Operation) -> bool:
    what = (drop.verb or "").removeprefix("drop ")
    made = {f"create {what}", f"replace {what}"}
    return any(o.verb in made and o.name == drop.name for o in scene.upgrade)


def _check(scene: Scene) -> Iterator[Hit]:
    for operation in scene.upgrade:
        verb = operation.verb or ""
        # PostgreSQL drops no type that a table, column or function still uses.
        unused = verb == "drop type"
        if not verb.startswith("drop ") or unused or _made_again(scene, operation):
            continue
        if not sql.is_wide(verb):
            name = operation.name or "(unnamed)"
            evidence = f"{verb.removeprefix('drop ')} {name} is dropped and not made again"
            yield Hit(subject=name, evidence=evidence, line=operation.line)


RULE = Rule(
    id="drop-object",
    severity="WARNING",
    outcome="design",
    title="A view, function, trigger or sequence is dropped",
    why="Whatever uses it fails or silently stops happening, code that is still running included.",
    fix="Make sure that nothing uses {subject} any more, in the database or in the code; to "
    "replace it, drop and create it in the same revision.",
    bad=revision("op.execute('DROP VIEW active_users')", "op.execute('SELECT 1')"),
    good=revision(
        "op.execute('DROP VIEW active_users')\n"
        "op.execute('CREATE VIEW active_users AS SELECT id FROM users')",
        "op.execute('DROP VIEW active_users')\n"
        "op.execute('CREATE VIEW active_users AS SELECT id, email FROM users')",
    ),
    check=_check,
    stages=FORWARD,
)
