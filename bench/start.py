"""Start to first `tools/list`: `rulezero serve` against a bare server, in the same run.

Usage: python bench/start.py [ROUNDS]. Both are spawned over stdio by the same client, in turns, so
that whatever slows the machine slows both. Medians count; the result goes into results.json.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
GOAL = 1.3
ROUNDS = 15


def servers(folder: Path) -> dict[str, StdioServerParameters]:
    """How each is started; the store stands in `folder`, so that the user's own is not touched."""
    variables = {**os.environ, "RULEZERO_STATE_DIR": str(folder / "state")}
    ours = ["-m", "rulezero_server", "serve", "--project", str(folder)]
    return {
        "bare": StdioServerParameters(command=sys.executable, args=[str(HERE / "bare.py")]),
        "rulezero": StdioServerParameters(command=sys.executable, args=ours, env=variables),
    }


async def seconds(server: StdioServerParameters) -> float:
    """From before the process is started until its tools are known."""
    began = time.perf_counter()
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        took = time.perf_counter() - began
    if not tools:
        raise RuntimeError("the server listed no tool")
    return took


async def measure(rounds: int) -> dict[str, float]:
    """The median for each server; the first round only fills the caches."""
    taken: dict[str, list[float]] = {"bare": [], "rulezero": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for name, server in servers(Path(folder)).items():
                took = await seconds(server)
                if number:
                    taken[name].append(took)
    return {name: statistics.median(times) for name, times in taken.items()}


def keep(result: dict[str, object]) -> None:
    """Put `result` into results.json, in the place of an older one of its name."""
    old: list[dict[str, object]] = (
        json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    )
    kept = [*(entry for entry in old if entry["name"] != result["name"]), result]
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    medians = anyio.run(measure, rounds)
    ratio = round(medians["rulezero"] / medians["bare"], 3)
    met = ratio <= GOAL
    keep({"name": "start", "ratio": ratio, "goal": GOAL, "unit": "x bare server", "met": met})
    for name, median in medians.items():
        print(f"{name:<10} {median * 1000:7.0f} ms to the first tools/list (median of {rounds})")
    print(f"start: {ratio} x a bare server, goal {GOAL}: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
