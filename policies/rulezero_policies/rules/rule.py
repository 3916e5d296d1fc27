"""What a rule is: data, and one small function that says where it applies and what was seen."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rulezero_policies.findings import Finding, Outcome, Probe, Severity
from rulezero_policies.scene import Scene, Stage
from rulezero_policies.text import scrub, visible

EVERYWHERE: frozenset[Stage] = frozenset({"models", "revision", "rollback"})
IN_A_FILE: frozenset[Stage] = frozenset({"revision"})
AS_WRITTEN: frozenset[Stage] = frozenset({"revision", "rollback"})
"""How a change is written (in a batch block or not) is only known once there is a revision."""
FORWARD: frozenset[Stage] = frozenset({"models", "revision"})
"""A rollback brings back what was there; how well that was designed is no question then."""

ALL = ("postgresql", "mysql", "sqlite")
POSTGRESQL = ("postgresql",)
MYSQL_ONLY = ("mysql",)
SQLITE = ("sqlite",)
"""The databases a rule can be about; "mysql" stands for MariaDB as well."""

_HEAD = """\
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "{revision}"
down_revision = None
"""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Where a rule applies, and the evidence.

    `severity` and `outcome` stand when the facts say other than the rule; `names` fill the fix.
    """

    subject: str
    evidence: str
    line: int | None = None
    severity: Severity | None = None
    outcome: Outcome | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One hazard.

    `fix` is a template over `subject` and the hit's names. `bad` and `good` are whole revision
    files: the rule fires on `bad`, and no rule at all fires on `good`.
    """

    id: str
    severity: Severity
    outcome: Outcome
    title: str
    why: str
    fix: str
    bad: str
    good: str
    check: Callable[[Scene], Iterable[Hit]]
    stages: frozenset[Stage] = EVERYWHERE
    dialect: str = "postgresql"
    """The dialect in which `bad` and `good` are read."""
    live: Mapping[Probe, tuple[int, tuple[str, ...]]] = field(
        default_factory=dict[Probe, tuple[int, tuple[str, ...]]]
    )
    """What the live database says where `bad` is bad: counts and names; else it is not asked."""
    databases: tuple[str, ...] = ALL
    """The dialects that the rule is about."""
    versions: str = ""
    """Where the version of the database matters, and how."""
    env: Literal["", "external transaction"] = ""
    """What env.py has to do beforehand for `bad` to be bad."""
    source: str = ""
    """Where the facts come from: a manual's page, or what was measured on which versions."""

    def findings(self, scene: Scene) -> Iterator[Finding]:
        """What this rule finds in `scene`."""
        if scene.stage not in self.stages:
            return
        for hit in self.check(scene):
            yield Finding(
                rule=self.id,
                severity=hit.severity or self.severity,
                subject=_clean(hit.subject),
                evidence=_clean(hit.evidence),
                outcome=hit.outcome or self.outcome,
                fix=_clean(self.fix.format(subject=hit.subject, **hit.names)),
                line=hit.line,
            )


def revision(upgrade: str, downgrade: str, *, head: str = "") -> str:
    """A revision file with these bodies, one statement a line.

    Args:
        upgrade: The body of upgrade().
        downgrade: The body of downgrade().
        head: Imports to stand at the top.
    """
    return (
        f"{head}{_HEAD.format(revision='1a2b3c4d5e6f')}\n\n"
        f"def upgrade():\n{_indented(upgrade)}\n\n\ndef downgrade():\n{_indented(downgrade)}\n"
    )


def _indented(body: str) -> str:
    return "\n".join(f"    {line}" for line in body.strip().splitlines())


def _clean(text: str) -> str:
    return visible(scrub(" ".join(text.split())), limit=800)
