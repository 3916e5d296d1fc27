"""What follows from a rehearsal: findings with their evidence, and what a plan keeps of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from rulezero_policies import failures, integrity, merging
from rulezero_policies.compared import differences
from rulezero_policies.estimates import estimates
from rulezero_policies.findings import Fact, Finding, Outcome, Severity
from rulezero_policies.losses import Acts, Loss, acts, losses
from rulezero_policies.merging import Known, adding
from rulezero_policies.operations import Operation
from rulezero_policies.rehearsal import Difference, Failed, Leg, NotRehearsed, Rehearsal, State
from rulezero_policies.rehearsal_rules import REHEARSAL_RULES
from rulezero_policies.steps import mentions
from rulezero_policies.text import scrub, visible

Direction = Literal["upgrade", "downgrade"]

_RULES = {rule.id: rule for rule in REHEARSAL_RULES}

_MYSQL = frozenset({"mysql", "mariadb"})

_NAMED = 4
"""Things of one kind that a line of evidence names."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A rehearsal with what it is held against.

    `first` are the operations of the first way, `back` those of the way back; `revisions` stand in
    the order of the first way. `to_head` is whether the models' own revision is reached.
    """

    rehearsal: Rehearsal
    dialect: str
    direction: Direction = "upgrade"
    first: tuple[Operation, ...] = ()
    back: tuple[Operation, ...] = ()
    revisions: tuple[str, ...] = ()
    to_head: bool = True
    facts: tuple[Fact, ...] = ()

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """The legs in the order in which they were gone."""
        if self.direction == "upgrade":
            return ("upgrade", "downgrade", "reupgrade")
        again = self.rehearsal.saw.upgrade == "skipped"
        return ("downgrade", "reupgrade" if again else "upgrade")

    def state(self, number: int) -> State:
        """How the leg of this number ended, counted from zero."""
        return getattr(self.rehearsal.saw, self.legs[number]) if number < len(self.legs) else "ok"

    @cached_property
    def differs(self) -> tuple[Difference, ...] | None:
        """What the way back did not restore; None where it was not gone to its end."""
        saw = self.rehearsal.saw
        unread = bool(saw.not_shown and saw.before and not saw.back)
        if self.state(1) != "ok" or unread or any("not at the start" in n for n in saw.not_shown):
            return None
        return differences(saw.before, saw.back)

    @cached_property
    def acts(self) -> tuple[Acts, Acts]:
        """What the first way and the way back take away."""
        saw = self.rehearsal.saw
        return (
            acts(saw, self.legs[0], self.first, self.dialect),
            acts(saw, self.legs[1], self.back, self.dialect),
        )

    @cached_property
    def losses(self) -> tuple[Loss, ...]:
        """What is gone afterwards."""
        return losses(self.rehearsal.saw, *self.acts)


def findings(trial: Trial, known: Iterable[Finding]) -> tuple[Finding, ...]:
    """What was found before, as the rehearsal leaves it, and what only the rehearsal shows.

    Args:
        trial: The rehearsal.
        known: The findings of reading and asking.

    Returns:
        All findings, CRITICAL first; none says what another one says.
    """
    board = _Board(trial=trial, known=Known(findings=tuple(known), several=_several(trial)))
    if trial.state(0) == "ok":
        board.refute()
    for failed in trial.rehearsal.saw.failed:
        board.fail(failed)
    board.lose()
    board.differ()
    board.aftermath()
    board.enrich()
    found = (*board.known.findings, *board.found)
    return tuple(sorted(dict.fromkeys(found), key=lambda f: f.severity != "CRITICAL"))


def _several(trial: Trial) -> bool:
    return len(trial.revisions) > 1


@dataclass(kw_only=True)
class _Board:
    """The findings while they are being made out."""

    trial: Trial
    known: Known

    def __post_init__(self) -> None:
        self.found: list[Finding] = []

    def add(
        self,
        rule_id: str,
        subject: str,
        evidence: str,
        *,
        severity: Severity | None = None,
        outcome: Outcome | None = None,
        line: int | None = None,
        revision: str | None = None,
        **names: str,
    ) -> None:
        """One finding of a rehearsal's rule."""
        rule = _RULES[rule_id]
        mark = f"[{revision}] " if revision and self.known.several else ""
        self.found.append(
            Finding(
                rule=rule.id,
                severity=severity or rule.severity,
                subject=_clean(subject),
                evidence=_clean(mark + evidence, merging.LONGEST),
                outcome=outcome or rule.outcome,
                fix=_clean(rule.fix.format(subject=subject, **names)),
                line=line,
            )
        )

    def refute(self) -> None:
        """Take out what all the target's rows let pass."""
        rehearsal, facts = self.trial.rehearsal, self.trial.facts
        self.known = merging.without_refuted(self.known, rehearsal, facts, self.trial.dialect)

    def fail(self, failed: Failed) -> None:
        """How a leg ended: told with the finding that said so, or by itself."""
        trial, number = self.trial, self.trial.legs.index(failed.leg)
        revisions = trial.revisions if number % 2 == 0 else trial.revisions[::-1]
        left = failures.left(
            failed,
            trial.rehearsal,
            first=number == 0,
            revisions=revisions,
            dialect=trial.dialect,
        )
        means = failures.meaning(failed, trial.rehearsal)
        seen = f"{failures.evidence(failed, means.note)}; {failures.stays(left)}"
        way: Direction = "downgrade" if failed.leg == "downgrade" else "upgrade"
        again = number == (2 if trial.direction == "upgrade" else 1)
        said = None if again else merging.of_failure(self.known, failed, back=number == 1)
        if said is not None:
            new = merging.failing(said, seen, means) if not _purpose(failed, number) else None
            self.known = self.known.changed(said, new or adding(said, seen))
            return
        if again:
            severity, outcome = "WARNING", means.outcome
            seen = (
                f"{'going up again' if trial.direction == 'upgrade' else 'the way back up'}: {seen}"
            )
        elif _purpose(failed, number):
            severity, outcome = "WARNING", "design"
        else:
            severity, outcome = means.severity, means.outcome
        self.add(
            "not-repeatable" if again else f"{way}-fails",
            failed.table or failed.revision or way,
            seen,
            severity=severity,
            outcome=outcome,
            line=failed.line,
            revision=failed.revision,
            place=failures.place(failed),
            undo=failures.undo(left, way),
        )

    def lose(self) -> None:
        """Rows and values that are gone without the plan saying so."""
        for loss in self.trial.losses:
            if loss.said or (loss.where == "back" and self.trial.direction == "downgrade"):
                continue
            if self._batch_cascade(loss):
                continue
            way = self.trial.direction if loss.where == "first" else "downgrade"
            mild = loss.doubtful or loss.values_only
            self.add(
                f"{way}-loses-data",
                loss.table,
                f"{loss.text} ({self.trial.rehearsal.shadow.rows})",
                severity="WARNING" if mild else None,
            )

    def _batch_cascade(self, loss: Loss) -> bool:
        """Whether the rule that knows of it has said so before: it then has the rows."""
        cascades = (f for f in self.known.findings if f.rule == "sqlite-batch-cascade")
        said = next((f for f in cascades if mentions(f.evidence, loss.table)), None)
        if said is None or loss.where == "back":
            return False
        new = replace(adding(said, loss.text), severity="CRITICAL", outcome="loses_data")
        self.known = self.known.changed(said, new)
        return True

    def differ(self) -> None:
        """What the way back left otherwise than it was, and what going up again made otherwise."""
        trial, saw = self.trial, self.trial.rehearsal.saw
        found = [d for d in trial.differs or () if _avoidable(d, trial.dialect)]
        if found and trial.direction == "downgrade":
            self._again(found)
        elif found:
            self._restore(found)
        if (
            trial.direction == "upgrade"
            and saw.reupgrade == "ok"
            and bool(saw.again or not saw.there)
        ):
            other = [d for d in differences(saw.there, saw.again) if d.what != "moved"]
            if other:
                self._again(other)

    def _again(self, found: Sequence[Difference]) -> None:
        self.add(
            "not-repeatable",
            _subject(found[0]),
            f"after going back and up again: {_some([d.text for d in found])}",
            outcome="design",
            undo="",
        )

    def _restore(self, found: Sequence[Difference]) -> None:
        """Told with the finding that said so, where there is one revision to be right or wrong."""
        seen = f"after the way back: {_some([d.text for d in found])}"
        alone = not self.known.several
        rules = {"downgrade-mismatch", "downgrade-pass", "downgrade-missing"}
        said = [f for f in self.known.findings if alone and f.rule in rules]
        if said:
            self.known = self.known.changed(said[0], adding(said[0], seen))
            return
        restore = "; ".join(d.text for d in found[:_NAMED])
        self.add("downgrade-differs", _subject(found[0]), seen, restore=restore)

    def aftermath(self) -> None:
        """What stands when all is done: models, rows, integrity, and what was not shown."""
        saw, shadow = self.trial.rehearsal.saw, self.trial.rehearsal.shadow
        if saw.runs_again:
            seen = f"sent when nothing was left to do: {_some(saw.runs_again)}"
            self.add("runs-twice", "a second upgrade", seen)
        worse = tuple(integrity.worse(saw.broken_before, saw.broken_after))
        if saw.refused:
            self._refused(saw.refused)
        if worse:
            self._integrity(worse)
        if saw.not_shown:
            seen = f"not shown: {_some(saw.not_shown)}"
            self.add("rehearsal-cut-off", "the rehearsal", seen)
        if self.trial.direction == "upgrade" and self.trial.to_head:
            self._models(saw.remaining or (), saw.unreadable if shadow.real else ())

    def _integrity(self, worse: Sequence[str]) -> None:
        """Told with the foreign key that brings the orphans to light, if that is what does."""
        seen = f"found afterwards and not before: {_some(worse)}"
        table = integrity.table_of(worse[0])
        keys = (f for f in self.known.findings if f.rule == "add-foreign-key")
        said = next((f for f in keys if f.subject.startswith(f"{table}.")), None)
        if said is not None and len(worse) == 1:
            self.known = self.known.changed(said, adding(said, seen))
            return
        self.add("integrity-worse", table, seen)

    def _refused(self, refused: Sequence[str]) -> None:
        """Told with what was refused while it was only read, if that was so."""
        seen = f"refused while it ran: {_some(refused)}"
        said = next((f for f in self.known.findings if f.rule == "reaches-out"), None)
        if said is not None:
            self.known = self.known.changed(said, adding(said, seen))
            return
        self.add("reaches-out-when-run", "the rehearsal", seen)

    def _models(self, remaining: Sequence[str], unreadable: Sequence[str]) -> None:
        touched = {o.table for o in self.trial.acts[0].everything if o.table}
        mine = [line for line in remaining if any(mentions(line, t) for t in touched)]
        if mine:
            seen = f"models and database still differ: {_some(mine)}"
            self.add("models-differ", min(touched), seen, remaining="; ".join(mine[:_NAMED]))
        # A class that the database lacks a column for reads nothing: that is told as a difference.
        lost = [u for u in unreadable if not remaining or not _is_of_schema(u)]
        if lost:
            self.add("rows-unreadable", lost[0].partition(":")[0], f"not read: {_some(lost)}")

    def enrich(self) -> None:
        """Say what statements did that reading could only name."""
        trial = self.trial
        mine = [s for s in trial.rehearsal.saw.sent if s.leg == trial.legs[0]]
        guessed = estimates(mine, trial.legs[0], trial.rehearsal.shadow, trial.dialect)
        self.known = merging.with_statements(self.known, mine)
        self.known = merging.with_estimates(self.known, guessed)


