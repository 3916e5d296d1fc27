"""The services and environments of one project, read from its files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from rulezero_policies.parity.gap import COMPOSE
from rulezero_policies.parity.values import Layout, Need, ParityConfig, Service, Source
from rulezero_policies.references import Sources
from rulezero_server import settings, sources
from rulezero_server.parity import compose, config, finding, gathering, names, places, shell
from rulezero_server.parity.places import Place, Project
from rulezero_server.parity.reading import Grounds, Text, Unreadable, real, text
from rulezero_server.parity.services import Ground, discover, within

_CODE = (*sources.SUFFIXES, *sources.SCRIPTS, "pyproject.toml", "setup.cfg")

_CANONICAL = ("example", "staging")


def _not_known(_path: str, _text: str) -> bool | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Running:
    """The environment variables of a running check, and the environment that it runs in."""

    environment: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class FileDeployment:
    """Implements `Deployment` on the files below `root`.

    `besides` are folders outside the project whose settings files the user lets be read. `history`
    says whether the main branch has a text in a file. `running` is asked for, never found.
    """

    root: Path
    besides: tuple[Path, ...] = ()
    history: Callable[[str, str], bool | None] = _not_known
    running: Running | None = None

    def config(self) -> ParityConfig:
        """What the project declares.

        Raises:
            UnreadableConfig: `[parity]`, or the file that holds it, is broken.
        """
        return config.read(self.root)

    def layout(self) -> Layout:
        """Services, environments and every key that they set, freshly read.

        Raises:
            UnreadableConfig: The project's own settings are broken.
        """
        return _Reading(deployment=self, config=self.config()).layout()

    def code(self, service: Service) -> Sources:
        """The service's own source files, other services' folders left out.

        Raises:
            UnreadableConfig: The project's own settings are broken.
        """
        reading = _Reading(deployment=self, config=self.config())
        return reading.code(service, _CODE)

    def on_main(self, path: str, text: str) -> bool | None:
        """Whether the main branch has `text` in the file at `path`; None: not known."""
        return self.history(path, text)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One look at the project."""

    deployment: FileDeployment
    config: ParityConfig

    @property
    def root(self) -> Path:
        return self.deployment.root

    @cached_property
    def grounds(self) -> Grounds:
        return Grounds(root=self.root, besides=self.deployment.besides)

    @cached_property
    def project(self) -> Project:
        kept = frozenset(self.root / one.folder for one in self.config.services)
        found = finding.look(self.root, kept, self._own_names())
        listed = {one.path: one for one in found.compose}
        listed.update({one.path: one for one in self._declared_compose()})
        files = tuple((one, compose.read(one.path, self.grounds)) for one in listed.values())
        ground = Ground(root=self.root, found=found, compose=tuple(file for _, file in files))
        return Project(
            root=self.root,
            config=self.config,
            found=found,
            compose=files,
            services=self.config.services or discover(ground),
            declared=tuple(self._env_files()),
        )

    def _own_names(self) -> dict[str, str]:
        declared = (name for name, _ in self._env_files())
        files = (environment for _, environment, _ in self.config.files)
        return names.own_names((*declared, *files, *self.config.baseline, self.config.production))

    def _declared_compose(self) -> Iterator[finding.ComposePath]:
        for _, environment, path in self.config.files:
            if path.endswith((".yml", ".yaml")):
                place = self.root / Path(path).expanduser()
                yield finding.ComposePath(path=place, environment=environment)

    def _env_files(self) -> Iterator[tuple[str, Path]]:
        for name, one in settings.read(self.root).environments.items():
            if one.env_file is not None:
                yield name, one.env_file

    def layout(self) -> Layout:
        project = self.project
        rows = places.ordered(project)
        gathered = gathering.gather(rows, self.grounds)
        running = self.deployment.running
        if running is not None:
            gathered.sources.append(gathering.process(running.values, running.environment))
        keys = frozenset(one.key for source in gathered.sources for one in source.entries)
        return Layout(
            production=self.config.production,
            baseline=self.config.baseline or self._baseline(gathered.sources),
            services=project.services,
            sources=tuple(gathered.sources),
            problems=(*self._problems(), *gathered.problems),
            needs=(*self._composed(), *self._asked()),
            foreign=tuple(self._foreign(rows)),
            mentions=tuple(self._mentions(keys)),
            built=tuple(dict.fromkeys(self._built())),
        )

    def _baseline(self, found: Iterable[Source]) -> tuple[str, ...]:
        """Every other environment; what only tests set is nobody's measure."""
        seen = {one.environment for one in found} - {self.config.production, "test"}
        return (*(one for one in _CANONICAL if one in seen), *sorted(seen - set(_CANONICAL)))

    def _problems(self) -> Iterator[str]:
        project = self.project
        for _, file in project.compose:
            if file.error is not None:
                yield f"{file.path} {file.error}."
        if project.found.cut:
            most = finding.MOST_FOLDERS
            yield f"the project has more than {most} folders: not all were looked into."
        yield from self._of_services()

    def _of_services(self) -> Iterator[str]:
        known = {one.name for one in self.project.services}
        for service, _, _ in self.config.files:
            if service and service not in known:
                yield f"[parity.services.{service}] is no service."
        for one in self.config.services:
            where = f"[parity.services.{one.name}] folder"
            if not (self.root / one.folder).is_dir():
                yield f"{where} is {one.folder}, which does not exist."
            elif not self._is_inside(one):
                yield f"{where} leads out of the project: name another."

    def _composed(self) -> Iterator[Need]:
        """What compose files ask for; those that production does not use require nothing."""
        for one, file in self.project.compose:
            counts = self.config.production in places.compose_environments(self.project, one)
            how = COMPOSE if counts else f"{COMPOSE} elsewhere"
            for use in (use for service in file.services for use in service.uses):
                # Compose fills it in from what the root gives, not from the service's own.
                need = shell.need(use.asked, service="", path=file.path, line=use.line, how=how)
                yield need if counts else replace(need, required=False)

    @cached_property
    def texts(self) -> tuple[tuple[list[str], Text], ...]:
        """Every file that may use a key and can be read, with the services that it is part of."""
        found: list[tuple[list[str], Text]] = []
        holders: dict[Path, list[str]] = {}
        settings_files = self._named()
        for path in self.project.found.texts:
            if real(path) in settings_files:
                continue
            folder = path.parent
            if folder not in holders:
                holders[folder] = self._holders(folder.relative_to(self.root))
            with suppress(Unreadable):
                found.append((holders[folder], text(path, self.grounds)))
        return tuple(found)

    def _named(self) -> frozenset[Path]:
        """Settings files that are known by what is declared: to set a key is not to use it."""
        mine = (p for _, _, p in self.config.files if not p.endswith((".yml", ".yaml")))
        paths = (self.root / Path(path).expanduser() for path in mine)
        return frozenset(map(real, (*paths, *(path for _, path in self.project.declared))))

    def _asked(self) -> Iterator[Need]:
        for services, said in self.texts:
            if finding.is_script(Path(said.path).name, said.text):
                for one in services:
                    yield from shell.needs(said.text, said.path, one)

    def _built(self) -> Iterator[tuple[str, str]]:
        """Keys that images set; which image a service outside all folders runs is not known."""
        for services, said in self.texts:
            if finding.is_dockerfile(Path(said.path).name):
                yield from ((one, key) for key in shell.built(said.text) for one in services)

    def _mentions(self, keys: frozenset[str]) -> Iterator[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for services, said in self.texts:
            mentioned = shell.mentions(said.text, keys)
            found.update((one, key) for key in mentioned for one in services)
        yield from sorted(found)

    def _holders(self, folder: Path) -> list[str]:
        held = within(self.project.services, folder.as_posix())
        root = [one.name for one in self.project.services if one.folder == "."]
        return [one.name for one in held] or root or [""]

    def _foreign(self, rows: Iterable[Place]) -> Iterator[str]:
        """Settings files that are handed to images which are not built here."""
        ours = {one.name for one in self.project.services}
        read = {real(one.path) for one in rows}
        for _, file in self.project.compose:
            for service in file.services:
                for one in service.env_files if service.name not in ours else ():
                    path = real(file.folder / one.path)
                    if path in read:
                        yield self.grounds.name(path)

    def _is_inside(self, service: Service) -> bool:
        return real(self.root / service.folder).is_relative_to(real(self.root))

    def code(self, service: Service, suffixes: tuple[str, ...]) -> Sources:
        if not self._is_inside(service):
            return Sources()
        folder = self.root / service.folder
        others = {self.root / one.folder for one in self.project.services}
        aside = frozenset(one for one in others if one != folder and folder in one.parents)
        found = sources.read(folder, aside, suffixes)
        prefix = Path(service.folder)
        return Sources(
            files=tuple(replace(one, path=(prefix / one.path).as_posix()) for one in found.files),
            left_out=found.left_out,
        )
