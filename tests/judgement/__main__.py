"""Run every labelled case and count: `python tests/judgement`, or `make judgement`."""

import os
import sys
from pathlib import Path

import pytest

WANTED = 250


class Tally:
    """What became of the cases."""

    def __init__(self) -> None:
        self.right = self.wrong = self.skipped = self.false_alarms = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a case once: where it ran, or where it was stopped before."""
        if report.when == "teardown" and report.passed:
            return
        if report.when == "setup" and report.passed:
            return
        self.false_alarms += sum(int(v) for n, v in report.user_properties if n == "false_alarms")  # type: ignore[call-overload]
        self.skipped += report.skipped
        self.right += report.passed
        self.wrong += report.failed


def main() -> int:
    os.environ["JUDGE_EVERY_CASE"] = "1"
    tally = Tally()
    folder = str(Path(__file__).parent)
    status = pytest.main(
        [folder, "-q", "--no-header", "-p", "no:randomly", "--tb=short", *sys.argv[1:]],
        plugins=[tally],
    )
    ran = tally.right + tally.wrong
    if tally.skipped:
        sys.stdout.write(
            f"{tally.skipped} cases did not run: their database is not installed here" + "\n"
        )
    if ran < WANTED:
        sys.stdout.write(f"only {ran} cases ran, {WANTED} are wanted" + "\n")
    sys.stdout.write(f"{ran} cases, {tally.right} right, {tally.false_alarms} false alarms" + "\n")
    return int(bool(status) or tally.wrong > 0 or tally.false_alarms > 0 or ran < WANTED)


if __name__ == "__main__":
    sys.exit(main())
