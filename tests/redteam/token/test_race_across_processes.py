"""A thousand redemptions of one token at once, by four processes"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="spending is one atomic statement in the store, whichever process says it",
        level="client",
    ),
    pytest.mark.proves("C02", "C03", "D11"),
]

PROCESSES, EACH = 4, 250

RACER = """
import importlib.util, sys
from pathlib import Path
from threading import Barrier, Thread
spec = importlib.util.spec_from_file_location("parts", sys.argv[1])
parts = importlib.util.module_from_spec(spec)
sys.modules["parts"] = parts
spec.loader.exec_module(parts)
store = parts.open_store(Path(sys.argv[2]))
hashed, won = sys.argv[3], []
store.grant(hashed)
barrier = Barrier(10)
def race():
    barrier.wait()
    for _ in range(int(sys.argv[4]) // 10):
        won.append(store.spend(hashed, parts.START))
threads = [Thread(target=race) for _ in range(10)]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(won.count(True), len(won), flush=True)
"""


def test_one_process_wins_once(world: Any, untouched: Any, parts: Any, state: Path) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    hashed = world.grant(token).token_hash
    arguments = [sys.executable, "-c", RACER, parts.__file__, str(state), hashed, str(EACH)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racers: list[Any] = [subprocess.Popen(arguments, **pipes) for _ in range(PROCESSES)]
    with untouched(world.database):
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.flush()
        said = [racer.communicate(timeout=300)[0].split() for racer in racers]
        assert [int(done) for _, done in said] == [EACH] * PROCESSES
        assert sum(int(won) for won, _ in said) == 1
        assert "spent" in world.refused(plan_id, token)
