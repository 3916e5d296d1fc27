"""Long results are cut where a model's window would be flooded, and say so."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.operations import Column, Operation
from rulezero_tools.analyze import analyze
from rulezero_tools.ports import Session
from rulezero_tools.reading import get_plan
from rulezero_tools.review import review
from rulezero_tools.shorten import SHOWN, shortened


def many(count: int) -> tuple[Operation, ...]:
    return tuple(
        Operation(kind="add_column", table="tasks", column=Column(name=f"c{n}", type="TEXT"))
        for n in range(count)
    )


def test_a_short_result_stays_as_it_is(session: Session) -> None:
    result = analyze(session)
    assert shortened(result) == result


@pytest.mark.parametrize("count", [SHOWN + 1, 300])
def test_a_long_result_is_cut_counted_and_readable_as_a_whole(
    session: Session, project: Any, count: int
) -> None:
    project.wanted = many(count)
    project.generate("many")
    full = review(session)
    short = shortened(full)
    assert len(short.changes) == SHOWN
    assert f"Not shown: {count - SHOWN} more changes" in short.next_step
    assert "get_plan" in short.next_step
    assert replace(short, changes=full.changes, next_step=full.next_step) == full
    plan_id = short.plan_id or ""
    pages = get_plan(session, plan_id=plan_id, section="changes").pages
    texts = [
        get_plan(session, plan_id=plan_id, section="changes", page=n + 1).text for n in range(pages)
    ]
    assert "".join(texts).count("add column") == count
