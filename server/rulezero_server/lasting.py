"""Work that may last longer than a client waits: it goes on, and the next call has its answer."""

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, NamedTuple, TypeVar

import anyio
from mcp.server.mcpserver import Context

from rulezero_policies.errors import StillRunning
from rulezero_server import telling

R = TypeVar("R")

LONGEST = 40.0
"""Seconds that one call waits: clients give up soon after."""

KEPT = 600.0
"""Seconds for which an answer that nobody waited for is kept."""

_STEP = 0.02
"""Seconds between looks at the thread, which is none of the event loop's: it outlives the call."""


class Key(NamedTuple):
    """What makes two calls the same: the tool, and what it was asked with."""

    tool: str
    asked: tuple[object, ...]


class _LeftError(Exception):
    """Nobody wants the answer any more."""


class _Work(Generic[R]):
    """What one thread does, whoever waits for it."""

    def __init__(self, work: Callable[[telling.Say], R]) -> None:
        """Begin."""
        self.said: SimpleQueue[str] = SimpleQueue()
        self.doing = "starting"
        self.waiting = 0
        self.unwanted = False
        self.ended: float | None = None
        self._answers: list[R] = []
        self._error: Exception | None = None
        Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[[telling.Say], R]) -> None:
        try:
            self._answers.append(work(self._say))
        except Exception as error:  # noqa: BLE001 - raised where somebody waits
            self._error = error
        finally:
            self.ended = time.monotonic()

    def _say(self, text: str) -> None:
        if self.unwanted:
            raise _LeftError
        self.doing = text
        self.said.put(text)

    def answer(self) -> R:
        """What came of it."""
        if self._error is not None:
            raise self._error
        return self._answers[0]


class Lasting:
    """The work of one server that is still being done, or that nobody fetched yet."""

    def __init__(self, longest: float = LONGEST) -> None:
        """A call waits `longest` seconds."""
        self._longest = longest
        self._open: dict[Key, _Work[Any]] = {}

    async def told(self, ctx: Context, key: Key, work: Callable[[telling.Say], R]) -> R:
        """What `work` returns; what it says goes to the client.

        A call with a key that is being worked for joins that work instead of beginning its own.

        Raises:
            StillRunning: It takes longer than one call waits. It goes on.
        """
        begun = self._of(key, work)
        begun.waiting += 1
        try:
            with anyio.move_on_after(self._longest):
                await _follow(ctx, begun)
        except anyio.get_cancelled_exc_class():
            if begun.waiting == 1:  # with the last one who waits it ends, at its next word
                begun.unwanted = True
                self._open.pop(key, None)
            raise
        finally:
            begun.waiting -= 1
        if begun.ended is None:
            raise StillRunning(tool=key.tool, doing=begun.doing)
        self._open.pop(key, None)
        return begun.answer()

    def running(self) -> tuple[str, ...]:
        """What is being done now, a line each."""
        return tuple(
            f"`{key.tool}` is still at work: {work.doing}; call it again for its answer"
            for key, work in self._open.items()
            if work.ended is None
        )

    def _of(self, key: Key, work: Callable[[telling.Say], R]) -> _Work[R]:
        now = time.monotonic()
        for old in [k for k, w in self._open.items() if w.ended and now - w.ended > KEPT]:
            del self._open[old]
        if key not in self._open:
            self._open[key] = _Work(work)
        return self._open[key]


async def _follow(ctx: Context, work: _Work[Any]) -> None:
    """Tell the client what the thread says until it ends, and again what takes long."""
    number, text, since, beat = 0, "", time.monotonic(), time.monotonic()
    while True:
        ended = work.ended is not None  # looked at first: what is said before the end is told
        with suppress(Empty):
            while True:
                text, since, number = work.said.get_nowait(), time.monotonic(), number + 1
                await _tell(ctx, number, text)
                beat = since
        if ended:
            return
        if text and time.monotonic() - beat >= telling.BEAT:
            number, beat = number + 1, time.monotonic()
            await _tell(ctx, number, f"{text} ({beat - since:.0f} s)")
        await anyio.sleep(_STEP)


async def _tell(ctx: Context, number: int, text: str) -> None:
    # A client that has gone is noticed by whoever answers it.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await ctx.report_progress(number, message=text)
