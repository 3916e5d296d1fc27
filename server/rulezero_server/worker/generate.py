"""One new revision file, as `flask db migrate` and `alembic revision --autogenerate` write it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

from . import archiving, describe, diff, errors, secrets
from .load import Loaded


def generate(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Write it and say where; nothing is written when nothing differs.

    Raises:
        Failure: NoChanges, and everything `diff` raises.
    """
    told: dict[str, Any] = {}
    renames: list[dict[str, Any]] = args.get("renames") or []
    wishes: list[dict[str, Any]] = args.get("archive") or []

    def archived(revision: Any, context: Any) -> None:
        told.update(archiving.rewrite(revision, wishes, renames, context))

    revision, _ = diff.autogenerate(
        loaded,
        message=args["message"],
        renames=renames,
        head=args.get("head"),
        every=True,
        archived=archived,
    )
    if not diff.operations_of(revision):
        raise errors.Failure("NoChanges")
    if len(revision.generated_revisions) != 1:
        raise errors.Failure(
            "EnvScriptError",
            error=f"process_revision_directives asks for {len(revision.generated_revisions)} files",
            file=describe.path_under(loaded.root, str(loaded.script.dir)) + "/env.py",
            line=1,
        )
    name = str(revision.generated_revisions[0].rev_id)
    made = write(loaded, name, lambda: next(iter(revision.generate_scripts())))
    return {**made, **told}


def write(loaded: Loaded, name: str, make: Callable[[], Any]) -> dict[str, Any]:
    """Have the file of the revision `name` written by `make`; a failing hook does not hide it.

    Returns:
        What `records.Generated` holds.
    """
    before, left_out = _files(loaded), without_hooks(loaded)
    try:
        with loaded.guard.hooks() if loaded.guard else nullcontext():
            script = make()
    except Exception as exc:  # noqa: BLE001 - whatever a hook raises, the file is there
        return _written_all_the_same(loaded, name, before, exc)
    if script is None:
        raise errors.Failure("NoChanges")
    return {
        "revision": script.revision,
        "path": describe.path_under(loaded.root, str(script.path)),
        "note": not_run(left_out) if left_out else None,
    }


def without_hooks(loaded: Loaded, *, always: bool = False) -> list[str]:
    """Take the post-write hooks away, unless the user's policy lets them run; say which."""
    script = cast("Any", loaded.script)
    if loaded.guard and loaded.guard.write_hooks and not always:
        return []
    listed: Any = getattr(script, "hooks", ())
    section: Any = getattr(script, "hook_config", {})  # its name before Alembic 1.16
    script.hooks, script.hook_config = [], {}
    names = str(section.get("hooks", "")).replace(",", " ").split()
    return [*(str(hook.get("_hook_name")) for hook in listed), *names]


def not_run(hooks: list[str], *, always: bool = False) -> str:
    """What is said of hooks that were left out; `always`: there is no way to have them run."""
    named = f"These post-write hooks of the project were not run: {', '.join(hooks)}. "
    if always:
        return named + "They never are on the files of a sequence: run them yourself before review."
    return (
        f"{named}They can start any program: write_hooks = true under [reading] in your "
        "policy.toml allows them."
    )


def _files(loaded: Loaded) -> set[str]:
    places = (Path(place) for place in describe.version_locations(loaded))
    return {str(path) for place in places for path in place.glob("**/*.py")}


def _written_all_the_same(
    loaded: Loaded, name: str, before: set[str], exc: Exception
) -> dict[str, Any]:
    """A post-write hook (a formatter, say) fails when the file is there already: say both."""
    new = sorted(_files(loaded) - before)
    if len(new) != 1:
        raise exc
    text = secrets.scrub(errors.text(exc))
    return {
        "revision": name,
        "path": describe.path_under(loaded.root, new[0]),
        "note": f"The file was written, but a post-write hook of alembic.ini failed: {text}",
    }
