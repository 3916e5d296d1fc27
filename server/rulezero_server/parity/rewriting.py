"""What files hold after their edits, computed from what they hold now; nothing is written here."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rulezero_policies.parity import composing
from rulezero_policies.parity.changes import (
    ON,
    PLACEHOLDER,
    FileChange,
    Material,
    Operation,
    edited,
)
from rulezero_policies.parity.editing import NotEditable
from rulezero_server.parity import keyed, plainfiles
from rulezero_server.parity.pieces import MARK, pieces, unread, values

_ON_WORDS = frozenset({"1", "on", "yes", "y", "t", "true", "enabled", "enable"})


def fill(path: str, key: str) -> str:
    """The placeholder of a key: it says what it is, and is no secret that anybody knows.

    Code that takes any text for a secret would go on with a placeholder; with this one, nobody
    could sign or open anything.
    """
    return f"{PLACEHOLDER}__{keyed.tail(path, key)}"


def rewritten(root: Path, changes: Sequence[FileChange]) -> dict[str, bytes]:
    """The new bytes of every file that is edited.

    Raises:
        FileRefused: A file is none that may be edited, or cannot be without changing more.
    """
    files = {p: plainfiles.look(root, p, to_write=True) for p in (c.path for c in changes)}
    for path in _others(changes):
        files.setdefault(path, plainfiles.look(root, path))
    texts = {p: f.content.decode("utf-8") for p, f in files.items() if f is not None}
    bare = {path: text.removeprefix(MARK) for path, text in texts.items()}
    material = Material(texts=bare, split=pieces, fill=fill)
    after = {change.path: _edited(change, material) for change in changes}
    for change in changes:
        _check_moved(change, bare, {**bare, **after})
    heads = {p for p, text in texts.items() if text.startswith(MARK)}
    return {p: (MARK * (p in heads) + text).encode("utf-8") for p, text in after.items()}


def _check_moved(change: FileChange, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """What is taken out of a file stands where it is said to, with the very same value."""
    for operation in change.operations:
        if operation.kind == "remove":
            old = values(before.get(change.path, "")).get(operation.key or "")
            new = values(after.get(operation.source or "", "")).get(operation.key or "")
            if old is None or old != new:
                reason = f"{operation.key} is not the same in {operation.source}"
                raise plainfiles.refusal(change.path, reason)


def _others(changes: Iterable[FileChange]) -> Iterable[str]:
    for operation in (o for c in changes for o in c.operations):
        if operation.kind in {"copy", "move", "remove"} and operation.source:
            yield operation.source
        if operation.like:
            yield operation.like


def _edited(change: FileChange, material: Material) -> str:
    before = material.texts.get(change.path, "")
    try:
        after = edited(change, material)
    except NotEditable as error:
        raise plainfiles.refusal(change.path, str(error)) from None
    if any(o.kind == "env_file" for o in change.operations):
        right = _lists(after) == _listed(before, change)
    else:
        right = unread(after) == unread(before) and _as_meant(before, after, change, material.texts)
    if not right:
        reason = "it cannot be edited without changing what else it says; edit it by hand"
        raise plainfiles.refusal(change.path, reason)
    return after


def _as_meant(before: str, after: str, change: FileChange, texts: Mapping[str, str]) -> bool:
    """Whether python-dotenv reads exactly the intended difference."""
    expected, found = values(before), values(after)
    for operation in change.operations:
        key = operation.key or ""
        if operation.kind == "remove":
            expected.pop(key, None)
        elif operation.kind == "switch":
            expected[key] = found.get(key) if _is_on(found.get(key)) else None
        else:
            expected[key] = _new(operation, change.path, texts)
    return found == expected


def _is_on(value: str | None) -> bool:
    return value is not None and value.lower() in _ON_WORDS


def _new(operation: Operation, path: str, texts: Mapping[str, str]) -> str | None:
    key = operation.key or ""
    if operation.kind == "flag":
        return ON
    if operation.kind == "placeholder":
        return fill(path, key)
    return values(texts.get(operation.source or "", "")).get(key)


def _lists(text: str) -> dict[str, tuple[str, ...]]:
    return {found.service: found.files for found in composing.env_files(text)}


def _listed(before: str, change: FileChange) -> dict[str, tuple[str, ...]]:
    lists = _lists(before)
    for operation in change.operations:
        folder = posixpath.dirname(change.path) or "."
        path = posixpath.relpath(operation.source or "", folder)
        lists[operation.service or ""] = (path, *lists.get(operation.service or "", ()))
    return lists
