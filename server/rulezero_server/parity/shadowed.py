"""What parity runs of a service's code: on a shadow, in an environment like production's."""

import contextlib
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rulezero_policies.errors import ProjectError, WorkerCrashed, WorkerTimeout
from rulezero_policies.parity.values import Layout, Service, SmokeRule, Source
from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import interpreter, launch
from rulezero_server.parity import http, standins, surroundings, trial
from rulezero_server.parity.realvalues import Values
from rulezero_server.project import WorkerProject
from rulezero_server.shadows.wishes import Wishes
from rulezero_tools.parity.smoke import SmokeResult


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project, its services, and what a person allows of shadows.

    `top` is the folder that the layout's paths are under; `values` gives real values, `keys` are
    those that the code asks for; `marked` is whether the environment is protected, and `folder`
    where shadows are made.
    """

    project: WorkerProject
    top: Path
    layout: Layout
    values: Values = field(repr=False)
    wishes: Wishes
    marked: bool
    keys: frozenset[str] = frozenset()
    folder: Path | None = None

    def service(self, name: str) -> Service | None:
        """The service of that name."""
        return next((s for s in self.layout.services if s.name == name), None)

    def target(self, service: Service) -> launch.Target:
        """How a service's own Python is started, with the session's environment."""
        here = self.top / service.folder
        known = self.project.target
        own = None if here == known.found.root else interpreter.of(here)
        found = replace(known.found, root=self.top.resolve())
        return replace(known, found=found, interpreter=own or known.interpreter, database=None)

    def flask_app(self, service: Service) -> Mapping[str, str]:
        """What the project's settings say that FLASK_APP holds, where that is this service."""
        known, here = self.project.target, (self.top / service.folder).resolve()
        named = known.flask_app if here == known.found.root else None
        return {"FLASK_APP": named} if named else {}


class ShadowSmokeTests:
    """Runs smoke tests; each in a process of its own, all on one shadow."""

    def __init__(self, place: Place) -> None:
        """Run those of `place`."""
        self._place = place

    def run(
        self, rules: Sequence[SmokeRule], overrides: Mapping[str, str]
    ) -> tuple[SmokeResult, ...]:
        """Each test, in the order in which they are declared."""
        place = self._place
        if all(rule.kind == "http" for rule in rules):
            return tuple(self._over_http(rule) for rule in rules)
        with trial.ahead(
            place.project, place.wishes, marked=place.marked, folder=place.folder
        ) as made:
            return tuple(self._one(rule, made, overrides) for rule in rules)

    def _over_http(self, rule: SmokeRule) -> SmokeResult:
        return http.asked(rule, self._place.project.target.allow.hosts)

    def _one(
        self, rule: SmokeRule, made: trial.Trial | NotRehearsed, overrides: Mapping[str, str]
    ) -> SmokeResult:
        service = self._place.service(rule.service)
        if rule.kind == "http":
            return self._over_http(rule)
        if service is None:
            return not_run(rule, f"there is no service {rule.service!r}")
        if isinstance(made, NotRehearsed):
            return not_run(rule, f"{made.reason}. {made.mend}")
        with self._surrounded(service, made, overrides) as around:
            return self._asked(rule, service, made, around)

    @contextlib.contextmanager
    def _surrounded(
        self, service: Service, made: trial.Trial, overrides: Mapping[str, str]
    ) -> Generator["Around"]:
        with tempfile.TemporaryDirectory(prefix="rulezero-", ignore_cleanup_errors=True) as folder:
            yield around(self._place, service, made.database, overrides, Path(folder))

    def _asked(
        self, rule: SmokeRule, service: Service, made: trial.Trial, around: "Around"
    ) -> SmokeResult:
        place = self._place
        target = replace(place.target(service), variables=around.variables, alone=True)
        args = {
            "folder": service.folder,
            "kind": rule.kind,
            "target": rule.target,
            "method": rule.method,
            "status": rule.status,
            "contains": rule.contains,
            "seconds": rule.seconds,
            "app": rule.app,
            "known": sorted(around.known),
            "settings": dict(around.settings),
        }
        try:
            saw = made.ask("smoke", args, target=target, seconds=rule.seconds)
        except WorkerTimeout:
            return failed(rule, f"no answer within {rule.seconds:g} s")
        except WorkerCrashed as error:
            return failed(rule, f"its process ended (exit status {error.facts['status']})")
        except ProjectError as error:
            return not_run(rule, f"the service's Python cannot be used: {error.code}")
        return _result(rule, saw, around)


