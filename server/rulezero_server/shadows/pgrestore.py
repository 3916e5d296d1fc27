"""Dumps a PostgreSQL database, and restores it as a role that owns nothing else."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rulezero_server.shadows import pgcatalogue, pgserver, programs, psql
from rulezero_server.shadows.psql import identifier, literal

_DUMP = (
    "--format=custom", "--compress=0", "--no-owner", "--no-tablespaces", "--no-publications",
    "--no-subscriptions", "--no-security-labels", "--lock-wait-timeout=5000",
)  # fmt: skip
_RESTORE = (
    "--no-owner", "--no-tablespaces", "--no-publications", "--no-subscriptions",
    "--no-security-labels",
)  # fmt: skip

_HARMLESS = frozenset(
    {"address_standardizer", "amcheck", "bloom", "pageinspect", "pg_prewarm", "pg_stat_statements"}
    | {"pgstattuple", "postgis", "postgis_raster", "postgis_sfcgal", "postgis_topology"}
    | {"postgis_tiger_geocoder", "pgrouting", "rum", "uuid-ossp", "vector"}
)
"""Extensions that reach no file, program or server outside, though they are not marked so."""

_FOREIGN_SETTINGS = re.compile(r"preload|^role$|^session_authorization$|^search_path$")

_MEND = "See whether the project's user may read every table, and that nobody holds a lock on one."


def dump(target: psql.Server, file: Path, *more: str) -> None:
    """Dump the target; no lock beyond ACCESS SHARE, and none waited for beyond five seconds.

    Raises:
        NoShadow: It cannot be read.
    """
    ran = target.run("pg_dump", *_DUMP, *more, f"--file={file}")
    programs.checked(ran, "the target could not be dumped", _MEND)


def prepare(
    place: pgserver.Host, made: pgserver.Database, facts: pgcatalogue.Facts
) -> Iterator[str]:
    """Make what the role may not: roles, extensions, settings; what could not be made, a line each.

    Every schema that an extension stands in is there then, and the role's own.
    """
    yield from _roles(place, made, facts)
    yield from _extensions(place, made, facts)
    yield from _settings(made, facts)


def _roles(
    place: pgserver.Host, made: pgserver.Database, facts: pgcatalogue.Facts
) -> Iterator[str]:
    if not facts.roles:
        return
    known = set(
        place.admin.asked("SELECT json_agg(rolname) FROM pg_roles", "no roles are seen", _MEND)
    )
    missing = [role for role in facts.roles if role not in known]
    if not place.private:
        yield from (f"the role {role}, and what it may do" for role in missing)
        return
    made_here = [f"CREATE ROLE {identifier(role)} NOLOGIN;\n" for role in missing]
    grants = [f"GRANT {identifier(role)} TO {made.name};\n" for role in facts.roles]
    place.admin.fed("".join([*made_here, *grants]).encode())


def _extensions(
    place: pgserver.Host, made: pgserver.Database, facts: pgcatalogue.Facts
) -> Iterator[str]:
    gone = "DROP SCHEMA public;\n" if "public" not in facts.schemas else ""
    made.admin.sql(f"ALTER SCHEMA public OWNER TO {made.name};\n{gone}")
    if not facts.extensions:
        return
    offered = set(
        place.admin.asked(
            "SELECT coalesce(json_agg(name), '[]') FROM pg_available_extensions",
            "no extensions are seen",
            _MEND,
        )
    )
    for name, schema in facts.extensions:
        if name not in offered:
            yield f"the extension {name}, which {place.where} does not offer"
            continue
        made.owner.sql(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)};\n")
        create = f"CREATE EXTENSION {identifier(name)} SCHEMA {identifier(schema)} CASCADE;\n"
        if made.owner.tried(create):
            continue
        if name not in _HARMLESS or not made.admin.tried(create):
            yield f"the extension {name}, which only a superuser may install"
        else:
            yield f"the right to alter or drop the extension {name}, which its superuser made"


def _settings(made: pgserver.Database, facts: pgcatalogue.Facts) -> Iterator[str]:
    alter = f"ALTER DATABASE {made.name} SET"
    path = ", ".join(_search_path(facts)) or "''"
    if not made.admin.tried(f"{alter} search_path TO {path};\n"):
        yield "the search_path of the target"
    for setting in facts.settings:
        name, _, value = setting.partition("=")
        if _FOREIGN_SETTINGS.search(name):
            continue
        quoted = ".".join(identifier(part) for part in name.split("."))
        if not made.admin.tried(f"{alter} {quoted} TO {literal(value)};\n"):
            yield f"the setting {name}"


def _search_path(facts: pgcatalogue.Facts) -> Iterator[str]:
    """The schemas of the target's search_path; `$user` as the target's user is called."""
    for quoted, plain in re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', facts.search_path):
        name = quoted.replace('""', '"') or plain
        if name != "$user":
            yield identifier(name)
        elif facts.user in facts.schemas:
            yield identifier(facts.user)


def restore(
    made: pgserver.Database, file: Path, facts: pgcatalogue.Facts, *sections: str
) -> list[str]:
    """Restore a dump, as far as the role may; what could not be restored, a line each.

    Args:
        made: The database, with its extensions.
        file: The dump.
        facts: What the target is.
        sections: Those of "pre-data", "data" and "post-data" that are meant; none for all.

    Raises:
        NoShadow: Nothing could be restored, or a table is missing that an older server has not.
    """
    listed = made.owner.run("pg_restore", "--list", str(file))
    text = programs.checked(listed, "the dump cannot be read", _MEND).decode(errors="replace")
    chosen = file.with_name(f"{file.name}.list")
    there = {"public", *(schema for _, schema in facts.extensions)}
    chosen.write_text("\n".join(wanted(text.splitlines(), there)), encoding="utf-8")
    ran = made.owner.run(
        "pg_restore",
        *_RESTORE,
        *(f"--section={section}" for section in sections),
        "--verbose",  # else it does not say what it failed at
        f"--use-list={chosen}",
        f"--dbname={made.name}",
        str(file),
    )
    missing = list(dict.fromkeys(_missing(ran.err)))
    if ran.status != 0 and not missing and "INITIALIZING" not in ran.err:
        programs.checked(ran, "the shadow could not be filled", _MEND)
    return missing


def wanted(lines: Sequence[str], there: set[str]) -> Iterator[str]:
    """The entries of a dump's list without what is there already, or is not the role's."""
    entry = re.compile(r"^\d+; \d+ \d+ (?:COMMENT - )?(EXTENSION|SCHEMA) (?:- )?(\S+)")
    for line in lines:
        match = entry.match(line)
        if match is None or (match[1] == "SCHEMA" and match[2] not in there):
            yield line


def _missing(err: str) -> Iterator[str]:
    """The objects whose restore failed, by kind and name; not why, which may quote a row."""
    for found in re.findall(r"from TOC entry \d+; \d+ \d+ (.+)$", err, re.MULTILINE):
        name: str = found.rsplit(" ", 1)[0].strip()
        kind = re.match(r"[A-Z ]+(?= )", name)
        yield f"{kind[0].lower()}{name[kind.end() :]}" if kind else name


def is_table(missing: str) -> bool:
    """Whether a table, or its rows, could not be restored."""
    return missing.startswith("table ")
