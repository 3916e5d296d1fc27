"""One finding after another is cured, and what a recipe wrote is read again before it counts."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from rulezero_policies.findings import Finding
from rulezero_policies.scene import Scene
from rulezero_policies.text import visible
from rulezero_tools.recipes import RECIPES, CannotBeFixedError, Case, Cured, Recipe, recipe_of
from rulezero_tools.recipes.recipe import Defaults

DEEPEST = 3
"""How many recipes may follow one another because each brings what the next one cures."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of the findings of a rule: what cures them, or why they stay."""

    rule: str
    subject: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """A text of the revision, what it does, and what the rules say of it."""

    text: str
    scene: Scene
    findings: tuple[Finding, ...]

    @cached_property
    def counted(self) -> "Counter[tuple[str, ...]]":
        """How often each thing is found; what becomes CRITICAL is another thing."""
        return Counter(map(_thing, self.findings))


@dataclass(frozen=True, kw_only=True)
class Means:
    """What mending works with.

    `read` says what a text does, `without` are rules that are left alone, each with why.
    """

    read: Callable[[str], Version]
    defaults: Callable[[], Defaults] = dict
    alembic: tuple[int, ...] | None = None
    without: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Mended:
    """The last version that is better than the one before, and what became of each finding."""

    version: Version
    cured: tuple[Told, ...] = ()
    not_cured: tuple[Told, ...] = ()


_ONCE = frozenset({"lock-timeout", "many-exclusive", "mysql-metadata-lock"})
"""Rules that name one step of a plan or transaction for all of its steps."""


def _thing(finding: Finding) -> tuple[str, ...]:
    subject = "" if finding.rule in _ONCE else finding.subject
    return finding.rule, subject, finding.severity


def mend(start: Version, means: Means, only: Iterable[str] = ()) -> Mended:
    """Cure what has a recipe; a recipe whose text is not better is not taken.

    Args:
        start: The revision as it is.
        means: What it is mended with.
        only: The rules whose findings are to be cured; none means all.
    """
    wanted = frozenset(only)
    chosen = [f for f in start.findings if not wanted or f.rule in wanted]
    state = Mended(version=start)
    for finding in sorted(chosen, key=_turn):
        state = _next(state, finding, means)
    return _with_the_rest(start, state)


def _turn(finding: Finding) -> int:
    """Recipes go in the order in which they are registered, what has none comes last."""
    recipe = recipe_of(finding.rule)
    return RECIPES.index(recipe) if recipe else len(RECIPES)


def _next(state: Mended, finding: Finding, means: Means) -> Mended:
    here = _here(state.version, finding)
    if here is None:
        return state
    try:
        version, cured = _cure(state.version, here, means, 0)
    except CannotBeFixedError as reason:
        kept = Told(rule=finding.rule, subject=finding.subject, said=str(reason))
        return replace(state, not_cured=(*state.not_cured, kept))
    return replace(state, version=version, cured=(*state.cured, *cured))


def _here(version: Version, finding: Finding) -> Finding | None:
    """The finding as it stands in this version, if it still does."""
    same = [f for f in version.findings if _thing(f)[:2] == _thing(finding)[:2]]
    return next((f for f in same if f.evidence == finding.evidence), next(iter(same), None))


def _cure(
    version: Version, finding: Finding, means: Means, depth: int
) -> tuple[Version, tuple[Told, ...]]:
    """A better version, and what cured what.

    Raises:
        CannotBeFixedError: There is none.
    """
    recipe = _recipe(version, finding, means)
    case = Case(
        text=version.text,
        finding=finding,
        scene=version.scene,
        others=tuple(f for f in version.findings if f is not finding),
        defaults=means.defaults() if recipe.defaults else {},
        alembic=means.alembic,
    )
    cured = _by(recipe, case)
    new = means.read(cured.text)
    if _count(new, finding) >= _count(version, finding):
        raise CannotBeFixedError("what its recipe wrote does not cure it; it was not taken")
    told = [Told(rule=finding.rule, subject=finding.subject, said=cured.what)]
    while added := _added(version, new):
        if depth == DEEPEST or len(told) > DEEPEST:
            raise CannotBeFixedError(_brings(added[0]))
        try:
            new, more = _cure(new, added[0], means, depth + 1)
        except CannotBeFixedError as reason:
            raise CannotBeFixedError(f"{_brings(added[0])}; {reason}") from None
        told += more
    return new, tuple(told)


def _by(recipe: Recipe, case: Case) -> Cured:
    try:
        return recipe.cure(case)
    except CannotBeFixedError:
        raise
    except Exception as error:  # a boundary: people write a step in more ways than a recipe knows
        raise CannotBeFixedError("its recipe does not know this way of writing it") from error


def _recipe(version: Version, finding: Finding, means: Means) -> Recipe:
    recipe = recipe_of(finding.rule)
    if recipe is None:
        raise CannotBeFixedError(f"there is no recipe for it. {finding.fix}")
    if finding.rule in means.without:
        raise CannotBeFixedError(means.without[finding.rule])
    dialect = "mysql" if version.scene.dialect == "mariadb" else version.scene.dialect
    if dialect not in recipe.databases:
        raise CannotBeFixedError(f"there is no recipe for it on {dialect}. {finding.fix}")
    return recipe


def _count(version: Version, finding: Finding) -> int:
    about = _thing(finding)[:2]
    return sum(_thing(f)[:2] == about for f in version.findings)


def _added(old: Version, new: Version) -> list[Finding]:
    more = new.counted - old.counted
    return [f for f in new.findings if _thing(f) in more]


def _brings(finding: Finding) -> str:
    return f"its recipe would bring {finding.rule}: {visible(finding.evidence, limit=200)}"


def _with_the_rest(start: Version, state: Mended) -> Mended:
    """The findings that went along with others are cured, too."""
    known = {(t.rule, t.subject) for t in (*state.cured, *state.not_cured)}
    left = {(f.rule, f.subject) for f in state.version.findings}
    gone = dict.fromkeys((f.rule, f.subject) for f in start.findings)
    along = tuple(
        Told(rule=rule, subject=subject, said="it is gone with what cured the others")
        for rule, subject in gone
        if (rule, subject) not in known | left
    )
    return replace(state, cured=(*state.cured, *along))
