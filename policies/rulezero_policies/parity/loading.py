"""Where code reads settings files by itself: named for a person, never edited."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from rulezero_policies.references import Sources

_CALLS = frozenset({"load_dotenv", "dotenv_values", "find_dotenv", "read_env", "RepositoryEnv"})
"""Of python-dotenv, environs, django-environ and python-decouple."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """A place in a service's code that reads settings files, and the call that does."""

    service: str
    place: str
    call: str


def loads(service: str, sources: Sources) -> tuple[Load, ...]:
    """Every such place; a file that is no Python or does not parse has none."""
    return tuple(
        Load(service=service, place=f"{file.path}:{line}", call=call)
        for file in sources.files
        if file.path.endswith(".py")
        for line, call in _found(file.text)
    )


def _found(text: str) -> Iterator[tuple[int, str]]:
    if "env" not in text:
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if name in _CALLS:
                yield node.lineno, name
            elif any(k.arg == "env_file" for k in node.keywords):
                # pydantic-settings: SettingsConfigDict(env_file=...)
                yield node.lineno, f"{name}(env_file=)"
