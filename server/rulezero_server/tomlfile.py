"""Reading TOML files of ours: what is unknown or of the wrong type is refused by name."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from rulezero_policies.errors import UnreadableConfig


def load(path: Path, keys: tuple[str, ...] = (), *, called: str | None = None) -> "Reader | None":
    """The table at `keys` in a file, to be read; None if the file does not hold it.

    Args:
        path: The file.
        keys: Where the table is, from the outside in.
        called: What errors call the file; its name if that is enough.

    Raises:
        UnreadableConfig: The file cannot be read, is no TOML, or that is no table.
    """
    named = called or path.name
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UnreadableConfig(path=named, reason=str(exc)) from exc
    for key in keys:
        found = cast("dict[str, Any]", found).get(key) if isinstance(found, dict) else None
    if found is None:
        return None
    if not isinstance(found, dict):
        raise UnreadableConfig(path=named, reason=f"{'.'.join(keys)} must be a table")
    return Reader(file=named, folder=path.parent, table=cast("Mapping[str, Any]", found))


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One table. `where` is its place in the file, with a dot at the end; paths are relative."""

    file: str
    folder: Path
    table: Mapping[str, Any]
    where: str = ""

    def only(self, *known: str) -> None:
        """Refuse every other key."""
        for key in self.table:
            if key not in known:
                reason = f"unknown key {self.where}{key}; known: {', '.join(known)}"
                raise self.unreadable(reason)

    def get(self, key: str, kind: type, called: str) -> Any:
        """A value of this type; None if it is not there."""
        value = self.table.get(key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(key, called)
        return value

    def text(self, key: str) -> str | None:
        """A string."""
        return self.get(key, str, "a string")

    def truth(self, key: str) -> bool | None:
        """True or false."""
        return self.get(key, bool, "true or false")

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of strings."""
        found: list[Any] | None = self.get(key, list, "a list of strings")
        if found is not None and not all(isinstance(one, str) and one for one in found):
            raise self.wrong(key, "a list of strings")
        return None if found is None else tuple(found)

    def number(self, key: str, called: str, *, most: float = float("inf")) -> float | None:
        """A number above 0 and not above `most`."""
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise self.wrong(key, called)
        return float(value)

    def path(self, key: str) -> Path | None:
        """A path, relative to the file's folder."""
        value = self.text(key)
        return None if value is None else self.folder / Path(value).expanduser()

    def inner(self, key: str) -> "Reader":
        """The table below `key`; an empty one if it is not there."""
        return self.below(key, self.get(key, dict, "a table") or {})

    def below(self, key: str, table: Any) -> "Reader":
        """This table as the one below `key`."""
        return replace(self, table=table, where=f"{self.where}{key}.")

    def wrong(self, key: str, called: str) -> UnreadableConfig:
        """The refusal of a value that is not what it must be; the value is not repeated."""
        return self.unreadable(f"{self.where}{key} must be {called}")

    def unreadable(self, reason: str) -> UnreadableConfig:
        """The refusal of the file."""
        return UnreadableConfig(path=self.file, reason=reason)
