"""A sample of a PostgreSQL database in which every foreign key finds its row."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rulezero_server.shadows import pgcatalogue, pgrestore, pgserver, psql, talking
from rulezero_server.shadows.pgcatalogue import Table
from rulezero_server.shadows.psql import identifier
from rulezero_server.shadows.wishes import Wishes

ROWS = 1000
"""Rows that are chosen of one table, before those that they refer to are added."""

FEWEST = 20

_BATCH = 2000
"""Rows that one question names."""

_KEYS = """
SELECT coalesce(json_agg(json_build_object(
  'child', c.conrelid::int8, 'parent', c.confrelid::int8, 'named', c.confrelid::regclass::text,
  'on', (SELECT json_agg(json_build_array(k.attname, r.attname))
         FROM unnest(c.conkey, c.confkey) AS pair (k, r)
         JOIN pg_catalog.pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = pair.k
         JOIN pg_catalog.pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = pair.r))), '[]')
FROM pg_catalog.pg_constraint c WHERE c.contype = 'f'
"""

_COLUMNS = """
SELECT coalesce(json_object_agg(attrelid::int8, names), '{}') FROM (
  SELECT attrelid, json_agg(attname ORDER BY attnum) AS names FROM pg_catalog.pg_attribute
  WHERE attnum > 0 AND NOT attisdropped AND NOT (to_jsonb(pg_attribute) ->> 'attgenerated'
        IS DISTINCT FROM '' AND to_jsonb(pg_attribute) ->> 'attgenerated' IS NOT NULL)
  GROUP BY attrelid) found
"""
"""PostgreSQL before 12 knows no generated columns."""

_WHAT = "a sample of the rows could not be read"


@dataclass(frozen=True, kw_only=True)
class _Key:
    """A foreign key: rows of `child` refer to those of `named`."""

    child: int
    named: str
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """Which rows were chosen, by the place where they stand in this snapshot."""

    session: talking.Session
    tables: Mapping[int, Table]
    keys: Sequence[_Key]
    rows: dict[int, set[str]] = field(default_factory=dict[int, set[str]])

    def add(self, oid: int, places: Sequence[str]) -> None:
        """Choose these rows, those that they refer to, those that these refer to, and so on."""
        waiting = [(oid, list(places))]
        while waiting:
            child, found = waiting.pop()
            known = self.rows.setdefault(child, set())
            new = [place for place in found if place not in known]
            known.update(new)
            for start in range(0, len(new), _BATCH):
                waiting.extend(self._parents(child, new[start : start + _BATCH]))

    def _parents(self, child: int, places: Sequence[str]) -> list[tuple[int, list[str]]]:
        found: dict[int, list[str]] = {}
        for key in self.keys:
            if key.child != child:
                continue
            matches = " AND ".join(f"p.{identifier(r)} = c.{identifier(k)}" for k, r in key.on)
            sql = (
                "SELECT coalesce(json_agg(DISTINCT jsonb_build_array(p.tableoid::int8, "  # noqa: S608
                f"p.ctid::text)), '[]') FROM {key.named} p JOIN ONLY {self.tables[child].quoted} c "
                f"ON {matches} WHERE c.ctid = ANY ({_places(places)})"
            )
            for oid, place in _json(self.session.ask(sql, _WHAT)):
                if oid in self.tables:
                    found.setdefault(oid, []).append(place)
        return list(found.items())


def copy(
    target: psql.Server,
    made: pgserver.Database,
    facts: pgcatalogue.Facts,
    wishes: Wishes,
    file: Path,
) -> list[str]:
    """Copy the schema and some rows, seen in one snapshot; what is missing, a line each.

    Raises:
        NoShadow: The target cannot be read.
    """
    with psql.session(target) as session:
        session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", _WHAT)
        snapshot = session.ask("SELECT pg_export_snapshot()", _WHAT).decode().strip()
        pgrestore.dump(target, file, "--schema-only", f"--snapshot={snapshot}")
        lacks = pgrestore.restore(made, file, facts, "pre-data")
        chosen = _choose(session, facts, wishes)
        _fill(session, made, chosen)
    lacks += pgrestore.restore(made, file, facts, "post-data")
    advance(made.owner)
    return lacks


def _choose(session: talking.Session, facts: pgcatalogue.Facts, wishes: Wishes) -> _Chosen:
    tables = {table.oid: table for table in facts.tables}
    found = [
        _Key(child=one["child"], named=one["named"], on=tuple((k, r) for k, r in one["on"]))
        for one in _json(session.ask(_KEYS, _WHAT))
    ]
    chosen = _Chosen(session=session, tables=tables, keys=found)
    for table in facts.tables:
        many = _many(table, wishes, len(facts.tables))
        sql = (
            "SELECT coalesce(json_agg(ctid::text), '[]') FROM (SELECT ctid FROM ONLY "  # noqa: S608
            f"{table.quoted}{_spread(table, many)} LIMIT {many}) chosen"
        )
        chosen.add(table.oid, _json(session.ask(sql, _WHAT)))
    return chosen


def _many(table: Table, wishes: Wishes, tables: int) -> int:
    """How many rows of a table: fewer where they are wide."""
    width = table.bytes / table.rows if table.rows else 100
    share = wishes.megabytes * 1_000_000 / max(tables, 1)
    return max(FEWEST, int(min(ROWS, wishes.rows, share / max(width, 1))))


def _spread(table: Table, many: int) -> str:
    """Where a table is much larger than its sample, pages from all over it, the same each time."""
    if table.rows is None or table.rows < many * 20:
        return ""
    return f" TABLESAMPLE SYSTEM ({min(300 * many / table.rows, 100):.6f}) REPEATABLE (0)"


def _fill(session: talking.Session, made: pgserver.Database, chosen: _Chosen) -> None:
    columns: dict[str, list[str]] = _json(session.ask(_COLUMNS, _WHAT))
    found: list[tuple[str, bytes]] = []
    for oid, places in chosen.rows.items():
        names = ", ".join(identifier(name) for name in columns.get(str(oid), []))
        if not places or not names:
            continue
        table = chosen.tables[oid].quoted
        select = f"SELECT {names} FROM ONLY {table} WHERE ctid = ANY ({_places(sorted(places))})"  # noqa: S608
        rows = session.ask(f"COPY ({select}) TO STDOUT", _WHAT)
        found.append((f"COPY {table} ({names}) FROM STDIN", rows))
    made.owner.load(found)


def advance(server: psql.Server) -> None:
    """Set each sequence that a column owns behind what the column holds."""
    server.sql(_ADVANCE)


_ADVANCE = """
SELECT format('SELECT setval(%L, max(%I)) FROM %I.%I HAVING max(%I) > 0',
              quote_ident(sn.nspname) || '.' || quote_ident(s.relname),
              a.attname, n.nspname, t.relname, a.attname)
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND d.refobjsubid > 0
\\gexec
"""


def _places(places: Sequence[str]) -> str:
    """Rows by their places, as an array."""
    return "'{" + ",".join(f'"{place}"' for place in places) + "}'::tid[]"


def _json(said: bytes) -> Any:
    return json.loads(said)
