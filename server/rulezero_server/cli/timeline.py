"""A rehearsal in a terminal: the legs, what they showed, and each statement in time."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rulezero_policies.rehearsal import Leg, State
from rulezero_policies.text import visible
from rulezero_tools.results import Beat, Rehearsal

MOST = 25
"""Statements that are shown: `get_plan` and the page have more."""

_FILE = 12
"""Characters of a file's name that are shown: a revision's id."""

_ARROWS: dict[Leg, str] = {"upgrade": "↑", "downgrade": "↓", "reupgrade": "↑"}
_NAMES: dict[Leg, str] = {
    "upgrade": "upgrade",
    "downgrade": "downgrade",
    "reupgrade": "upgrade again",
}
_STATES: dict[State, str] = {
    "ok": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "skipped": "[dim]-[/]",
}


def show(console: Console, shown: Rehearsal) -> None:
    """What the rehearsal showed, or why there was none; nothing where none was asked for."""
    if not shown.ran:
        if shown.reason:
            console.print("\n[bold]Not rehearsed[/]")
            _line(console, escape(shown.reason))
            _line(console, f"[dim]→[/] {escape(shown.mend or '')}")
        return
    console.print(f"\n[bold]Rehearsal[/]  {_where(shown)}")
    _line(console, "   ".join(_legs(shown)))
    _line(console, "   ".join(_restored(shown)))
    if shown.error:
        _line(console, f"[red]{escape(shown.error)}[/]")
    for title, lines in _lists(shown):
        _listed(console, title, lines)
    if shown.timeline:
        console.print(Padding(_table(shown), (1, 0, 0, 2)))
        _rest(console, shown)


def _where(shown: Rehearsal) -> str:
    seconds = f", {shown.seconds:.1f} s" if shown.seconds is not None else ""
    return f"[dim]{escape(visible(f'on {shown.where}, with {shown.rows}{seconds}'))}[/]"


def _legs(shown: Rehearsal) -> Iterable[str]:
    states: dict[Leg, State] = {
        "upgrade": shown.upgrade,
        "downgrade": shown.downgrade,
        "reupgrade": shown.reupgrade,
    }
    for leg, state in states.items():
        yield f"{_STATES[state]} {_NAMES[leg]}[dim]{_took(shown, leg)}[/]"


def _took(shown: Rehearsal, leg: Leg) -> str:
    """How long a leg went on; "" where not all of its statements are known."""
    beats = [b for b in shown.timeline if b.leg == leg]
    if not beats or shown.statements > len(shown.timeline):
        return ""
    return f" {_seconds(max(b.start + b.seconds for b in beats) - beats[0].start)}"


def _restored(shown: Rehearsal) -> Iterable[str]:
    agree = None if shown.remaining is None else not shown.remaining
    for label, good in (
        ("schema restored", shown.schema_restored),
        ("data restored", shown.data_restored),
        ("models and database agree", agree),
    ):
        mark = "[dim]?[/]" if good is None else "[green]✓[/]" if good else "[red]✗[/]"
        yield f"{mark} {label}"


def _lists(shown: Rehearsal) -> Iterable[tuple[str, tuple[str, ...]]]:
    yield "Not as it was", shown.differences
    yield "Lost", shown.lost
    yield "Models and database do not agree", shown.remaining or ()
    yield "Estimates for the database itself", shown.estimates
    yield "Not shown", shown.not_shown
    yield "The database has, the rehearsal had not", shown.lacks


def _listed(console: Console, title: str, lines: tuple[str, ...]) -> None:
    if lines:
        _line(console, f"[dim]{title}[/]")
    for line in lines:
        _line(console, escape(visible(line)), by=4)


def _table(shown: Rehearsal) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("", width=1)
    table.add_column("statement", no_wrap=True, ratio=6)
    table.add_column("sent by", no_wrap=True, ratio=4, min_width=17)
    table.add_column("took", justify="right", no_wrap=True, width=7)
    table.add_column("locks, rewrites", overflow="fold", ratio=5)
    for beat in _longest(shown):
        cells = (" ".join(beat.sql.split()), _place(beat.place), _seconds(beat.seconds))
        table.add_row(_ARROWS[beat.leg], *(escape(visible(c)) for c in cells), _did(beat))
    return table


def _longest(shown: Rehearsal) -> list[Beat]:
    """The statements that took longest, in their order."""
    numbered = list(enumerate(shown.timeline))
    longest = sorted(numbered, key=lambda n: -n[1].seconds)[:MOST]
    return [beat for _, beat in sorted(longest, key=lambda n: n[0])]


def _place(place: str) -> str:
    """A revision file's name cut, its line kept."""
    file, colon, line = place.rpartition(":")
    return f"{file[:_FILE]}…:{line}" if colon and len(file) > _FILE + 1 else place


def _did(beat: Beat) -> Text:
    """What it held and wrote anew, a line each."""
    did = Text()
    parts = (
        *((f"rewrites {name}", "yellow") for name in beat.rewrites),
        *((f"builds {name}", "yellow") for name in beat.builds),
        *((name, "") for name in beat.locks),
    )
    for number, (words, style) in enumerate(parts):
        did.append(f"{chr(10) if number else ''}{visible(words)}", style=style)
    return did


def _rest(console: Console, shown: Rehearsal) -> None:
    more = shown.statements - min(len(shown.timeline), MOST)
    if more > 0:
        _line(console, f"[dim]… {more} more statements that took less[/]")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _line(console: Console, markup: str, by: int = 2) -> None:
    console.print(Padding(Text.from_markup(markup), (0, 0, 0, by), expand=False))
