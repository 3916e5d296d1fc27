"""Hold production against the models, the code and the other environments: PASS or FAIL."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rulezero_policies.errors import ProjectError
from rulezero_policies.parity import flags, gap
from rulezero_policies.parity.consolidation import Terms
from rulezero_policies.parity.consolidation import consolidate as consolidated
from rulezero_policies.parity.flags import FlagView
from rulezero_policies.parity.safety import Safety, none
from rulezero_policies.parity.values import Layout, Need
from rulezero_policies.parity.walked import Walked, walked
from rulezero_policies.text import scrub
from rulezero_tools.parity import report, safety, schema, smoke, stores, verdict
from rulezero_tools.parity.filesport import SettingsFiles
from rulezero_tools.parity.found import Found
from rulezero_tools.parity.plan import plan_parity
from rulezero_tools.parity.planviews import ParityPlanResult
from rulezero_tools.parity.ports import Deployment
from rulezero_tools.parity.schema import Sessions
from rulezero_tools.parity.smoke import SmokeTests
from rulezero_tools.parity.stores import StoreProbe
from rulezero_tools.parity.terms import terms
from rulezero_tools.parity.views import ParityResult, viewed
from rulezero_tools.ports import silent


@dataclass(frozen=True, kw_only=True)
class Trying:
    """Where things are tried, and nothing of production can be reached."""

    smoke: SmokeTests
    stores: StoreProbe


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Everything that a parity check works with.

    `sessions` gives a session in an environment, `databases` are the environments that have one to
    compare, by name; `trying` gives where things are tried, from the layout and the keys that the
    code asks for (raising `ProjectError`), and None where nothing of the project is to be run.
    """

    deployment: Deployment
    sessions: Sessions
    databases: tuple[str, ...]
    files: SettingsFiles
    trying: Callable[[Layout, frozenset[str]], Trying] | None = None
    progress: Callable[[str], None] = field(default=silent)


def check_parity(scope: Scope) -> ParityResult:
    """Compare, try, and say PASS or FAIL; it changes nothing.

    Args:
        scope: What is compared, and where things are tried.

    Raises:
        ProjectError: The project's own settings are broken.
    """
    found = seen(scope)
    reasons = verdict.reasons(found)
    steps = _steps(found, reasons)
    told = report.report(found, reasons, steps)
    return viewed(found, reasons, report=told, next_step=steps[0] if steps else _DONE)


_DONE = "Show the report. There is nothing left to do."


def plan(
    scope: Scope, *, consolidate: bool, keys: Sequence[str] | None, enable: Sequence[str]
) -> ParityPlanResult:
    """Plan the settings files that bring production to parity; see `plan_parity`.

    Raises:
        UnknownEnvironment: Production is none of the project's environments.
        ParityRefused: Something could not be read: nothing is planned on half a picture.
        FileRefused: A file is none that may be edited.
    """
    layout = scope.deployment.layout()
    wanted = asked(read(scope.deployment, layout), layout)
    return plan_parity(
        scope.sessions(layout.production),
        scope.deployment,
        consolidate=consolidate,
        keys=keys,
        enable=enable,
        needs=wanted,
        missing=lacking(layout, wanted),
    )


def seen(scope: Scope) -> Found:
    """Everything that there is to see, nothing judged.

    Raises:
        ProjectError: The project's own settings are broken.
    """
    scope.progress("reading settings and code")
    layout = scope.deployment.layout()
    codes = read(scope.deployment, layout)
    wanted = asked(codes, layout)
    bare = Found(
        layout=layout,
        gap=gap.gap(layout, wanted),
        consolidation=consolidated(layout, _terms(scope, layout, wanted)),
        flags=flags.flags(codes, layout, scope.deployment.config().flags),
    )
    return _with_trials(scope, _with_schema(scope, bare), frozenset(one.key for one in wanted))


def _terms(scope: Scope, layout: Layout, wanted: Sequence[Need]) -> Terms:
    try:
        return terms(scope.files, scope.deployment, layout, wanted)
    except ProjectError:
        # The layout names a file that cannot be read; what else there is can still be told.
        return Terms(needs=tuple(wanted))


