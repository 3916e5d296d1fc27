"""Break a run at every point and count what is known afterwards: `python tests/faults`.

`make faults` runs it and writes the table into docs/faults.md.
"""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "faults.md"
BEGIN, END = "<!-- faults: made by `make faults` -->", "<!-- end of faults -->"

WANTED = 200

WHAT = {
    ("run", "kill"): "the run is killed",
    ("run", "full"): "the disk is full",
    ("run", "cut"): "the database's connections are cut",
    ("server", "kill"): "the server is killed",
}


class Tally:
    """What became of the faults that happened."""

    def __init__(self) -> None:
        self.endings: Counter[tuple[str, str, str]] = Counter()
        self.known = self.lost = self.skipped = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a point once: where it ran, or where it was stopped before."""
        if report.when == "setup" and not report.passed:
            self.skipped += report.skipped
            self.lost += report.failed
        if report.when != "call":
            return
        said = dict(report.user_properties)
        if report.passed and said.get("reached") == 1:
            self.known += 1
            dialect, who, what = report.nodeid.partition("[")[2].split("-")[:3]
            self.endings[dialect, WHAT[who, what], str(said["ending"])] += 1
        self.lost += report.failed


def table(endings: Counter[tuple[str, str, str]]) -> str:
    """What stands in docs/faults.md between the markers."""
    columns = ("applied", "partially applied", "rolled back whole", "nothing happened")
    lines = ["| database | what breaks | points |" + "".join(f" {c} |" for c in columns)]
    lines.append("| --- | --- | --- |" + " --- |" * len(columns))
    for dialect, what in sorted({(d, w) for d, w, _ in endings}):
        counts = [endings[dialect, what, column] for column in columns]
        cells = "".join(f" {count or ''} |" for count in counts)
        lines.append(f"| {dialect} | {what} | {sum(counts)} |{cells}")
    return "\n".join(lines)


def write(made: str) -> None:
    """Bring the table in docs/faults.md up to date."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")


def main() -> int:
    os.environ["EVERY_FAULT"] = "1"
    tally = Tally()
    options = ["-q", "--no-header", "-p", "no:randomly", "--tb=short", *sys.argv[1:]]
    status = pytest.main([str(HERE / "test_points.py"), *options], plugins=[tally])
    faults = tally.known + tally.lost
    if tally.skipped:
        told = f"{tally.skipped} points did not run: their database is not installed here\n"
        sys.stdout.write(told)
    elif not tally.lost and faults >= WANTED:
        write(table(tally.endings))
    if faults < WANTED:
        sys.stdout.write(f"only {faults} faults happened, {WANTED} are wanted\n")
    sys.stdout.write(f"{faults} faults, {tally.known} outcomes known, {tally.lost} lost\n")
    return int(bool(status) or tally.lost > 0 or faults < WANTED)


if __name__ == "__main__":
    sys.exit(main())
