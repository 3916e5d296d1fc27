"""What MODIFY would drop is said again, and tables are made in an order that works."""

from collections.abc import Mapping
from typing import Any

from rulezero_policies import asks
from rulezero_policies.rules.restored import created_constraints
from rulezero_policies.rules.rule import MYSQL_ONLY
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step
from rulezero_tools.recipes.calls import Call, call_at, read, with_keyword
from rulezero_tools.recipes.page import CannotBeFixedError, Page
from rulezero_tools.recipes.recipe import Case, Cured, Recipe
from rulezero_tools.recipes.reversing import items, key


def _state(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "alter_column")
    step = next((s for s in case.scene.steps if s.operation.line == case.finding.line), None)
    known = _attributes(case.scene, step) if step else None
    if known is None:
        raise CannotBeFixedError("what the column has could not be asked of the database")
    told = [n for n in known if not {n, n.removeprefix("existing_")} & call.given.keys()]
    if not told or spot.function != "upgrade":
        raise CannotBeFixedError("all that it has is stated; the rest has no existing_* of its own")
    back = (i.call for i in items(case.page, "downgrade") if i.call)
    same = [c for c in back if key(c, undoing=True) == key(call)]
    return Cured(
        text=case.page.swapped(*((c.node, _stating(c, known)) for c in (call, *same))),
        what=f"MODIFY keeps what {case.finding.subject} has: "
        + ", ".join(f"{n}={known[n]}" for n in told),
    )


def _stating(call: Call, known: Mapping[str, str]) -> Any:
    new = call.node
    for name, value in known.items():
        if not {name, name.removeprefix("existing_")} & call.given.keys():
            new = with_keyword(new, name, value)
    return new


def _attributes(scene: Scene, step: Step) -> dict[str, str] | None:
    """What the live column has, as arguments of alter_column."""
    fact = scene.fact(asks.of_column(step, "attributes"))
    if fact is None or fact.count is None or {"COMMENT", "GENERATED", "IDENTITY"} & {*fact.names}:
        return None
    found = {"existing_nullable": str("NOT NULL" not in fact.names)}
    for name in fact.names:
        if name.startswith("DEFAULT "):
            found["existing_server_default"] = f"sa.text({name.removeprefix('DEFAULT ')!r})"
        if name == "AUTO_INCREMENT":
            found["existing_autoincrement"] = "True"
    return found


def _parents_first(case: Case) -> Cured:
    """Move the table that refers behind the one that it refers to."""
    page = case.page
    spot = page.at(case.finding.line)
    body: list[Any] = list(page.body(spot.function))
    if spot.function != "upgrade" or len(spot.blocks) > 1:
        raise CannotBeFixedError("the step does not stand in upgrade() itself")
    places = {call.table: n for n, s in enumerate(body) if (call := _create(page, s))}
    steps = (o for o in case.scene.upgrade if o.line == case.finding.line)
    keys = [key for step in steps for key in created_constraints(step)]
    own = next(n for n, s in enumerate(body) if s is spot.statement)
    later = [n for key in keys if (n := places.get(key.referred_table, -1)) > own]
    if not later:
        raise CannotBeFixedError("the table that it refers to is not created in upgrade() itself")
    behind = body[max(later)]
    text = page.swapped((spot.statement, ()), (behind, (behind, spot.statement)))
    return Cured(text=text, what=f"{case.finding.subject} is created behind what it refers to")


def _create(page: Page, statement: Any) -> Any:
    call = read(page, statement)
    return call if call and call.verb == "create_table" else None


RECIPES = (
    Recipe(
        rules=("mysql-modify-attrs",),
        cure=_state,
        databases=MYSQL_ONLY,
        gives="states with existing_* what the live column has",
    ),
    Recipe(
        rules=("foreign-key-order",),
        cure=_parents_first,
        gives="creates the table behind those that it refers to",
    ),
)
