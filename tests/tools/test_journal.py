"""From what a run wrote to what became of each of its statements."""

from typing import Any

import pytest

from rulezero_tools import journal
from rulezero_tools.records import RunState

pytestmark = pytest.mark.proves("D08")


def send(number: int, text: str, *, c: int = 1, alone: bool | None = False) -> dict[str, Any]:
    return {
        "event": "send",
        "n": number,
        "c": c,
        "text": text,
        "reads": False,
        "version": "version" in text,
        "alone": alone,
        "revision": "r2",
        "place": "r2.py, line 1",
    }


def sent(number: int, left: str = "open", **more: Any) -> dict[str, Any]:
    return {"event": "sent", "n": number, "left": left, **more}


def line(event: str, **facts: Any) -> dict[str, Any]:
    return {"event": event, "c": 1, **facts}


def landed(*lines: dict[str, Any], state: RunState = "died") -> list[str]:
    report = journal.read(lines, state=state, error=None, seconds=1.0)
    return [one.landed for one in report.sent]


ONE, TWO = send(1, "INSERT a"), send(2, "INSERT b")


def test_what_was_committed_is_committed() -> None:
    assert landed(ONE, sent(1), line("commit", number="7"), line("committed")) == ["committed"]


def test_what_nobody_can_commit_any_more_is_rolled_back() -> None:
    assert landed(ONE, sent(1), TWO) == ["rolled back", "rolled back"]
    assert landed(ONE, sent(1), TWO, state="running") == ["running", "running"]


def test_a_commit_without_its_end_is_in_doubt_and_keeps_the_transactions_number() -> None:
    lines = [ONE, sent(1), line("commit", number="7")]
    report = journal.read(lines, state="died", error=None, seconds=1.0)
    assert [(s.landed, s.transaction) for s in report.sent] == [("in doubt", "7")]


def test_a_statement_that_commits_by_itself_takes_along_what_stood_open() -> None:
    own = send(2, "ALTER TABLE x", alone=True)
    assert landed(ONE, sent(1), own, sent(2, "committed")) == ["committed", "committed"]
    assert landed(ONE, sent(1), own) == ["in doubt", "in doubt"]


def test_where_it_is_not_known_whether_it_commits_by_itself_it_may() -> None:
    assert landed(send(1, "DO something", alone=None)) == ["in doubt"]


@pytest.mark.parametrize(
    ("left", "lost", "before", "itself"),
    [
        ("open", False, "rolled back", "failed"),
        ("committed", False, "committed", "failed"),
        ("rolled back", False, "rolled back", "failed"),
        ("unknown", False, "in doubt", "failed"),
        ("rolled back", True, "rolled back", "failed"),
    ],
)
def test_a_failure_leaves_what_its_database_left(
    left: str, lost: bool, before: str, itself: str
) -> None:
    failed = {"event": "failed", "n": 2, "left": left, "lost": lost}
    assert landed(ONE, sent(1), TWO, failed) == [before, itself]


def test_a_connection_cut_in_a_statement_that_commits_by_itself_leaves_doubt() -> None:
    failed = {"event": "failed", "n": 2, "left": "rolled back", "lost": True}
    own = send(2, "ALTER TABLE x", alone=True)
    assert landed(ONE, sent(1), own, failed) == ["in doubt", "in doubt"]


def test_going_back_to_a_savepoint_undoes_what_came_after_it() -> None:
    mark, back = send(2, "SAVEPOINT s1"), send(4, 'ROLLBACK TO SAVEPOINT "s1"')
    lines = [ONE, sent(1), mark, sent(2), send(3, "INSERT c"), sent(3), back, sent(4)]
    found = landed(*lines, line("commit", number=None), line("committed"))
    assert found == ["committed", "rolled back", "rolled back", "rolled back"]


def test_a_rollback_in_words_commits_nothing() -> None:
    lines = [ONE, sent(1), send(2, "ROLLBACK"), sent(2, "committed")]
    assert landed(*lines) == ["rolled back", "rolled back"]


def test_a_commit_that_failed_with_the_transaction_is_rolled_back() -> None:
    begun = [ONE, sent(1), line("commit", number=None)]
    assert landed(*begun, line("commit failed", left="rolled back")) == ["rolled back"]
    assert landed(*begun, line("commit failed", left="unknown")) == ["in doubt"]
    tried = [*begun, line("commit failed", left="open"), line("rolled back")]
    assert landed(*tried) == ["rolled back"]


def test_only_the_last_attempt_is_told() -> None:
    lines = [line("attempt", n=1), ONE, sent(1), line("rolled back"), line("attempt", n=2), TWO]
    report = journal.read(lines, state="running", error=None, seconds=1.0)
    assert (report.statements, report.tries) == (("INSERT b",), 2)


def test_lines_that_are_not_known_are_passed_over() -> None:
    assert landed({"no": "event"}, line("lock", held=True)) == []
