"""The `env_file` lists of a compose file, edited by line: comments and all the rest stay.

Compose reads the files of such a list in order, and later ones win: a file that is put first
changes nothing that another one says.
Source: https://docs.docker.com/reference/compose-file/services/#env_file
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PLAIN = re.compile(r"[\w./\-]+")
_LINE = re.compile(
    r"(?P<indent> *)(?P<quote>['\"]?)(?P<key>[\w.\-]+)(?P=quote):(?:[ ]+(?P<rest>.*?))?\s*"
)
_ITEM = re.compile(
    r" *-[ ]+(?:path:[ ]*)?(?P<quote>['\"]?)(?P<path>[\w./\-]+)(?P=quote)(?:[ ]+#.*)?\s*"
)
_USED = re.compile(r"\$(?:\{(?P<braced>\w+)|(?P<bare>[A-Za-z_]\w*))")


@dataclass(frozen=True, kw_only=True)
class EnvFiles:
    """What one service of a compose file reads; `editable` is whether another can be put first."""

    service: str
    files: tuple[str, ...]
    editable: bool


def env_files(text: str) -> tuple[EnvFiles, ...]:
    """Every service's list, paths as they are written; services without one are left out."""
    lines = text.splitlines(keepends=True)
    return tuple(_read(lines, name, at) for name, at in _lists(lines))


def put_first(text: str, service: str, path: str) -> str | None:
    """`text` with `path` as the first file that `service` reads; None where a person has to do it.

    Args:
        text: The compose file.
        service: The name of the service in it.
        path: The file, as compose is to find it: relative to the compose file.
    """
    lines = text.splitlines(keepends=True)
    at = dict(_lists(lines)).get(service)
    if at is None or _PLAIN.fullmatch(path) is None:
        return None
    changed = _changed(lines, at, path)
    return None if changed is None else "".join(changed)


def interpolated(text: str) -> frozenset[str]:
    """The keys that compose itself puts into the file from a `.env` that lies beside it."""
    plain = text.replace("$$", "")
    return frozenset(m["braced"] or m["bare"] for m in _USED.finditer(plain))


def _lists(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each service with the number of its `env_file` line."""
    inside, service, depths = False, None, [0, 0]
    for at, line in enumerate(lines):
        found = _LINE.fullmatch(line.rstrip("\r\n"))
        if found is None:
            continue
        indent = len(found["indent"])
        if indent == 0:
            inside, service, depths = found["key"] == "services", None, [0, 0]
        elif inside and indent == (depths[0] or indent):
            service, depths = found["key"], [indent, 0]
        elif service and indent == (depths[1] or indent):
            depths[1] = indent
            if found["key"] == "env_file":
                yield service, at


def _read(lines: Sequence[str], service: str, at: int) -> EnvFiles:
    rest = _rest(lines[at])
    if rest.startswith("["):
        files = [p.strip(" '\"") for p in rest.strip("[]").split(",") if p.strip()]
    elif rest:
        files = [rest.strip("'\"")]
    else:
        items = (_ITEM.fullmatch(line) for line in _items(lines, at))
        files = [str(item["path"]) for item in items if item]
    editable = _changed(lines, at, "x") is not None
    return EnvFiles(service=service, files=tuple(files), editable=editable)


def _changed(lines: Sequence[str], at: int, path: str) -> tuple[str, ...] | None:
    line, rest = lines[at], _rest(lines[at])
    end = line[len(line.rstrip("\r\n")) :] or "\n"
    indent = " " * (len(line) - len(line.lstrip(" ")))
    if rest.startswith("["):
        if not re.fullmatch(r"\[[^\[\]{}*&]*\]", rest) or not rest.strip("[] "):
            return None
        return (*lines[:at], line.replace("[", f"[{path}, ", 1), *lines[at + 1 :])
    if rest:
        if not _PLAIN.fullmatch(rest.strip("'\"")):
            return None
        head, _, tail = line.rstrip("\r\n").partition(rest)
        new = (
            f"{head.rstrip()}{tail}{end}",
            f"{indent}  - {path}{end}",
            f"{indent}  - {rest}{end}",
        )
        return (*lines[:at], *new, *lines[at + 1 :])
    items = _items(lines, at)
    if not items:
        return None
    first = lines.index(items[0], at + 1)
    deep = " " * (len(items[0]) - len(items[0].lstrip(" ")))
    return (*lines[:first], f"{deep}- {path}{end}", *lines[first:])


def _rest(line: str) -> str:
    """What stands behind the colon, without a comment."""
    found = _LINE.fullmatch(line.rstrip("\r\n"))
    rest = (found["rest"] if found else None) or ""
    return re.sub(r"(?:^|\s+)#.*", "", rest).strip()


def _items(lines: Sequence[str], at: int) -> tuple[str, ...]:
    """The lines of a block list that name a path, up to where it ends; none if one is unclear."""
    own = len(lines[at]) - len(lines[at].lstrip(" "))
    found: list[str] = []
    for line in lines[at + 1 :]:
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if indent < own or (indent == own and not bare.startswith("-")):
            break
        if bare.startswith("-"):
            if not _ITEM.fullmatch(line):
                return ()
            found.append(line)
    return tuple(found)
