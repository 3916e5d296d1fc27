"""What autogenerate does not compare here, and what of it differs all the same.

Only what is certain is reported: expressions that a database writes in its own words are held
against each other by the literals and names in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from . import elements
from .load import Loaded

Change = dict[str, str]

_ALWAYS = (
    "primary keys",
    "CHECK constraints",
    "expressions of computed columns",
    "collations",
    "sequences",
)

_BY_DIALECT = {
    "postgresql": ("values of enum types", "EXCLUDE constraints"),
    "sqlite": ("values of enums", "names of unnamed constraints"),
}

_LITERAL = re.compile(r"'(?:[^']|'')*'|(?<![\w.])\d+(?:\.\d+)?")

_CAST = re.compile(r"::(?:\"?[\w. ]+\"?)(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])?")

_WORDS = {"true": "1", "t": "1", "false": "0", "f": "0", "null": ""}


def unseen(loaded: Loaded, _args: dict[str, Any]) -> dict[str, Any]:
    """Hold the catalogue against the models where autogenerate does not.

    Returns:
        `not_compared`: what nobody compared, in words. `changes`: dicts shaped as
        `records.UnseenChange`.
    """
    found: dict[str, Any] = {}

    def look(_: Any, context: Any) -> list[Any]:
        if not found:
            found["not_compared"] = list(_not_compared(context))
            found["changes"] = list(_changes(context))
        return []

    loaded.run_env(look, dont_mutate=True)
    return found


def _not_compared(context: Any) -> Iterator[str]:
    options = context.opts
    if not options.get("compare_type", True):
        yield "column types (compare_type is off in env.py)"
    if not options.get("compare_server_default"):
        yield "server defaults (compare_server_default is off in env.py)"
    yield from _ALWAYS
    yield from _BY_DIALECT.get(context.dialect.name, ())
    if not options.get("include_schemas") and context.dialect.name != "sqlite":
        yield "other schemas than the default one (include_schemas is off in env.py)"


def _changes(context: Any) -> Iterator[Change]:
    given = context.opts.get("target_metadata")
    several: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]  # pyright: ignore[reportUnknownArgumentType] - SQLAlchemy's
    look: Any = sa.inspect(context.connection)
    tables: list[Any] = [t for m in several if m is not None for t in m.sorted_tables]
    for table in tables:
        try:
            if look.has_table(table.name, schema=table.schema):
                yield from _of_table(table, look, context)
        except Exception:  # noqa: BLE001, S112 - what cannot be reflected is not compared
            continue
    if context.dialect.name == "postgresql":
        yield from _enums(tables, context)


def _of_table(table: Any, look: Any, context: Any) -> list[Change]:
    live = {c["name"]: c for c in look.get_columns(table.name, schema=table.schema)}
    found: list[Change] = []
    for column in table.columns:
        here = live.get(column.name)
        if here is not None:
            found.extend(_computed(table, column, here, context))
            if not context.opts.get("compare_server_default"):
                found.extend(_default(table, column, here, context))
    found.extend(_checks(table, look, context))
    return found


def _subject(table: Any, name: str) -> str:
    return ".".join(part for part in (table.schema, table.name, name) if part)


def _place(table: Any) -> str:
    return f", schema={table.schema!r}" if table.schema else ""


# Server defaults.


def _default(table: Any, column: Any, here: Any, context: Any) -> Iterator[Change]:
    if here.get("computed") or here.get("identity") or _fills_itself(column):
        return
    wanted = elements.default_text(column.server_default, context.dialect)
    text = here.get("default")
    live = None if text is None else str(text)
    if (live or "").startswith("nextval(") or _same_default(live, wanted):
        return
    after = "None" if wanted is None else f"sa.text({wanted!r})"
    yield {
        "subject": _subject(table, str(column.name)),
        "kind": "server default",
        "detail": f"the database has {live or 'none'}, the models want {wanted or 'none'}",
        "code": f"op.alter_column({table.name!r}, {column.name!r}, server_default={after}"
        f"{_place(table)})",
    }


def _fills_itself(column: Any) -> bool:
    # FetchedValue says that the database has a default that the models do not know.
    given = column.server_default
    generated = getattr(column, "computed", None) is not None or getattr(column, "identity", None)
    return bool(generated) or (given is not None and getattr(given, "arg", None) is None)


def _same_default(live: str | None, wanted: str | None) -> bool:
    one, other = _plain(live), _plain(wanted)
    if one == other:
        return True
    if not one or not other:
        return False
    # What is computed may be written in many ways: only literals are held against each other.
    return not (_is_literal(one) and _is_literal(other))


def _plain(text: str | None) -> str:
    bare = _CAST.sub("", text or "").strip()
    while bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    inner = bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == "'" else bare
    lowered = inner.lower()
    return _WORDS.get(lowered, f"'{inner}'" if inner is not bare and not _number(inner) else inner)


def _number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None


def _is_literal(text: str) -> bool:
    return text.startswith("'") or _number(text)


# Computed columns and CHECKs.


def _computed(table: Any, column: Any, here: Any, context: Any) -> Iterator[Change]:
    live, wanted = here.get("computed"), getattr(column, "computed", None)
    if live is None or wanted is None:
        return
    text = elements.expression(wanted.sqltext, context.dialect)
    if _literals(text) != _literals(str(live["sqltext"])):
        yield {
            "subject": _subject(table, str(column.name)),
            "kind": "computed column",
            "detail": f"the database computes {live['sqltext']}, the models {text}",
            "code": f"op.drop_column({table.name!r}, {column.name!r}{_place(table)}), then "
            "op.add_column with the new sa.Computed",
        }


def _checks(table: Any, look: Any, context: Any) -> Iterator[Change]:
    live = {
        c["name"]: str(c["sqltext"])
        for c in look.get_check_constraints(table.name, schema=table.schema)
        if c["name"]
    }
    for check in table.constraints:
        name = _check_name(check, context)
        if name is None:
            continue
        text = elements.expression(check.sqltext, context.dialect)
        create = f"op.create_check_constraint({name!r}, {table.name!r}, {text!r}{_place(table)})"
        if name not in live:
            yield _check(table, name, "it is not in the database", create)
        elif _literals(text) != _literals(live[name]):
            drop = f"op.drop_constraint({name!r}, {table.name!r}, type_='check'{_place(table)})"
            detail = f"the database checks {live[name]}, the models {text}"
            yield _check(table, name, detail, f"{drop}; {create}")


def _check(table: Any, name: str, detail: str, code: str) -> Change:
    return {
        "subject": _subject(table, name),
        "kind": "CHECK constraint",
        "detail": detail,
        "code": code,
    }


def _check_name(check: Any, context: Any) -> str | None:
    if elements.kind_of(check) != "check":
        return None
    rule = getattr(check, "_create_rule", None)
    if rule is not None and not rule(context.dialect.ddl_compiler(context.dialect, None)):
        return None
    try:
        name = context.dialect.identifier_preparer.format_constraint(check)
    except Exception:  # noqa: BLE001 - a convention that needs a name where there is none
        return None
    return None if name is None else str(name).strip('"`')


def _literals(text: str) -> list[str]:
    return sorted({m[0].strip("'") for m in _LITERAL.finditer(_CAST.sub("", text))})


# Enum types.


def _enums(tables: list[Any], context: Any) -> Iterator[Change]:
    query = sa.text(
        "SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid "
        "WHERE t.oid = to_regtype(CAST(:name AS text)) ORDER BY e.enumsortorder"
    )
    for name, wanted in sorted(_wanted_enums(tables, context.dialect).items()):
        live = list(context.connection.execute(query, {"name": name}).scalars())
        if live and live != wanted:
            yield _enum(name, live, wanted)


def _is_native(type_: Any) -> bool:
    return isinstance(type_, sa.Enum) and type_.native_enum and bool(type_.name)


def _wanted_enums(tables: list[Any], dialect: Any) -> dict[str, list[str]]:
    types: list[Any] = [getattr(c.type, "item_type", c.type) for t in tables for c in t.columns]
    found: dict[str, list[str]] = {}
    for type_ in types:
        if _is_native(type_):
            quote = dialect.identifier_preparer.quote
            schema = f"{quote(type_.schema)}." if type_.schema else ""
            found[f"{schema}{quote(type_.name)}"] = list(type_.enums)
    return found


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def _enum(name: str, live: list[str], wanted: list[str]) -> Change:
    more = [v for v in wanted if v not in live]
    gone = [v for v in live if v not in wanted]
    said = [
        *([f"the models add {', '.join(more)}"] if more else []),
        *([f"the models have no {', '.join(gone)}"] if gone else []),
    ]
    add = "; ".join(f"op.execute(\"ALTER TYPE {name} ADD VALUE '{_quoted(v)}'\")" for v in more)
    new = "create the new type, convert the column with postgresql_using, drop the old type"
    inside = f"with op.get_context().autocommit_block(): {add}"
    return {
        "subject": name,
        "kind": "enum type",
        "detail": "; ".join(said) or "the order of the values differs",
        "code": inside if more and not gone else new,
    }
