"""What autogenerate would write, through the project's own env.py; nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.autogenerate import RevisionContext

from . import archiving, describe, errors, operations, renaming
from .load import Loaded

_ARGUMENTS = {
    "autogenerate": True, "sql": False, "head": "head", "splice": False, "branch_label": None,
    "version_path": None, "rev_id": None, "depends_on": None,
}  # fmt: skip
"""What `alembic revision --autogenerate` passes when nothing but a message is given."""


def diff(loaded: Loaded, args: dict[str, Any]) -> dict[str, Any]:
    """The operations that the models ask for, in order.

    Args:
        loaded: The project.
        args: `renames`, if any: the drops and adds that are renames. With `behind` the database
            may stand at any revision, or at one that no file has.

    Raises:
        Failure: DatabaseNotAtHead, ChooseDatabase, or a failing env.py.
    """
    behind = bool(args.get("behind"))
    revision, dialect = autogenerate(
        loaded, message=None, renames=args.get("renames"), behind=behind
    )
    found = operations_of(revision)
    return {"operations": operations.serialize(found, dialect) if found else []}


def autogenerate(
    loaded: Loaded,
    *,
    message: str | None,
    renames: list[dict[str, Any]] | None = None,
    head: str | None = None,
    every: bool = False,
    archived: Callable[[RevisionContext, Any], None] | None = None,
    behind: bool = False,
) -> tuple[RevisionContext, Any]:
    """Compare models and database as `alembic revision --autogenerate -m MESSAGE` does.

    Args:
        loaded: The project.
        message: The revision's message.
        renames: The drops and adds that are renames, shaped as `renames.Rename`.
        head: The one that it follows; None for the only one.
        every: Whether several databases are compared, where none of them is chosen.
        archived: Has what is dropped archived, given the revision and the migration context.
        behind: Whether it is compared wherever the database stands; then nothing may be written.

    Returns:
        The revision as Alembic would write it, not written yet, and the dialect.
    """
    arguments = {**_ARGUMENTS, "message": message, "head": head or "head"}
    revision = RevisionContext(loaded.config, loaded.script, arguments)
    asked: list[Any] = []

    def compare(current: Any, context: Any) -> list[Any]:
        asked.append(context)
        archiving.unseen(context)
        if not behind:
            _refuse_behind(loaded, current)
        # Alembic looks at the revision for one thing: to refuse a database that is behind.
        here = tuple(loaded.script.get_heads()) if behind else current
        revision.run_autogenerate(here, context)
        renaming.rewrite(revision, renames or [], context)
        if archived is not None:
            archived(revision, context)
        return []

    loaded.run_env(
        compare, every=every, template_args=revision.template_args, revision_context=revision
    )
    return revision, asked[0].dialect


def operations_of(revision: RevisionContext) -> list[Any]:
    """The operations of everything the revision context would write."""
    return [
        operation
        for script in revision.generated_revisions
        for upgrade in script.upgrade_ops_list
        for operation in upgrade.ops
    ]


def _refuse_behind(loaded: Loaded, current: Any) -> None:
    """Autogenerate compares with the database, so the database must hold every revision."""
    here: list[str] = sorted(current or ())
    heads = sorted(loaded.script.get_heads())
    describe.refuse_unknown(loaded, here)
    if here == heads:
        return
    waiting = list(loaded.script.iterate_revisions("heads", tuple(here) or "base"))
    noun = "revision is" if len(waiting) == 1 else "revisions are"
    raise errors.Failure(
        "DatabaseNotAtHead",
        current=", ".join(here) or "base",
        head=", ".join(heads),
        pending=f"{len(waiting)} {noun}",
    )
