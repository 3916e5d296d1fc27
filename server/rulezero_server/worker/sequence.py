"""Several revision files in a row, where one change is made in phases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import util
from alembic.operations import ops

from . import describe, diff, errors, generate
from .load import Loaded
from .textop import TextOp

_TOUCHES = (ops.AlterColumnOp, ops.AddColumnOp, ops.DropColumnOp)
_CONSTRAINTS = (ops.CreateUniqueConstraintOp, ops.CreateForeignKeyOp, ops.DropConstraintOp)


def write(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """Write `files` one after another; the first takes what autogenerate wants beside them.

    Args:
        loaded: The project.
        args: `files` (shaped as `records.PhaseFile`), `without` (pairs of a table and a column
            whose changes the files make themselves) and `renames`.

    Returns:
        `written`: shaped as `records.Generated`, in order.

    Raises:
        Failure: EnvScriptError, and everything `diff` raises.
    """
    files = args["files"]
    revision, _ = diff.autogenerate(
        loaded, message=files[0]["message"], renames=args.get("renames")
    )
    if len(revision.generated_revisions) != 1:
        raise _several(loaded, len(revision.generated_revisions))
    first: Any = revision.generated_revisions[0]
    if len(first.upgrade_ops_list) != 1:
        raise _several(loaded, len(first.upgrade_ops_list))
    # A file is finished only after Alembic wrote it, and a hook is for a finished one.
    left_out = generate.without_hooks(loaded, always=True)
    _leave_out(first, {(t, c) for t, c in args["without"]})
    # What else is wanted may rest on a new column.
    first.upgrade_ops.ops.insert(0, TextOp(files[0]["upgrade"]))
    first.downgrade_ops.ops.append(TextOp(files[0]["downgrade"]))
    scripts = [first, *(_later(revision, entry) for entry in files[1:])]
    made = _written(loaded, revision, scripts, files)
    made[0]["note"] = generate.not_run(left_out, always=True) if left_out else None
    return {"written": made}


def _later(revision: Any, entry: dict[str, Any]) -> Any:
    command: Any = revision.command_args
    script: Any = ops.MigrationScript(
        util.rev_id(),
        ops.UpgradeOps([TextOp(entry["upgrade"])]),
        ops.DowngradeOps([TextOp(entry["downgrade"])]),
        message=entry["message"],
        version_path=command.get("version_path"),
    )
    script._needs_render = True  # noqa: SLF001 - as alembic's autogenerate marks its own
    return script


def _written(
    loaded: Loaded, revision: Any, scripts: list[Any], files: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for script, entry in zip(scripts, files):
        if made:
            script.head = made[-1]["revision"]
        script.imports = {*(script.imports or ()), *entry["imports"]}
        done = revision._to_script(script)  # noqa: SLF001 - what generate_scripts() calls
        path = Path(str(done.path))
        text = path.read_text("utf-8").rstrip().replace(entry["message"], entry["doc"], 1)
        path.write_text(f"{text}\n\n\n{entry['end']}", "utf-8")
        place = describe.path_under(loaded.root, str(path))
        made.append({"revision": done.revision, "path": place, "note": None})
    return made


def _leave_out(script: Any, places: set[tuple[str, str]]) -> None:
    """Take the changes of these columns out, and turn the downgrade round anew."""
    for listed in (script.upgrade_ops.ops, script.downgrade_ops.ops):
        listed[:] = [op for op in listed if _place(op) not in places]
        for op in list(listed):
            if isinstance(op, ops.ModifyTableOps):
                op.ops[:] = [one for one in op.ops if _place(one) not in places]
                if not op.ops:
                    listed.remove(op)


def _place(op: Any) -> Any:
    if isinstance(op, (ops.CreateIndexOp, ops.DropIndexOp)):
        return (str(op.table_name), f"index {op.index_name}")
    if isinstance(op, _CONSTRAINTS):
        return _constrained(op)
    if not isinstance(op, _TOUCHES):
        return None
    name = op.column.name if isinstance(op, ops.AddColumnOp) else op.column_name
    return (str(op.table_name), str(name))


def _constrained(op: Any) -> Any:
    """As `claims.key()` names a constraint: by its columns where it has no name."""
    made = getattr(op, "_reverse", None) or op
    table = getattr(op, "source_table", None) or op.table_name
    columns = getattr(made, "local_cols", None) or getattr(made, "columns", None) or ()
    named = op.constraint_name or "on " + ", ".join(str(c) for c in columns)
    return (str(table), f"constraint {named}")


def _several(loaded: Loaded, count: int) -> errors.Failure:
    return errors.Failure(
        "EnvScriptError",
        error=f"a sequence of phases is written for one revision of one database, not for {count}",
        file=describe.path_under(loaded.root, str(loaded.script.dir)) + "/env.py",
        line=1,
    )
