"""What a rehearsal says of findings that reading and asking gave: each thing is said once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rulezero_policies.estimates import told
from rulezero_policies.failures import Meaning, refuses_on_purpose
from rulezero_policies.findings import Fact, Finding
from rulezero_policies.rehearsal import Estimate, Failed, Rehearsal, RowsDiffer, Sent
from rulezero_policies.text import scrub, visible

LONGEST = 1200
"""Characters of evidence, once a rehearsal's is added."""

_ROWS_DECIDE = frozenset(
    {
        "set-not-null",
        "add-unique",
        "add-primary-key",
        "add-foreign-key",
        "add-check",
        "narrow",
        "cast",
        "enum-remove",
    }
)
"""Rules whose `may_fail` hangs on the rows alone: with all of them there, a run decides."""

_CONVERTS = frozenset({"narrow", "cast", "enum-remove"})
"""Of those, the ones that a lenient database passes by changing values."""

_OF_STATEMENTS = frozenset({"row-changes", "dml-without-where", "truncate", "opaque"})

_OF_DOWNGRADES = ("downgrade-raises", "downgrade-order", "unnamed-drop")

_WORST = {"will_fail": 0, "may_fail": 1, "unknown": 2}


@dataclass(frozen=True, kw_only=True)
class Known:
    """The findings that were there before the rehearsal; `several` revisions mark theirs by id."""

    findings: tuple[Finding, ...]
    several: bool = False

    def at(self, revision: str | None, line: int | None) -> tuple[Finding, ...]:
        """Those at this line of this revision, the worst first."""
        here = (f for f in self.findings if line is not None and f.line == line)
        mine = (f for f in here if self.is_of(f, revision))
        return tuple(sorted(mine, key=lambda f: _WORST.get(f.outcome, 3)))

    def is_of(self, finding: Finding, revision: str | None) -> bool:
        """Whether the finding is about this revision."""
        return not self.several or finding.evidence.startswith(f"[{revision}]")

    def changed(self, old: Finding, new: Finding | None) -> "Known":
        """With `new` in the place of `old`; None takes it out."""
        kept = (new if f is old else f for f in self.findings)
        return replace(self, findings=tuple(f for f in kept if f is not None))


def adding(finding: Finding, evidence: str) -> Finding:
    """The finding with what the rehearsal showed."""
    text = visible(scrub(f"{finding.evidence}; rehearsed: {evidence}"), limit=LONGEST)
    return replace(finding, evidence=text)


def of_failure(known: Known, failed: Failed, *, back: bool) -> Finding | None:
    """The finding that said what now has happened, if there is one.

    Args:
        known: What was found before.
        failed: How a leg ended.
        back: Whether it was a downgrade that the plan does not run itself.
    """
    fails = [f for f in known.at(failed.revision, failed.line) if f.outcome in _WORST]
    if fails:
        return fails[0]
    mine = [f for f in known.findings if known.is_of(f, failed.revision)]
    if back:
        purpose = refuses_on_purpose(failed)
        rules = ("downgrade-raises",) if purpose else _OF_DOWNGRADES[1:]
        return next((f for f in mine if f.rule in rules), None)
    table = (failed.table or "").removeprefix("_alembic_tmp_")
    near = (f for f in mine if f.rule in _ROWS_DECIDE and table in _parts(f.subject))
    return min(near, key=lambda f: _WORST.get(f.outcome, 3), default=None) if table else None


def _parts(subject: str) -> tuple[str, ...]:
    """The names before the last, which is the column's."""
    return tuple(subject.split(".")[:-1])


def failing(finding: Finding, evidence: str, means: Meaning) -> Finding:
    """The finding once it has happened."""
    found = adding(finding, evidence)
    if means.outcome != "will_fail":
        return found
    return replace(found, severity="CRITICAL", outcome="will_fail")


def without_refuted(
    known: Known, rehearsal: Rehearsal, facts: Sequence[Fact], dialect: str
) -> Known:
    """Without what may have failed on rows, where all of the target's rows let it pass."""
    if not (rehearsal.shadow.whole and rehearsal.shadow.real) or rehearsal.saw.not_shown:
        return known
    kept = (f for f in known.findings if not _refuted(f, rehearsal, facts, dialect))
    return replace(known, findings=tuple(kept))


def _refuted(finding: Finding, rehearsal: Rehearsal, facts: Sequence[Fact], dialect: str) -> bool:
    if finding.outcome != "may_fail" or finding.rule not in _ROWS_DECIDE:
        return False
    strict = any(f.asked.probe == "sql_mode" and f.count for f in facts)
    if dialect in {"mysql", "mariadb"} and not strict:
        return False
    differs = any(_is_about(finding, d) for d in rehearsal.saw.data_there)
    lenient = dialect != "postgresql" or finding.rule == "narrow"
    if finding.rule in _CONVERTS and lenient and differs:
        return False
    return _agree(finding, rehearsal, facts)


def _is_about(finding: Finding, differ: RowsDiffer) -> bool:
    column = finding.subject.rpartition(".")[2]
    return differ.table in _parts(finding.subject) and column in differ.columns


def _agree(finding: Finding, rehearsal: Rehearsal, facts: Sequence[Fact]) -> bool:
    """Whether the shadow held as many rows of the table as were counted on the target."""
    parts = _parts(finding.subject)
    counted = {f.asked.table: f.count for f in facts if f.asked.probe == "rows" and not f.at_least}
    there = {s.table: s.rows for s in rehearsal.shadow.sizes if s.table in parts}
    both = counted.keys() & there.keys()
    return all(counted[t] is None or counted[t] == there[t] for t in both)


def with_statements(known: Known, sent: Sequence[Sent]) -> Known:
    """What could only be read gets told what it did, by its line."""

    def change(finding: Finding) -> Finding:
        mine = [s for s in sent if s.line == finding.line and known.is_of(finding, s.revision)]
        if finding.rule not in _OF_STATEMENTS or finding.line is None or not mine:
            return finding
        rows = [s.rows for s in mine if s.rows is not None and s.rows >= 0]
        count = f"{len(mine)} statement{'s' * (len(mine) > 1)}"
        return adding(finding, f"{count}, {sum(rows):,} rows" if rows else count)

    return _mapped(known, change)


def with_estimates(known: Known, found: Sequence[Estimate]) -> Known:
    """What blocks others gets told for how long, by its line."""

    def change(finding: Finding) -> Finding:
        if finding.outcome != "blocks" or finding.line is None:
            return finding
        here = (e for e in found if e.line == finding.line)
        mine = [e for e in here if known.is_of(finding, e.revision)]
        return adding(finding, "; ".join(map(told, mine))) if mine else finding

    return _mapped(known, change)


def _mapped(known: Known, change: Callable[[Finding], Finding]) -> Known:
    return replace(known, findings=tuple(map(change, known.findings)))
