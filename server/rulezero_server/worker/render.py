"""The SQL of a run, without the run."""

from __future__ import annotations

import builtins
import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from . import errors, secrets
from .recorder import own_ddl


def render(loaded: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Render the SQL from one revision to another as `alembic upgrade --sql` does.

    Args:
        loaded: The project.
        args: `direction` ("upgrade" or "downgrade"), `start` (a revision, several with commas, or
            "base") and `to`.

    Returns:
        `sql`, or None with the `reason` in a sentence, shaped as `ports.Rendered`.
    """
    buffer = io.StringIO()
    before, loaded.config.output_buffer = loaded.config.output_buffer, buffer
    try:
        with own_ddl(), _no_files():
            _offline(loaded, args, buffer)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - env.py and revisions may raise anything
        return {"sql": None, "reason": _reason(error)}
    finally:
        loaded.config.output_buffer = before
    sql = buffer.getvalue().strip()
    return {"sql": sql, "reason": None} if sql else {"sql": None, "reason": _NOTHING}


_NOTHING = "env.py rendered nothing when it was run offline (--sql)."


@contextmanager
def _no_files() -> Generator[None, None, None]:
    """Alembic's template for several databases opens a file for each: nothing is written to it."""
    original, places = builtins.open, cast("Any", builtins)

    def opener(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if set(mode) & set("wax+"):
            return io.BytesIO() if "b" in mode else io.StringIO()
        return original(file, mode, *args, **kwargs)

    places.open = opener
    try:
        yield
    finally:
        places.open = original


def _offline(loaded: Any, args: dict[str, Any], output: io.StringIO) -> None:
    script, to = loaded.script, args["to"]
    upgrade = args["direction"] == "upgrade"
    steps = script._upgrade_revs if upgrade else script._downgrade_revs  # noqa: SLF001 - as alembic's commands do
    start = tuple(args["start"].split(",")) if "," in args["start"] else args["start"]

    def move(current: Any, _: Any) -> Any:
        return steps(to, current)

    loaded.run_env(
        move,
        output=output,
        as_sql=True,
        starting_rev=start,
        destination_rev=to,
        tag=None,
    )


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, errors.Failure) else error
    text = errors.text(cause) if cause is not None else str(getattr(error, "facts", error))
    first, _, _ = text.partition(". ")
    return f"It cannot be rendered offline (--sql): {secrets.scrub(first).rstrip('.')}."
