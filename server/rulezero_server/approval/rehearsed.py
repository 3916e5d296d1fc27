"""What a rehearsal showed, in the words and pictures of the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from rulezero_policies.estimates import told
from rulezero_policies.failures import said
from rulezero_policies.rehearsal import Failed, Judged, Leg, State
from rulezero_server.approval.timeline import LegView, duration, leg_name, place, timeline


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One line of what was asked of the rehearsal; `passed` is None where it could not be told."""

    label: str
    passed: bool | None


@dataclass(frozen=True, kw_only=True)
class Broke:
    """A leg that failed, with its evidence."""

    name: str
    place: str
    error: str
    about: str
    sql: str | None


@dataclass(frozen=True, kw_only=True)
class RehearsalView:
    """Everything that the page says of a rehearsal, or why there was none."""

    reason: str
    mend: str
    ways: str
    where: str
    rows: str
    seconds: str
    more: str
    checks: tuple[Checked, ...]
    failed: tuple[Broke, ...]
    differ: str
    differences: tuple[str, ...]
    lost: tuple[str, ...]
    remaining: tuple[str, ...]
    unreadable: tuple[str, ...]
    estimates: tuple[str, ...]
    not_shown: tuple[str, ...]
    lacks: tuple[str, ...]
    legs: tuple[LegView, ...]


def rehearsal_view(judged: Judged) -> RehearsalView:
    """A plan's rehearsal as the page shows it."""
    states = legs(judged)
    return RehearsalView(
        reason=judged.reason,
        mend=judged.mend,
        ways="down and up again" if judged.direction == "downgrade" else "up, down and up again",
        where=judged.where,
        rows=judged.rows,
        seconds=duration(judged.seconds),
        more=_more(judged),
        checks=tuple(_checks(judged, states)),
        failed=tuple(_broke(judged, failed) for failed in judged.failed),
        differ=_differ(judged),
        differences=tuple(d.text for d in judged.differences),
        lost=judged.lost,
        remaining=judged.remaining or (),
        unreadable=judged.unreadable,
        estimates=tuple(map(told, judged.estimates)),
        not_shown=judged.not_shown,
        lacks=judged.lacks,
        legs=tuple(
            leg
            for leg in timeline(states, judged.timeline, judged.failed, judged.direction)
            if leg.rows
        ),
    )


def legs(judged: Judged) -> dict[Leg, State]:
    """How each way ended, in the order in which they were gone."""
    states: dict[Leg, State] = {
        "upgrade": judged.upgrade,
        "downgrade": judged.downgrade,
        "reupgrade": judged.reupgrade,
    }
    if judged.direction == "upgrade":
        return states
    back: Leg = "reupgrade" if judged.upgrade == "skipped" else "upgrade"
    return {"downgrade": judged.downgrade, back: states[back]}


def _checks(judged: Judged, states: dict[Leg, State]) -> Iterable[Checked]:
    for leg, state in states.items():
        passed = None if state == "skipped" else state == "ok"
        yield Checked(label=f"{leg_name(leg, judged.direction)} goes through", passed=passed)
    back = "Going back up" if judged.direction == "downgrade" else "The downgrade"
    yield Checked(label=f"{back} restores the schema", passed=judged.schema_restored)
    yield Checked(label=f"{back} restores the data", passed=judged.data_restored)
    if judged.direction == "upgrade":
        agree = None if judged.remaining is None else not judged.remaining
        yield Checked(label="Models and database agree after the upgrade", passed=agree)


def _broke(judged: Judged, failed: Failed) -> Broke:
    hit = ", ".join(
        f"{what} {name}"
        for what, name in (("table", failed.table), ("constraint", failed.constraint))
        if name
    )
    keys = f"rows in the way: {', '.join(failed.keys)}" if failed.keys else ""
    return Broke(
        name=leg_name(failed.leg, judged.direction),
        place=place(failed),
        error=said(failed),
        about="; ".join(part for part in (hit, keys) if part),
        sql=failed.sql,
    )


def _differ(judged: Judged) -> str:
    """What the differences are differences from."""
    first: State = judged.downgrade if judged.direction == "downgrade" else judged.upgrade
    if first == "failed":
        return "What the failed run left behind"
    if judged.direction == "downgrade":
        return "What going back up does not restore"
    return "What the downgrade does not restore"


def _more(judged: Judged) -> str:
    shown = len(judged.timeline)
    if judged.statements <= shown:
        return ""
    return f"{shown} of the {judged.statements:,} statements are shown"
