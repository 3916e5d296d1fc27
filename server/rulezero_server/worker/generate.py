"""One new revision file, as `flask db migrate` and `alembic revision --autogenerate` write it."""

from __future__ import annotations

from typing import Any

from . import describe, diff, errors
from .load import Loaded


def generate(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Write it and say where; nothing is written when nothing differs.

    Raises:
        Failure: NoChanges, and everything `diff` raises.
    """
    revision, _ = diff.autogenerate(loaded, message=args["message"])
    if not diff.operations_of(revision):
        raise errors.Failure("NoChanges")
    if len(revision.generated_revisions) != 1:
        raise errors.Failure(
            "EnvScriptError",
            error=f"process_revision_directives asks for {len(revision.generated_revisions)} files",
            file=describe.path_under(loaded.root, str(loaded.script.dir)) + "/env.py",
            line=1,
        )
    script = next(iter(revision.generate_scripts()))
    if script is None:
        raise errors.Failure("NoChanges")
    return {
        "revision": script.revision,
        "path": describe.path_under(loaded.root, str(script.path)),
    }
