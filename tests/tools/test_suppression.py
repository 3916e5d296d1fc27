"""A comment sets a warning aside: out of the verdict, before the eyes of whoever approves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.operations import Column, Operation
from rulezero_policies.suppression import Ignore
from rulezero_tools.ports import Session
from rulezero_tools.records import Trace
from rulezero_tools.review import review

CODE = Operation(
    kind="add_column", table="tasks", column=Column(name="code", type="CHAR(8)"), line=12
)
IGNORE = Ignore(rule="char-n", reason="always eight letters", first=12, last=12)


@pytest.fixture
def commented(session: Session, project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`commented(*ignores)`: a pending revision with these comments."""

    def make(*ignores: Ignore) -> None:
        plain = project.trace

        def trace(revisions: Sequence[str], **options: Any) -> tuple[Trace, ...]:
            seen: tuple[Trace, ...] = plain(revisions, **options)
            return tuple(replace(t, tree=replace(t.tree, ignores=ignores)) for t in seen)

        project.wanted = (CODE,)
        project.generate("a revision")
        monkeypatch.setattr(project, "trace", trace)

    return make


def test_without_a_comment_the_warning_counts(session: Session, commented: Any) -> None:
    commented()
    result = review(session)
    assert (result.verdict, result.risk, result.suppressed) == ("NEEDS_CHANGES", "WARNING", ())
    assert result.because.startswith("NEEDS_CHANGES because 1 WARNING finding is")


def test_with_one_it_leaves_the_verdict_and_the_approver_reads_why(
    session: Session, commented: Any
) -> None:
    commented(IGNORE)
    result = review(session)
    assert (result.verdict, result.findings) == ("SAFE", ())
    assert result.because == "SAFE: nothing was found; 1 set aside by a comment."
    assert [s.finding.rule for s in result.suppressed] == ["char-n"]
    (warning,) = result.warnings
    assert "char-n at line 12" in warning
    assert "always eight letters" in warning
    plan = session.store.plan(result.plan_id or "")
    assert plan is not None
    assert plan.suppressed == result.suppressed
    assert plan.warnings == result.warnings


def test_a_comment_does_not_lower_who_has_to_approve(session: Session, commented: Any) -> None:
    commented(IGNORE)
    assert review(session).risk == "WARNING"


def test_a_comment_without_a_reason_sets_nothing_aside(session: Session, commented: Any) -> None:
    commented(replace(IGNORE, reason=""))
    result = review(session)
    (finding,) = result.findings
    assert "without a reason" in finding.evidence
    assert (result.verdict, result.suppressed) == ("NEEDS_CHANGES", ())
