"""What the use cases need of runs: to begin one, and to know of others; an edge implements it."""

from collections.abc import Mapping
from typing import Protocol

from rulezero_policies.findings import Fact
from rulezero_policies.grant import Permit
from rulezero_policies.plan import Plan
from rulezero_tools.records import Aftermath, RunReport


class Runner(Protocol):
    """The one way to a writable session. Only the executor holds one."""

    def run(self, permit: Permit, plan: Plan, files: Mapping[str, bytes]) -> RunReport:
        """Run the plan's revisions from `files` (the sealed bytes).

        Raises:
            TokenRefused: The permit is not for this plan, or the store does not know it as spent.
        """
        ...


class Runs(Protocol):
    """What runs have left on this machine, and what the database says of them."""

    @property
    def here(self) -> str:
        """The name of this machine."""
        ...

    def on(self, bind: str | None) -> "Runs":
        """The same, with that database of the project to be asked."""
        ...

    def began(self, plan_id: str) -> bool:
        """Whether the process of a plan's run was ever there."""
        ...

    def look(self, plan_id: str, *, wait: bool = False) -> RunReport:
        """What the run of a plan has written so far; it never begins after it "never began".

        With `wait` a run that lives is waited for, as long as `apply` waits.
        """
        ...

    def aftermath(self, report: RunReport) -> Aftermath:
        """Ask the database about what a run left open; waits a little for it to get done.

        Raises:
            ProjectError: The database cannot be asked.
        """
        ...

    def forget(self, plan_id: str) -> None:
        """Clear what nobody needs of a run whose end is recorded; it fails at nothing."""
        ...

    def in_the_way(self, report: RunReport) -> Fact | None:
        """Ask the database, read-only and bounded, which rows stopped a run.

        Returns:
            How many, with the keys of a few; None where it was no rows, or they cannot be asked.
        """
        ...


class NoRuns:
    """Where no run leaves anything behind."""

    here = "here"

    def on(self, bind: str | None) -> "NoRuns":
        """The same for every database."""
        del bind
        return self

    def began(self, plan_id: str) -> bool:
        """None ever was."""
        del plan_id
        return False

    def look(self, plan_id: str, *, wait: bool = False) -> RunReport:
        """It is gone."""
        del plan_id, wait
        return RunReport(statements=(), error=None, seconds=0.0, state="died")

    def aftermath(self, report: RunReport) -> Aftermath:
        """Nothing is known."""
        del report
        return Aftermath()

    def forget(self, plan_id: str) -> None:
        """There is nothing."""
        del plan_id

    def in_the_way(self, report: RunReport) -> Fact | None:
        """Nobody can be asked."""
        del report
        return None
