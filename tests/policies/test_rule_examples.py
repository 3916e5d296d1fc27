"""Every rule carries a bad and a good revision; both are read as the worker reads them."""

import dataclasses
import re
from collections.abc import Callable

import pytest

from rulezero_policies.findings import Fact
from rulezero_policies.rules import RULES, Rule, review
from rulezero_policies.scene import Scene, questions

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)

SceneOf = Callable[..., Scene]


def told(rule: Rule, scene: Scene) -> Scene:
    """The scene with what the live database says where the example is bad."""
    asked = questions(scene.upgrade, scene.dialect)
    known = [(q, rule.live[q.probe]) for q in asked if q.probe in rule.live]
    facts = tuple(Fact(question=q.probe, asked=q, count=c, names=n) for q, (c, n) in known)
    return dataclasses.replace(scene, facts=facts)


@each_rule
def test_a_rule_fires_on_its_bad_example(rule: Rule, scene_of: SceneOf) -> None:
    found = review(told(rule, scene_of(rule.bad, rule.dialect, rule.env)))
    assert rule.id in {f.rule for f in found}


@each_rule
def test_no_rule_at_all_fires_on_a_good_example(rule: Rule, scene_of: SceneOf) -> None:
    assert review(scene_of(rule.good, rule.dialect, rule.env)) == ()


DIALECTS = [
    (rule, dialect)
    for rule in RULES
    for dialect in ("postgresql", "sqlite", "mysql")
    if not re.search("JSONB|not_valid|NOT VALID", rule.good) or dialect == "postgresql"
]


@pytest.mark.parametrize(("rule", "dialect"), DIALECTS, ids=lambda v: getattr(v, "id", v))
def test_a_good_example_is_good_everywhere(rule: Rule, dialect: str, scene_of: SceneOf) -> None:
    found = review(scene_of(rule.good, dialect))
    assert [f for f in found if f.rule not in _OF_ONE_DATABASE] == []


_OF_ONE_DATABASE = {"sqlite-no-alter", "sqlite-add-column", "mysql-modify-attrs"}
"""What only SQLite cannot do or only MySQL has to be told: examples for others leave it out."""


@each_rule
def test_a_finding_names_its_line_and_a_filled_fix(rule: Rule, scene_of: SceneOf) -> None:
    scene = told(rule, scene_of(rule.bad, rule.dialect, rule.env))
    for finding in rule.findings(scene):
        assert finding.evidence
        assert "{" not in finding.fix
        assert finding.line is not None or rule.id == "downgrade-missing"


@each_rule
def test_a_good_example_stays_silent_as_a_model_diff(rule: Rule, scene_of: SceneOf) -> None:
    scene = dataclasses.replace(scene_of(rule.good, rule.dialect), stage="models")
    assert [f for f in review(scene) if f.rule not in _NEEDS_THE_FILE] == []


_NEEDS_THE_FILE = {"drop-foreign-key", "drop-index", "add-foreign-key"}


def test_rule_ids_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
