"""What a shadow of production shows before anything runs there: four checks, each with its word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.compared import differences
from rulezero_policies.failures import evidence, meaning
from rulezero_policies.rehearsal import NotRehearsed, ReadBack
from rulezero_policies.rehearsed import Trial, lines
from rulezero_policies.text import scrub, visible

CheckName = Literal[
    "migration runs", "second run changes nothing", "existing database opens", "old data reads"
]

CheckState = Literal["ok", "failed", "unknown"]

_NAMES: tuple[CheckName, ...] = (
    "existing database opens",
    "migration runs",
    "second run changes nothing",
    "old data reads",
)

_DAMAGED = re.compile(
    r"SQLITE_(?:CORRUPT|NOTADB)|file is not a database|database disk image is malformed"
)
"""How SQLite says that a file is no database, or no longer one."""

_ORPHANS = "that are not there"
"""How a line ends that tells of rows that refer to nothing: data, and not a broken file."""

_SHOWN, _LONGEST = 5, 400
"""Things that a text names, and its characters."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: how it ended, and what was seen, in a sentence."""

    name: CheckName
    state: CheckState
    text: str


@dataclass(frozen=True, kw_only=True)
class Safety:
    """One database of production, tried on a shadow of it.

    `name` is None where the project migrates only one. `where` and `rows` say what the shadow was;
    `readback` is what each mapped class read after the upgrade: never a value.
    """

    checks: tuple[Check, ...]
    name: str | None = None
    where: str = ""
    rows: str = ""
    readback: tuple[ReadBack, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What makes a FAIL."""
        return self._of("failed")

    @property
    def unknown(self) -> tuple[str, ...]:
        """What could not be told."""
        return self._of("unknown")

    def _of(self, state: CheckState) -> tuple[str, ...]:
        mark = f"{self.name}: " if self.name else ""
        return tuple(f"{mark}{c.name}: {c.text}" for c in self.checks if c.state == state)


def none(why: str, *, name: str | None = None, failed: bool = False) -> Safety:
    """Nothing could be tried.

    Args:
        why: The reason, with what to do about it.
        name: The database, where there are several.
        failed: Whether it is known that production's database does not open; a file that is
            damaged is known by what SQLite says of it.
    """
    first: CheckState = "failed" if failed or _DAMAGED.search(why) else "unknown"
    rest = (_check(other, "unknown", "it was not tried") for other in _NAMES[1:])
    return Safety(name=name, checks=(_check(_NAMES[0], first, why), *rest))


def untried(answer: NotRehearsed, *, name: str | None = None) -> Safety:
    """There was no shadow."""
    return none(f"{answer.reason.rstrip('.')}. {answer.mend}".strip(), name=name)


def judged(trial: Trial, *, name: str | None = None) -> Safety:
    """What a rehearsal that went up twice shows.

    Args:
        trial: The rehearsal, its operations, and the revisions that wait.
        name: The database, where there are several.
    """
    saw, shadow = trial.rehearsal.saw, trial.rehearsal.shadow
    found = (_opens(trial), _runs(trial), _twice(trial), _reads(trial))
    orphans = tuple(line for line in saw.broken_before if line.endswith(_ORPHANS))
    return Safety(
        name=name,
        where=shadow.where,
        rows=shadow.rows,
        readback=saw.readback,
        notes=(*orphans, *saw.not_shown, *(f"the shadow lacks {one}" for one in shadow.lacks)),
        checks=tuple(_check(n, *one) for n, one in zip(_NAMES, found, strict=True)),
    )


def _check(name: CheckName, state: CheckState, text: str) -> Check:
    return Check(
        name=name, state=state, text=visible(scrub(" ".join(text.split())), limit=_LONGEST)
    )


_Found = tuple[CheckState, str]


def _opens(trial: Trial) -> _Found:
    saw, shadow = trial.rehearsal.saw, trial.rehearsal.shadow
    broken = [line for line in saw.broken_before if not line.endswith(_ORPHANS)]
    if broken:
        return "failed", f"the database is damaged: {_some(broken)}"
    if not saw.before and saw.not_shown:
        return "unknown", _some(saw.not_shown)
    if not shadow.real:
        return "unknown", f"none of its rows were copied ({shadow.rows})"
    return "ok", f"{shadow.where}, {shadow.rows}: the project loads on it"


def _runs(trial: Trial) -> _Found:
    saw, shadow = trial.rehearsal.saw, trial.rehearsal.shadow
    if saw.upgrade == "failed" and saw.failed:
        means = meaning(saw.failed[0], trial.rehearsal)
        state: CheckState = "failed" if means.outcome == "will_fail" else "unknown"
        return state, evidence(saw.failed[0], means.note)
    if saw.upgrade != "ok":
        return "unknown", _some(saw.not_shown) or "it was not reached"
    if not trial.revisions:
        return "ok", "nothing waits to be applied"
    return "ok", f"{', '.join(trial.revisions)} went through on {shadow.where}, {shadow.rows}"


def _twice(trial: Trial) -> _Found:
    saw = trial.rehearsal.saw
    again = [one for one in saw.failed if one.leg == "reupgrade"]
    if again:
        return "failed", f"the second run fails: {evidence(again[0], '')}"
    if saw.runs_again:
        return "failed", f"the second run sends statements again: {_some(saw.runs_again)}"
    if saw.reupgrade != "ok" or (not saw.again and saw.there):
        return "unknown", _some(saw.not_shown) or "it was not reached"
    moved = [d.text for d in differences(saw.there, saw.again)]
    moved += [f"rows of {rows.table}" for rows in saw.data_again]
    if moved:
        return "failed", f"the second run changes: {_some(moved)}"
    return "ok", "no statement, schema and rows are the same"


def _reads(trial: Trial) -> _Found:
    saw, shadow = trial.rehearsal.saw, trial.rehearsal.shadow
    lost = list(_lost(trial))
    if lost and shadow.real:
        return "failed", _some(lost)
    if saw.upgrade != "ok" or not trial.to_head:
        return "unknown", "the models' own revision was not reached"
    if not shadow.real:
        return "unknown", f"none of production's rows were read ({shadow.rows})"
    if not saw.readback:
        return "unknown", "the models map no class, or there was no time to read"
    read = sum(one.rows for one in saw.readback)
    return "ok", f"{len(saw.readback)} mapped classes read {read} old rows ({shadow.rows})"


def _lost(trial: Trial) -> Iterator[str]:
    saw = trial.rehearsal.saw
    for one in saw.readback:
        if one.error:
            place = f"{one.table}.{one.column}" if one.column else one.table
            yield f"{one.name} cannot read its old rows ({one.error} at {place})"
    yield from lines(loss for loss in trial.losses if loss.where == "first")
    yield from (line for line in saw.broken_after if line not in saw.broken_before)


def _some(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more
