"""Smoke tests in an environment like production's: whether a function can be seen and called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rulezero_policies.parity.values import SmokeKind, SmokeRule

Outcome = Literal["passed", "failed", "not_run"]


@dataclass(frozen=True, kw_only=True)
class SmokeResult:
    """What one smoke test showed. Nothing of a body and no value of a key is in it.

    `seen` says what was answered; `error`, with `file` and `line`, what was raised. `missing` are
    keys that production lacks and the code asked for; `blamed` those that are set and that the
    error names; `stand_ins` those whose values were replaced, which may be why it failed; `refused`
    what the code tried and was kept from; `given` the keys that were set otherwise than production
    has them.
    """

    name: str
    service: str
    kind: SmokeKind
    target: str
    outcome: Outcome
    seen: str
    error: str | None = None
    file: str | None = None
    line: int | None = None
    missing: tuple[str, ...] = ()
    blamed: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """Why this fails parity; None where it passed."""
        if self.outcome == "passed":
            return None
        said = "was not run" if self.outcome == "not_run" else "failed"
        return f"smoke test {self.name} ({self.service}, {self.target}) {said}: {self.told}"

    @property
    def told(self) -> str:
        """What was seen, in one sentence."""
        parts = [self.seen, *self._raised(), *self._missed()]
        if self.refused:
            parts.append(f"kept from: {', '.join(self.refused)}")
        if self.blamed:
            parts.append(f"the error names {', '.join(self.blamed)}")
        if self.stand_ins and not self.missing:
            names = ", ".join(self.stand_ins)
            parts.append(f"the cause may be a stand-in that replaced the value of {names}")
        return "; ".join(parts)

    def _raised(self) -> list[str]:
        if self.error is None:
            return []
        return [f"{self.error} ({self.file}, line {self.line})" if self.line else self.error]

    def _missed(self) -> list[str]:
        return [f"it asked for {', '.join(self.missing)}, not set"] if self.missing else []


class SmokeTests(Protocol):
    """Runs smoke tests where nothing of production can be reached; raises `ProjectError` only."""

    def run(
        self, rules: Sequence[SmokeRule], overrides: Mapping[str, str]
    ) -> tuple[SmokeResult, ...]:
        """Each test in a process of its own, on one shadow at the newest revisions.

        Args:
            rules: What is to be called.
            overrides: Keys that are set as it is proposed, and not as production has them.
        """
        ...


def smoked(
    tests: SmokeTests, rules: Sequence[SmokeRule], overrides: Mapping[str, str] | None = None
) -> tuple[SmokeResult, ...]:
    """The smoke tests that are declared, run; none are made up where none are.

    Args:
        tests: Where they run.
        rules: What the project declares.
        overrides: Keys as it is proposed to set them: flags switched on, keys generated.

    Raises:
        ProjectError: The project cannot be read.
    """
    return tests.run(rules, overrides or {}) if rules else ()
