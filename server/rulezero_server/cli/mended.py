"""What `rulezero fix` did, in a terminal."""

from collections.abc import Iterable

from rich.markup import escape
from rich.syntax import Syntax

from rulezero_server.cli.show import COLOURS, console
from rulezero_tools.fixed import FixResult, FixReview, Mending

_WORDS = {
    "rewritten": "[green]✓[/] {path} was rewritten; the old file is {kept}",
    "shown": "[dim]{path} would become:[/]",
    "unchanged": "{path} stays as it is",
}


def show(result: FixResult) -> None:
    """The diff, what it cures, what stays, and the review."""
    kept = escape(result.kept or "")
    console.print(_WORDS[result.status].format(path=escape(result.path), kept=kept))
    if result.diff:
        console.print(Syntax(result.diff, "diff", background_color="default", word_wrap=True))
    _lines("Cured", "[green]✓[/]", result.cured)
    _lines("Not fixed", "[yellow]![/]", result.not_cured)
    if result.review is not None:
        _review(result.review)
    console.print(f"\n[dim]Next:[/] {escape(result.next_step)}")


def _lines(title: str, mark: str, told: Iterable[Mending]) -> None:
    found = list(told)
    if found:
        console.print(f"\n[bold]{title}[/]")
    for one in found:
        where = f" {escape(one.subject)}" if one.subject else ""
        console.print(f"  {mark} {escape(one.rule)}{where}: {escape(one.what)}")


def _review(found: FixReview) -> None:
    colour = COLOURS[found.verdict]
    console.print(f"\nReviewed again: [bold {colour}]{found.verdict}[/]  {escape(found.because)}")
