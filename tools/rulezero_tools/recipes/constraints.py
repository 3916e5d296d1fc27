"""Constraints that are added without looking at the rows, and validated without blocking anyone."""

from typing import Any

from rulezero_policies.findings import Finding
from rulezero_policies.rules.rule import POSTGRESQL
from rulezero_tools.recipes.calls import Call, call_at, quoted, rewritten
from rulezero_tools.recipes.page import CannotBeFixedError, Page, Spot
from rulezero_tools.recipes.recipe import Case, Cured, Recipe

_ROWS = {"add-foreign-key", "add-check", "add-unique", "add-primary-key", "set-not-null"}

NAME_LENGTH = 63
"""Characters that PostgreSQL keeps of a name."""


def refuse_over_bad_rows(case: Case) -> None:
    """Rows that break the constraint have to be decided on first: no form of it makes them good.

    Raises:
        CannotBeFixedError: There are such rows.
    """
    here = (f for f in (case.finding, *case.others) if f.line == case.finding.line)
    if found := next((f for f in here if _breaks(f)), None):
        raise CannotBeFixedError(
            f"rows stand against it ({found.evidence}): what becomes of them is to be decided first"
        )


def _breaks(finding: Finding) -> bool:
    return finding.rule in _ROWS and finding.outcome in {"will_fail", "loses_data"}


def _name(call: Call) -> str:
    name = call.text("constraint_name")
    if not isinstance(name, str):
        raise CannotBeFixedError("it has no name here, and VALIDATE CONSTRAINT needs one")
    return name


_ENDINGS = {
    "create_foreign_key": ("local_cols", "fkey"),
    "create_unique_constraint": ("columns", "key"),
}


def _with_a_name(case: Case, call: Call) -> Call:
    """The call with the name that the database would give it, where it is given none."""
    if call.given.get("constraint_name", "None") != "None" or call.verb not in _ENDINGS:
        return call
    steps = (o.constraint for o in case.scene.upgrade if o.line == case.finding.line)
    by_convention = next((c.name for c in steps if c and c.name), None)
    listed, ending = _ENDINGS[call.verb]
    columns = call.names(listed)
    if by_convention is None and (call.table is None or columns is None):
        return call
    name = by_convention or "_".join((call.table or "", *(columns or ()), ending))
    return call.having(constraint_name=repr(name)) if len(name) <= NAME_LENGTH else call


def _table(call: Call) -> str:
    if call.qualified is None:
        raise CannotBeFixedError("the name of its table is worked out when it runs")
    return call.qualified


def execute(sql: str) -> str:
    """A call that runs SQL."""
    return f"op.execute({_string(sql)})"


def _string(sql: str) -> str:
    return f"'{sql}'" if '"' in sql and "'" not in sql and "\\" not in sql else _double(sql)


def _double(sql: str) -> str:
    return '"{}"'.format(sql.replace("\\", "\\\\").replace('"', '\\"'))


def _validated(page: Page, spot: Spot, call: Call, first: Any, *rest: Any) -> str:
    """The constraint NOT VALID, its validation in a transaction of its own, and what follows."""
    validate = f"ALTER TABLE {_table(call)} VALIDATE CONSTRAINT {quoted(_name(call))}"
    block = page.autocommit(page.statement(execute(validate)))
    first = first.with_changes(leading_lines=spot.statement.leading_lines)
    return page.around(spot, [first, block, *rest], split=True)


def _not_valid(case: Case) -> Cured:
    verbs = ("create_foreign_key", "create_check_constraint")
    if case.finding.rule == "check-lock" and _sets_not_null(case):
        return _not_null(case)
    spot, call = call_at(case.page, case.finding.line, *verbs)
    refuse_over_bad_rows(case)
    if spot.autocommit or "postgresql_not_valid" in call.given:
        raise CannotBeFixedError("it is written in another way already")
    call = _with_a_name(case, call)
    more = {"constraint_name": call.given["constraint_name"], "postgresql_not_valid": "True"}
    first = rewritten(case.page, spot, call, **more)
    return Cured(
        text=_validated(case.page, spot, call, first),
        what=f"{_name(call)} is added NOT VALID, which looks at no row, and validated in a "
        "transaction of its own, which lets reads and writes through",
    )


