"""What the page shows of a rehearsal."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page
from rich.console import Console

from rulezero_policies.plan import Plan
from rulezero_policies.rehearsal import Judged, Lock, Sent
from rulezero_server.approval.rehearsed import legs, rehearsal_view
from rulezero_server.approval.timeline import LegView, duration, timeline
from rulezero_server.cli import show
from rulezero_tools.answering import Waiting

Http = Callable[..., Any]


def sent(number: int, **more: Any) -> Sent:
    """The statement that begins after `number` seconds, and takes one."""
    given: dict[str, Any] = {"leg": "upgrade", "sql": f"SELECT {number}", "transaction": 1}
    given.update(more)
    return Sent(start=float(number), seconds=1.0, **given)


def drawn(*statements: Sent) -> LegView:
    (leg,) = timeline({"upgrade": "ok"}, statements, ())
    return leg


def elements(leg: LegView, tag: str, kind: str) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(str(leg.svg)).iter(tag)
    return [e for e in found if kind in (e.get("class") or "").split()]


def texts(leg: LegView, kind: str) -> list[str]:
    return [e.text or "" for e in elements(leg, "text", kind) if "wide" in str(e.get("class"))]


def span(bar: ElementTree.Element) -> tuple[str | None, str | None]:
    return bar.get("x"), bar.get("width")


@pytest.mark.proves("D02")
def test_each_statement_is_a_bar_where_and_as_long_as_it_ran() -> None:
    leg = drawn(sent(0), sent(2), sent(3))
    bars = [span(bar) for bar in elements(leg, "rect", "ran")]
    assert bars == [("0.0%", "25.0%"), ("50.0%", "25.0%"), ("75.0%", "25.0%")]
    assert texts(leg, "statement") == ["1 SELECT 0", "2 SELECT 2", "3 SELECT 3"]
    assert [e.text for e in elements(leg, "text", "time")] == ["1.0 s"] * 3


def test_all_legs_are_on_one_scale() -> None:
    long = (sent(0), sent(9))
    short = (sent(20, leg="downgrade"),)
    up, down = timeline({"upgrade": "ok", "downgrade": "ok"}, (*long, *short), ())
    assert span(elements(up, "rect", "ran")[1]) == ("90.0%", "10.0%")
    assert span(elements(down, "rect", "ran")[0]) == ("0.0%", "10.0%")
    assert (up.seconds, down.seconds) == ("10.0 s", "1.0 s")


def test_a_lock_reaches_to_the_end_of_its_transaction() -> None:
    locks = (Lock(relation="users", mode="AccessExclusiveLock"),)
    leg = drawn(sent(0), sent(1, locks=locks), sent(2), sent(3, transaction=2))
    (bar,) = elements(leg, "rect", "held")
    assert span(bar) == ("25.0%", "50.0%")
    assert texts(leg, "lock") == ["users: AccessExclusiveLock, reads and writes wait"]


def test_a_lock_that_nobody_waits_for_is_in_the_table_alone() -> None:
    leg = drawn(sent(0, locks=(Lock(relation="users", mode="RowExclusiveLock"),)))
    assert elements(leg, "rect", "held") == []
    assert leg.rows[0].locks == "users RowExclusiveLock"


def test_a_rewrite_and_an_index_build_are_marked() -> None:
    leg = drawn(sent(0, rewrites=("users",), builds=("ix_users",)), sent(1))
    assert len(elements(leg, "rect", "heavy")) == 1
    assert texts(leg, "mark") == ["rewrites users; builds ix_users"]
    (spoken,) = ElementTree.fromstring(str(leg.svg)).iter("desc")
    assert spoken.text == "Statement 1 rewrites users, builds ix_users"


def test_what_stands_outside_or_was_rolled_back_or_told_its_algorithm_says_so() -> None:
    leg = drawn(
        sent(0, transaction=None, locks=None), sent(1, committed=False), sent(2, algorithm="COPY")
    )
    assert [row.marks for row in leg.rows] == [
        ("outside a transaction",),
        ("rolled back",),
        ("ALGORITHM=COPY",),
    ]
    assert leg.rows[0].locks == "could not be seen"


def test_a_leg_that_failed_marks_where(rehearsed: Judged) -> None:
    (*_, again) = timeline(legs(rehearsed), rehearsed.timeline, rehearsed.failed)
    assert again.state == "failed"
    assert len(elements(again, "rect", "failed")) == 1
    assert texts(again, "statement")[0].startswith("1 ✗ ALTER TABLE")


def test_of_many_statements_the_weightiest_are_drawn_and_the_rest_counted() -> None:
    many = [sent(n) for n in range(40)]
    many[20] = sent(20, rewrites=("users",))
    locked = [
        sent(n, transaction=n, locks=(Lock(relation=f"t{n}", mode="ShareLock"),))
        for n in range(40, 50)
    ]
    leg = drawn(*many, *locked)
    assert len(elements(leg, "text", "statement")) == 2 * 16
    assert "21 SELECT 20" in texts(leg, "statement")
    assert texts(leg, "statement")[-1] == "50 SELECT 49"
    assert texts(leg, "soft") == [
        "… and 34 more statements that took less",
        "… and 2 more locks held for less",
    ]
    assert len(leg.rows) == 50


def test_names_are_text_and_nothing_in_them_is_hidden() -> None:
    nasty = '"><script>\u202e' + "x" * 300
    locks = (Lock(relation=nasty, mode="AccessExclusiveLock"),)
    leg = drawn(sent(0, sql=nasty, revision=nasty, locks=locks, rewrites=(nasty,)))
    assert "<script>" not in str(leg.svg)
    assert "\u202e" not in str(leg.svg)
    assert max(len(text) for text in texts(leg, "statement")) == 78


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "under 1 ms"), (0.0123, "12 ms"), (5.26, "5.3 s"), (400, "6.7 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_rollback_goes_down_and_up_again() -> None:
    for back in ("upgrade", "reupgrade"):
        shown = rehearsal_view(
            replace(
                Judged(direction="downgrade", downgrade="ok", schema_restored=True),
                **{back: "ok"},
            )
        )
        assert [(c.label, c.passed) for c in shown.checks] == [
            ("Downgrade goes through", True),
            ("Upgrade back goes through", True),
            ("Going back up restores the schema", True),
            ("Going back up restores the data", None),
        ]
        assert shown.differ == "What going back up does not restore"


def test_the_kind_of_an_error_is_said_once(rehearsed: Judged) -> None:
    (failed,) = rehearsed.failed
    raised = replace(failed, kind="ValueError", error="ValueError: no way back")
    for one, words in (
        (failed, "UniqueViolation: could not create unique index: a key is duplicated"),
        (raised, "ValueError: no way back"),
    ):
        shown = rehearsal_view(replace(rehearsed, failed=(one,)))
        assert [broke.error for broke in shown.failed] == [words]


def test_differences_after_a_failed_first_leg_are_what_it_left_behind() -> None:
    assert rehearsal_view(Judged(upgrade="failed")).differ == "What the failed run left behind"


@pytest.mark.proves("D02")
def test_the_page_shows_what_the_rehearsal_showed(
    counter: Any, critical: Plan, rehearsed: Judged, http: Http
) -> None:
    plan = replace(critical, rehearsal=replace(rehearsed, statements=12))
    text = http(counter.url(plan)).text
    for said in (
        "on PostgreSQL 18.1, embedded, with all 1,204 rows, in 1.2 s",
        "Upgrade again failed: b2f0c1d4e5a6, line 14",
        "UniqueViolation: could not create unique index: a key is duplicated",
        "table tasks, constraint uq_title; rows in the way: 3, 17",
        "unique constraint tasks_code_key on tasks is missing",
        "1,204 values of tasks.code: it is dropped, and comes back empty",
        "add column labels.colour",
        "tasks: an estimate of 7 min to 20 min on 2,400,000 rows",
        "Task could not be read in 30 s",
        "extension postgis: the server does not have it",
        "9 of the 12 statements are shown",
    ):
        assert said in text


def test_who_decides_in_a_terminal_sees_the_rehearsal_too(
    counter: Any, critical: Plan, rehearsed: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(critical, rehearsal=rehearsed)
    out = io.StringIO()
    monkeypatch.setattr(show, "console", Console(file=out, width=80))
    show.question(Waiting(plan=plan, challenge=counter.ask(plan)))
    assert "Rehearsal  on PostgreSQL 18.1, embedded" in out.getvalue()
    assert "unique constraint tasks_code_key on tasks is missing" in out.getvalue()


def test_the_page_says_why_there_was_no_rehearsal_and_what_to_do(
    counter: Any, safe: Plan, http: Http
) -> None:
    none = Judged(reason="the file is larger than 200 megabytes", mend="Raise it in policy.toml.")
    text = http(counter.url(replace(safe, rehearsal=none))).text
    assert "<strong>Not rehearsed:</strong> the file is larger than 200 megabytes" in text
    assert "Raise it in policy.toml." in text
    assert "svg" not in text.partition("<h2>Rehearsal</h2>")[2].partition("<h2>Findings")[0]
    assert "<h2>Rehearsal</h2>" not in http(counter.url(safe)).text


def test_the_picture_has_a_name_a_description_and_a_table_beside_it(
    counter: Any, critical: Plan, rehearsed: Judged, tab: Page
) -> None:
    tab.goto(counter.url(replace(critical, rehearsal=rehearsed)))
    picture = tab.get_by_role("img", name="Upgrade, ok: 5 statements in 560 ms")
    assert picture.count() == 1
    assert picture.bounding_box() is not None
    assert tab.locator("figure.leg table").count() == 3
    tab.locator("figure.leg summary").first.click()
    cells = tab.locator("figure.leg table").first.locator("tbody tr").nth(1).inner_text()
    assert "b2f0c1d4e5a6, line 15" in cells
    assert "rewrites tasks; builds tasks_pkey" in cells


@pytest.mark.parametrize("width", [320, 900])
def test_every_text_of_the_picture_is_inside_a_narrow_and_a_wide_window(
    counter: Any, critical: Plan, rehearsed: Judged, open_tab: Callable[..., Page], width: int
) -> None:
    long = replace(rehearsed.timeline[0], sql="ALTER TABLE " + "a_very_long_name" * 12)
    plan = replace(critical, rehearsal=replace(rehearsed, timeline=(long, *rehearsed.timeline)))
    tab = open_tab(viewport={"width": width, "height": 640})
    tab.goto(counter.url(plan))
    outside = """[...document.querySelectorAll("svg.timeline text")]
      .filter((e) => e.getClientRects().length)
      .filter((e) => e.getBoundingClientRect().right > innerWidth).length"""
    crossing = """[...document.querySelectorAll("svg.timeline g")].filter((g) => {
      const shown = [...g.querySelectorAll("text")].filter((e) => e.getClientRects().length);
      const [a, b] = shown.slice(0, 2).map((e) => e.getBoundingClientRect());
      return a.right > b.left;
    }).length"""
    assert tab.evaluate(outside) == 0
    assert tab.evaluate(crossing) == 0
    assert tab.evaluate("document.documentElement.scrollWidth") == width
