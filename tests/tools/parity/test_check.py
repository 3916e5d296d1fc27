"""PASS or FAIL: what is a reason, what is only told, and what a report shows of much."""

from dataclasses import replace

import pytest

from rulezero_policies.parity import safety
from rulezero_policies.parity.consolidation import Consolidation
from rulezero_policies.parity.gap import Duplicate, Gap, Hollow, Missing, Unknown
from rulezero_policies.parity.schema import DatabaseGap, SchemaGap
from rulezero_policies.parity.values import Layout, Service
from rulezero_tools.parity import report, verdict
from rulezero_tools.parity.found import Found
from rulezero_tools.parity.smoke import SmokeResult
from rulezero_tools.parity.stores import StoreCheck
from rulezero_tools.parity.views import MOST, shortened, viewed

LAYOUT = Layout(
    production="production",
    baseline=("example",),
    services=(Service(name="api", folder="api"),),
    sources=(),
)
EVEN = Found(layout=LAYOUT, gap=Gap(), consolidation=Consolidation(root=".env.production"))


def lacking(key: str, *, required: bool = True, read: bool = True) -> Missing:
    return Missing(
        service="api",
        environment="production",
        key=key,
        needed_by=("api/app.py:3",),
        required=required,
        default=None if required else "other",
        read=read,
    )


def with_gap(gap: Gap) -> Found:
    return replace(EVEN, gap=gap)


@pytest.mark.proves("B01")
def test_nothing_that_differs_is_a_pass() -> None:
    assert verdict.reasons(EVEN) == ()
    assert verdict.verdict(()) == "PASS"


@pytest.mark.proves("B01", "B02")
def test_a_key_is_a_reason_only_where_nothing_stands_in_for_it() -> None:
    found = with_gap(
        Gap(missing=(lacking("TOKEN"), lacking("LEVEL", required=False), unread("OLD")))
    )
    assert verdict.reasons(found) == ("api lacks TOKEN: the code fails without it (api/app.py:3)",)
    asked = replace(lacking("MAYBE", required=False), default=None)
    [reason] = verdict.reasons(with_gap(Gap(missing=(asked,))))
    assert reason == "api lacks MAYBE: others have it (api/app.py:3)"
    told = "\n".join(verdict.notes(found))
    assert "LEVEL: goes by its default" in told
    assert "OLD: nothing was found to read it" in told


def unread(key: str) -> Missing:
    return replace(lacking(key, required=False, read=False), default=None)


@pytest.mark.proves("B01")
def test_a_placeholder_and_values_that_disagree_are_reasons() -> None:
    place = {"service": "api", "environment": "production", "path": "api/.env.production"}
    hollow = Hollow(key="TOKEN", line=4, shape="placeholder", needed_by=(), **place)
    twice = Duplicate(key="MODE", lines=(1, 9), conflicting=True, **place)
    alike = Duplicate(key="LEVEL", lines=(2, 3), conflicting=False, **place)
    reasons = verdict.reasons(with_gap(Gap(hollow=(hollow,), duplicates=(twice, alike))))
    assert len(reasons) == 2
    assert "is a placeholder: a person fills in the value" in reasons[0]
    assert "sets MODE more than once, to different values (lines 1, 9)" in reasons[1]


@pytest.mark.proves("B01")
def test_what_could_not_be_looked_at_is_never_a_pass() -> None:
    unknown = Unknown(service="api", environment="production", why="api/.env is binary")
    assert "is not known" in verdict.reasons(with_gap(Gap(unknown=(unknown,))))[0]
    assert verdict.reasons(replace(EVEN, no_schema="production's database is not known"))
    assert verdict.reasons(replace(EVEN, not_run="not tried: no shadow"))
    assert verdict.reasons(replace(EVEN, layout=replace(LAYOUT, problems=("a.env is binary",))))
    tried = safety.none("no shadow can be made")
    assert "not known: existing database opens: no shadow can be made" in verdict.reasons(
        replace(EVEN, safety=(tried,))
    )


@pytest.mark.proves("B11")
def test_rows_that_a_protected_database_lends_to_nobody_are_told_and_fail_nothing() -> None:
    whole = safety.none("rows are not copied")
    ok = tuple(
        replace(check, state="ok") if check.name != "old data reads" else check
        for check in whole.checks
    )
    found = replace(EVEN, safety=(replace(whole, checks=ok),))
    assert verdict.reasons(found) == ()
    assert verdict.notes(found) == ("not known: old data reads: it was not tried",)


@pytest.mark.proves("B09", "B10")
def test_a_declared_store_that_breaks_fails_and_a_guess_is_only_told() -> None:
    store = StoreCheck(
        name="notes",
        service="api",
        interface="app:Store",
        store=None,
        fallback="app:Memory",
        guessed=False,
        breaks=("get is missing",),
    )
    assert "get is missing" in verdict.reasons(replace(EVEN, stores=(store,)))[0]
    guess = replace(EVEN, stores=(replace(store, guessed=True),))
    assert verdict.reasons(guess) == ()
    assert "a guess by its name" in verdict.notes(guess)[0]
    smoke = SmokeResult(
        name="pinned", service="api", kind="route", target="/", outcome="failed", seen="status 404"
    )
    assert "status 404" in verdict.reasons(replace(EVEN, smoke=(smoke,)))[0]


@pytest.mark.proves("B12")
def test_a_long_report_is_cut_and_says_how_much_more_there_is() -> None:
    missing = tuple(lacking(f"KEY_{n}") for n in range(40))
    found = replace(
        with_gap(Gap(missing=missing)),
        schema=SchemaGap(production="production", databases=(DatabaseGap(drift=None),)),
    )
    reasons = verdict.reasons(found)
    told = report.report(found, reasons, ("Call `plan_parity`.",))
    assert told.count("\n## ") == len(report.SECTIONS)
    assert f"- and {40 - report.SHOWN} more" in told
    assert "**Not as the revisions made it**\n- not known" in told
    shown = shortened(viewed(found, reasons, report=told, next_step="again"))
    assert len(shown.environment.missing) == MOST
    assert shown.not_shown == 2 * (40 - MOST)
    assert shown.schema.drift is None
