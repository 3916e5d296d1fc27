"""Every recipe cures the bad examples of its rules, on each database it serves, and brings none."""

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from rulezero_policies.findings import Fact, Probe
from rulezero_policies.rules import RULES, Rule, review
from rulezero_policies.rules.rule import revision
from rulezero_policies.scene import Scene, questions
from rulezero_tools.mending import Means, Mended, Version, mend
from rulezero_tools.recipes import RECIPES, recipe_of

SceneOf = Callable[..., Scene]

DEFAULTS: Mapping[tuple[str, str], str] = {("tasks", "priority"): "'medium'"}

OWN = {
    "set-not-null": revision(
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), nullable=False, "
        "existing_server_default=sa.text(\"''\"))",
        "op.alter_column('tasks', 'title', existing_type=sa.String(200), nullable=True, "
        "existing_server_default=sa.text(\"''\"))",
    ),
}
"""Examples for recipes that need more than the rule's own example says."""

LIVE: dict[str, dict[Probe, tuple[int, tuple[str, ...]]]] = {
    "mysql-modify-attrs": {"attributes": (2, ("NOT NULL", "DEFAULT 'x'"))},
}
"""What the live database says, where the rule's own example is bad without it."""

CASES = [
    (rule, dialect)
    for rule in RULES
    if (recipe := recipe_of(rule.id))
    for dialect in recipe.databases
    if dialect in rule.databases
]


def reader(rule: Rule, scene_of: SceneOf, dialect: str) -> Callable[[str], Version]:
    def read(text: str) -> Version:
        scene = scene_of(text, dialect, rule.env)
        asked = questions(scene.upgrade, scene.dialect)
        live = {**rule.live, **LIVE.get(rule.id, {})}
        known = [(q, live[q.probe]) for q in asked if q.probe in live]
        facts = tuple(Fact(question=q.probe, asked=q, count=c, names=n) for q, (c, n) in known)
        scene = dataclasses.replace(scene, facts=facts)
        return Version(text=text, scene=scene, findings=review(scene))

    return read


def mended(rule: Rule, scene_of: SceneOf, dialect: str, text: str | None = None) -> Mended:
    read = reader(rule, scene_of, dialect)
    means = Means(read=read, defaults=lambda: DEFAULTS)
    return mend(read(text or rule.bad), means, only=[rule.id])


@pytest.mark.proves("A14")
@pytest.mark.parametrize(("rule", "dialect"), CASES, ids=lambda v: getattr(v, "id", v))
def test_a_recipe_cures_the_bad_example_and_brings_nothing(
    rule: Rule, dialect: str, scene_of: SceneOf
) -> None:
    bad = OWN.get(rule.id, rule.bad)
    before = reader(rule, scene_of, dialect)(bad)
    if rule.id not in {f.rule for f in before.findings}:
        pytest.skip("its example is none on this database")
    done = mended(rule, scene_of, dialect, bad)
    assert done.not_cured == ()
    after = done.version
    assert rule.id not in {f.rule for f in after.findings}
    assert {(f.rule, f.subject) for f in after.findings} <= {
        (f.rule, f.subject) for f in before.findings
    }


def test_every_recipe_is_for_rules_that_there_are() -> None:
    named = [rule for recipe in RECIPES for rule in recipe.rules]
    assert len(named) == len(set(named))
    assert set(named) <= {rule.id for rule in RULES}
