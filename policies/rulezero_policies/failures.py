"""What a failed leg of a rehearsal means: for the target, and for who has to clear up after it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.compared import differences
from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.rehearsal import Failed, Rehearsal, Sent

_OF_VALUES = re.compile(
    r"\w*(?:Integrity|Data)Error|\w+Violation|\w*(?:Truncation|OutOfRange|Overflow|TextRepresentation)"
)
"""Exceptions that the values of rows raise, by the names that drivers give them."""

_OF_RIGHTS = re.compile(
    r"permission denied|must be (?:owner|superuser|able)|not authorized|access denied"
    r"|denied to user|insufficient.?privilege|prohibited",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"does not exist|doesn't exist|not available|no such|unknown|could not (?:open|access|load)",
    re.IGNORECASE,
)
_COMMITS = re.compile(r"\s*(?:CREATE|ALTER|DROP|RENAME|TRUNCATE)\b", re.IGNORECASE)

_STATEMENT = 160
"""Characters of a statement that stand in a line of evidence."""

_SHOWN = 3
"""Statements, or things left behind, that stand in a line of evidence."""


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """How bad a failure is; `note` says why it is not simply what the target would do."""

    severity: Severity = "CRITICAL"
    outcome: Outcome = "will_fail"
    note: str = ""


def refuses_on_purpose(failed: Failed) -> bool:
    """Whether the revision itself raised, and no statement of it."""
    return failed.sql is None and failed.kind in {"NotImplementedError", "RuntimeError"}


def meaning(failed: Failed, rehearsal: Rehearsal) -> Meaning:
    """What a failure on this shadow says of the target."""
    shadow, said = rehearsal.shadow, f"{failed.kind} {failed.error}"
    if "RefusedError" in failed.kind:
        note = "a rehearsal lets a revision reach nothing but its database"
        return Meaning(severity="WARNING", outcome="unknown", note=note)
    if _OF_RIGHTS.search(said):
        note = "the shadow's role may do less than the target's"
        return Meaning(outcome="may_fail", note=note)
    if shadow.lacks and _NOT_THERE.search(said):
        lacks = "; ".join(shadow.lacks[:_SHOWN])
        return Meaning(outcome="may_fail", note=f"the shadow lacks something: {lacks}")
    if not shadow.real and _is_of_values(failed):
        return Meaning(outcome="may_fail", note="the rows were made up; the target's may be others")
    return Meaning()


def _is_of_values(failed: Failed) -> bool:
    return bool(failed.keys) or _OF_VALUES.fullmatch(failed.kind) is not None


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a failed leg leaves behind it.

    `things` is None where the catalogue was not read again. `applied` is the last revision of the
    plan that was committed whole before, "" for none.
    """

    things: tuple[str, ...] | None
    statements: tuple[Sent, ...]
    applied: str

    @property
    def nothing(self) -> bool:
        """Whether everything is as it was."""
        return not (self.things or self.statements or self.applied)


def left(
    failed: Failed, rehearsal: Rehearsal, *, first: bool, revisions: Sequence[str], dialect: str
) -> Left:
    """What was committed already when the leg failed.

    Args:
        failed: How the leg ended.
        rehearsal: The whole of it.
        first: Whether it was the first leg, after which the catalogue was read.
        revisions: Those of the leg, in its order.
        dialect: MySQL and MariaDB commit with every DDL statement.
    """
    saw = rehearsal.saw
    kept = _committed([s for s in saw.sent if s.leg == failed.leg], failed, dialect)
    read = first and (bool(saw.there) or not saw.before)
    things = tuple(d.text for d in differences(saw.before, saw.there)) if read else None
    earlier = revisions[: revisions.index(failed.revision)] if failed.revision in revisions else ()
    applied = next((r for r in reversed(earlier) if any(s.revision == r for s in kept)), "")
    return Left(things=things, statements=kept, applied=applied)


def _committed(sent: Sequence[Sent], failed: Failed, dialect: str) -> tuple[Sent, ...]:
    done = sent[:-1] if sent and failed.sql and _same(sent[-1].sql, failed.sql) else sent
    ends = 0
    if dialect in {"mysql", "mariadb"}:
        # The failing statement has committed what came before it, if it is DDL.
        ends = len(done) if _COMMITS.match(failed.sql or "") else 0
        ends = max([ends, *(n for n, s in enumerate(done, start=1) if _COMMITS.match(s.sql))])
    return tuple(s for n, s in enumerate(done) if n < ends or s.committed)


def _same(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter].split() == other[:shorter].split()


def said(failed: Failed) -> str:
    """The kind of the error and its words, each once."""
    error = " ".join(failed.error.split())
    return error if error.startswith(failed.kind) else f"{failed.kind}: {error}"


def evidence(failed: Failed, note: str) -> str:
    """What failed, where, over which rows."""
    error = " ".join(failed.error.split())
    parts = [said(failed)]
    if failed.constraint and failed.constraint not in error:
        parts.append(f"constraint {failed.constraint}")
    if failed.table and failed.table not in error:
        parts.append(f"table {failed.table}")
    if failed.keys:
        parts.append(f"rows in the way have the keys {', '.join(failed.keys)}")
    parts.append(f"at {place(failed)}")
    if failed.sql:
        parts.append(f"statement: {' '.join(failed.sql.split())[:_STATEMENT]}")
    return "; ".join([*parts, *([note] if note else [])])


def place(failed: Failed) -> str:
    """Where the revision sent the statement."""
    file = failed.file or (f"revision {failed.revision}" if failed.revision else "the revision")
    return f"{file}, line {failed.line}" if failed.line else file


def stays(found: Left) -> str:
    """What is left behind, as evidence."""
    if found.nothing:
        return "nothing of it stays"
    parts = list[str]()
    if found.applied:
        parts.append(f"{found.applied} stays applied")
    if found.things:
        parts.append(f"left behind: {_some(found.things)}")
    elif found.statements and not (found.things == () and not _rows(found.statements)):
        parts.append(f"committed before it: {_some([_short(s) for s in found.statements])}")
    return "; ".join(parts) or "nothing of it stays"


def _rows(statements: Sequence[Sent]) -> bool:
    return any(s.rows for s in statements)


def undo(found: Left, way: Literal["upgrade", "downgrade"]) -> str:
    """What to do after it has happened."""
    if stays(found) == "nothing of it stays":
        return "Nothing of it stays, so nothing has to be cleared up before the next try."
    resume = (
        f"Revisions up to {found.applied} are done and are not run again. " if found.applied else ""
    )
    return (
        f"{resume}If it has happened: undo by hand what is left behind, as the {way} begins anew "
        "with the failed revision; or split that revision, so that each part can be run again."
    )


def _short(sent: Sent) -> str:
    return " ".join(sent.sql.split())[:80]


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more
