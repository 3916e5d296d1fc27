"""The same operations on a store and on its fallback: whether both give the same answers."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from . import ahead, bare, emptied

MOST = 10
"""Differences that are told."""

_DEEPEST = 6


class _UnknownNeedError(Exception):
    """A store needs something that nobody knows how to make."""


def exercise(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Give both stores to the exercise, the real one on the shadow, in which no row is left.

    Args:
        loaded: The project, in a rehearsal.
        args: `folder`, `exercise` ("module:function"), `store` and `fallback` ("module:Class"),
            and the `identity` of the target.

    Returns:
        `outcome`: "same", "different" or "failed"; `differences` (names and kinds, no values);
        `failed`, for the store that could not be made or exercised alone: `which`, `error`,
        `file`, `line`, and the parameter that it `needs`.
    """
    url = ahead.url(loaded, args["identity"])
    emptied.empty(url)
    bare.enter(loaded.root, args["folder"])
    with ExitStack() as held:
        makes: dict[str, Callable[[], Any]] = {
            "fallback": lambda: _fallback(args["fallback"]),
            "store": lambda: _store(args["store"], url, held),
        }
        answers = {which: _answer(loaded, args, make) for which, make in makes.items()}
    return compared(answers)


def _answer(loaded: Any, args: dict[str, Any], make: Callable[[], Any]) -> dict[str, Any]:
    """What the exercise saw of a store, or what it ended with."""
    made = False
    try:
        store, ask = make(), bare.named(args["exercise"])
        made = True
        answer = ask(store)
        if inspect.isawaitable(answer):
            answer = asyncio.run(_awaited(answer))
        return {"saw": json.loads(json.dumps(answer, default=_plain, sort_keys=True))}
    except _UnknownNeedError as exc:
        return {"error": "TypeError", "file": "?", "line": 0, "needs": str(exc), "made": False}
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - it is the service's code
        return {**bare.told(exc, loaded.root), "made": made}


async def _awaited(answer: Any) -> Any:
    return await answer


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - whatever it holds
    return str(value)


