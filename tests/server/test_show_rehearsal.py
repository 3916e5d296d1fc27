"""A rehearsal in a terminal, and what is being done while it lasts."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from rulezero_server.cli import progress, timeline
from rulezero_tools.results import Beat, Rehearsal


@pytest.fixture
def rehearsal() -> Rehearsal:
    """Up and down went through; the way back misses an index."""
    return Rehearsal(
        ran=True,
        where="PostgreSQL 18.1, embedded",
        rows="all 1,204 rows",
        upgrade="ok",
        downgrade="ok",
        reupgrade="failed",
        schema_restored=False,
        data_restored=True,
        differences=("index ix_tasks_title on tasks is missing",),
        remaining=None,
        not_shown=("the rows of events: it has more than 100,000",),
        lacks=("extension postgis",),
        timeline=(
            Beat(
                leg="upgrade",
                sql="ALTER TABLE tasks ALTER COLUMN id TYPE BIGINT USING id::bigint",
                start=0.0,
                seconds=0.412,
                place="b2f0c1d4e5a6, line 15",
                locks=("tasks AccessExclusiveLock",),
                rewrites=("tasks",),
                builds=("tasks_pkey",),
            ),
            Beat(leg="downgrade", sql="DROP INDEX ix_tasks_title", start=0.5, seconds=1.26),
            Beat(leg="reupgrade", sql="CREATE TABLE [/x] (id int)", start=1.8, seconds=0.002),
        ),
        statements=3,
        seconds=1.2,
        error="reupgrade: relation [bold]tasks already exists",
    )


def shown(value: Rehearsal, width: int = 80) -> str:
    out = io.StringIO()
    timeline.show(Console(file=out, width=width, highlight=False), value)
    return out.getvalue()


@pytest.mark.proves("D02")
def test_the_terminal_shows_the_legs_what_they_proved_and_each_statement(
    rehearsal: Rehearsal,
) -> None:
    text = shown(rehearsal)
    for line in (
        "Rehearsal  on PostgreSQL 18.1, embedded, with all 1,204 rows, 1.2 s",
        "✓ upgrade 412 ms   ✓ downgrade 1.3 s   ✗ upgrade again 2 ms",
        "✗ schema restored   ✓ data restored   ? models and database agree",
        "relation [bold]tasks already exists",
        "    index ix_tasks_title on tasks is missing",
        "    the rows of events: it has more than 100,000",
        "    extension postgis",
        "CREATE TABLE [/x]",
    ):
        assert line in text
    did = [line[58:].strip() for line in text.splitlines() if line.startswith(" " * 50)]
    assert [line for line in did if line] == ["builds tasks_pkey", "tasks", "AccessExclusiveLock"]
    assert "↓  DROP INDEX" in text


@pytest.mark.parametrize("width", [80, 200])
def test_no_line_is_wider_than_the_terminal(rehearsal: Rehearsal, width: int) -> None:
    long = replace(rehearsal.timeline[0], sql="SELECT " + "x" * 500, place="versions/" + "y" * 90)
    text = shown(replace(rehearsal, timeline=(long, *rehearsal.timeline)), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" in text


def test_a_long_file_is_cut_and_its_line_kept(rehearsal: Rehearsal) -> None:
    beat = replace(rehearsal.timeline[0], place="b2f0c1d4e5a6_drop_the_code.py:15")
    assert "b2f0c1d4e5a6…:15" in shown(replace(rehearsal, timeline=(beat,)))


def test_of_many_statements_the_longest_are_shown_and_the_rest_counted(
    rehearsal: Rehearsal,
) -> None:
    quick, slow = rehearsal.timeline[1], replace(rehearsal.timeline[1], sql="SLOW", seconds=9.0)
    text = shown(replace(rehearsal, timeline=(*(quick,) * 40, slow), statements=90))
    assert (text.count("DROP INDEX"), text.count("SLOW")) == (24, 1)
    assert "… 65 more statements that took less" in text
    assert "✓ downgrade   ✗" in text


def test_a_rehearsal_that_did_not_take_place_says_why_and_what_to_do() -> None:
    assert shown(Rehearsal(ran=False)) == ""
    text = shown(Rehearsal(ran=False, reason="the file is too large", mend="Allow it."))
    assert text == "\nNot rehearsed\n  the file is too large\n  → Allow it.\n"


def test_what_is_hidden_in_a_statement_is_written_out(rehearsal: Rehearsal) -> None:
    nasty = replace(rehearsal.timeline[1], sql="DROP \u202e\x1b[2J")
    assert not {"\u202e", "\x1b"} & set(shown(replace(rehearsal, timeline=(nasty,))))


def written(*texts: str, **options: Any) -> str:
    out = io.StringIO()
    with progress.shown(Console(file=out, width=100, **options)) as say:
        for text in texts:
            say(text)
    return out.getvalue()


def test_what_is_being_done_is_shown_on_a_terminal_alone() -> None:
    assert written("rehearsing: upgrade 3 of 7, a1b2c3") == ""
    text = written("rehearsing: upgrade 3 of 7, [b]a1b2c3", force_terminal=True)
    assert "rehearsing: upgrade 3 of 7, [b]a1b2c3" in text


def test_what_is_being_done_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown() as say:
        say("reading")
    assert capsys.readouterr().out == ""
