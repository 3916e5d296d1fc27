"""The published attack suite: run every attack, count what they changed, write the table.

`python tests/redteam/attack.py` runs all of it and ends with `N attacks, 0 applies`;
`--write` only writes the table into docs/security.md.
"""

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- attacks: made by `make attack` -->", "<!-- end of attacks -->"
LEVELS = ("client", "secret", "passkey", "never")


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One file: what is tried, what stops it, and from which level of approval on."""

    path: str
    name: str
    stopped_by: str
    level: str

    @property
    def group(self) -> str:
        return Path(self.path).parent.name.replace("_", " ")


def attacks(folder: Path = HERE) -> tuple[Attack, ...]:
    """Every attack file, read without running it."""
    return tuple(found for file in sorted(folder.rglob("test_*.py")) for found in _read(file))


def _read(file: Path) -> Iterator[Attack]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.attack":
            said = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
            name = (ast.get_docstring(tree) or "").partition("\n")[0].rstrip(".")
            path = file.relative_to(ROOT).as_posix()
            if not name or said["level"] not in LEVELS:
                raise SystemExit(f"{path}: an attack has a name and a level, one of {LEVELS}")
            yield Attack(path=path, name=name, **said)


def table(found: tuple[Attack, ...]) -> str:
    """What stands in docs/security.md between the markers."""
    stopped = [a for a in found if a.level != "never"]
    rest = [a for a in found if a.level == "never"]
    lines = [
        f"### {len(stopped)} attacks that are stopped",
        "",
        "| attack | what stops it | from level |",
        "| --- | --- | --- |",
        *(f"| [{a.name}](../{a.path}) | {a.stopped_by} | `{a.level}` |" for a in stopped),
        "",
        f"### {len(rest)} attacks that are not stopped",
        "",
        "Each is a test that shows it work, so that nobody has to believe it.",
        "",
        "| attack | what would stop it |",
        "| --- | --- |",
        *(f"| [{a.name}](../{a.path}) | {a.stopped_by} |" for a in rest),
    ]
    return "\n".join(lines)


def page_with(text: str, made: str) -> str:
    """`text` with what stands between the markers replaced.

    Raises:
        ValueError: The markers are not there.
    """
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{PAGE.name} has no place for the table: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def write() -> None:
    """Bring the table in docs/security.md up to date."""
    PAGE.write_text(page_with(PAGE.read_text("utf-8"), table(attacks())), encoding="utf-8")


@dataclass
class Tally:
    """Counts what ran: an attack counts when each of its tests passed and looked at a database."""

    seen: dict[str, bool] = field(default_factory=dict[str, bool])
    applies: int = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        path = report.nodeid.partition("::")[0]
        looked = sum(int(n) for what, n in report.user_properties if what == "looked")
        if report.when == "call":
            good = report.passed and looked > 0
            self.seen[path] = self.seen.get(path, True) and good
        elif report.when == "teardown":
            self.applies += sum(int(n) for what, n in report.user_properties if what == "applies")
        if not report.passed:
            self.seen[path] = False


def main(arguments: list[str]) -> int:
    """Run the suite; 0 if every attack ran and none changed anything."""
    write()
    if arguments == ["--write"]:
        return 0
    os.environ.setdefault("HOSTILE_STEPS", "100000")
    tally = Tally()
    options = ["-q", "-n", "auto", "--dist", "worksteal", "-p", "no:cacheprovider"]
    status = pytest.main([*options, str(HERE), *arguments], plugins=[tally])
    stopped = {a.path for a in attacks() if a.level != "never"}
    ran = sum(1 for path in stopped if tally.seen.get(path))
    for path in sorted(stopped):
        if not tally.seen.get(path):
            sys.stderr.write(f"not proven: {path}\n")
    sys.stdout.write(f"{ran} attacks, {tally.applies} applies\n")
    return int(status) or int(ran != len(stopped) or tally.applies > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
