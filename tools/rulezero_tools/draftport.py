"""What `fix` needs of a project beyond reading it."""

from typing import Protocol

from rulezero_tools.records import ModelDefault


class Drafts(Protocol):
    """The revisions of a project that are not applied yet, as files."""

    def defaults(self) -> tuple[ModelDefault, ...]:
        """What the models give columns that nothing is said of, where that is a constant."""
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
