"""What `generate` and `fix` need of a project beyond reading it: they write drafts."""

from collections.abc import Sequence
from typing import Protocol

from rulezero_policies.archives import Wish
from rulezero_policies.renames import Rename
from rulezero_tools.records import Generated, ModelDefault


class Drafts(Protocol):
    """The revisions of a project that are not applied yet, as files."""

    def defaults(self) -> tuple[ModelDefault, ...]:
        """What the models give columns that nothing is said of, where that is a constant."""
        ...

    def generate(
        self,
        message: str,
        renames: Sequence[Rename] = (),
        archive: Sequence[Wish] = (),
        *,
        head: str | None = None,
    ) -> Generated:
        """Write one new revision file, as `flask db migrate` / `alembic revision` does.

        It follows `head`, or the only one there is.
        """
        ...

    def merge(self, message: str) -> Generated:
        """Write the revision that joins all heads, as `alembic merge heads` does."""
        ...

    def rewrite(self, path: str, *, before: bytes, after: bytes) -> str:
        """Put `after` in place of `before` in a revision file that is a draft.

        Returns:
            The path of the old file, which is kept beside it.

        Raises:
            FilesMoved: The file holds something else than `before`.
            NotADraft: It is no plain file of a version location.
        """
        ...
