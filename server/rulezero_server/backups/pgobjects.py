"""What of a PostgreSQL database has to go before a backup can come back, and what comes with it."""

import re
from collections.abc import Container, Iterator, Sequence

from rulezero_policies.backup import Backup
from rulezero_server.shadows import pgrestore, programs, psql
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.pginstalls import Install
from rulezero_server.shadows.psql import literal

_MEND = "See whether the backup is what was made, and pg_restore here is as new as its pg_dump."

_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'"

_EXTENSIONS = (
    "NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = {0}.oid "
    "AND d.classid = 'pg_catalog.{1}'::regclass AND d.deptype = 'e')"
)

_OBJECTS = f"""
SELECT coalesce(json_agg(json_build_array(kind, name) ORDER BY place, name), '[]') FROM (
  SELECT 1 AS place, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
           WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE'
           ELSE 'TABLE' END AS kind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND {_OWN}
      AND {_EXTENSIONS.format("c", "pg_class")}
  UNION ALL
  SELECT 2, 'ROUTINE', format('%I.%I(%s)', n.nspname, p.proname,
         pg_catalog.pg_get_function_identity_arguments(p.oid))
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind <> 'a' AND {_OWN} AND {_EXTENSIONS.format("p", "pg_proc")}
  UNION ALL
  SELECT 3, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
         format('%I.%I', n.nspname, t.typname)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r') AND {_OWN} AND {_EXTENSIONS.format("t", "pg_type")}
  UNION ALL
  SELECT 4, 'SCHEMA', format('%I', n.nspname) FROM pg_catalog.pg_namespace n
    WHERE {_OWN} AND {_EXTENSIONS.format("n", "pg_namespace")}) found
"""  # noqa: S608 - constants alone
"""Everything that a whole backup holds anew, and whatever was made since."""

_KEYS = """
SET search_path = '';
SELECT coalesce(json_agg(json_build_array(k.conrelid::regclass::text, format('%I', k.conname),
    pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.oid), '[]')
FROM pg_catalog.pg_constraint k
WHERE k.contype = 'f' AND k.confrelid = ANY ({there})
  AND NOT k.conrelid = ANY ({there}) AND k.conparentid = 0
"""


_STAND = """
SELECT json_agg(oid IS NOT NULL ORDER BY place)
FROM unnest({there}) WITH ORDINALITY AS listed (oid, place)
"""

_RESTRICTED = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
"""By major version, the first pg_restore whose scripts forbid psql every command of its own.

Without that, a name in the database could be one (CVE-2025-8714, CVE-2025-8715).
Source: https://www.postgresql.org/support/security/CVE-2025-8714/
"""


def refuse_unrestricted(install: Install) -> None:
    """Refuse programs that could take something in a backup for a command.

    Raises:
        NoShadow: They are too old.
    """
    minor = int([*re.findall(r"\d+", install.version), "0", "0"][1])
    if install.major < 18 and minor < _RESTRICTED.get(install.major, 10**6):
        raise NoShadow(
            f"psql and pg_restore here are of PostgreSQL {install.version}, which lets names in a "
            "backup run commands",
            "Update them; the backup's own restore command needs no psql.",
        )


def around(target: psql.Server, backup: Backup) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is sent before and after what the backup holds, in its transaction.

    Raises:
        NoShadow: The target cannot be read, or the backup cannot.
    """
    if backup.tables:
        return _keys(target, backup.tables)
    objects: list[list[str]] = target.asked(_OBJECTS, "its objects cannot be read", _MEND)
    schemas = {"public", *_schemas(_entries(target, backup))}
    drops = (
        f"DROP {kind} IF EXISTS {name} CASCADE"
        for kind, name in objects
        if kind != "SCHEMA" or _plain(name) not in schemas
    )
    return tuple(drops), ()


def listed(target: psql.Server, backup: Backup) -> str:
    """The entries of a backup that are put back, as `pg_restore --use-list` takes them.

    Extensions, and the schemas that are there with the rights in them, stay as they are.

    Raises:
        NoShadow: The target cannot be read, or the backup cannot.
    """
    there = target.asked(
        "SELECT coalesce(json_agg(nspname), '[]') FROM pg_catalog.pg_namespace",
        "its schemas cannot be read",
        _MEND,
    )
    entries = _entries(target, backup)
    gone = set(_schemas(entries)) - set(there)
    kept = (line for line in entries if not _stays(line, gone))
    return "\n".join(pgrestore.wanted(tuple(kept), gone)) + "\n"


def _stays(line: str, gone: Container[str]) -> bool:
    """Whether an entry says who may do what in a schema that stays as it is."""
    match = re.match(r"^\d+; \d+ \d+ (DEFAULT ACL|ACL - SCHEMA) (\S+)", line)
    return match is not None and (match[1] == "DEFAULT ACL" or match[2] not in gone)


def _entries(target: psql.Server, backup: Backup) -> Sequence[str]:
    ran = target.run("pg_restore", "--list", backup.path)
    text = programs.checked(ran, "the backup cannot be read", _MEND)
    return text.decode(errors="replace").splitlines()


def _schemas(entries: Sequence[str]) -> Iterator[str]:
    for line in entries:
        match = re.match(r"^\d+; \d+ \d+ SCHEMA - (.+) \S+$", line)
        if match:
            yield match[1]


def _plain(name: str) -> str:
    """A name as it is, of what `format('%I')` made of it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _keys(target: psql.Server, tables: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Foreign keys of other tables to those that are put back: dropped first, made again last."""
    listed_ = ", ".join(f"to_regclass({literal(name)})::oid" for name in tables)
    there = f"ARRAY[{listed_}]"
    what = "its foreign keys cannot be read"
    found: list[list[str]] = target.asked(_KEYS.format(there=there), what, _MEND)
    standing: list[bool] = target.asked(_STAND.format(there=there), what, _MEND)
    # What pg_restore sends waits for locks without an end; this does not.
    locks = (
        f"LOCK TABLE ONLY {name} IN ACCESS EXCLUSIVE MODE"
        for name, is_there in zip(tables, standing, strict=True)
        if is_there
    )
    drops = (f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in found)
    first = (*locks, *drops)
    last = tuple(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for table, name, text in found)
    return first, last
