"""Every recipe, registered in one place."""

from rulezero_tools.recipes import (
    batches,
    columns,
    constraints,
    downgrades,
    enums,
    indexes,
    names,
    searching,
    stated,
    waiting,
)
from rulezero_tools.recipes.page import CannotBeFixedError
from rulezero_tools.recipes.recipe import Case, Cured, Recipe

__all__ = ["RECIPES", "CannotBeFixedError", "Case", "Cured", "Recipe", "recipe_of"]

RECIPES: tuple[Recipe, ...] = (
    *names.RECIPES,
    *columns.RECIPES,
    *stated.RECIPES,
    *enums.RECIPES,
    *batches.RECIPES,
    *searching.RECIPES,
    *indexes.RECIPES,
    *constraints.RECIPES,
    *downgrades.RECIPES,
    *waiting.RECIPES,
)


def recipe_of(rule: str) -> Recipe | None:
    """The recipe for the findings of a rule, if there is one."""
    return next((r for r in RECIPES if rule in r.rules), None)
