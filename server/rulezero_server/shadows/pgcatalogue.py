"""What has to be known of a PostgreSQL database to make a shadow of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rulezero_server.shadows import psql

_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'"

_NO_EXTENSIONS = (
    "NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid "
    "AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e')"
)

FACTS = f"""
SELECT json_build_object(
  'number', current_setting('server_version_num')::int,
  'version', current_setting('server_version'),
  'user', current_user,
  'search_path', current_setting('search_path'),
  'schema', current_schema(),
  'schemas', (SELECT coalesce(json_agg(nspname), '[]') FROM pg_catalog.pg_namespace),
  'encoding', (SELECT pg_encoding_to_char(encoding) FROM pg_catalog.pg_database
               WHERE datname = current_database()),
  'collate', (SELECT datcollate FROM pg_catalog.pg_database WHERE datname = current_database()),
  'ctype', (SELECT datctype FROM pg_catalog.pg_database WHERE datname = current_database()),
  'settings', (SELECT coalesce(json_agg(one), '[]') FROM (
      SELECT unnest(s.setconfig) AS one FROM pg_catalog.pg_db_role_setting s
      WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database
                                  WHERE datname = current_database()))
        AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user))
      ORDER BY s.setrole <> 0, s.setdatabase <> 0) found),
  'extensions', (SELECT coalesce(json_agg(json_build_object(
                    'name', e.extname, 'schema', n.nspname) ORDER BY e.extname), '[]')
                 FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n
                 ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'),
  'roles', (SELECT coalesce(json_agg(DISTINCT r.rolname), '[]') FROM (
      SELECT a.grantee AS role FROM pg_catalog.pg_class c, aclexplode(c.relacl) a
      UNION SELECT a.grantee FROM pg_catalog.pg_namespace c, aclexplode(c.nspacl) a
      UNION SELECT a.grantee FROM pg_catalog.pg_proc c, aclexplode(c.proacl) a
      UNION SELECT a.grantee FROM pg_catalog.pg_type c, aclexplode(c.typacl) a
      UNION SELECT a.grantee FROM pg_catalog.pg_default_acl c, aclexplode(c.defaclacl) a
      UNION SELECT c.defaclrole FROM pg_catalog.pg_default_acl c
      UNION SELECT unnest(polroles) FROM pg_catalog.pg_policy
      UNION SELECT relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
            ON n.oid = c.relnamespace WHERE {_OWN}) named
      JOIN pg_catalog.pg_roles r ON r.oid = named.role
      WHERE r.rolname !~ '^pg_'),
  'tables', (SELECT coalesce(json_agg(json_build_object(
      'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
      'bytes', pg_catalog.pg_table_size(c.oid), 'rows', c.reltuples::int8,
      'version', (SELECT array_agg(attname::text) = '{{version_num}}'
                  FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0
                  AND NOT attisdropped))
      ORDER BY n.nspname, c.relname), '[]')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND {_OWN} AND {_NO_EXTENSIONS}))
"""  # noqa: S608 - constants alone
"""One statement, so one snapshot; it locks no table of the person's beyond ACCESS SHARE."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with rows of its own; `rows` is the statistics' word, None where they have none.

    `version` is whether it is one of Alembic's.
    """

    oid: int
    schema: str
    name: str
    bytes: int
    rows: int | None
    version: bool

    @property
    def quoted(self) -> str:
        """Its name, for SQL."""
        return f"{psql.identifier(self.schema)}.{psql.identifier(self.name)}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A database, as far as its shadow has to be like it."""

    number: int
    version: str
    user: str
    search_path: str
    schema: str | None
    encoding: str
    collate: str
    ctype: str
    schemas: tuple[str, ...]
    settings: tuple[str, ...]
    extensions: tuple[tuple[str, str], ...]
    roles: tuple[str, ...]
    tables: tuple[Table, ...] = field(repr=False)

    @property
    def major(self) -> int:
        """The version that counts for features."""
        return self.number // 10_000

    def called(self, table: Table) -> tuple[str, str | None]:
        """A table's name and schema, None for the default one."""
        return table.name, None if table.schema == self.schema else table.schema

    def named(self, table: Table) -> str:
        """A table's name, for people."""
        name, schema = self.called(table)
        return name if schema is None else f"{schema}.{name}"


def read(target: psql.Server) -> Facts:
    """Ask the target.

    Raises:
        NoShadow: It does not answer.
    """
    found: dict[str, Any] = target.asked(
        FACTS,
        "the target's catalogue could not be read",
        "See whether psql on this machine reaches the database as the project does.",
    )
    return Facts(
        number=found["number"],
        version=found["version"],
        user=found["user"],
        search_path=found["search_path"],
        schema=found["schema"],
        encoding=found["encoding"],
        collate=found["collate"],
        ctype=found["ctype"],
        schemas=tuple(found["schemas"]),
        settings=tuple(found["settings"]),
        extensions=tuple((one["name"], one["schema"]) for one in found["extensions"]),
        roles=tuple(found["roles"]),
        tables=tuple(_table(one) for one in found["tables"]),
    )


def _table(one: dict[str, Any]) -> Table:
    # Without statistics this is -1 since PostgreSQL 14, and was 0 before.
    rows: int | None = one["rows"] if one["rows"] > 0 else (0 if one["bytes"] == 0 else None)
    return Table(
        oid=one["oid"],
        schema=one["schema"],
        name=one["name"],
        bytes=one["bytes"],
        rows=rows,
        version=one["version"] is True,
    )


def counted(target: psql.Server, facts: Facts, most: int) -> Facts:
    """The same, with the rows counted, up to `most`, where the statistics know nothing."""
    unknown = [table for table in facts.tables if table.rows is None]
    found = dict(zip(unknown, counts(target, unknown, most=most), strict=True))
    tables = tuple(replace(table, rows=found.get(table, table.rows)) for table in facts.tables)
    return replace(facts, tables=tables)


def counts(server: psql.Server, tables: Sequence[Table], *, most: int | None = None) -> list[int]:
    """The rows of these tables, counted; not beyond `most`."""
    if not tables:
        return []
    return server.asked(
        counting(tables, most=most),
        "the rows could not be counted",
        "See whether the database's user may read every table.",
    )


def counting(tables: Sequence[Table], *, most: int | None = None) -> str:
    """SQL that counts the rows of these tables, as a list in JSON."""
    limit = "" if most is None else f" LIMIT {most}"
    parts = [f"(SELECT count(*) FROM (SELECT FROM ONLY {t.quoted}{limit}) t)" for t in tables]  # noqa: S608
    values = ", ".join(f"({number}, {part})" for number, part in enumerate(parts))
    return f"SELECT json_agg(n ORDER BY i) FROM (VALUES {values}) found (i, n)"  # noqa: S608
