"""What stopped a run, in sentences."""

from typing import get_args

import pytest

from rulezero_policies.causes import Cause
from rulezero_policies.findings import Fact, Probe, Question


def cause(count: int | None, sample: tuple[str, ...] = (), probe: Probe = "nulls") -> Cause:
    asked = Question(probe=probe, table="t", column="c")
    rows = Fact(question="NULLs in t.c", count=count, sample=sample, asked=asked)
    return Cause(kind="NotNullViolation", error="null value", rows=rows)


@pytest.mark.proves("A18")
def test_rows_in_the_way_are_counted_and_a_few_keys_named() -> None:
    found = cause(9, ("1", "2", "3", "4", "5", "6"))
    assert found.in_the_way == "In the way: NULLs in t.c: 9 (keys 1, 2, 3, 4, 5)."
    assert found.advice.startswith("Give those rows a value first")
    assert cause(1).in_the_way == "In the way: NULLs in t.c: 1."


@pytest.mark.parametrize("found", [cause(None), Cause(kind="OSError", error="disk full")])
def test_nothing_is_said_of_rows_where_nothing_is_known(found: Cause) -> None:
    assert (found.in_the_way, found.advice) == ("", "")


def test_rows_that_are_not_there_any_more_are_said_to_be_gone() -> None:
    found = cause(0)
    assert found.in_the_way == (
        "There are no NULLs in t.c now: the run brought its own, or they are gone."
    )
    assert found.advice == ""


OF_ROWS = {"nulls", "duplicates", "orphans", "violations", "misfits", "uncastable"}


@pytest.mark.parametrize("probe", sorted(OF_ROWS & set(get_args(Probe))))
def test_there_is_advice_for_every_kind_of_row_in_the_way(probe: Probe) -> None:
    assert cause(1, probe=probe).advice.endswith(".")
