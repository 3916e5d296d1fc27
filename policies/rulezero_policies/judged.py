"""What a plan keeps of its rehearsal, and that in words: small, and without anything secret."""

from collections.abc import Sequence
from dataclasses import replace

from rulezero_policies.compared import differences
from rulezero_policies.estimates import estimates
from rulezero_policies.holding import blocks
from rulezero_policies.rehearsal import Failed, Judged, Lock, NotRehearsed, Sent, State
from rulezero_policies.rehearsed import Trial, lines
from rulezero_policies.text import scrub, visible

BEATS, TEXT = 60, 200
"""Statements that are kept, and characters of each."""

MOST, LOCKS = 50, 8
"""Entries of a list that are kept, and locks of a statement."""

_WAYS: dict[State, str] = {"ok": "ok", "failed": "FAILED", "skipped": "not tried"}


def judge(trial: Trial) -> Judged:
    """What `trial` showed, cut to what a person reads before deciding."""
    saw, shadow = trial.rehearsal.saw, trial.rehearsal.shadow
    failed = trial.state(0) == "failed" and (saw.there or not saw.before)
    left = differences(saw.before, saw.there) if failed else ()
    back = trial.state(1) == "ok" and not saw.not_shown
    guessed = estimates(saw.sent, trial.legs[0], shadow, trial.dialect)
    remaining = None if saw.remaining is None else _short(saw.remaining)
    return Judged(
        direction=trial.direction,
        where=_text(shadow.where),
        rows=_text(shadow.rows),
        whole=shadow.whole,
        real=shadow.real,
        lacks=_short(shadow.lacks),
        upgrade=saw.upgrade,
        downgrade=saw.downgrade,
        reupgrade=saw.reupgrade,
        schema_restored=None if trial.differs is None else not trial.differs,
        data_restored=not saw.data_back if back or saw.data_back else None,
        differences=(trial.differs or left)[:MOST],
        lost=tuple(lines(trial.losses))[:MOST],
        remaining=remaining,
        unreadable=_short(saw.unreadable),
        not_shown=_short(saw.not_shown),
        failed=tuple(map(_failed, saw.failed)),
        estimates=tuple(replace(e, sql=_text(e.sql)) for e in guessed)[:MOST],
        timeline=_timeline(saw.sent),
        statements=len(saw.sent),
        seconds=saw.seconds,
    )


def none(answer: NotRehearsed, *, back: bool = False) -> Judged:
    """That there was no rehearsal.

    Args:
        answer: Why, and what to do.
        back: Whether a downgrade was to be rehearsed.
    """
    return Judged(
        direction="downgrade" if back else "upgrade",
        reason=_text(answer.reason) or "no reason was given",
        mend=_text(answer.mend),
    )


def line(judged: Judged | None) -> str:
    """What it showed, in one line for whoever decides."""
    if judged is None:
        return "none was made"
    if not judged.ran:
        return f"none: {judged.reason.rstrip('.')}. {judged.mend}".strip()
    ways = ", ".join(_ways(judged))
    where = f"{judged.where}, {judged.rows}, {judged.seconds:.1f} s"
    more = [*_restored(judged), *_counts(judged)]
    return f"{ways} ({where}){'; ' if more else ''}{'; '.join(more)}"


def _ways(judged: Judged) -> list[str]:
    ways: tuple[tuple[str, State], ...]
    if judged.direction == "downgrade":
        up = judged.reupgrade if judged.upgrade == "skipped" else judged.upgrade
        ways = (("downgrade", judged.downgrade), ("upgrade again", up))
    else:
        ways = (
            ("upgrade", judged.upgrade),
            ("downgrade", judged.downgrade),
            ("upgrade again", judged.reupgrade),
        )
    return [f"{name} {_WAYS[state]}" for name, state in ways]


def _restored(judged: Judged) -> list[str]:
    both = (("schema", judged.schema_restored), ("data", judged.data_restored))
    return [f"{what} {'' if good else 'NOT '}restored" for what, good in both if good is not None]


def _counts(judged: Judged) -> list[str]:
    counted = (
        (len(judged.lost), "loss of data", "losses of data"),
        (len(judged.remaining or ()), "difference to the models", "differences to the models"),
        (len(judged.not_shown), "thing not shown", "things not shown"),
        (len(judged.lacks), "thing the shadow lacks", "things the shadow lacks"),
    )
    return [
        f"{number}{' or more' if number == MOST else ''} {one if number == 1 else many}"
        for number, one, many in counted
        if number
    ]


def _timeline(sent: Sequence[Sent]) -> tuple[Sent, ...]:
    """The statements that matter most, in order: each leg's last, what locked, what took long."""
    last = set({one.leg: n for n, one in enumerate(sent)}.values())
    weights = {n: (n in last, *_weight(one)) for n, one in enumerate(sent)}
    kept = sorted(weights, key=weights.__getitem__, reverse=True)[:BEATS]
    return tuple(_beat(sent[n]) for n in sorted(kept))


def _weight(sent: Sent) -> tuple[bool, float]:
    strong = any(blocks(k.mode) == "reads and writes" for k in sent.locks or ())
    return bool(strong or sent.rewrites or sent.builds), sent.seconds


def _beat(sent: Sent) -> Sent:
    return replace(
        sent,
        sql=_text(sent.sql),
        locks=None if sent.locks is None else _strongest(sent.locks),
        rewrites=sent.rewrites[:LOCKS],
        builds=sent.builds[:LOCKS],
    )


_ORDER = ("reads and writes", "writes", "other schema changes", "little")


def _strongest(locks: Sequence[Lock]) -> tuple[Lock, ...]:
    return tuple(sorted(locks, key=lambda k: _ORDER.index(blocks(k.mode))))[:LOCKS]


def _failed(failed: Failed) -> Failed:
    sql = None if failed.sql is None else _text(failed.sql)
    return replace(failed, error=_text(failed.error, 2 * TEXT), sql=sql)


def _text(text: str, limit: int = TEXT) -> str:
    return visible(scrub(" ".join(text.split())), limit=limit)


def _short(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(_text(t, 2 * TEXT) for t in texts[:MOST])
