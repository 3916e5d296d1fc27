"""A rehearsal by time: each statement a bar, each lock as long as its transaction held it, as SVG.

The width is the page's: bars are placed in per cent, and of every text there is one for a wide
window and one for a narrow one (style.css shows one of them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from rulezero_policies.holding import Held, held
from rulezero_policies.rehearsal import Failed, Leg, Sent, State
from rulezero_policies.text import visible

Direction = Literal["upgrade", "downgrade"]

NAMES: dict[Leg, str] = {
    "upgrade": "Upgrade",
    "downgrade": "Downgrade",
    "reupgrade": "Upgrade again",
}
WAITS = {
    "reads and writes": "reads and writes wait",
    "writes": "writes wait",
    "other schema changes": "other schema changes wait",
}

_MOST, _MOST_LOCKS = 16, 8
"""Statements and locks of one leg that are drawn: those that took longest, or did most."""

_FIT, _FIT_NARROW = 78, 28
"""Characters that fit beside a duration."""

_LINE, _BAR, _GAP = 17, 8, 9
"""Heights, in pixels."""

_SVG = Markup(
    '<svg class="timeline" width="100%" height="{height}" role="img" '
    'aria-labelledby="{leg}-title {leg}-desc"><title id="{leg}-title">{title}</title>'
    '<desc id="{leg}-desc">{desc}</desc>{inside}</svg>'
)
_TEXT = Markup(
    '<text class="wide {kind}" x="0" y="{y}">{wide}</text>'
    '<text class="narrow {kind}" x="0" y="{y}">{narrow}</text>'
)
_TIME = Markup('<text class="time" x="100%" y="{y}" text-anchor="end">{text}</text>')
_RECT = Markup('<rect class="{kind}" x="{x}%" y="{y}" width="{width}%" height="{height}" rx="2"/>')
_ROW = Markup("<g><title>{told}</title>{inside}</g>")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One statement as the table beside the picture has it."""

    number: int
    sql: str
    where: str
    seconds: str
    locks: str
    marks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LegView:
    """One way of a rehearsal: how it ended, its picture, and every statement of it in words."""

    leg: Leg
    name: str
    state: State
    seconds: str
    svg: Markup | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class _Way:
    """What there is of one leg; `span` is the time of the longest one."""

    leg: Leg
    name: str
    state: State
    sent: tuple[Sent, ...]
    locks: tuple[Held, ...]
    failed: Failed | None
    span: float

    def bar(self, kind: str, start: float, end: float, y: int) -> Markup:
        """From `start` to `end` on the scale that all legs share."""
        x = min(99.0, 100 * (start - self.sent[0].start) / self.span)
        # What is over at once is still to be seen.
        width = max(1.0, min(100 - x, 100 * (end - start) / self.span))
        return _RECT.format(kind=kind, x=round(x, 2), y=y, width=round(width, 2), height=_BAR)

    @property
    def title(self) -> str:
        """What the picture is called."""
        return (
            f"{self.name}, {self.state}: {_count(len(self.sent), 'statement')} "
            f"in {duration(_seconds(self.sent))}"
        )


def leg_name(leg: Leg, direction: Direction = "upgrade") -> str:
    """What a leg is called in a rehearsal that went in `direction` first."""
    return NAMES[leg] if direction == "upgrade" or leg == "downgrade" else "Upgrade back"


def timeline(
    states: Mapping[Leg, State],
    sent: Sequence[Sent],
    failed: Sequence[Failed],
    direction: Direction = "upgrade",
) -> tuple[LegView, ...]:
    """The legs in the order of `states`, all on one scale."""
    by_leg = {leg: tuple(s for s in sent if s.leg == leg) for leg in states}
    span = max((_seconds(one) for one in by_leg.values()), default=0.0) or 1.0
    locks = tuple(h for h in held(sent) if h.blocks != "little")
    return tuple(
        _view(
            _Way(
                leg=leg,
                name=leg_name(leg, direction),
                state=state,
                sent=by_leg[leg],
                locks=tuple(h for h in locks if h.leg == leg),
                failed=next((f for f in failed if f.leg == leg), None),
                span=span,
            )
        )
        for leg, state in states.items()
    )


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


def place(one: Sent | Failed) -> str:
    """The revision and line that sent it."""
    if one.line is None:
        return one.revision or ""
    return f"{one.revision or one.file or '?'}, line {one.line}"


def marks(one: Sent) -> tuple[str, ...]:
    """What a statement did that takes the longer the larger a table is, and how it stands."""
    return (
        *(f"rewrites {name}" for name in one.rewrites),
        *(f"builds {name}" for name in one.builds),
        *([f"ALGORITHM={one.algorithm}"] if one.algorithm else []),
        *(["outside a transaction"] if one.transaction is None else []),
        *([] if one.committed else ["rolled back"]),
    )


def _view(way: _Way) -> LegView:
    return LegView(
        leg=way.leg,
        name=way.name,
        state=way.state,
        seconds=duration(_seconds(way.sent)) if way.sent else "",
        svg=_svg(way) if way.sent else None,
        rows=tuple(_row(number, one) for number, one in enumerate(way.sent, 1)),
    )


