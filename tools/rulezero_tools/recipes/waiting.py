"""Locks that are not waited for without end, and what has to follow a change of type."""

from collections.abc import Iterator
from typing import Any

from rulezero_policies.rules.rule import MYSQL_ONLY, POSTGRESQL
from rulezero_tools.recipes.calls import call_at
from rulezero_tools.recipes.constraints import execute
from rulezero_tools.recipes.page import CannotBeFixedError, Page, is_autocommit
from rulezero_tools.recipes.recipe import Case, Cured, Recipe

TIMEOUT = "SET LOCAL lock_timeout = '2s'"
_OF_MYSQL = "SET SESSION lock_wait_timeout = 5"
_BACK = "SET SESSION lock_wait_timeout = DEFAULT"


def _give_up(case: Case) -> Cured:
    text = case.text
    # From the last on: what is put in front of one moves none of those before it.
    for number in reversed([n for n, _ in _beginnings(case.page)]):
        page = Page(text)
        statement: Any = page.body("upgrade")[number]
        text = page.swapped((statement, _after(page, execute(TIMEOUT), statement)))
    if text == case.text:
        raise CannotBeFixedError("the steps are not written in upgrade() itself")
    return Cured(
        text=text,
        what="every transaction gives up after two seconds of waiting for a lock (SET LOCAL: it "
        "ends with the transaction), so that nobody queues up behind it",
    )


def _after(page: Page, call: str, statement: Any) -> tuple[Any, Any]:
    """A call in front of a statement; comments above the statement stay with it."""
    leading = statement.leading_lines
    blank = tuple(line for line in leading[:1] if line.comment is None)
    new = page.statement(call).with_changes(leading_lines=blank)
    return new, statement.with_changes(leading_lines=leading[len(blank) :])


def _beginnings(page: Page) -> Iterator[tuple[int, Any]]:
    """The first statement of each transaction of upgrade()."""
    begins = True
    for number, statement in enumerate(page.body("upgrade")):
        if is_autocommit(statement):
            begins = True
        elif begins and not _sets(page, statement):
            begins = False
            yield number, statement
        else:
            begins = False


def _sets(page: Page, statement: Any) -> bool:
    return "lock_timeout" in page.code(statement)


def _give_up_on_mysql(case: Case) -> Cured:
    page = case.page
    body = page.body("upgrade")
    if not body:
        raise CannotBeFixedError("there is no upgrade() to put it into")
    text = page.swapped((body[0], _after(page, execute(_OF_MYSQL), body[0])))
    page = Page(text)
    last: Any = page.body("upgrade")[-1]
    text = page.swapped((last, (last, page.statement(execute(_BACK)))))
    return Cured(
        text=text, what="waiting for a metadata lock ends after five seconds; then it is as before"
    )


def _analyze(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "alter_column")
    if call.qualified is None:
        raise CannotBeFixedError("the name of its table is worked out when it runs")
    if spot.blocks[-1] is not spot.blocks[0] and spot.batch is None:
        raise CannotBeFixedError("the step stands in a block of another kind")
    sql = f"ANALYZE {call.qualified}"
    page, outer = case.page, spot.outer
    text = page.swapped((outer, (outer, page.statement(execute(sql)))))
    return Cured(text=text, what=f"{sql} gives the planner its statistics back")


RECIPES = (
    Recipe(
        rules=("lock-timeout", "fk-drop"),
        cure=_give_up,
        databases=POSTGRESQL,
        gives="has every transaction give up after two seconds of waiting for a lock",
    ),
    Recipe(
        rules=("mysql-metadata-lock",),
        cure=_give_up_on_mysql,
        databases=MYSQL_ONLY,
        gives="has it give up after five seconds of waiting",
    ),
    Recipe(
        rules=("statistics-lost",),
        cure=_analyze,
        databases=POSTGRESQL,
        gives="analyzes the table behind the change",
    ),
)
