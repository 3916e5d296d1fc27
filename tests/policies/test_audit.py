"""The audit trail shows every alteration."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.audit import GENESIS, Entry, broken_at, chained

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _trail(details: list[str]) -> list[Entry]:
    trail: list[Entry] = []
    for number, detail in enumerate(details, start=1):
        entry = Entry(
            sequence=number,
            at=NOW + timedelta(seconds=number),
            event="asked",
            project="/srv/shop",
            principal="client-1",
            plan_id=None,
            detail=detail,
            previous=trail[-1].hash if trail else GENESIS,
        )
        trail.append(chained(entry))
    return trail


TRAILS = st.lists(st.text(max_size=8), min_size=2, max_size=6).map(_trail)


@given(TRAILS)
def test_an_untouched_trail_is_whole(trail: list[Entry]) -> None:
    assert broken_at(trail) is None


def test_an_empty_trail_is_whole() -> None:
    assert broken_at([]) is None


@pytest.mark.proves("D10")
@given(TRAILS, st.data())
def test_an_altered_entry_is_found(trail: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 1))
    changes = data.draw(
        st.sampled_from(
            [
                {"detail": trail[at].detail + "x"},
                {"event": "approved"},
                {"principal": "other"},
                {"project": "other"},
                {"plan_id": "plan-1"},
                {"at": NOW},
                {"previous": "f" * 64},
                {"hash": "0" * 64},
                {"sequence": 99},
            ]
        )
    )
    trail[at] = replace(trail[at], **changes)
    assert broken_at(trail) == at + 1


@given(TRAILS, st.data())
def test_an_entry_altered_and_hashed_again_breaks_the_next_one(
    trail: list[Entry], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(trail) - 2))
    trail[at] = chained(replace(trail[at], detail=trail[at].detail + "x"))
    assert broken_at(trail) == at + 2


@given(TRAILS, st.data())
def test_a_removed_entry_is_found(trail: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 2))
    del trail[at]
    assert broken_at(trail) == at + 1


@given(TRAILS, st.data())
def test_two_entries_in_the_wrong_order_are_found(trail: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 2))
    trail[at], trail[at + 1] = trail[at + 1], trail[at]
    assert broken_at(trail) == at + 1