def _purpose(failed: Failed, number: int) -> bool:
    return number == 1 and failures.refuses_on_purpose(failed)


def _is_of_schema(unreadable: str) -> bool:
    return any(name in unreadable for name in ("OperationalError", "ProgrammingError", "Undefined"))


def _avoidable(difference: Difference, dialect: str) -> bool:
    """Whether a downgrade could have done better: only MySQL adds a column at its old place."""
    return difference.what != "moved" or dialect in _MYSQL


def _subject(difference: Difference) -> str:
    schema = f"{difference.schema}." if difference.schema else ""
    if difference.kind == "column":
        return f"{schema}{difference.table}.{difference.name}"
    return f"{schema}{difference.table or difference.name}"


def _some(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return "; ".join(texts[:_NAMED]) + more


def _clean(text: str, limit: int = 800) -> str:
    return visible(scrub(" ".join(text.split())), limit=limit)


def warning(answer: NotRehearsed) -> str:
    """A line that says that nothing was rehearsed, and what to do."""
    return _clean(f"Not rehearsed: {_sentence(answer.reason)} {_sentence(answer.mend)}".strip())


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def lines(found: Iterable[Loss]) -> Iterator[str]:
    """The losses in words, each once."""
    yield from dict.fromkeys(_clean(loss.text, 300) for loss in found)
