"""Where a project keeps its settings: files found by their names, folders by what is in them."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rulezero_server import sources
from rulezero_server.parity import names

DEEPEST = 10
"""Folders below the project that are looked into."""

MOST_FOLDERS = 5_000

_ASIDE = frozenset(
    {
        *("test", "tests", "e2e", "spec", "specs", "fixtures", "testdata", "__tests__", "cypress"),
        *("doc", "docs", "example", "examples", "sample", "samples", "demo", "demos", "templates"),
    }
)
"""Folders whose settings files are nobody's deployment."""

_KEPT = (".envs", ".env", "envs", "env", ".docker", ".deploy", ".config")
"""Folders for settings whose names are otherwise those of something else."""

_MANIFESTS = frozenset(
    {
        *("package.json", "pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "manage.py"),
        *("go.mod", "Gemfile", "Cargo.toml", "composer.json"),
        *("pom.xml", "build.gradle", "mix.exs", "deno.json"),
    }
)

_CODE = (".py", *sources.SCRIPTS, ".go", ".rb", ".rs", ".php", ".java", ".ex")

_NO_PROGRAM = frozenset(
    {
        *("setup.py", "noxfile.py", "conftest.py", "tasks.py", "fabfile.py", "docs.py"),
        *("conf.py", "version.py", "release.py"),
    }
)


_SHELL = re.compile(r"#!.*\b(?:ba|da|k|z)?sh\b")

_NO_USE = (
    *(".md", ".rst", ".txt", ".adoc", ".log", ".lock", "-lock.json", "-lock.yaml", ".sum", ".map"),
    *(
        ".min.js",
        ".css",
        ".scss",
        ".less",
        ".svg",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".ico",
        ".webp",
    ),
    *(".pdf", ".zip", ".gz", ".tar", ".whl", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3"),
    *(".mp4", ".mov", ".csv", ".tsv", ".parquet", ".po", ".mo", ".pyc", ".so", ".dll", ".exe"),
    *(".db", ".sqlite", ".sqlite3", ".pem", ".key", ".crt", ".p12", ".ipynb", "rulezero.toml"),
    *(".test.js", ".test.ts", ".test.tsx", ".spec.js", ".spec.ts", ".spec.tsx", "_test.py"),
)
"""Pictures, prose, archives, data, keys of other kinds, tests."""


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """A settings file by its name, and the environment that the name says."""

    path: Path
    environment: str


@dataclass(frozen=True, kw_only=True)
class ComposePath:
    """A compose file by its name; `environment` is "" for the base of all."""

    path: Path
    environment: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """Everything that was found.

    `texts` are files that may use a key; `cut` is whether there were too many folders to look into.
    """

    settings: tuple[SettingsFile, ...] = ()
    compose: tuple[ComposePath, ...] = ()
    texts: tuple[Path, ...] = ()
    cut: bool = False


_NONE: Mapping[str, str] = {}


def look(root: Path, kept: frozenset[Path] = frozenset(), own: Mapping[str, str] = _NONE) -> Found:
    """What the project keeps, by the names of its files.

    Args:
        root: The project.
        kept: Folders that are looked into whatever they are called.
        own: What the project calls the environments that have a usual name.
    """
    settings: list[SettingsFile] = []
    compose: list[ComposePath] = []
    texts: list[Path] = []
    count = 0
    for folder, files in _walk(root, kept):
        count += 1
        if count > MOST_FOLDERS:
            break
        for path in (folder / name for name in files):
            environment = _environment(root, path)
            based = names.compose_environment(path.name)
            if environment is not None:
                named = own.get(environment, environment)
                settings.append(SettingsFile(path=path, environment=named))
            elif based is not None:
                compose.append(ComposePath(path=path, environment=own.get(based, based)))
            elif is_text(path.name):
                texts.append(path)
    return Found(
        settings=tuple(settings),
        compose=tuple(compose),
        texts=tuple(texts),
        cut=count > MOST_FOLDERS,
    )


def _walk(root: Path, kept: frozenset[Path]) -> Iterator[tuple[Path, list[str]]]:
    on_the_way = kept.union(*(one.parents for one in kept))
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        inner = (f for f in folders if _is_reached(root, here / f, kept))
        folders[:] = sorted({*inner, *(f for f in folders if here / f in on_the_way)})
        yield here, sorted(files)


def _is_reached(root: Path, folder: Path, kept: frozenset[Path]) -> bool:
    """Whether a folder, and each between it and the root or what is kept, is looked into."""
    base = next((one for one in folder.parents if one in kept or one == root), root)
    inner = folder.relative_to(base).parts
    aside = any(part.lower() in _ASIDE for part in inner)
    return not aside and len(inner) <= DEEPEST and _is_looked_into(folder)


def _is_looked_into(folder: Path) -> bool:
    if folder.is_symlink():
        return False
    if folder.parent.name in _KEPT and names.of_folder(folder.name) is not None:
        return True
    plain = sources.is_ours(folder, frozenset())
    return plain or (folder.name in _KEPT and not (folder / "pyvenv.cfg").is_file())


def _environment(root: Path, path: Path) -> str | None:
    """By the file's name; in a folder kept for settings, by the folder that names one."""
    inner = path.parent.relative_to(root).parts
    kept = next((at for at, part in enumerate(inner) if part in _KEPT), None)
    if kept is not None:
        told = [found for part in inner[kept + 1 :] if (found := names.of_folder(part))]
        if told and (path.name.startswith(".") or path.suffix in ("", ".env")):
            return told[-1]
    return names.environment(path.name)


def is_text(name: str) -> bool:
    """Whether a file of this name may use a key: most do that are neither pictures nor prose."""
    return not name.lower().endswith(_NO_USE) and not name.startswith(("test_", "conftest."))


def is_script(name: str, text: str) -> bool:
    """Whether a shell, or something like one, runs a file."""
    if name.endswith((".sh", ".bash")) or name == "Procfile" or is_dockerfile(name):
        return True
    return bool(_SHELL.match(text))


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name says how an image is built."""
    told = name.startswith(("Dockerfile.", "Dockerfile-")) or name.lower().endswith(".dockerfile")
    return told or name in ("Dockerfile", "Containerfile")


def is_aside(folder: PurePosixPath) -> bool:
    """Whether a folder is for tests, documents or examples."""
    return any(part.lower() in _ASIDE for part in folder.parts)


def is_program(folder: Path) -> bool:
    """Whether a folder holds a program of its own, and not only settings."""
    found = [one.name for one in _children(folder) if one.is_file()]
    code = (name for name in found if name.endswith(_CODE) and name not in _NO_PROGRAM)
    return bool(_MANIFESTS & set(found)) or _requires(found) or any(code)


def _requires(found: list[str]) -> bool:
    return any(name.startswith("requirements") and name.endswith(".txt") for name in found)


def has_code(root: Path, taken: Iterable[str]) -> bool:
    """Whether a project's root runs something itself, beside the services in the folders `taken`.

    A source file that stands there, or a package, there or below `src`; not what builds and tests.
    """
    beside = [one for one in _children(root) if one.name not in taken]
    if any(one.suffix == ".py" and one.name not in _NO_PROGRAM for one in beside):
        return True
    inner = [*beside, *(_children(root / "src") if "src" not in taken else ())]
    packages = (one for one in inner if (one / "__init__.py").is_file())
    return any(one.name.lower() not in _ASIDE for one in packages)


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
