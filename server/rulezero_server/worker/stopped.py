"""Which rows of the target stopped a run, asked once it is over."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from . import explaining
from .load import Loaded


def in_the_way(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Ask the target, read-only and bounded, which rows stopped a run.

    Args:
        loaded: The project.
        args: `stopped` (as `explaining.noted` gave it), `earlier` (the statements before the one
            that failed) and the bounds of `probe.answers`: `bound`, `seconds`, `total`.

    Returns:
        `fact`, shaped as `findings.Fact`; None where there is nothing that could be asked.
    """
    found: list[Any] = []

    def look(_: Any, context: Any) -> list[Any]:
        given = nullcontext(context.connection)
        found.append(explaining.rows(args["stopped"], args["earlier"], lambda: given, args)[0])
        return []

    loaded.run_env(look, dont_mutate=True)
    return {"fact": found[0]}
