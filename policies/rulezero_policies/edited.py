"""Revisions whose files were edited after they had been applied."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rulezero_policies.scene import Flaw


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A revision that a plan applied: where its file lay, the bytes that ran, and when."""

    revision: str
    path: str
    data: bytes
    plan_id: str
    at: datetime


def edited(applied: Iterable[Applied], files: Mapping[str, bytes]) -> tuple[Flaw, ...]:
    """Those of `applied` whose file, among `files` by path, has other code by now.

    A file that is gone or lies elsewhere is no edited one; neither is one that was only commented
    or laid out anew.
    """
    return tuple(
        Flaw(
            kind="edited",
            revision=one.revision,
            names=(f"{one.at:%Y-%m-%d %H:%M} UTC", one.plan_id),
        )
        for one in applied
        if one.path in files and not _same_code(one.data, files[one.path])
    )


def _same_code(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError):
        return False
