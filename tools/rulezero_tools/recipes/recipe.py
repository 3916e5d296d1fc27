"""What a recipe is: the rules it is for, and one function from a text to a better one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rulezero_policies.findings import Finding
from rulezero_policies.rules.rule import ALL
from rulezero_policies.scene import Scene
from rulezero_tools.recipes.page import Page

Defaults = Mapping[tuple[str, str], str]
"""What the models give a column that is not said otherwise: by table and column, as Python source
of a `server_default`."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a recipe may look at.

    `others` are the other findings of the same text, `alembic` the version that runs it (None
    where it is not known).
    """

    text: str
    finding: Finding
    scene: Scene
    others: tuple[Finding, ...] = ()
    defaults: Defaults = field(default_factory=dict[tuple[str, str], str])
    alembic: tuple[int, ...] | None = None

    @cached_property
    def page(self) -> Page:
        """The text, parsed."""
        return Page(self.text)

    @property
    def if_exists(self) -> bool:
        """Whether alembic knows `if_exists` and `if_not_exists` (from 1.12 on)."""
        return self.alembic is None or self.alembic >= (1, 12)


@dataclass(frozen=True, kw_only=True)
class Cured:
    """A better text, and in a sentence what is better."""

    text: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the findings of some rules are cured.

    `cure` is pure: text in, text out; it raises `CannotBeFixedError` with the reason where it
    cannot. `declares` marks what the models would have to say as well, or they differ afterwards.
    """

    rules: tuple[str, ...]
    cure: Callable[[Case], Cured]
    databases: tuple[str, ...] = ALL
    declares: bool = False
    defaults: bool = False
    """Whether it asks what the models give a column that is not said otherwise."""
    gives: str = ""
    """What it writes, for the rule's page."""
