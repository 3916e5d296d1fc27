"""`[parity]` of rulezero.toml, or [tool.rulezero.parity] of pyproject.toml.

Read only where parity is asked for: a mistake in it stops no migration.
"""

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, cast, get_args

from rulezero_policies.parity.values import (
    FlagRule,
    ParityConfig,
    Service,
    SmokeKind,
    SmokeRule,
    StoreRule,
)
from rulezero_server import settings
from rulezero_server.tomlfile import Reader

TABLES = ("production", "baseline", "flags", "services", "files", "stores", "smoke")

_MOST_SECONDS = 600.0


def read(root: Path) -> ParityConfig:
    """What the project in `root` declares; the defaults where it says nothing.

    Raises:
        UnreadableConfig: A file is broken, or holds an unknown key or a wrong type.
    """
    table = settings.said(root)
    return ParityConfig() if table is None else parse(table.inner("parity"))


def parse(table: Reader) -> ParityConfig:
    """What the table `[parity]` says.

    Raises:
        UnreadableConfig: It holds an unknown key or a wrong type.
    """
    table.only(*TABLES)
    services = table.inner("services")
    named = [(name, services.inner(name)) for name in services.table]
    return ParityConfig(
        production=_text(table, "production") or ParityConfig.production,
        baseline=table.texts("baseline") or (),
        services=tuple(_service(name, one) for name, one in named),
        files=(
            *_files("", table.inner("files")),
            *(row for name, one in named for row in _files(name, one.inner("files"))),
        ),
        flags=_flags(table),
        stores=_each(table.inner("stores"), _store),
        smoke=_each(table.inner("smoke"), _smoke),
    )


def _each(table: Reader, of: Any) -> tuple[Any, ...]:
    return tuple(of(name, table.inner(name)) for name in table.table)


def _service(name: str, table: Reader) -> Service:
    table.only("folder", "files")
    folder = _text(table, "folder")
    if folder is not None and outside(folder):
        raise table.wrong("folder", "a folder inside the project")
    return Service(name=name, folder=PurePosixPath(folder or name).as_posix())


def outside(path: str) -> bool:
    """Whether a path, by its words alone, leads out of the folder that it starts from."""
    parts = (*PurePosixPath(path).parts, *PureWindowsPath(path).parts)
    absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).anchor
    return bool(absolute) or ".." in parts or path.startswith("~")


def _files(service: str, table: Reader) -> list[tuple[str, str, str]]:
    """Rows of (service, environment, path); several paths are read in their order."""
    return [
        (service, environment, path)
        for environment in table.table
        for path in _paths(table, environment)
    ]


def _paths(table: Reader, key: str) -> tuple[str, ...]:
    called = "a path or a list of paths"
    value = table.table[key]
    given = cast("list[Any]", value) if isinstance(value, list) else [value]
    paths = tuple(path for path in given if isinstance(path, str) and path.strip())
    if not paths or len(paths) != len(given):
        raise table.wrong(key, called)
    return paths


def _flags(table: Reader) -> FlagRule:
    """Patterns stand instead of the conventional ones; a plain name is a flag besides them."""
    said = table.texts("flags") or ()
    patterns = tuple(one for one in said if "*" in one or "?" in one)
    return FlagRule(
        patterns=patterns or FlagRule.patterns,
        names=tuple(one for one in said if one not in patterns),
    )


def _store(name: str, table: Reader) -> StoreRule:
    table.only("service", "interface", "store", "fallback", "records", "exercise")
    records = table.inner("records")
    return StoreRule(
        name=name,
        service=_must(table, "service"),
        interface=_text(table, "interface"),
        store=_text(table, "store"),
        fallback=_must(table, "fallback"),
        records=tuple((record, _must(records, record)) for record in records.table),
        exercise=_text(table, "exercise"),
    )


def _smoke(name: str, table: Reader) -> SmokeRule:
    table.only("service", "kind", "target", "method", "status", "contains", "seconds", "app")
    kind = _must(table, "kind")
    if kind not in get_args(SmokeKind):
        raise table.wrong("kind", f"one of {', '.join(get_args(SmokeKind))}")
    seconds = f"a number of seconds above 0, at most {_MOST_SECONDS:.0f}"
    return SmokeRule(
        name=name,
        service=_must(table, "service"),
        kind=cast("SmokeKind", kind),
        target=_must(table, "target"),
        method=(_text(table, "method") or SmokeRule.method).upper(),
        status=_status(table),
        contains=_text(table, "contains"),
        app=_text(table, "app"),
        seconds=table.number("seconds", seconds, most=_MOST_SECONDS) or SmokeRule.seconds,
    )


def _status(table: Reader) -> int:
    value = table.number("status", "an HTTP status", most=599)
    if value is None:
        return SmokeRule.status
    if value < 100 or not value.is_integer():
        raise table.wrong("status", "an HTTP status")
    return int(value)


def _text(table: Reader, key: str) -> str | None:
    value = table.text(key)
    if value is not None and not value.strip():
        raise table.wrong(key, "a string that says something")
    return value


def _must(table: Reader, key: str) -> str:
    value = _text(table, key)
    if value is None:
        raise table.unreadable(f"{table.where}{key} is missing")
    return value
