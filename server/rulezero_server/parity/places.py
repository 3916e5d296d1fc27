"""Which file sets keys for which service in which environment, and in which order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rulezero_policies.parity.values import ParityConfig, Service
from rulezero_server.parity import names
from rulezero_server.parity.compose import ComposeFile, ComposeService
from rulezero_server.parity.finding import ComposePath, Found
from rulezero_server.parity.reading import real
from rulezero_server.parity.services import within


@dataclass(frozen=True, kw_only=True)
class Place:
    """One settings file, or one service of a compose file, in the order that they are read.

    `declared` is whether somebody says that it is there; `error`, why it is not read at all.
    """

    service: str | None
    environment: str
    path: Path
    within: ComposeService | None = None
    declared: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is known before any settings file is opened.

    `declared` are files of the settings' own environments: (environment, path).
    """

    root: Path
    config: ParityConfig
    found: Found
    compose: tuple[tuple[ComposePath, ComposeFile], ...]
    services: tuple[Service, ...]
    declared: tuple[tuple[str, Path], ...] = ()


def ordered(project: Project) -> tuple[Place, ...]:
    """Every place; what is read later wins."""
    named = tuple(_by_name(project))
    declared = tuple(_declared(project))
    # What rulezero itself connects with is one more file; what [parity] names is the whole of it.
    chosen = {(one.service, one.environment) for one in declared if one.declared}
    paths = {one.path for one in declared}
    kept = [
        one
        for one in named
        if (one.service, one.environment) not in chosen and one.path not in paths
    ]
    files = [*kept, *declared]
    composed = _composed(project, files)
    rows = (*files, *composed)
    return tuple(sorted(rows, key=lambda one: one.service is not None))


def _by_name(project: Project) -> Iterator[Place]:
    for one in sorted(project.found.settings, key=lambda one: (len(one.path.name), one.path)):
        folder = one.path.parent.relative_to(project.root).as_posix()
        holders = within(project.services, folder)
        for service in [held.name for held in holders] or [None]:
            yield Place(service=service, environment=one.environment, path=one.path)


def _declared(project: Project) -> Iterator[Place]:
    for environment, path in project.declared:
        folder = path.parent
        inner = folder.relative_to(project.root) if folder.is_relative_to(project.root) else Path()
        holders = within(project.services, inner.as_posix())
        for service in [held.name for held in holders] or [None]:
            yield Place(service=service, environment=environment, path=path)
    for service, environment, path in project.config.files:
        if not path.endswith((".yml", ".yaml")):
            place = project.root / Path(path).expanduser()
            yield Place(service=service or None, environment=environment, path=place, declared=True)


def compose_environments(project: Project, one: ComposePath) -> tuple[str, ...]:
    """The environments that a compose file counts for.

    The base counts for local work; for production where a file of that name changes it, or where
    an override file says that the base is not only for local work. What is declared comes first.
    """
    told = [
        environment
        for _, environment, path in project.config.files
        if (project.root / Path(path).expanduser()) == one.path
    ]
    if told:
        return tuple(dict.fromkeys(told))
    if one.environment:
        return (one.environment,)
    beside = [(path, other) for path, other in project.compose if _is_beside(path, one)]
    changed = [path.environment for path, other in beside if other.is_override]
    own = {path.environment for path, _ in beside}
    production = project.config.production
    if _has_override(beside) and production not in own:
        changed.append(production)
    return tuple(dict.fromkeys((names.LOCAL, *changed)))


def _is_beside(path: ComposePath, base: ComposePath) -> bool:
    return bool(path.environment) and path.path.parent == base.path.parent


def _has_override(beside: Iterable[tuple[ComposePath, ComposeFile]]) -> bool:
    return any("override" in path.path.name for path, _ in beside)


def _composed(project: Project, files: list[Place]) -> Iterator[Place]:
    """Base files first, then those that change them."""
    order = sorted(project.compose, key=lambda pair: (bool(pair[0].environment), pair[0].path))
    for one, file in order:
        for environment in compose_environments(project, one):
            for inner in file.services:
                for service in _meant(project, file, inner):
                    yield from _of_service(project, file, inner, (service, environment), files)


def _meant(project: Project, file: ComposeFile, inner: ComposeService) -> list[str]:
    """The services that a compose file's service is: by name, else by the folder it is built in."""
    if any(one.name == inner.name for one in project.services):
        return [inner.name]
    if inner.context is None:
        return []
    built = real(file.folder / inner.context)
    return [one.name for one in project.services if real(project.root / one.folder) == built]


def _of_service(
    project: Project,
    file: ComposeFile,
    inner: ComposeService,
    where: tuple[str, str],
    files: list[Place],
) -> Iterator[Place]:
    service, environment = where
    for one in inner.env_files:
        path = file.folder / one.path
        error = _unknown(path, environment, project.config.production)
        if _is_covered(path, where, files, aside=error is not None):
            continue
        # On one's own machine a file that is kept out of the repository may well be missing.
        is_expected = one.required and environment == project.config.production
        if error or path.exists() or is_expected:
            yield Place(service=service, environment=environment, path=path, error=error)
    if inner.settings or inner.broken:
        path = project.root / file.path
        yield Place(service=service, environment=environment, path=path, within=inner)


def _is_covered(path: Path, where: tuple[str, str], files: list[Place], *, aside: bool) -> bool:
    """Whether this very file is read already, or (`aside`) one that stands in its place."""
    service, environment = where
    return any(
        one.environment == environment
        and one.service in (service, None)
        and (one.path == path or (aside and one.path.parent == path.parent))
        for one in files
    )


def _unknown(path: Path, environment: str, production: str) -> str | None:
    """Why what is on this machine says nothing about the environment."""
    if "$" in str(path):
        return "has a path that other keys decide; declare the file that is meant under [parity]"
    if environment != production or names.environment(path.name) != names.LOCAL:
        return None
    return (
        f"is this machine's own; say which file {production} reads: "
        f'[parity.files] {production} = "PATH"'
    )
