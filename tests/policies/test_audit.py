"""The audit trail shows every alteration."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.audit import GENESIS, Entry, broken_at, chained, what_is_wrong

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


# --- what is wrong, in words ---


def _head(trail: list[Entry]) -> tuple[int, str]:
    return (trail[-1].sequence, trail[-1].hash) if trail else (0, GENESIS)


@given(TRAILS)
def test_nothing_is_wrong_with_a_whole_trail(trail: list[Entry]) -> None:
    assert what_is_wrong(trail, head=_head(trail)) is None
    assert what_is_wrong([], head=(0, GENESIS)) is None


@pytest.mark.proves("D10")
@given(TRAILS, st.data())
def test_a_trail_whose_end_was_cut_off_is_found(trail: list[Entry], data: st.DataObject) -> None:
    kept = trail[: data.draw(st.integers(0, len(trail) - 1))]
    said = what_is_wrong(kept, head=_head(trail))
    assert said is not None
    assert said.startswith(f"cut off at the end: after entry {len(kept)}, ")
    assert str(len(trail)) in said


@pytest.mark.proves("D10")
@given(TRAILS, st.data())
def test_a_noted_head_must_still_be_in_the_trail(trail: list[Entry], data: st.DataObject) -> None:
    noted = data.draw(st.sampled_from(trail)).hash
    assert what_is_wrong(trail, head=_head(trail), expect=noted) is None
    assert what_is_wrong(trail, head=_head(trail), expect=GENESIS) is None
    other = _trail([f"{e.detail}, rewritten" for e in trail])
    said = what_is_wrong(other, head=_head(other), expect=noted)
    assert said == (f"no entry has the hash {noted}: the trail is not the one it was noted from")


def _altered(trail: list[Entry]) -> None:
    trail[1] = replace(trail[1], detail="x")


def _replaced(trail: list[Entry]) -> None:
    trail[1] = chained(replace(trail[1], detail="x"))


def _removed(trail: list[Entry]) -> None:
    del trail[1]


def _moved(trail: list[Entry]) -> None:
    trail[1], trail[2] = trail[2], trail[1]


def _cut(trail: list[Entry]) -> None:
    del trail[3]


def _cut_more(trail: list[Entry]) -> None:
    del trail[1:]


def _went_on(trail: list[Entry]) -> None:
    added = replace(trail[3], sequence=5, previous=trail[3].hash)
    trail.append(chained(added))


def _last_replaced(trail: list[Entry]) -> None:
    trail[3] = chained(replace(trail[3], detail="x"))


@pytest.mark.proves("D10")
@pytest.mark.parametrize(
    ("tampered", "said"),
    [
        (_altered, "entry 2 was altered"),
        (_replaced, "entry 3 does not follow the one before it: what was there was replaced"),
        (_removed, "entry 2 was removed"),
        (_moved, "the entries are out of order from entry 2 on"),
        (_cut, "cut off at the end: after entry 3, entry 4 is gone"),
        (_cut_more, "cut off at the end: after entry 1, entries to 4 are gone"),
        (_went_on, "the head names entry 4, but entries to 5 follow it"),
        (_last_replaced, "entry 4 is not the one that the head names: it was replaced"),
    ],
)
def test_what_was_done_to_a_trail_is_said(
    tampered: Callable[[list[Entry]], None], said: str
) -> None:
    trail = _trail(["a", "b", "c", "d"])
    head = _head(trail)
    tampered(trail)
    assert what_is_wrong(trail, head=head) == said