def read(deployment: Deployment, layout: Layout) -> tuple[Walked, ...]:
    """The code of every service, read once."""
    folders = {s.folder: s for s in layout.services}
    sources = {folder: deployment.code(service) for folder, service in folders.items()}
    return tuple(walked(s.name, sources[s.folder]) for s in layout.services)


def asked(codes: Sequence[Walked], layout: Layout) -> tuple[Need, ...]:
    """What code and layout need together."""
    return (*(need for one in codes for need in one.reading.every), *layout.needs)


def lacking(layout: Layout, wanted: Sequence[Need]) -> tuple[tuple[str, str], ...]:
    """What production lacks, as (service, key); "" is the root."""
    missing = gap.gap(layout, wanted).missing
    return tuple((one.service, one.key) for one in missing if verdict.counts(one))


def _with_schema(scope: Scope, found: Found) -> Found:
    production = found.layout.production
    if production not in scope.databases:
        why = (
            f"production's database is not known: name its environment {production!r} in "
            "rulezero.toml, with the settings that say where it is"
        )
        return replace(found, no_schema=why)
    scope.progress("comparing schemas")
    others = [one for one in scope.databases if one in found.layout.baseline]
    compared = schema.schema_gap(scope.sessions, production, others)
    scope.progress("trying what waits on a shadow of production")
    return replace(found, schema=compared, safety=_safety(scope, production))


def _safety(scope: Scope, production: str) -> tuple[Safety, ...]:
    try:
        return safety.safety(scope.sessions(production))
    except ProjectError as error:
        return (none(said(error)),)


def _with_trials(scope: Scope, found: Found, keys: frozenset[str]) -> Found:
    config = scope.deployment.config()
    declared = bool(config.smoke or config.stores)
    if scope.trying is None or not scope.databases:
        why = "smoke tests and stores were not tried: nothing of the project is run here"
        return replace(found, not_run=why if declared else "")
    scope.progress("holding stores against their interface")
    try:
        trying = scope.trying(found.layout, keys)
        found = replace(found, stores=stores.checked(scope.deployment, trying.stores))
        scope.progress("running smoke tests")
        return replace(found, smoke=smoke.smoked(trying.smoke, config.smoke))
    except ProjectError as error:
        return replace(found, not_run=f"not tried: {said(error)}" if declared else "")


def said(error: ProjectError) -> str:
    """An error and what to do about it, in one line."""
    return scrub(f"{str(error).rstrip('.')}. {error.advice}".strip())


def _steps(found: Found, reasons: Sequence[str]) -> tuple[str, ...]:
    return tuple(_next(found)) if reasons else ()


def _next(found: Found) -> Iterator[str]:
    if found.layout.problems or found.gap.unknown:
        yield "Show the person what could not be read; nothing is written until that is mended."
    if found.schema is not None and found.schema.next_step:
        yield found.schema.next_step
    yield from _settings(found)
    for one in found.gap.hollow:
        yield f"A person fills in {one.key} in {one.path} (line {one.line}); its value is theirs."
    if any(one.reasons for one in found.stores if not one.guessed):
        yield "Mend the fallback store in the code: what breaks stands under Verification."
    yield "Call `check_parity` again."


def _settings(found: Found) -> Iterator[str]:
    lacking = dict.fromkeys(one.key for one in found.gap.missing if verdict.counts(one))
    off = [one.name for one in found.flags if _is_off_alone(one, found.layout)]
    if any(one.reason for one in found.smoke) and off:
        yield (
            f"Ask the person whether {', '.join(off)} shall be on in {found.layout.production}: "
            "`plan_parity` switches on what its `enable` names, and nothing else."
        )
    if lacking:
        yield f"Call `plan_parity`: it plans a line for what is missing ({', '.join(lacking)})."


def _is_off_alone(flag: FlagView, layout: Layout) -> bool:
    """Whether a flag is off in production and on elsewhere, or gates what is to be seen."""
    here = flag.state(layout.production)
    if here is None or here.state != "off":
        return False
    elsewhere = (flag.state(one) for one in layout.baseline)
    return any(one is not None and one.state == "on" for one in elsewhere)
