"""SQLite: what its ALTER TABLE cannot do is done by copying the table."""

from typing import Any

from rulezero_policies.rules.rule import SQLITE
from rulezero_tools.recipes.calls import Call, batch_name, call_at, literal, with_keyword
from rulezero_tools.recipes.constraints import execute
from rulezero_tools.recipes.page import CannotBeFixedError, Page, Spot, is_batch, manager
from rulezero_tools.recipes.recipe import Case, Cured, Recipe

_VERBS = (
    "alter_column",
    "create_foreign_key",
    "create_unique_constraint",
    "create_check_constraint",
    "create_primary_key",
    "drop_constraint",
)


def _block(page: Page, call: Call, **options: str) -> Any:
    table = call.given.get("table_name")
    if table is None:
        raise CannotBeFixedError("the step does not name its table")
    schema = {"schema": call.given["schema"]} if "schema" in call.given else {}
    given = "".join(f", {k}={v}" for k, v in {**schema, **options}.items())
    block = page.statement(f"with op.batch_alter_table({table}{given}) as batch_op:\n    pass\n")
    step = page.statement(call.in_batch())
    return block.with_changes(body=block.body.with_changes(body=(step,)))


def _next_block(page: Page, spot: Spot, table: str | None) -> Any:
    """The batch block of the same table right behind a statement, which can take it up."""
    body = page.body(spot.function)
    number = next(n for n, s in enumerate(body) if s is spot.statement)
    block: Any = body[number + 1] if number + 1 < len(body) else None
    if not is_batch(block) or table is None or block.leading_lines:
        return None
    arguments = manager(block).args
    same = len(arguments) == 1 and literal(arguments[0].value) == table
    return block if same and batch_name(block) else None


def _batched(case: Case) -> Cured:
    """Every such step at once, the last one first: what a copy brings is then seen whole."""
    own = case.finding
    others = (f for f in case.others if f.rule == own.rule and f.line not in {None, own.line})
    text = case.text
    for finding in sorted((own, *others), key=lambda f: f.line or 0, reverse=True):
        try:
            text = _in_block(Page(text), finding.line)
        except CannotBeFixedError:
            if finding is own:
                raise
    return Cured(
        text=text, what=f"the step on {own.subject} stands in a batch block, which copies the table"
    )


def _in_block(page: Page, line: int | None) -> str:
    spot, call = call_at(page, line, *_VERBS)
    if len(spot.blocks) > 1:
        raise CannotBeFixedError("the step stands in another block")
    leading = spot.statement.leading_lines
    block = None if "schema" in call.given else _next_block(page, spot, call.table)
    if block is None:
        made = _block(page, call).with_changes(leading_lines=leading)
        return page.swapped((spot.statement, (made,)))
    inside = page.statement(call.in_batch(batch_name(block) or "batch_op"))
    joined = block.with_changes(
        leading_lines=leading,
        body=block.body.with_changes(body=(inside, *block.body.body)),
    )
    return page.swapped((block, (joined,)), (spot.statement, ()))


def _copied(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "add_column")
    if "PRIMARY KEY" in case.finding.evidence:
        raise CannotBeFixedError("a table cannot be given another primary key by copying it")
    page, block = case.page, spot.batch
    what = f"{call.table} is copied into a table that has the column from the start"
    if block is None:
        made = _block(page, call, recreate='"always"')
        made = made.with_changes(leading_lines=spot.statement.leading_lines)
        return Cured(text=page.swapped((spot.statement, (made,))), what=what)
    entered = manager(block)
    return Cured(
        text=page.swapped((entered, with_keyword(entered, "recreate", '"always"'))), what=what
    )


def _unenforced(case: Case) -> Cured:
    steps = (o for o in case.scene.upgrade if o.line == case.finding.line)
    if any(o.kind == "drop_table" for o in steps):
        raise CannotBeFixedError("what refers to the table goes with it: that is yours to decide")
    text = case.text
    for function in ("upgrade", "downgrade"):
        text = _off(Page(text), function)
    return Cured(
        text=text,
        what="foreign keys are not enforced while tables are copied: nothing follows the old one "
        "when it is dropped",
    )


def _off(page: Page, function: str) -> str:
    """From the first batch block of a function on, foreign keys are not enforced, to its end."""
    body: Any = page.body(function)
    first = next((statement for statement in body if is_batch(statement)), None)
    if first is None:
        return page.module.code
    off = page.autocommit(page.statement(execute("PRAGMA foreign_keys=OFF")))
    on = page.autocommit(page.statement(execute("PRAGMA foreign_keys=ON")))
    off = off.with_changes(leading_lines=first.leading_lines)
    last, plain = body[-1], first.with_changes(leading_lines=())
    if last is first:
        return page.swapped((first, (off, plain, on)))
    return page.swapped((first, (off, plain)), (last, (last, on)))


RECIPES = (
    Recipe(
        rules=("sqlite-no-alter",),
        cure=_batched,
        databases=SQLITE,
        gives="puts the step into a batch block",
    ),
    Recipe(
        rules=("sqlite-add-column",),
        cure=_copied,
        databases=SQLITE,
        gives='adds the column in a batch block with recreate="always"',
    ),
    Recipe(
        rules=("sqlite-batch-cascade",),
        cure=_unenforced,
        databases=SQLITE,
        gives="does not enforce foreign keys while the table is copied",
    ),
)
