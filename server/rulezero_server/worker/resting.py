"""What rests on the columns of a PostgreSQL table, in the server's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

_KINDS = {"c": "check", "f": "foreign key", "i": "index", "u": "unique", "x": "exclusion"}

# An expression in an index, or a CHECK of the whole row, gives the number 0 or none at all.
_HELD = """
SELECT c.conname::text AS name, c.contype::text AS kind, pg_get_constraintdef(c.oid) AS said,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
             ORDER BY k.place) AS columns,
       to_regclass(quote_ident(c.conname || '_new')) IS NOT NULL
       OR EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = c.conrelid
                  AND o.conname = c.conname || '_new') AS twin
FROM pg_constraint c
WHERE c.conrelid = to_regclass(:named) AND c.contype IN ('c', 'f', 'u', 'x')
UNION ALL
SELECT i.relname::text, 'i', pg_get_indexdef(x.indexrelid),
       ARRAY(SELECT CASE WHEN k.number = 0 THEN '*' ELSE a.attname::text END
             FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place)
             LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
             ORDER BY k.place),
       to_regclass(quote_ident(i.relname || '_new')) IS NOT NULL
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = to_regclass(:named) AND NOT x.indisprimary
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid
                  AND c.conrelid = x.indrelid)
ORDER BY 1
"""

# A view keeps to the column when that is renamed, and keeps it from being dropped.
_MORE = """
SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS said,
       a.attname::text AS name
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(:named)
  AND d.classid NOT IN ('pg_constraint'::regclass, 'pg_class'::regclass)
  AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE d.classid = 'pg_attrdef'::regclass
                  AND f.oid = d.objid AND f.adrelid = d.refobjid AND f.adnum = d.refobjsubid)
ORDER BY 1, 2
"""


def held(connection: Any, inspector: Any, table: str) -> Iterator[dict[str, Any]]:
    """Dicts shaped as `shapes.Hold`."""
    named = {"named": connection.dialect.identifier_preparer.quote_identifier(table)}
    for name, kind, said, columns, twin in connection.execute(text(_HELD), named).fetchall():
        what = (
            f"the {_KINDS[kind]} {name}" if kind == "i" else f"the {_KINDS[kind]} constraint {name}"
        )
        found = {"kind": _KINDS[kind], "name": name, "said": said, "twin": bool(twin)}
        yield {"what": what, "columns": list(columns) or ["*"], **found}
    for said, name in connection.execute(text(_MORE), named).fetchall():
        yield {"what": f"the {said}", "columns": [name]}
    yield from referred(inspector, table)


def referred(inspector: Any, table: str) -> Iterator[dict[str, Any]]:
    """Foreign keys of other tables that lead here."""
    for other in inspector.get_table_names():
        for key in inspector.get_foreign_keys(other):
            if key["referred_table"] == table:
                yield {"what": "another table's key", "columns": list(key["referred_columns"])}
