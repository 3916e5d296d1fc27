"""What can be asked of the worker: one table."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import errors

TABLE = {
    "describe": "describe:describe",
    "databases": "describe:every",
    "route": "ways:route",
    "diff": "diff:diff",
    "generate": "generate:generate",
    "merge": "merge:merge",
    "sequence": "sequence:write",
    "shapes": "shapes:shapes",
    "trace": "trace:trace",
    "render": "render:render",
    "probe": "probe:probe",
    "columns": "catalogue:columns",
    "models": "models:models",
    "unseen": "blind:unseen",
    "defaults": "defaults:defaults",
    "loaded": "witness:loaded",
    "access": "access:access",
    "mark": "mark:mark",
    "listing": "live:listing",
    "rehearse": "rehearse:rehearse",
    "build": "build:build",
    "ahead": "parity.ahead:ahead",
    "exercise": "parity.exercise:exercise",
    "smoke": "parity.smoke:smoke",
    "class_shapes": "parity.shapes:shapes",
    "mapped": "parity.mapped:mapped",
    "aftermath": "aftermath:aftermath",
    "archives": "archives:archives",
    "in_the_way": "stopped:in_the_way",
    "upgrade": "run:run",
    "downgrade": "run:run",
    "restore": "restore:restore",
    "undo": "run:run",
    "purge": "run:run",
}
"""Verb -> module:function. A verb that is not here does not exist."""

RUNS = frozenset({"upgrade", "downgrade", "restore", "undo", "purge"})
"""The verbs that need a writable session, and the only ones that may have one."""

READING, REHEARSING, RUNNING = "reading", "rehearsing", "running"

_ON_SHADOW = frozenset({"rehearse", "build", "ahead", "exercise", "smoke"})

_AS_IT_STANDS = frozenset({"exercise", "smoke"})
"""Verbs that run the project's code on a shadow, and no revisions: that code is not sealed."""

SELDOM = RUNS | {verb for verb, place in TABLE.items() if place.startswith("parity.")}
"""Verbs whose modules no warm parent loads: they bring packages that others have no use for."""

BARE = frozenset({"class_shapes", "smoke"})
"""Verbs for which no migrations are loaded: a service need not have any, nor Alembic."""

_MODES = {**dict.fromkeys(_ON_SHADOW, REHEARSING), **dict.fromkeys(RUNS, RUNNING)}
"""The mode that a verb needs; every other one reads."""

_AUTOGENERATE = frozenset({"diff", "generate", "sequence"})

_LENIENT = frozenset({"describe", "trace"})
"""The verbs that can go on, when they are asked to, without the revision files that do not load."""

_COMMANDS = {
    "diff": "check",
    "generate": "migrate",
    "merge": "merge",
    "sequence": "migrate",
    "upgrade": "upgrade",
    "downgrade": "downgrade",
    "undo": "downgrade",
    "purge": "downgrade",
    "rehearse": "upgrade",
    "build": "upgrade",
    "ahead": "upgrade",
}


def check(verb: str, mode: str) -> None:
    """Refuse a verb that is unknown, or asked for in another mode than its own."""
    if verb not in TABLE or mode != _MODES.get(verb, READING):
        raise ValueError(f"no such verb: {verb}")


def command_line(verb: str, flavour: str) -> list[str]:
    """The command line an app that looks at `sys.argv` would see for this."""
    command = _COMMANDS.get(verb, "current")
    if flavour == "flask-migrate":
        return ["flask", "db", command]
    return ["alembic", "revision" if command == "migrate" else command]


def prepare(verb: str, args: dict[str, Any], root: str) -> None:
    """What has to happen before anything of the project is loaded."""
    if verb in _AS_IT_STANDS:
        return
    if _MODES.get(verb, READING) != READING:
        import_module(".run", __package__).prepare(args, root)
    else:
        import_module(".witness", __package__).install(root)


def load(verb: str, project: dict[str, Any], ground: errors.Ground) -> Any:
    """Load the project; alembic must not load before the connections are guarded."""
    if verb in BARE:
        return import_module(".parity.bare", __package__).Bare(ground)
    return import_module(".load", __package__).load(project, ground)


def call(verb: str, loaded: Any, args: dict[str, Any], ground: errors.Ground) -> dict[str, Any]:
    """Carry the verb out."""
    module, _, function = TABLE[verb].partition(":")
    run = getattr(import_module(f".{module}", __package__), function)
    direction = {"direction": verb} if verb in RUNS else {}
    loaded.autogenerates(on=verb in _AUTOGENERATE)
    if verb in _LENIENT and args.get("lenient"):
        loaded.mend()
    else:
        loaded.insist()
    with errors.stage("env", ground):
        return run(loaded, {**direction, **args})
