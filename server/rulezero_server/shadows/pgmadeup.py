"""Made-up rows for a PostgreSQL database that has a schema and no rows."""

import re
from collections.abc import Iterator
from typing import Any

from rulezero_server.shadows import pgcatalogue, pgsample, pgserver, psql
from rulezero_server.shadows.madeup import Column, Dialect, Kind, Reference, Table, rows

_DESCRIBE = """
SELECT coalesce(json_agg(json_build_object(
  'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
  'columns', (SELECT coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid),
          CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END),
      'kind', coalesce(b.typtype, t.typtype), 'category', t.typcategory,
      'notnull', a.attnotnull OR t.typnotnull,
      'generated', coalesce(to_jsonb(a) ->> 'attgenerated', '') <> '',
      'labels', (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_catalog.pg_enum
                 WHERE enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)),
      'checks', (SELECT json_agg(pg_get_constraintdef(oid)) FROM pg_catalog.pg_constraint
                 WHERE contypid = t.oid)) ORDER BY a.attnum), '[]')
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'unique', (SELECT coalesce(json_agg(names), '[]') FROM (
      SELECT (SELECT json_agg(attname) FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])) AS names
      FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique) u),
  'references', (SELECT coalesce(json_agg(json_build_object(
      'to', k.confrelid::int8, 'on', (
        SELECT json_agg(json_build_array(m.attname, r.attname))
        FROM unnest(k.conkey, k.confkey) AS pair (m, r)
        JOIN pg_catalog.pg_attribute m ON m.attrelid = k.conrelid AND m.attnum = pair.m
        JOIN pg_catalog.pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = pair.r))), '[]')
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'),
  'checks', (SELECT coalesce(json_agg(pg_get_constraintdef(k.oid)), '[]')
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'))
  ORDER BY n.nspname, c.relname), '[]')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid
                  AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e')
"""

_DIALECT = Dialect(
    name="postgresql",
    quote=psql.identifier,
    text=psql.literal,
    overriding="OVERRIDING SYSTEM VALUE ",
    literals={"binary": lambda _c, n: f"'\\x0{n + 1}'"},
)

_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"\[\]$", "array"), (r"^(small|big)?int|^serial", "integer"),
    (r"^numeric|^real|^double|^money", "number"), (r"^bool", "boolean"),
    (r"^timestamp", "timestamp"), (r"^date$", "date"), (r"^time", "time"),
    (r"^interval", "interval"), (r"^uuid", "uuid"), (r"^jsonb?$", "json"), (r"^bytea", "binary"),
    (r"^inet|^cidr", "network"), (r"range$", "range"),
    (r"^character|^text|^citext|^name$|^\"char\"|^xml|^tsvector", "text"),
)  # fmt: skip


def fill(target: psql.Server, made: pgserver.Database, facts: pgcatalogue.Facts) -> list[str]:
    """Make rows up, and copy those of Alembic's own tables; the tables that got none.

    Raises:
        NoShadow: The revisions of the target cannot be read.
    """
    versions = [table for table in facts.tables if table.version]
    script = [_revisions(target, table) for table in versions]
    skipped = {table.quoted for table in versions}
    described = _tables(made.owner, skipped)
    for row in rows(described, _DIALECT):
        script.extend(f"{sql};\n".encode() for sql in row.tries)
    made.owner.fed(b"".join(script))
    pgsample.advance(made.owner)
    there = [table for table in pgcatalogue.read(made.owner).tables if table.quoted not in skipped]
    counted = zip(there, pgcatalogue.counts(made.owner, there, most=1), strict=True)
    return [facts.named(table) for table, count in counted if not count]


def _revisions(target: psql.Server, table: pgcatalogue.Table) -> bytes:
    """Revisions are no data of anybody's, and without them Alembic does not know where it is."""
    found: list[str] = target.asked(
        f"SELECT coalesce(json_agg(version_num), '[]') FROM {table.quoted}",  # noqa: S608
        "the target's revision could not be read",
        "See whether the project's user may read Alembic's table.",
    )
    return b"".join(
        f"INSERT INTO {table.quoted} VALUES ({psql.literal(one)});\n".encode()  # noqa: S608
        for one in found
    )


def _tables(server: psql.Server, skipped: set[str]) -> list[Table]:
    found: list[dict[str, Any]] = server.asked(_DESCRIBE, "the shadow cannot be read", "")
    names = {one["oid"]: _name(one) for one in found}
    return [_table(one, names) for one in found if _name(one) not in skipped]


def _name(one: dict[str, Any]) -> str:
    return f"{psql.identifier(one['schema'])}.{psql.identifier(one['name'])}"


def _table(one: dict[str, Any], names: dict[int, str]) -> Table:
    return Table(
        name=_name(one),
        columns=tuple(_column(column) for column in one["columns"]),
        unique=tuple(tuple(key) for key in one["unique"] if key),
        references=tuple(_references(one["references"], names)),
        checks=(*one["checks"], *_domains(one["columns"])),
    )


def _references(found: list[dict[str, Any]], names: dict[int, str]) -> Iterator[Reference]:
    for one in found:
        if one["to"] in names:
            mine, theirs = zip(*one["on"], strict=True)
            yield Reference(columns=tuple(mine), table=names[one["to"]], to=tuple(theirs))


def _domains(columns: list[dict[str, Any]]) -> Iterator[str]:
    """A domain's CHECKs speak of VALUE; here of the column."""
    for column in columns:
        checks: list[str] = column["checks"] or []
        for check in checks:
            yield re.sub(r"\bVALUE\b", column["name"].replace("\\", ""), check)


def _column(one: dict[str, Any]) -> Column:
    numbers = [int(n) for n in re.findall(r"\d+", one["type"].partition("(")[2])]
    return Column(
        name=one["name"],
        kind=_kind(one),
        nullable=not one["notnull"],
        length=numbers[0] if numbers else None,
        scale=numbers[1] if len(numbers) > 1 else None,
        choices=tuple(one["labels"] or ()),
        given=one["generated"],
    )


def _kind(one: dict[str, Any]) -> Kind:
    if one["kind"] == "e":
        return "choice"
    for pattern, kind in _KINDS:
        if re.search(pattern, one["type"]):
            return kind
    return "text" if one["category"] == "S" else "other"
