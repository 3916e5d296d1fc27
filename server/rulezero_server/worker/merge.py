"""The revision that joins all heads, as `alembic merge heads` writes it."""

from __future__ import annotations

from typing import Any

from alembic import util

from . import errors, generate
from .load import Loaded


def merge(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Write it and say where.

    Args:
        loaded: The project.
        args: `message`: the revision's.

    Raises:
        Failure: NothingToMerge, or a failing env.py.
    """
    heads = sorted(loaded.script.get_heads())
    if len(heads) < 2:
        raise errors.Failure("NothingToMerge", heads=", ".join(heads) or "none")
    given: dict[str, Any] = {"config": loaded.config}
    # Templates may want what env.py has, where the project says so.
    if util.asbool(loaded.config.get_main_option("revision_environment")):
        loaded.run_env(lambda _current, _context: [], every=True, template_args=given)
    name, make = util.rev_id(), loaded.script.generate_revision
    more: Any = {**given, "refresh": True, "head": tuple(heads)}
    return generate.write(loaded, name, lambda: make(name, args["message"], **more))
