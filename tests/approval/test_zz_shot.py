from dataclasses import replace
from typing import Any
from rulezero_policies.renames import Rename, RenameCandidate
from rulezero_policies.findings import Finding
from rulezero_policies import words

def test_shot(counter: Any, generating: Any, open_tab: Any) -> None:
    one = RenameCandidate(rename=Rename(kind="column", table="tasks", old="code", new="short_code"), score=93,
      evidence=("same type", "same nullability", "same server default", "similar name", "same place in the table"), held="1204 values")
    two = RenameCandidate(rename=Rename(kind="column", table="users", old="name", new="label"), score=58, named=True,
      evidence=("similar type", "same nullability"), against=("quite another name", "values that do not fit VARCHAR(20): 2"), held="17 values")
    plan = replace(generating, renames=(one, two))
    for name, opts in (("wide", {"viewport": {"width": 1000, "height": 900}}), ("narrow", {"viewport": {"width": 340, "height": 900}, "color_scheme": "dark"})):
        tab = open_tab(**opts)
        tab.goto(counter.url(plan))
        tab.screenshot(path=f"/tmp/shot-{name}.png", full_page=True)
        tab.locator("#answer").screenshot(path=f"/tmp/shot-{name}-answer.png")
