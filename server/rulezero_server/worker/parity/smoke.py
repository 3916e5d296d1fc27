"""One smoke test, in an environment like production's, on the shadow."""

from __future__ import annotations

import asyncio
import inspect
import sys
from contextlib import nullcontext
from typing import Any

from .. import errors  # noqa: TID252 - the worker runs under another package name
from . import asked, bare, calling, commands, hidden

_REFUSED = frozenset({"program", "connection", "file"})

MOST = 8
"""Refused things that are told."""


def smoke(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Call what the test names, and hold what it answers against what it has to answer.

    Args:
        loaded: The service, of which nothing is loaded yet.
        args: `folder`, `kind` ("route", "callable" or "command"), `target`, `method`, `status`,
            `contains`, `app`, `seconds`; `known`, the keys of every environment; `settings`, the
            absolute paths of settings files, each with the file that stands in for it, or None.

    Returns:
        `outcome` ("passed", "failed" or "not_run"), `seen` in words; `error`, `file` and `line`
        where something was raised; `missing`, keys that were asked for in vain; `blamed`, keys
        that are set and that an error names; `refused`.
    """

    def report(name: str) -> None:
        loaded.log.append({"kind": "file", "call": name, "file": "?", "line": 0, "package": None})

    hidden.Hidden(args["settings"], report).install()
    asked.watch(args["known"])
    bare.enter(loaded.root, args["folder"])
    sys.argv[:] = [args["kind"]]
    raised: BaseException | None = None
    try:
        found, raised = _KINDS[args["kind"]](args)
    except calling.NoAppError:
        found = _not_run('no app was found: say which, app = "module:app"')
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - it is the service's code
        found, raised = {"outcome": "failed", "seen": "no answer"}, exc
    keys = {"missing": asked.missed(raised), "blamed": asked.blamed(raised)}
    return {**found, **_told(raised, loaded), **keys}


def _told(raised: BaseException | None, loaded: Any) -> dict[str, Any]:
    refused = [
        f"{entry['kind']} {entry['call']}"
        for entry in loaded.log
        if entry["kind"] in _REFUSED and entry["package"] is None
    ]
    place = {} if raised is None else bare.told(raised, loaded.root)
    return {**place, "refused": list(dict.fromkeys(refused))[:MOST]}


Found = tuple[dict[str, Any], "BaseException | None"]


def _route(args: dict[str, Any]) -> Found:
    target = calling.app(args["app"])
    answer = calling.ask(target, args["method"], args["target"])
    seen = f"status {answer.status}"
    if answer.routed is False:
        seen += ": no route of the app fits"
    if answer.location is not None:
        seen += f", to {_path(answer.location)}"
    right = answer.status == args["status"]
    return _judged(args, seen, answer.body, right=right), answer.raised


def _path(location: str) -> str:
    """Where a redirect leads, without what might be a secret in it."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    return urlsplit(location).path or "/"


def _callable(args: dict[str, Any]) -> Found:
    call = bare.named(args["target"])
    context = calling.app(args["app"]).app_context() if args["app"] else nullcontext()
    with context:
        answer = call()
        if inspect.isawaitable(answer):
            answer = asyncio.run(_awaited(answer))
    seen = "returned False" if answer is False else "returned"
    return _judged(args, seen, str(answer), right=answer is not False), None


async def _awaited(answer: Any) -> Any:
    return await answer


def _command(args: dict[str, Any]) -> Found:
    try:
        ended = commands.run(args["target"], args["seconds"])
    except errors.RefusedError:
        if commands.is_python(args["target"]):
            raise
        why = "it is no Python, so it cannot be kept to the shadow: declare a callable in its place"
        return _not_run(why), None
    seen = f"exit status {ended.status}"
    return _judged(args, seen, ended.said, right=ended.status == 0), None


def _not_run(why: str) -> dict[str, Any]:
    return {"outcome": "not_run", "seen": why}


def _judged(args: dict[str, Any], seen: str, text: str, *, right: bool) -> dict[str, Any]:
    wanted = args["contains"]
    if wanted is not None:
        holds = wanted in text
        seen += ", holds the text" if holds else ", does not hold the text"
        right = right and holds
    return {"outcome": "passed" if right else "failed", "seen": seen}


_KINDS: dict[str, Any] = {"route": _route, "callable": _callable, "command": _command}
