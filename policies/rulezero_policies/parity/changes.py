"""What a files plan does, file by file and key by key, without any value in it."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.parity import composing, editing
from rulezero_policies.parity.editing import NotEditable, Text

OperationKind = Literal["copy", "move", "placeholder", "flag", "switch", "remove", "env_file"]

PLACEHOLDER = "REPLACE_ME__rulezero_placeholder"
"""How every placeholder begins: parity fails for as long as one stands."""

ON = "true"
"""What a flag is set to where it had no word of its own."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One edit of one file.

    `source` is the file whose own lines of `key` are taken over ("copy" from an example, "move"
    from a service's), where they stand now ("remove"), or which a service reads first
    ("env_file", with the compose `service`). `like` is the file whose order and comments the added
    line follows.
    """

    kind: OperationKind
    key: str | None = None
    source: str | None = None
    like: str | None = None
    service: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """The edits of one file, by its path under the project; it is created where there is none."""

    path: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """A file of a plan: what it is by its keyed hash, now and after; None: there is none.

    Nobody without the key can tell from a keyed hash whether a guessed content is right.
    """

    path: str
    before: str | None
    after: str | None
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SettingsPlan:
    """The part of a plan of kind "files" that says what is written.

    `backups` is the folder where each file is kept as it was before. `restores` is the plan whose
    backup is put back: then there are no operations.
    """

    environment: str
    targets: tuple[SettingsFile, ...]
    backups: str
    restores: str | None = None


@dataclass(frozen=True, kw_only=True)
class Material:
    """What edits are made of: texts by path (what is missing is not there yet), and two functions.

    `split` cuts a settings text in pieces; `fill` is the placeholder of a file's path and key.
    """

    texts: Mapping[str, str]
    split: Callable[[str], Text]
    fill: Callable[[str, str], str]

    def pieces(self, path: str | None) -> Text:
        """A file's text in pieces."""
        return self.split(self.texts.get(path or "", ""))


def edited(change: FileChange, material: Material) -> str:
    """The text of a file after its edits.

    Raises:
        NotEditable: It cannot be done without changing something else.
    """
    text = material.texts.get(change.path, "")
    for operation in change.operations:
        if operation.kind == "env_file":
            text = _listed(text, change.path, operation)
        else:
            pieces = _edit(material.split(text), change.path, operation, material)
            text = editing.joined(pieces)
    return text


def _edit(text: Text, path: str, operation: Operation, material: Material) -> Text:
    key = operation.key or ""
    like = material.pieces(operation.like)
    match operation.kind:
        case "remove":
            return editing.remove(text, key, f"in {operation.source} now")
        case "switch":
            return editing.switch_on(text, key)
        case "copy" | "move":
            raw = editing.raw_of(material.pieces(operation.source), key)
            return editing.add(text, key, raw, like)
        case "flag":
            return editing.add(text, key, f"{key}={ON}", like)
        case _:
            return editing.add(text, key, f"{key}={material.fill(path, key)}", like)


def _listed(text: str, path: str, operation: Operation) -> str:
    relative = posixpath.relpath(operation.source or "", posixpath.dirname(path) or ".")
    found = composing.put_first(text, operation.service or "", relative)
    if found is None:
        raise NotEditable(f"the env_file of {operation.service} is not one that is edited safely")
    return found


_SAID = {
    "copy": "{key}: added, as {source} has it",
    "move": "{key}: moved here from {source}, byte for byte",
    "placeholder": "{key}: added with a placeholder, which a person replaces",
    "flag": f"{{key}}: added and switched on ({ON})",
    "switch": "{key}: switched on",
    "remove": "{key}: taken out, because it stands in {source}",
    "env_file": "env_file of {service}: {source} is read first",
}


def said(operation: Operation) -> str:
    """One edit in words."""
    return _SAID[operation.kind].format(
        key=operation.key, source=operation.source, service=operation.service
    )
