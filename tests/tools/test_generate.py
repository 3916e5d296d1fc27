"""A revision is written from an analysis that still holds, and from nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.errors import (
    AnalysisStale,
    NoChanges,
    OutOfOrder,
    RulezeroError,
    TokenRefused,
    UnknownAnalysis,
)
from rulezero_policies.grant import TOKEN_PREFIX
from rulezero_policies.operations import Column, Operation
from rulezero_tools.analyze import analyze
from rulezero_tools.generate import generate
from rulezero_tools.ports import Session

DROP = Operation(kind="drop_column", table="tasks", column=Column(name="code", type="VARCHAR(20)"))


@pytest.mark.proves("A09", "C03")
def test_models_that_changed_since_a_safe_analysis_write_nothing(
    session: Session, project: Any
) -> None:
    analysis = analyze(session)
    assert analysis.risk == "SAFE"
    project.wanted = (DROP,)
    with pytest.raises(AnalysisStale):
        generate(session, analysis_id=analysis.analysis_id, message="quietly drop")
    assert project.revisions == {}


def test_models_that_agree_with_the_database_again_write_nothing(
    session: Session, project: Any
) -> None:
    analysis = analyze(session)
    project.wanted = ()
    with pytest.raises(NoChanges):
        generate(session, analysis_id=analysis.analysis_id, message="x")
    assert project.revisions == {}


@pytest.mark.proves("A02")
def test_an_analysis_of_another_environment_or_project_is_unknown(
    session: Session, project: Any
) -> None:
    analysis = analyze(session)
    for other in (replace(project, environment="prod"), replace(project, name="/projects/other")):
        elsewhere = replace(session, project=other)
        with pytest.raises(UnknownAnalysis):
            generate(elsewhere, analysis_id=analysis.analysis_id, message="x")


@pytest.mark.proves("A09", "C02")
def test_a_critical_revision_is_not_written_with_an_invented_token(
    session: Session, dropping: Any
) -> None:
    session = replace(session, project=dropping)
    analysis = analyze(session)
    for token in ("yes", TOKEN_PREFIX + "0" * 64):
        with pytest.raises(TokenRefused):
            generate(session, analysis_id=analysis.analysis_id, message="x", token=token)
    assert dropping.revisions == {}


@pytest.mark.proves("D10", "A02")
def test_every_refusal_to_write_is_recorded(session: Session, project: Any) -> None:
    analysis = analyze(session)

    def refused_with(error: type[RulezeroError], analysis_id: str = analysis.analysis_id) -> str:
        with pytest.raises(error):
            generate(session, analysis_id=analysis_id, message="x")
        last = session.store.entries()[-1]
        assert last.event == "refused"
        return last.detail

    assert "OutOfOrder" in refused_with(OutOfOrder, "")
    assert "<U+202E>" in refused_with(UnknownAnalysis, "analysis-\u202e")
    project.wanted = (DROP,)
    assert "AnalysisStale" in refused_with(AnalysisStale)
    project.wanted = ()
    assert "NoChanges" in refused_with(NoChanges)
