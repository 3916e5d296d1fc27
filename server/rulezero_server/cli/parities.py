"""`rulezero parity`: the check, and what keeps one thing from being seen."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rulezero_server.app import App
from rulezero_server.cli import formats
from rulezero_server.parity import joining
from rulezero_server.parity.layout import Running
from rulezero_tools.parity.check import check_parity
from rulezero_tools.parity.find import SwitchResult, find_switch
from rulezero_tools.parity.views import ParityResult


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for: a `switch` alone, and in which environment this very process runs."""

    switch: str | None = None
    running: str | None = None


def run(app: App, client: str, asked: Asked, say: Callable[[str], None], *, as_json: bool) -> bool:
    """Print the answer: whether it is a PASS, or the thing is to be seen.

    Raises:
        ProjectError: The project's own settings are broken.
    """
    here = Running(environment=asked.running, values=dict(os.environ)) if asked.running else None
    scope = joining.scope(app, client, say, running=here)
    if asked.switch is not None:
        found = find_switch(scope, name=asked.switch)
        formats.write_json(found) if as_json else _write(_told(found))
        return found.visible is True
    result = check_parity(scope)
    formats.write_json(result) if as_json else _write(_report(result))
    return result.verdict == "PASS"


def _write(lines: Iterable[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def _report(result: ParityResult) -> Iterator[str]:
    """The report, without the marks that only a page makes bold."""
    yield from (line.replace("**", "") for line in result.report.splitlines())
    yield ""
    yield result.verdict


def _told(found: SwitchResult) -> Iterator[str]:
    seen = {True: "to be seen", False: "not to be seen", None: "not known whether to be seen"}
    yield f"{found.name}: {seen[found.visible]} in production"
    for title, items in (
        ("Where it is", found.definitions),
        ("On the way to it", found.gates),
        ("Lacking, in this order", found.lacks),
        ("Not known", found.unknown),
    ):
        if items:
            yield ""
            yield title
            yield from (f"  - {text}" for text in items)
    yield ""
    yield f"Next: {found.next_step}"
