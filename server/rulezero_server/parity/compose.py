"""Compose files: services, the folders they are built from, and what sets their environment."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from rulezero_server.parity import yamlnodes
from rulezero_server.parity.assigned import is_name
from rulezero_server.parity.interpolation import Asked, asked
from rulezero_server.parity.reading import Grounds, Unreadable, text
from rulezero_server.parity.yamlnodes import Nodes, NoYaml


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A line below `environment:`; `raw` is not interpolated, None hands on the host's value."""

    key: str
    line: int
    raw: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class EnvFile:
    """A line below `env_file:`, relative to the compose file's folder."""

    path: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Use:
    """A place that interpolates a key."""

    asked: Asked
    line: int


@dataclass(frozen=True, kw_only=True)
class ComposeService:
    """One service of a compose file. `context` and `dockerfile` are as written."""

    name: str
    context: str | None = None
    dockerfile: str | None = None
    image: str | None = None
    settings: tuple[Setting, ...] = ()
    env_files: tuple[EnvFile, ...] = ()
    uses: tuple[Use, ...] = ()
    broken: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ComposeFile:
    """A compose file, or why it could not be read. `folder` is what its paths start from."""

    path: str
    folder: Path
    services: tuple[ComposeService, ...] = ()
    error: str | None = None

    @property
    def is_override(self) -> bool:
        """Whether it only changes services of another file: one has neither image nor build."""
        return any(one.context is None and one.image is None for one in self.services)


def read(path: Path, grounds: Grounds) -> ComposeFile:
    """What a compose file says."""
    file = ComposeFile(path=grounds.name(path), folder=path.parent)
    try:
        nodes = Nodes(text(path, grounds, yamlnodes.MOST_BYTES).text)
        services = nodes.items(nodes.items(nodes.root).get("services"))
        found = tuple(_service(nodes, services, name) for name in services)
    except (Unreadable, NoYaml) as error:
        return replace(file, error=str(error))
    return replace(file, services=found)


def _service(nodes: Nodes, services: dict[str, yaml.Node], name: str) -> ComposeService:
    said = _extended(nodes, services, name, ())
    build = said.get("build")
    parts = nodes.items(build)
    settings, broken = _settings(nodes, said.get("environment"))
    return ComposeService(
        name=name,
        context=yamlnodes.text(build) or yamlnodes.text(parts.get("context")),
        dockerfile=yamlnodes.text(parts.get("dockerfile")),
        image=yamlnodes.text(said.get("image")),
        settings=settings,
        env_files=tuple(_env_files(nodes, said.get("env_file"))),
        uses=tuple(_uses(nodes, said.values())),
        broken=broken,
    )


def _extended(
    nodes: Nodes, services: dict[str, yaml.Node], name: str, seen: tuple[str, ...]
) -> dict[str, yaml.Node]:
    """What a service says, on top of the service of the same file that it extends."""
    said = nodes.items(services.get(name))
    base = said.get("extends")
    other = yamlnodes.text(base) or yamlnodes.text(nodes.items(base).get("service"))
    elsewhere = yamlnodes.text(nodes.items(base).get("file"))
    if other is None or elsewhere is not None or other in (*seen, name):
        return said
    return {**_extended(nodes, services, other, (*seen, name)), **said}


def _settings(nodes: Nodes, node: yaml.Node | None) -> tuple[tuple[Setting, ...], tuple[int, ...]]:
    if isinstance(node, yaml.MappingNode):
        rows = [
            Setting(key=key, line=yamlnodes.line(value), raw=yamlnodes.text(value))
            for key, value in nodes.items(node).items()
        ]
    else:
        rows = [_listed(one) for one in nodes.each(node)]
    good = tuple(row for row in rows if is_name(row.key, bare=False))
    return good, tuple(row.line for row in rows if row not in good)


def _listed(node: yaml.Node) -> Setting:
    said = yamlnodes.text(node) or ""
    key, equals, value = said.partition("=")
    return Setting(key=key, line=yamlnodes.line(node), raw=value if equals else None)


def _env_files(nodes: Nodes, node: yaml.Node | None) -> Iterator[EnvFile]:
    for one in [node] if isinstance(node, yaml.MappingNode) else nodes.each(node):
        said = nodes.items(one)
        path = yamlnodes.text(one) or yamlnodes.text(said.get("path"))
        required = (yamlnodes.text(said.get("required")) or "true").lower() != "false"
        if path:
            yield EnvFile(path=path, required=required)


def _uses(nodes: Nodes, values: Iterable[yaml.Node]) -> Iterator[Use]:
    for value in values:
        for one in nodes.scalars(value):
            if "$" in one.value:
                for found in asked(one.value):
                    yield Use(asked=found, line=yamlnodes.line(one))
