"""What a revision does, seen by letting it run where nothing can happen."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any

from alembic import util

from . import drafts, errors, operations, secrets, tree
from .operations import Step
from .recorder import Tape, TooLongError, recording_of
from .recording import UNSEEN
from .standin import Lines


def trace(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Record what `upgrade()` and `downgrade()` of revisions do; nothing is executed.

    Args:
        loaded: The project.
        args: `revisions`: ids, traced in this order; `static`: connect to no database; `lenient`:
            a file that does not load is one step that is not understood; `drafts`: texts to read
            in place of the files, by revision.

    Returns:
        `traces`: one dict a revision, shaped as `ports.Trace`.

    Raises:
        alembic.util.CommandError: There is no such revision.
    """
    scripts = [loaded.script.get_revision(revision) for revision in args["revisions"]]
    texts: dict[str, str] = args.get("drafts") or {}
    traces: list[dict[str, Any]] = []

    def look(current: Any, context: Any) -> list[Any]:
        if not traces:
            at: set[str] = set(current or ())
            traces.extend(_read(loaded, s, context, at, texts.get(s.revision)) for s in scripts)
        return []

    offline = {"as_sql": True, "starting_rev": None} if args.get("static") else {}
    loaded.run_env(look, dont_mutate=True, **offline)
    return {"traces": traces}


def _read(
    loaded: Any, script: Any, context: Any, current: set[str], text: str | None
) -> dict[str, Any]:
    if text is None:
        return _watched(loaded, script, context, current)
    script = drafts.drafted(script, text)
    with drafts.lines_of(str(script.path), text):
        return _watched(loaded, script, context, current, text.encode())


def _watched(
    loaded: Any, script: Any, context: Any, current: set[str], source: bytes | None = None
) -> dict[str, Any]:
    before, databases = len(loaded.log), loaded.databases
    with databases.beside_recording() if databases else nullcontext():
        trace = _trace(script, context, loaded.root, current, source)
    kept = {tuple(entry.items()): entry for entry in loaded.log[before:]}
    return {**trace, "interceptions": list(kept.values())}


def _trace(
    script: Any, context: Any, root: str, current: set[str], source: bytes | None = None
) -> dict[str, Any]:
    path = os.path.realpath(str(script.path))
    broken = getattr(script.module, "broken", None)
    if broken is not None:
        return _unread(script, path, root, broken)
    given: dict[str, Any] = getattr(context.environment_context, "given", {})
    is_next = set(util.to_tuple(script.down_revision, default=())) <= current
    upgrade, upgrade_error = record(script, "upgrade", context, settled=is_next)
    applied = script.revision in current
    downgrade, downgrade_error = record(script, "downgrade", context, settled=applied)
    return {
        "revision": script.revision,
        "path": os.path.relpath(path, os.path.realpath(root)).replace(os.sep, "/"),
        "message": script.doc or "",
        "upgrade": upgrade,
        "downgrade": downgrade,
        "upgrade_error": upgrade_error,
        "downgrade_error": downgrade_error,
        "own_transaction": bool(getattr(context, "_transaction_per_migration", False)),
        "tree": tree.tree(path, root, given.get("engine_name"), source=source),
    }


def _unread(script: Any, path: str, root: str, error: str) -> dict[str, Any]:
    """What is told of a file that did not load: that nothing of it is known."""
    step = operations.opaque(f"the file does not load: {error}", line=script.module.broken_line)
    return {
        "revision": script.revision,
        "path": os.path.relpath(path, os.path.realpath(root)).replace(os.sep, "/"),
        "message": "",
        "upgrade": [step],
        "downgrade": [step],
        "upgrade_error": None,
        "downgrade_error": None,
        "tree": tree.UNREAD,
    }


def record(
    script: Any, direction: str, context: Any, *, settled: bool = True
) -> tuple[list[Step], str | None]:
    """The steps of one direction of a revision, and the error that ended them, if any.

    Args:
        script: An alembic `Script`.
        direction: "upgrade" or "downgrade".
        context: The project's own migration context, online or offline.
        settled: Whether the database stands where this direction would start from.
    """
    function = getattr(script.module, direction, None)
    if function is None:
        return [], None if direction == "downgrade" else "the revision has no upgrade()"
    tape = Tape(str(script.path), settled=settled)
    try:
        _run(function, context, tape)
    except (Exception, SystemExit, TooLongError) as error:  # noqa: BLE001 - a revision may raise anything
        return _ended(tape, error)
    if any(step.get("detail") == UNSEEN for step in tape.steps):
        return _with_rows(function, context, tape, settled=settled), None
    return tape.steps, None


def _run(function: Any, context: Any, tape: Tape) -> None:
    with recording_of(context, tape):
        function(**getattr(context.environment_context, "given", {}))


def _with_rows(function: Any, context: Any, tape: Tape, *, settled: bool) -> list[Step]:
    """The steps where queries find rows; what no run came to is said, line by line."""
    path = next(iter(tape.files))
    without, rows = Tape(path, settled=settled), Tape(path, settled=settled)
    rows.with_rows, rows.files = True, tape.files
    lines = Lines(tape.files)
    try:
        with lines.watched():
            _run(function, context, without)
            _run(function, context, rows)
    except (Exception, SystemExit, TooLongError):  # noqa: BLE001 - made-up rows may not do
        return tape.steps
    seen = {step["line"] for step in rows.steps}
    steps = [*rows.steps, *(s for s in tape.steps if s["line"] not in seen)]
    missed = lines.missed()
    if missed:
        steps.append(operations.opaque(_missed(missed), line=missed[0]))
    return [step for step in steps if step.get("detail") != UNSEEN]


def _missed(lines: list[int]) -> str:
    shown = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
    return f"what these lines do depends on the rows that are read, and was not seen: {shown}"


def _ended(tape: Tape, error: BaseException) -> tuple[list[Step], str]:
    line = tape.line_of(error)
    where = "" if line is None else f" (line {line})"
    text = f"{secrets.scrub(errors.text(error))}{where}"
    unseen = operations.opaque(f"what comes after this was not seen: {text}", line=line)
    return [*tape.steps, unseen], text
