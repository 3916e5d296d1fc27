"""Whether what is dropped was archived before, told from the SQL that was recorded."""

import re
from collections.abc import Iterator
from itertools import takewhile

from rulezero_policies.archives import is_archive
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step

_COPY = re.compile(
    r"CREATE TABLE (?P<archive>[\w.]+)(?: \(PRIMARY KEY \([^)]*\)\))? AS "
    r"SELECT (?P<columns>[^()*]+) FROM (?P<table>[\w.]+)(?: WHERE (?P<some>.+))?",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(r"(?P<number>\d+)\s*\)$")
_FILL = re.compile(r"(?:UPDATE|INSERT INTO) ", re.IGNORECASE)


def archive_of(scene: Scene, drop: Step) -> str | None:
    """The archive that got every value of the dropped column, or every row of the table, before."""
    column = drop.operation.column.name if drop.operation.column else None
    return _archive(scene, drop, column, {None, f"{column} IS NOT NULL"})


def archive_of_cut(scene: Scene, step: Step, type_: str) -> str | None:
    """The archive that got every value that is another one as `type_`, before."""
    column = step.operation.column.name if step.operation.column else ""
    number = _LAST_NUMBER.search(type_)
    last = number["number"] if number else "0"
    cuts = (f"CAST({column} AS {type_})", f"ROUND({column}, {last})")
    text = f"BINARY {column} <> BINARY LEFT({column}, {last})"
    some = {f"{column} {differs} {cut}" for differs in ("<>", "IS NOT") for cut in cuts}
    return _archive(scene, step, column, {None, text, *some})


def _archive(
    scene: Scene, step: Step, column: str | None, conditions: set[str | None]
) -> str | None:
    for text in _before(scene, step):
        found = _COPY.fullmatch(text)
        if found is None or found["table"] != step.operation.qualified:
            continue
        columns = [c.strip() for c in found["columns"].split(",")]
        named = is_archive(found["archive"].rpartition(".")[2])
        if named and found["some"] in conditions and column in (None, *columns):
            return found["archive"]
    return None


def put_back(scene: Scene, drop: Step) -> bool:
    """Whether what is dropped is an archive that was read into a table before."""
    name = drop.operation.table or ""
    filled = (t for t in _before(scene, drop) if _FILL.match(t))
    return is_archive(name) and any(re.search(rf"\b{re.escape(name)}\b", t) for t in filled)


def _before(scene: Scene, drop: Step) -> Iterator[str]:
    for step in takewhile(lambda s: s is not drop, scene.steps):
        if step.operation.kind == "execute":
            yield " ".join(re.sub(r"[\"`]", "", step.operation.sql or "").split())
