"""Indexes that are built and dropped while others go on working."""

from collections.abc import Iterator
from typing import Any

from rulezero_policies.rules.rule import POSTGRESQL
from rulezero_tools.recipes.calls import Call, call_at, operations, read, rewritten
from rulezero_tools.recipes.page import CannotBeFixedError, Page, Spot
from rulezero_tools.recipes.recipe import Case, Cured, Recipe


def concurrently(case: Case, call: Call) -> dict[str, str]:
    """What lets others work meanwhile, and can be run again after it failed."""
    word = "if_not_exists" if call.verb == "create_index" else "if_exists"
    again = {word: "True"} if case.if_exists else {}
    return {"postgresql_concurrently": "True", **again}


def alone(page: Page, spot: Spot, *inside: Any) -> str:
    """The text with a statement replaced by these, in an autocommit block of their own."""
    if spot.autocommit:
        return page.swapped((spot.statement, inside))
    return page.around(spot, [page.autocommit(*inside)], split=True)


def _build(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "create_index")
    name = call.text("index_name")
    built = rewritten(case.page, spot, call, **concurrently(case, call))
    text = alone(case.page, spot, built)
    return Cured(
        text=_drop_likewise(case, text, name) if spot.function == "upgrade" else text,
        what=f"the index {name} is built CONCURRENTLY, in an autocommit block: nobody waits for it",
    )


def _drop_likewise(case: Case, text: str, name: str | None) -> str:
    """The downgrade of the same index lets others work, too, where it is written plainly."""
    page = Page(text)
    for spot, call in _drops(page, name):
        if "postgresql_concurrently" not in call.given:
            return alone(page, spot, rewritten(page, spot, call, **concurrently(case, call)))
    return text


def _drops(page: Page, name: str | None) -> Iterator[tuple[Spot, Call]]:
    for statement, _, _ in operations(page, "downgrade"):
        spot = page.at(page.lines(statement)[0])
        call = read(page, spot.statement, spot.batch)
        if name and call and call.verb == "drop_index" and call.text("index_name") == name:
            yield spot, call


def _leave_transaction(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "create_index", "drop_index")
    text = alone(case.page, spot, rewritten(case.page, spot, call))
    name = call.text("index_name")
    return Cured(text=text, what=f"CONCURRENTLY of {name} stands in an autocommit block")


def _drop_invalid(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "create_index")
    if not case.if_exists:
        raise CannotBeFixedError("drop_index(if_exists=True) needs Alembic 1.12 or newer")
    kept = {k: v for k, v in call.given.items() if k in {"index_name", "table_name", "schema"}}
    drop = Call(verb="drop_index", given=kept)
    drop = drop.having(**concurrently(case, drop))
    first = case.page.statement(drop.source())
    first = first.with_changes(leading_lines=spot.statement.leading_lines)
    again = rewritten(case.page, spot, call).with_changes(leading_lines=())
    text = alone(case.page, spot, first, again)
    return Cured(text=text, what="what a failed build left is dropped first")


RECIPES = (
    Recipe(
        rules=("index-lock",),
        cure=_build,
        databases=POSTGRESQL,
        gives="builds the index CONCURRENTLY in an autocommit block, and drops it so on the way "
        "back",
    ),
    Recipe(
        rules=("concurrently-in-transaction",),
        cure=_leave_transaction,
        databases=POSTGRESQL,
        gives="puts the step into an autocommit block",
    ),
    Recipe(
        rules=("invalid-index",),
        cure=_drop_invalid,
        databases=POSTGRESQL,
        gives="drops the invalid index before it is built again",
    ),
)