def _seconds(sent: Sequence[Sent]) -> float:
    return max(s.start + s.seconds for s in sent) - sent[0].start if sent else 0.0


def _row(number: int, one: Sent) -> Row:
    seen = ", ".join(f"{lock.relation} {lock.mode}" for lock in one.locks or ())
    return Row(
        number=number,
        sql=one.sql,
        where=place(one),
        seconds=duration(one.seconds),
        locks="could not be seen" if one.locks is None else seen,
        marks=marks(one),
    )


def _svg(way: _Way) -> Markup:
    drawn, locks = _weightiest(way.sent), _longest(way.locks)
    parts, y = list[Markup](), 0
    for number, one in drawn:
        y = _statement(parts, y, way, number, one)
    y = _left_out(parts, y, len(way.sent) - len(drawn), "statement", "that took less")
    if locks:
        y += _LINE
        parts.append(_both("Locks, until the end of their transaction", y, "part", "Locks held"))
        y += _GAP - 3
    for lock in locks:
        y = _lock(parts, y, way, lock)
    y = _left_out(parts, y, len(way.locks) - len(locks), "lock", "held for less")
    return _SVG.format(
        height=y + 2,
        leg=way.leg,
        title=way.title,
        desc=_spoken(drawn, locks),
        inside=Markup().join(parts),
    )


def _weightiest(sent: tuple[Sent, ...]) -> tuple[tuple[int, Sent], ...]:
    """The statements that matter most, by what they did and how long they took, in their order."""
    last = len(sent)  # where a leg that failed ended
    by_weight = sorted(
        enumerate(sent, 1),
        key=lambda n: (n[0] != last, not (n[1].rewrites or n[1].builds), -n[1].seconds),
    )
    return tuple(sorted(by_weight[:_MOST], key=lambda n: n[0]))


def _longest(locks: tuple[Held, ...]) -> tuple[Held, ...]:
    longest = sorted(locks, key=lambda h: -h.seconds)[:_MOST_LOCKS]
    return tuple(sorted(longest, key=lambda h: h.start))


def _left_out(parts: list[Markup], y: int, number: int, what: str, which: str) -> int:
    if number <= 0:
        return y
    parts.append(_both(f"… and {_count(number, what, more=True)} {which}", y + _LINE, "soft"))
    return y + _LINE + _GAP


def _statement(parts: list[Markup], y: int, way: _Way, number: int, one: Sent) -> int:
    """A statement: what it says, how long it took, its bar, and what it did."""
    broke = way.failed is not None and number == len(way.sent)
    kind = "failed" if broke else "heavy" if one.rewrites or one.builds else "ran"
    top = y + _LINE
    y = top + 6 + _BAR
    inside = [
        _both(f"{number} {'✗ ' if broke else ''}{' '.join(one.sql.split())}", top, "statement"),
        _TIME.format(y=top, text=duration(one.seconds)),
        way.bar(kind, one.start, one.start + one.seconds, top + 6),
    ]
    if marks(one):
        y += _LINE - 3
        inside.append(_both("; ".join(marks(one)), y, "mark"))
    told = visible(f"{one.sql}\n{place(one)}", limit=300, lines=True)
    parts.append(_ROW.format(told=told, inside=Markup().join(inside)))
    return y + _GAP


def _lock(parts: list[Markup], y: int, way: _Way, lock: Held) -> int:
    top = y + _LINE
    waits = f"{lock.relation}: {lock.mode}, {WAITS[lock.blocks]}"
    inside = [
        _both(waits, top, "lock", f"{lock.relation}: {WAITS[lock.blocks]}"),
        _TIME.format(y=top, text=duration(lock.seconds)),
        way.bar(f"held {lock.blocks.replace(' ', '-')}", lock.start, lock.end, top + 6),
    ]
    parts.append(_ROW.format(told=visible(waits), inside=Markup().join(inside)))
    return top + 6 + _BAR + _GAP


def _both(text: str, y: int, kind: str, narrow: str | None = None) -> Markup:
    return _TEXT.format(
        kind=kind, y=y, wide=_cut(text, _FIT), narrow=_cut(narrow or text, _FIT_NARROW)
    )


def _cut(text: str, fit: int) -> str:
    text = visible(text)
    return text if len(text) <= fit else f"{text[: fit - 1]}…"


def _count(number: int, what: str, *, more: bool = False) -> str:
    return f"{number}{' more' if more else ''} {what}{'' if number == 1 else 's'}"


def _spoken(drawn: Sequence[tuple[int, Sent]], locks: Sequence[Held]) -> str:
    """The picture for those who do not see it; the table has the rest."""
    did = [f"Statement {n} {', '.join(marks(s))}" for n, s in drawn if s.rewrites or s.builds]
    waits = [f"{h.relation} held for {duration(h.seconds)}: {WAITS[h.blocks]}" for h in locks]
    return ". ".join(map(visible, (*did, *waits))) or "No table was rewritten or locked."