def _sets_not_null(case: Case) -> bool:
    steps = (o for o in case.scene.upgrade if o.line == case.finding.line)
    return any(o.kind == "alter_column" for o in steps)


def _not_null(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "alter_column")
    refuse_over_bad_rows(case)
    version = case.scene.version
    if version is not None and version < (12,):
        raise CannotBeFixedError("before PostgreSQL 12 SET NOT NULL reads every row all the same")
    column, table = call.text("column_name"), call.table
    if not isinstance(column, str) or not isinstance(table, str):
        raise CannotBeFixedError("its name is worked out when it runs")
    name = f"ck_{table}_{column}_not_null"[:NAME_LENGTH]
    where = {k: v for k, v in call.given.items() if k in {"table_name", "schema"}}
    condition = repr(f"{quoted(column)} IS NOT NULL")
    check = Call(
        verb="create_check_constraint",
        given={"constraint_name": repr(name), "condition": condition, **where},
    )
    drop = Call(
        verb="drop_constraint",
        given={"constraint_name": repr(name), "type_": '"check"', **where},
    )
    page = case.page
    first = page.statement(check.having(postgresql_not_valid="True").source())
    again = rewritten(page, spot, call).with_changes(leading_lines=())
    dropped = page.statement(drop.source())
    return Cured(
        text=_validated(page, spot, check, first, again, dropped),
        what=f"a CHECK proves that {table}.{column} holds no NULL, validated without blocking "
        "anyone; SET NOT NULL then reads no row, and the CHECK goes again",
    )


def _unique(case: Case) -> Cured:
    spot, call = call_at(case.page, case.finding.line, "create_unique_constraint")
    refuse_over_bad_rows(case)
    extra = call.given.keys() - {"constraint_name", "table_name", "columns", "schema"}
    if extra or spot.autocommit:
        raise CannotBeFixedError(f"an index cannot be taken over with {', '.join(sorted(extra))}")
    call = _with_a_name(case, call)
    name = _name(call)
    kept = {k: v for k, v in call.given.items() if k in {"table_name", "columns", "schema"}}
    again = {"if_not_exists": "True"} if case.if_exists else {}
    index = Call(
        verb="create_index",
        given={
            "index_name": call.given["constraint_name"],
            **kept,
            "unique": "True",
            "postgresql_concurrently": "True",
            **again,
        },
    )
    add = f"ALTER TABLE {_table(call)} ADD CONSTRAINT {quoted(name)}"
    take = f"{add} UNIQUE USING INDEX {quoted(name)}"
    page = case.page
    first = page.statement(index.source()).with_changes(leading_lines=spot.statement.leading_lines)
    new = [page.autocommit(first), page.statement(execute(take))]
    return Cured(
        text=page.around(spot, new, split=True),
        what=f"the index of {name} is built CONCURRENTLY, and the constraint takes it over at once",
    )


def _validate_apart(case: Case) -> Cured:
    spot, _ = call_at(case.page, case.finding.line, "execute")
    text = case.page.around(spot, [case.page.autocommit(spot.statement)], split=True)
    return Cured(text=text, what="VALIDATE CONSTRAINT stands in a transaction of its own")


_NOT_VALID = "adds it NOT VALID and validates it in a transaction of its own"

RECIPES = (
    Recipe(
        rules=("fk-lock", "add-foreign-key", "check-lock", "add-check"),
        cure=_not_valid,
        databases=POSTGRESQL,
        gives=_NOT_VALID,
    ),
    Recipe(
        rules=("unique-lock",),
        cure=_unique,
        databases=POSTGRESQL,
        gives="builds the unique index CONCURRENTLY, and has the constraint take it over",
    ),
    Recipe(
        rules=("validate-same-transaction",),
        cure=_validate_apart,
        databases=POSTGRESQL,
        gives="puts VALIDATE CONSTRAINT into an autocommit block",
    ),
)