def compared(answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What both stores answered, held against each other."""
    failed = {which: a for which, a in answers.items() if "error" in a}
    alike = len({a["error"] for a in failed.values()}) == 1 and len(failed) == len(answers)
    if failed and not (alike and all(a["made"] for a in failed.values())):
        which, how = next(iter(failed.items()))
        return {"outcome": "failed", "differences": [], "failed": {"which": which, **how}}
    if failed:
        # Both end the same way: that is an exercise that does not work, and shows nothing.
        return {
            "outcome": "failed",
            "differences": [],
            "failed": {"which": "both", **failed["store"]},
        }
    found = list(_differing("answer", answers["fallback"]["saw"], answers["store"]["saw"], 0))
    return {
        "outcome": "different" if found else "same",
        "differences": found[:MOST],
        "failed": None,
    }


def _differing(path: str, one: Any, other: Any, depth: int) -> Iterator[str]:
    if type(one) is not type(other) or depth > _DEEPEST:
        if one != other:
            yield f"{path}: {_kind(one)} from the fallback, {_kind(other)} from the store"
    elif isinstance(one, dict):
        yield from _of_objects(path, one, other, depth)
    elif isinstance(one, list):
        yield from _of_lists(path, one, other, depth)  # pyright: ignore[reportUnknownArgumentType] - JSON
    elif one != other:
        yield f"{path}: another {_kind(one)}"


def _of_lists(path: str, one: list[Any], other: list[Any], depth: int) -> Iterator[str]:
    if len(one) != len(other):
        yield f"{path}: {len(one)} entries from the fallback, {len(other)} from the store"
    for number, (mine, theirs) in enumerate(zip(one, other)):
        yield from _differing(f"{path}[{number}]", mine, theirs, depth + 1)


def _of_objects(path: str, one: Any, other: Any, depth: int) -> Iterator[str]:
    for name in sorted({*one, *other}):
        here = f"{path}.{name}" if name.isidentifier() else f"{path}[…]"
        if name in one and name in other:
            yield from _differing(here, one[name], other[name], depth + 1)
        else:
            yield f"{here}: only from the {'fallback' if name in one else 'store'}"


_KINDS = {"dict": "object", "list": "list", "str": "text", "bool": "boolean", "NoneType": "none"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value).__name__, "number")


# How stores are made.


def _fallback(place: str) -> Any:
    cls = bare.named(place)
    missing = _needed(cls)
    if missing:
        raise _UnknownNeedError(missing[0].name)
    return cls()


def _store(place: str, url: Any, held: ExitStack) -> Any:
    """The real store, given what its parameters are called, or said to be: all on the shadow."""
    cls = bare.named(place)
    missing = _needed(cls)
    if not missing:
        return cls()
    given = {p.name: _given(p, url, held) for p in missing}
    placed = [given.pop(p.name) for p in missing if p.kind is p.POSITIONAL_ONLY]
    return cls(*placed, **given)


def _needed(cls: Any) -> list[inspect.Parameter]:
    try:
        every = inspect.signature(cls).parameters.values()
    except ValueError:
        return []
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in every if p.default is p.empty and p.kind not in starred]


_NAMES = {
    "engine": {"engine", "bind"},
    "factory": {"session_factory", "sessionmaker", "session_maker", "make_session", "factory"},
    "session": {"session", "db_session", "sess", "db"},
    "connection": {"connection", "conn"},
    "url": {"url", "dsn", "database_url", "db_url", "uri", "database_uri"},
    "path": {"path", "db_path", "filename", "database", "database_path"},
}


def _given(parameter: inspect.Parameter, url: Any, held: ExitStack) -> Any:
    said = parameter.annotation
    text = said if isinstance(said, str) else inspect.formatannotation(said)
    wanted = _by_annotation(text) or next(
        (what for what, names in _NAMES.items() if parameter.name in names), None
    )
    if wanted is None or (wanted == "path" and url.get_backend_name() != "sqlite"):
        raise _UnknownNeedError(parameter.name)
    if wanted in {"url", "path"}:
        return _text(url) if wanted == "url" else str(url.database)
    return _made(wanted, url, held)


def _by_annotation(text: str) -> str | None:
    for word, what in (
        ("sessionmaker", "factory"),
        ("Session]", "factory"),
        ("Session", "session"),
        ("Engine", "engine"),
        ("Connection", "connection"),
    ):
        if word in text:
            return what
    return None


def _text(url: Any) -> str:
    shown = getattr(url, "render_as_string", None)
    return str(shown(hide_password=False) if shown else url)


def _made(wanted: str, url: Any, held: ExitStack) -> Any:
    if url.get_dialect().is_async:
        return _made_async(wanted, url)
    import sqlalchemy as sa  # noqa: PLC0415
    from sqlalchemy.orm import sessionmaker  # noqa: PLC0415

    engine = sa.create_engine(url)
    held.callback(engine.dispose)
    if wanted == "engine":
        return engine
    if wanted == "connection":
        return held.enter_context(engine.connect())
    factory: Any = sessionmaker(bind=engine)
    if wanted == "factory":
        return factory
    session = factory()
    held.callback(session.close)
    return session


def _made_async(wanted: str, url: Any) -> Any:
    """Its connections belong to the loop that the exercise runs in, and end with it."""
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine  # noqa: PLC0415
    from sqlalchemy.orm import sessionmaker  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    engine = create_async_engine(url, poolclass=NullPool)
    if wanted == "engine":
        return engine
    if wanted == "connection":
        raise _UnknownNeedError("connection")
    factory: Any = sessionmaker(bind=engine, class_=AsyncSession, expire_on_commit=False)  # type: ignore[call-overload]
    return factory if wanted == "factory" else factory()
