"""Which services a project has: those it declares, else those that its files show."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rulezero_policies.parity.values import Service
from rulezero_server.parity import names
from rulezero_server.parity.compose import ComposeFile, ComposeService
from rulezero_server.parity.config import outside
from rulezero_server.parity.finding import Found, has_code, is_aside, is_program
from rulezero_server.parity.reading import real

ROOT = "."


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What services are looked for in."""

    root: Path
    found: Found
    compose: tuple[ComposeFile, ...]


def discover(ground: Ground) -> tuple[Service, ...]:
    """The services that compose files build and that folders with settings files are."""
    services = list(_composed(ground))
    taken = {one.folder for one in services}
    folders = [one for one in _with_settings(ground) if one not in taken]
    if ROOT not in taken and has_code(ground.root, {*taken, *folders}):
        folders.append(ROOT)
    called = Counter(PurePosixPath(one).name for one in folders)
    for folder in folders:
        short = PurePosixPath(folder).name if folder != ROOT else real(ground.root).name
        clash = called[short] > 1 or any(one.name == short for one in services)
        services.append(Service(name=folder if clash else short, folder=folder))
    return tuple(services) or (Service(name=real(ground.root).name, folder=ROOT),)


def _with_settings(ground: Ground) -> list[str]:
    """Folders below the root that hold a settings file and a program."""
    parents = dict.fromkeys(one.path.parent for one in ground.found.settings)
    return [
        folder.relative_to(ground.root).as_posix()
        for folder in parents
        if folder != ground.root and is_program(folder)
    ]


def _composed(ground: Ground) -> Iterator[Service]:
    """Services that are built here, and those that run an image that is built here."""
    rows = [(file, one) for file in ground.compose for one in file.services]
    images = {
        one.image: folder
        for file, one in rows
        if one.image and (folder := _folder(ground.root, file, one)) is not None
    }
    seen: dict[str, str] = {}
    for file, one in rows:
        folder = _folder(ground.root, file, one) or images.get(one.image or "")
        if folder is None or one.name in seen or is_aside(PurePosixPath(folder)):
            continue
        # What only a file for local work builds is named after its folder: it may be a helper.
        local = names.compose_environment(PurePosixPath(file.path).name) not in ("", _PRODUCTION)
        if local and (folder == ROOT or folder in seen.values()):
            continue
        name = PurePosixPath(folder).name if local else one.name
        if name not in seen:
            seen[name] = folder
            yield Service(name=name, folder=folder)


_PRODUCTION = "production"


def _folder(root: Path, file: ComposeFile, service: ComposeService) -> str | None:
    """The folder under the project that an image is built from; None where it is none."""
    context = service.context
    if context is None or "$" in context or "://" in context or context.startswith("git@"):
        return None
    built = _under(root, file.folder / context)
    if built is None or not (root / built).is_dir():
        return None
    inner = PurePosixPath(service.dockerfile or "").parent.as_posix()
    # One context for all, and a Dockerfile in the folder that the service is.
    if inner != ROOT and not outside(inner) and is_program(root / built / inner):
        beside = (root / built / inner).iterdir()
        if any(one.suffix in (".py", ".json", ".toml", ".js", ".ts") for one in beside):
            return PurePosixPath(built, inner).as_posix()
    return built


def _under(root: Path, path: Path) -> str | None:
    full, base = real(path), real(root)
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else None


def within(services: Iterable[Service], folder: str) -> tuple[Service, ...]:
    """The services whose folder holds this one, the innermost; none for the root's own."""
    path = PurePosixPath(folder)
    for parent in (path, *path.parents):
        if parent.as_posix() == ROOT:
            break
        held = tuple(one for one in services if one.folder == parent.as_posix())
        if held:
            return held
    return ()