@dataclass(frozen=True, kw_only=True)
class Around:
    """The environment of a test: its variables, settings files, and what is known of keys."""

    variables: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, str | None]
    replaced: frozenset[str]
    known: frozenset[str]
    given: tuple[str, ...]


def around(
    place: Place,
    service: Service,
    database: standins.Database,
    overrides: Mapping[str, str],
    folder: Path,
) -> Around:
    """What production gives a service, in stand-ins; what it lacks is not there.

    Args:
        place: The project.
        service: The one that is tested.
        database: Where the shadow is.
        overrides: Keys that are set as it is proposed.
        folder: A private one, for what stands in for files.
    """
    production = place.layout.production
    example: Mapping[str, str] = {}
    if any(source.environment == "example" for source in place.layout.sources):
        example = place.values(service.name, "example")
    made = standins.stand_ins(place.values(service.name, production), database, example)
    home = folder / "home"
    home.mkdir()
    sources = place.layout.sources
    entries = {entry.key for source in sources for entry in source.entries}
    return Around(
        variables={
            **surroundings.of_the_machine(home),
            **place.flask_app(service),
            **made.variables,
            **overrides,
        },
        settings=_settings(place, service, {**made.variables, **overrides}, folder),
        replaced=made.replaced - set(overrides),
        known=frozenset(entries | place.keys),
        given=tuple(sorted(overrides)),
    )


def _settings(
    place: Place, service: Service, variables: Mapping[str, str], folder: Path
) -> dict[str, str | None]:
    """Every settings file that is known; production's own hold the stand-ins."""
    found: dict[str, str | None] = {}
    for number, source in enumerate(place.layout.sources):
        if source.kind == "process":
            continue
        mine = source.service in {None, service.name} and source.kind == "file"
        if mine and source.environment == place.layout.production:
            found[str(place.top / source.path)] = _written(source, variables, folder, number)
        else:
            found.setdefault(str(place.top / source.path), None)
    return found


def _written(source: Source, variables: Mapping[str, str], folder: Path, number: int) -> str:
    path = folder / f"settings-{number}"
    keys = dict.fromkeys(entry.key for entry in source.entries if entry.key in variables)
    path.write_text("".join(_line(key, variables[key]) for key in keys), encoding="utf-8")
    return str(path)


def _line(key: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{quoted}'\n"


def not_run(rule: SmokeRule, why: str) -> SmokeResult:
    """A test that showed nothing."""
    return _plain(rule, outcome="not_run", seen=why)


def failed(rule: SmokeRule, why: str) -> SmokeResult:
    """A test that did not get as far as an answer."""
    return _plain(rule, outcome="failed", seen=why)


def _plain(rule: SmokeRule, **more: Any) -> SmokeResult:
    return SmokeResult(
        name=rule.name,
        service=rule.service,
        kind=rule.kind,
        target=http.shown(rule.target) if rule.kind == "http" else rule.target,
        **more,
    )


_NOT_A_VALUES_FAULT = frozenset(
    {"SyntaxError", "IndentationError", "ImportError", "ModuleNotFoundError", "NameError"}
)


def _suspected(
    raised: str | None, blamed: frozenset[str], replaced: frozenset[str]
) -> tuple[str, ...]:
    """The stand-ins that may be why something was raised: those that the error names, if any."""
    if raised is None or raised in _NOT_A_VALUES_FAULT:
        return ()
    return tuple(sorted(blamed & replaced if blamed else replaced))


def _result(rule: SmokeRule, saw: Mapping[str, Any], around: Around) -> SmokeResult:
    raised = saw.get("error")
    return _plain(
        rule,
        outcome=saw["outcome"],
        seen=saw["seen"],
        error=raised,
        file=saw.get("file"),
        line=saw.get("line"),
        missing=tuple(saw["missing"]),
        blamed=tuple(saw["blamed"]),
        stand_ins=_suspected(raised, frozenset(saw["blamed"]), around.replaced),
        refused=tuple(saw["refused"]),
        given=around.given,
    )
