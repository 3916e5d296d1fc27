"""Finding what somebody asks for: a function, route, endpoint, command or class by its name."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator

from rulezero_policies.parity.needs_script import SUFFIXES, is_test
from rulezero_policies.parity.things import Thing
from rulezero_policies.parity.walked import Walked

_REGISTERED = frozenset({"route", "command"})

_ORDER = ("route", "command", "class", "function")

_HOLE = re.compile(r"<[^>]*>|\{[^}]*\}|:\w+|\(\?P[^)]*\)")

_SERVED = re.compile(
    r"\b\w+\.(?:get|post|put|patch|delete|all|use|route)\(\s*(['\"`])(?P<path>/[^'\"`]*)\1"
)

_FUNCTION = r"(?:function\s*\*?\s+|class\s+|(?:const|let|var)\s+){name}\b(?!\s*=\s*require)"


def found(code: Walked, name: str) -> list[Thing]:
    """What a service offers under `name`; of what stands for the same, what is registered."""
    name = _entry_point(code, name.strip())
    every = _nearest([t for t in code.things.every if _is_called(t, name)], name)
    bare = {id(t.node) for t in every if t.kind in {"function", "class"}}
    # Who asks for a function asks for every route that it answers, and not for it a second time.
    also = (t for t in code.things.every if t.kind in _REGISTERED and id(t.node) in bare)
    registered = list({id(t): t for t in (*every, *also) if t.kind in _REGISTERED}.values())
    answering = {id(t.node) for t in registered}
    kept = [*registered, *(t for t in every if id(t.node) not in answering)]
    return sorted(kept, key=lambda t: (_ORDER.index(t.kind), t.file.path, t.node.lineno))


def _entry_point(code: Walked, name: str) -> str:
    """What a script of `[project.scripts]` calls; any other name is itself."""
    for source in code.sources.files:
        if source.path.rpartition("/")[2] == "pyproject.toml":
            try:
                scripts: object = tomllib.loads(source.text)["project"]["scripts"][name]
            except (tomllib.TOMLDecodeError, KeyError, TypeError):
                continue
            return str(scripts)
    return name


def _nearest(things: list[Thing], name: str) -> list[Thing]:
    """Of several routes that answer a path the ones that say most of it themselves."""
    path = name.rpartition(" ")[2]
    if not path.startswith("/"):
        return things
    holes = [0 if _same(t.label, path) else len(_HOLE.findall(t.label)) for t in things]
    return [t for t, count in zip(things, holes, strict=True) if count == min(holes)]


def _same(label: str, path: str) -> bool:
    mine, asked = (_HOLE.sub("*", p).rstrip("/") for p in (label, path))
    return mine == asked


def _is_called(thing: Thing, name: str) -> bool:
    path = name.rpartition(" ")[2]
    if path.startswith("/"):
        return thing.kind == "route" and _is_path(thing.label, path)
    bare = name.removesuffix("()").replace(":", ".")
    whole = f"{thing.file.module}.{thing.name}"
    if thing.kind in {"route", "command"} and bare in {thing.endpoint, thing.label}:
        return True
    return bare == thing.name or f".{whole}".endswith(f".{bare}") or bare == thing.node.name


def _is_path(label: str, path: str) -> bool:
    """Whether a route answers a path; holes in either may stand for anything."""
    asked = path.rstrip("/") or "/"
    parts = [_filling(h) for h in _HOLE.findall(label)]
    pieces = [re.escape(p) for p in _HOLE.split(label.rstrip("/") or "/")]
    pattern = "".join(p + (parts[i] if i < len(parts) else "") for i, p in enumerate(pieces))
    return _same(label, path) or re.fullmatch(pattern, asked) is not None


def _filling(hole: str) -> str:
    """What may stand in a hole."""
    if "int:" in hole or ":int" in hole:
        return r"\d+"
    return ".+" if "path" in hole else "[^/]+"


def scripts(code: Walked, name: str) -> Iterator[tuple[str, int]]:
    """Where JavaScript serves a path, or defines a function: file and line."""
    path = name.rpartition(" ")[2]
    for source in code.sources.files:
        if not source.path.endswith(SUFFIXES) or is_test(source.path):
            continue
        if path.startswith("/"):
            starts = [m.start() for m in _SERVED.finditer(source.text) if _is_path(m["path"], path)]
        else:
            pattern = _FUNCTION.format(name=re.escape(path))
            starts = [m.start() for m in re.finditer(pattern, source.text)]
        yield from ((source.path, bisect_left(source.breaks, at) + 1) for at in starts)
