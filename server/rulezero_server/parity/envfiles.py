"""Settings files (`.env`), as python-dotenv reads them, each key with its line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

from rulezero_server.parity.assigned import Assigned, is_name
from rulezero_server.parity.reading import Grounds, Unreadable, text

_BEGIN, _END = "-----BEGIN ", "-----END "

MOST_KEYS = 5_000
"""Of one file."""

_NO_VALUES: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a file gives: its keys in order, duplicates too, and why it gives none.

    `broken` are lines that are neither a setting nor a comment.
    """

    path: str
    found: tuple[Assigned, ...] = ()
    error: str | None = None
    broken: tuple[int, ...] = ()


def read(path: Path, grounds: Grounds, known: Mapping[str, str] = _NO_VALUES) -> Read:
    """The keys of a settings file.

    Args:
        path: The file.
        grounds: Where it may be.
        known: What is set before it is read, for `${KEY}` to mean.
    """
    try:
        said = text(path, grounds)
    except Unreadable as error:
        return Read(path=grounds.name(path), error=str(error))
    found, broken = parse(said.text, known)
    if len(found) > MOST_KEYS:
        return Read(path=said.path, error=f"holds more than {MOST_KEYS} keys: split it")
    return Read(path=said.path, found=found, broken=broken)


def parse(
    said: str, known: Mapping[str, str] = _NO_VALUES
) -> tuple[tuple[Assigned, ...], tuple[int, ...]]:
    """The keys of a text, and the lines of it that set nothing and are no comment."""
    found: list[Assigned] = []
    broken: list[int] = []
    values = dict(known)
    for binding in _bindings(said, broken):
        one = _assigned(binding, values)
        found.append(one)
        if one.value is not None:
            values[one.key] = one.value
    return tuple(found), tuple(broken)


def _bindings(said: str, broken: list[int]) -> Iterator[Binding]:
    """What has a name; a key that was pasted over several lines has none that may be told."""
    inside = False
    for binding in parse_stream(StringIO(said)):
        bare = binding.value is None
        if binding.key is None and not binding.error:
            continue
        if inside or binding.error or not is_name(binding.key or "", bare=bare):
            broken.append(_line(binding))
            inside = inside and _END not in binding.original.string
            continue
        inside = _opens(binding)
        yield binding


def _opens(binding: Binding) -> bool:
    value = binding.value or ""
    return _BEGIN in value and _END not in value


def _line(binding: Binding) -> int:
    """Where the binding itself starts: what python-dotenv keeps begins with blank lines."""
    said = binding.original.string
    before = said[: len(said) - len(said.lstrip())]
    return binding.original.line + before.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _assigned(binding: Binding, values: Mapping[str, str]) -> Assigned:
    key, raw = binding.key or "", binding.value
    if raw is None:
        return Assigned(key=key, line=_line(binding), value=None)
    atoms = tuple(parse_variables(raw))
    refers = tuple(dict.fromkeys(a.name for a in atoms if isinstance(a, Variable)))
    return Assigned(
        key=key,
        line=_line(binding),
        raw=raw,
        # As `dotenv.main.resolve_variables` does it, less this process's own environment.
        value="".join(atom.resolve(values) for atom in atoms),
        refers=tuple(name for name in refers if is_name(name)),
        open=tuple(_open(atoms, values)),
    )


def _open(atoms: Iterable[object], values: Mapping[str, str]) -> Iterator[str]:
    for atom in atoms:
        if isinstance(atom, Variable) and atom.default is None and atom.name not in values:
            yield atom.name


def values(found: Iterable[Assigned]) -> dict[str, str]:
    """What the last of each key is worth, for what is read after it."""
    return {one.key: one.value for one in found if one.value is not None}
