"""Where the project's own code still uses what is dropped or renamed, ranked."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from rulezero_policies.findings import Finding
from rulezero_policies.operations import Operation
from rulezero_policies.steps import Place, Step, walk
from rulezero_policies.text import visible

Confidence = Literal["certain", "likely", "possible"]

RANKS: tuple[Confidence, ...] = ("certain", "likely", "possible")

SHOWN = 20
"""References that are kept; all are counted."""

_NAMED = 5
"""Places that a finding names."""


@dataclass(frozen=True, kw_only=True)
class ModelClass:
    """A mapped class: its table, and (attribute, column) for every attribute that maps a column."""

    name: str
    table: str
    schema: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file of the project's own: its path under the project, and its text."""

    path: str
    text: str

    @cached_property
    def breaks(self) -> tuple[int, ...]:
        """Where its lines end."""
        return tuple(m.start() for m in re.finditer("\n", self.text))


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What was read of the project; `left_out` are files that were too many or too large."""

    files: tuple[SourceFile, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One place that uses, or may use, what goes away. What a test uses is ranked lower."""

    subject: str
    path: str
    line: int
    confidence: Confidence
    how: str

    @property
    def place(self) -> str:
        """File and line, as editors open them."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Used:
    """How often one thing is used."""

    subject: str
    certain: int = 0
    likely: int = 0
    possible: int = 0

    @property
    def sure(self) -> int:
        """The uses that are more than a word that is the same."""
        return self.certain + self.likely


@dataclass(frozen=True, kw_only=True)
class References:
    """The best of what was found, and how much there is. `files` were looked through."""

    total: int = 0
    found: tuple[Reference, ...] = ()
    used: tuple[Used, ...] = ()
    files: int = 0
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Target:
    """A table, or a column of it, that goes away.

    `attributes` are the names by which Python knows the column, `models` the classes that map, or
    by their name may have mapped, the table.
    """

    subject: str
    table: str
    column: str | None = None
    attributes: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    mapped: bool = False
    """Whether a class is known to map the table, not only guessed to."""

    @cached_property
    def words(self) -> frozenset[str]:
        """What must stand in a file that uses it."""
        if self.column is None:
            return frozenset({self.table, *self.models})
        return frozenset({self.column, *self.attributes})

    @cached_property
    def owners(self) -> frozenset[str]:
        """The words that make a file one that may use it for certain."""
        return frozenset({self.table, *self.models})

    @cached_property
    def nicknames(self) -> frozenset[str]:
        """What a variable that holds such a row, or several, is called."""
        names = {snake(m) for m in self.models} | {singular(self.table), self.table}
        return frozenset(n.lower() for n in names)


def targets(
    operations: Iterable[Operation], models: Iterable[ModelClass] = ()
) -> tuple[Target, ...]:
    """The live tables and columns that these operations drop or rename, each once."""
    steps = tuple(walk(operations))
    known = tuple(models)
    made = frozenset(_made(s.operation for s in steps))
    found = (t for s in steps for t in _target(s, known, made))
    return tuple(dict.fromkeys(found))


def _made(operations: Iterable[Operation]) -> Iterator[tuple[Place, str | None]]:
    for o in operations:
        if o.kind == "create_table":
            yield (o.schema, o.table or ""), None
        elif o.kind == "add_column" and o.column:
            yield (o.schema, o.table or ""), o.column.name


def _target(
    step: Step, models: tuple[ModelClass, ...], made: frozenset[tuple[Place, str | None]]
) -> Iterator[Target]:
    o = step.operation
    place: Place = (o.schema, o.table or "")
    if step.new_table or (place, o.column.name if o.column else None) in made:
        return
    mapped = tuple(m for m in models if (m.schema, m.table) == place)
    # The model is gone or has the new name already: then its old name is told by the table's.
    classes = frozenset(m.name for m in mapped)
    match o.kind:
        case "drop_table":
            names = classes or guessed(place[1])
            yield Target(subject=o.subject, table=place[1], models=names, mapped=bool(classes))
        case "rename_table":
            yield Target(subject=o.subject, table=place[1], models=classes, mapped=bool(classes))
        case "drop_column" | "alter_column" if o.column and not step.new_column:
            if o.kind == "drop_column" or o.change("name"):
                yield _column(o, mapped, classes)
        case _:
            return


def _column(
    operation: Operation, mapped: tuple[ModelClass, ...], classes: frozenset[str]
) -> Target:
    name = operation.column.name if operation.column else ""
    pairs = [pair for m in mapped for pair in m.attributes]
    still = {a for a, c in pairs if c == name}
    # An attribute of that name that maps another column by now still works.
    elsewhere = {a for a, c in pairs if c != name}
    table = operation.table or ""
    return Target(
        subject=operation.subject,
        table=table,
        column=name,
        attributes=frozenset(still or {name} - elsewhere),
        models=classes or guessed(table),
        mapped=bool(classes),
    )


def guessed(table: str) -> frozenset[str]:
    """What the class of a table is called where nothing else tells."""
    return frozenset({_camel(table), _camel(singular(table))})


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def snake(name: str) -> str:
    """`OrderLine` as `order_line`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def singular(name: str) -> str:
    """`order_lines` as `order_line`, `categories` as `category`."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if name.endswith(ending) and not name.endswith("ss"):
            return name[: -len(ending)] + instead
    return name


def ranked(found: Iterable[Reference], sources: Sources) -> References:
    """The references in order of how sure they are, bounded and counted."""
    once = dict.fromkeys(map(_lowered, found))
    best: dict[tuple[str, str, int], Reference] = {}
    for r in sorted(once, key=lambda r: RANKS.index(r.confidence)):
        best.setdefault((r.subject, r.path, r.line), r)
    order = sorted(best.values(), key=lambda r: (RANKS.index(r.confidence), r.path, r.line))
    counts = Counter((r.subject, r.confidence) for r in order)
    return References(
        total=len(order),
        found=tuple(order[:SHOWN]),
        used=tuple(_used(s, counts) for s in dict.fromkeys(r.subject for r in order)),
        files=len(sources.files),
        left_out=sources.left_out,
    )


def _used(subject: str, counts: Counter[tuple[str, str]]) -> Used:
    return Used(
        subject=subject,
        certain=counts[subject, "certain"],
        likely=counts[subject, "likely"],
        possible=counts[subject, "possible"],
    )


def _lowered(reference: Reference) -> Reference:
    if not is_test(reference.path):
        return reference
    lower = RANKS[min(RANKS.index(reference.confidence) + 1, len(RANKS) - 1)]
    return replace(reference, confidence=lower, how=f"{reference.how}, in a test")


def is_test(path: str) -> bool:
    """Whether a file is one of the project's tests."""
    *folders, name = path.split("/")
    named = name.startswith("test_") or name.endswith(("_test.py", "_tests.py"))
    return named or name == "conftest.py" or not {"tests", "test"}.isdisjoint(folders)


TOLD = frozenset({"drop-column", "drop-table", "rename-as-drop-add", "rename-live"})
"""The rules whose findings say where the code still uses what they are about."""


def told(finding: Finding, references: References | None) -> Finding:
    """`finding` with where the code still uses its subject, if that was looked for."""
    if references is None or finding.rule not in TOLD:
        return finding
    said = _said(finding.subject, references)
    return replace(finding, evidence=visible(f"{finding.evidence}; {said}", limit=1000))


def _said(subject: str, references: References) -> str:
    used = next((u for u in references.used if u.subject == subject), Used(subject=subject))
    looked = f"{references.files} source files"
    if references.left_out:
        looked += f" ({references.left_out} more were not read)"
    if not used.sure:
        also = f"; {_times(used.possible)} may mean something else" if used.possible else ""
        return f"no code that uses it was found in {looked}{also}"
    mine = [
        r.place for r in references.found if r.subject == subject and r.confidence != "possible"
    ]
    more = ", …" if used.sure > len(mine[:_NAMED]) else ""
    where = f": {', '.join(mine[:_NAMED])}{more}" if mine else ""
    return f"still used in {_times(used.sure)}{where}"


def _times(count: int) -> str:
    return f"{count} place{'' if count == 1 else 's'}"
