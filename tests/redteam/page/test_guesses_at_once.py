"""A hundred PINs tried at the same time, before any of them is counted"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from rulezero_policies.errors import GateError
from rulezero_tools import enrolment

pytestmark = [
    pytest.mark.attack(
        stopped_by="a try is counted before it is looked at, in one atomic statement",
        level="secret",
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_racing_guesses_are_all_counted(
    world: Any, untouched: Any, parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enroll()
    looked: list[str] = []
    barrier = Barrier(20)

    class Hasher:
        def matches(self, hashed: str, pin: str) -> bool:
            looked.append(pin)
            return hashed == pin

        def hash(self, pin: str) -> str:
            return pin

    def guess(number: int) -> str:
        barrier.wait()
        try:
            enrolment.check_pin(world.session().desk, Hasher(), f"{number:06}")
        except GateError as error:
            return error.code
        return "in"

    with untouched(world.database), ThreadPoolExecutor(20) as pool:
        said = list(pool.map(guess, range(100)))
    assert "in" not in said
    assert len(looked) <= 5
    assert said.count("LockedOut") >= 95
