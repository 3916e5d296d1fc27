"""What is being done, on stderr while it is done: stdout carries the result alone."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_STEP = re.compile(r"\b(\d+) of (\d+)\b")

Say = Callable[[str], None]


@contextmanager
def shown(console: Console | None = None) -> Generator[Say]:
    """A line that moves while the block lasts, and is gone after it; none unless on a terminal."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _unseen
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading the project", total=None)

        def say(text: str) -> None:
            _update(progress, task, text)

        yield say


def _unseen(text: str) -> None:
    """Nobody looks."""


def _update(progress: Progress, task: TaskID, text: str) -> None:
    """A "3 of 7" in the text moves the bar; without one the bar shows that something goes on."""
    step = _STEP.search(text)
    if step is None:
        progress.update(task, description=escape(text), total=None)
        return
    done, total = float(step[1]) - 1, float(step[2])
    progress.update(task, description=escape(text), completed=done, total=total)
