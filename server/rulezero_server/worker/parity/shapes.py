"""Classes of a service as Python itself has them: what callers see, and the fields of records."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from . import bare, fields

_LITERALS = (int, str, float, bool, bytes, type(None))

_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.VAR_POSITIONAL: "args",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "kwargs",
}


def shapes(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Import classes and describe them.

    Args:
        loaded: The service.
        args: `folder`; `classes` and `records`, each "module:Class".

    Returns:
        `classes`: by place, shaped as `storeshape.ClassShape`; `records`: by place, the `fields`
        (name, annotation, default); or, for each, the `error` with its `file` and `line`.
    """
    bare.enter(loaded.root, args["folder"])
    return {
        kind: {place: _safely(describe, place, loaded.root) for place in args[kind]}
        for kind, describe in (("classes", shape), ("records", _record))
    }


def _safely(
    describe: Callable[[str, Any], dict[str, Any]], place: str, root: str
) -> dict[str, Any]:
    try:
        return describe(place, bare.named(place))
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - it is the service's code
        return bare.told(exc, root)


def _record(_place: str, cls: Any) -> dict[str, Any]:
    return {"fields": fields.of(cls)}


def shape(place: str, cls: Any) -> dict[str, Any]:
    """A class, shaped as `storeshape.ClassShape`; TypeError for what is none."""
    if not isinstance(cls, type):
        raise TypeError(place)
    members = dict(_members(cls))
    for name in _set_on_objects(cls):
        members.setdefault(name, {"name": name, "form": "value"})
    dynamic = hasattr(cls, "__getattr__")
    return {
        "name": place,
        "methods": [m for m in members.values() if _is_public(m["name"])],
        "whole": not dynamic and getattr(cls, "__getattribute__", None) is object.__getattribute__,
        "made": not inspect.isabstract(cls) and _needs_nothing(cls),
    }


_PROTOCOLS = frozenset(
    {
        "__aenter__", "__aexit__", "__aiter__", "__anext__", "__call__", "__contains__",
        "__delitem__", "__enter__", "__exit__", "__getitem__", "__iter__", "__len__", "__next__",
        "__setitem__",
    }
)  # fmt: skip


def _is_public(name: str) -> bool:
    return name in _PROTOCOLS or not name.startswith("_")


def _needs_nothing(cls: type) -> bool:
    try:
        inspect.signature(cls).bind()
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _lines(cls: type) -> Iterator[type]:
    """What it inherits from, but what brings nothing that callers see."""
    for one in cls.__mro__:
        if one.__module__ not in {"builtins", "abc", "typing", "typing_extensions"}:
            yield one


def _members(cls: type) -> Iterator[tuple[str, dict[str, Any]]]:
    seen: set[str] = set()
    for one in _lines(cls):
        stub = bool(vars(one).get("_is_protocol"))
        annotated = getattr(one, "__annotations__", {})
        for name, value in [*vars(one).items(), *((n, None) for n in annotated)]:
            if name not in seen:
                seen.add(name)
                yield name, _member(name, value, stub=stub)


def _member(name: str, value: Any, *, stub: bool) -> dict[str, Any]:
    if isinstance(value, (property, functools.cached_property)):
        return {"name": name, "form": "property", "abstract": _abstract(value, stub=False)}
    kinds: dict[Any, str] = {staticmethod: "static", classmethod: "class"}
    form = kinds.get(type(value), "method")
    raw: Any = getattr(value, "__func__", value)
    if not callable(raw) or isinstance(raw, type):
        return {"name": name, "form": "value"}
    function: Any = inspect.unwrap(raw)
    return {
        "name": name,
        "form": form,
        "colour": _colour(function),
        "abstract": _abstract(raw, stub=stub),
        **_signature(function, own=form == "static"),
    }


def _colour(function: Any) -> str:
    if inspect.isasyncgenfunction(function):
        return "stream"
    return "async" if inspect.iscoroutinefunction(function) else "plain"


def _abstract(value: Any, *, stub: bool) -> bool:
    """Whether it is left to others: it says so, or does nothing but say that it does nothing."""
    if getattr(value, "__isabstractmethod__", False):
        return True
    code: Any = getattr(value, "__code__", None)
    if code is None:
        return False
    constants = [c for c in code.co_consts if c not in {None, value.__doc__} and c is not ...]
    if code.co_names == ("NotImplementedError",):
        return not any(i.opname.startswith("RETURN") for i in dis.get_instructions(code))
    return stub and not code.co_names and not constants and code.co_nlocals == _arguments(code)


def _arguments(code: Any) -> int:
    starred = bool(code.co_flags & inspect.CO_VARARGS) + bool(
        code.co_flags & inspect.CO_VARKEYWORDS
    )
    return int(code.co_argcount + code.co_kwonlyargcount + starred)


def _signature(function: Any, *, own: bool) -> dict[str, Any]:
    try:
        said = inspect.signature(function)
    except (TypeError, ValueError):
        return {"opaque": True}
    if not isinstance(function, FunctionType):
        return {"opaque": True}
    given = list(said.parameters.values())
    skipped = bool(given) and not own and given[0].kind in _BY_PLACE
    return {
        "parameters": [_parameter(p) for p in given[1 if skipped else 0 :]],
        "returns": fields.text(said.return_annotation),
    }


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    has = parameter.default is not inspect.Parameter.empty
    old = parameter.name.startswith("_") and "__" in parameter.name[1:]
    kind = _KINDS[parameter.kind]
    return {
        "name": parameter.name,
        "kind": "positional" if old and kind == "either" else kind,
        "default": has,
        "value": repr(parameter.default) if has and type(parameter.default) in _LITERALS else None,
    }


def _set_on_objects(cls: type) -> Iterator[str]:
    """Attributes that methods of the class set: they are on no class that could be asked."""
    for one in _lines(cls):
        for value in vars(one).values():
            function: Any = inspect.unwrap(value) if callable(value) else None
            if isinstance(function, FunctionType):
                for step in dis.get_instructions(function):
                    if step.opname == "STORE_ATTR":
                        yield str(step.argval)
