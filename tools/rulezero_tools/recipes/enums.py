"""Enumeration types of PostgreSQL: made before they are used, and dropped on the way back."""

import re
from typing import Any

import libcst as cst

from rulezero_policies.rules.rule import POSTGRESQL
from rulezero_tools.recipes.calls import call_at, columns_in, quoted, read
from rulezero_tools.recipes.constraints import execute
from rulezero_tools.recipes.page import CannotBeFixedError, Page, literal, named
from rulezero_tools.recipes.recipe import Case, Cured, Recipe

_ADDS = re.compile(r"(ALTER\s+TYPE\s+[\w.\"]+\s+ADD\s+VALUE\s+)(?!IF\b)", re.IGNORECASE)


def _commit_first(case: Case) -> Cured:
    page = case.page
    for statement in page.body("upgrade"):
        call = read(page, statement)
        text = call.text("sqltext") if call and call.verb == "execute" else None
        if isinstance(text, str) and _ADDS.match(text.strip()):
            # It commits by itself: where the rest fails, it is there when that is run again.
            again = _ADDS.sub(r"\g<1>IF NOT EXISTS ", text.strip())
            new = page.statement(execute(again))
            new = new.with_changes(leading_lines=statement.leading_lines)
            return Cured(
                text=page.swapped((statement, (page.autocommit(new),))),
                what="the label is committed before anything uses it",
            )
    raise CannotBeFixedError(
        "the statement that adds the label is not written plainly in upgrade()"
    )


def _make_first(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "add_column")
    page = case.page
    type_ = _enum(next(iter(columns_in(call.node).values()), None))
    make = page.statement(f"{page.code(type_)}.create(op.get_bind(), checkfirst=True)")
    outer: Any = spot.outer
    make = make.with_changes(leading_lines=outer.leading_lines)
    text = page.swapped((outer, (make, outer.with_changes(leading_lines=()))))
    name = next(literal(a.value) for a in type_.args if a.keyword and a.keyword.value == "name")
    return Cured(
        text=dropped_at_the_end(text, str(name)),
        what=f"the type {name} is made before the column, and dropped by downgrade()",
    )


def _enum(column: cst.Call | None) -> cst.Call:
    inner = column.args[1].value if column is not None and len(column.args) > 1 else None
    if not isinstance(inner, cst.Call) or named(inner) not in {"Enum", "ENUM"}:
        raise CannotBeFixedError("its type is not written as sa.Enum(...) in the column itself")
    if not any(a.keyword and a.keyword.value == "name" and literal(a.value) for a in inner.args):
        raise CannotBeFixedError("the name of its type is not written in it")
    return inner


def dropped_at_the_end(text: str, name: str) -> str:
    """The text with the type dropped by downgrade(), behind all else."""
    page = Page(text)
    body = page.body("downgrade")
    if not body:
        raise CannotBeFixedError("there is no downgrade() to drop the type in")
    shown = name if "." in name or '"' in name else quoted(name)
    last: Any = body[-1]
    return page.swapped((last, (last, page.statement(execute(f"DROP TYPE {shown}")))))


def _drop(case: Case) -> Cured:
    name = case.finding.subject.removeprefix("type ")
    return Cured(
        text=dropped_at_the_end(case.text, name), what=f"downgrade() drops the type {name}, too"
    )


RECIPES = (
    Recipe(
        rules=("enum-add-use",),
        cure=_commit_first,
        databases=POSTGRESQL,
        gives="adds the label in an autocommit block of its own",
    ),
    Recipe(
        rules=("enum-add-column",),
        cure=_make_first,
        databases=POSTGRESQL,
        gives="makes the type before the column, and drops it in downgrade()",
    ),
    Recipe(
        rules=("enum-duplicate",),
        cure=_drop,
        databases=POSTGRESQL,
        gives="drops the type at the end of downgrade()",
    ),
)
