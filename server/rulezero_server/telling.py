"""Tells a client what is being done while a call lasts, as progress notifications."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
from anyio import from_thread
from anyio.to_thread import run_sync
from mcp.server.mcpserver import Context

R = TypeVar("R")
Say = Callable[[str], None]

BEAT = 5.0
"""Seconds after which a client hears again that the same thing is still being done."""


@dataclass(kw_only=True)
class _Call:
    """One call: what it said last, and since when."""

    ctx: Context
    number: int = 0
    text: str = ""
    since: float = field(default_factory=time.monotonic)

    async def tell(self, text: str) -> None:
        """Say `text`; the protocol wants every notification to count one more than the last."""
        self.number += 1
        await self.ctx.report_progress(self.number, message=text)

    def say(self, text: str) -> None:
        """Say what is being done, from the thread that does it; raise if nobody waits for it."""
        from_thread.check_cancelled()
        self.note(text)

    def note(self, text: str) -> None:
        """The same for work that nothing may interrupt: whether it is heard is all one."""
        self.text, self.since = text, time.monotonic()
        with suppress(Exception):
            from_thread.run(self.tell, text)

    async def beat(self) -> None:
        """Say again what is still being done, for as long as this runs."""
        while True:
            await anyio.sleep(BEAT)
            seconds = time.monotonic() - self.since
            if self.text and seconds >= BEAT:
                # A client that has gone is noticed by whoever answers it.
                with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    await self.tell(f"{self.text} ({seconds:.0f} s)")


async def told(ctx: Context, work: Callable[[Say], R], *, to_the_end: bool = False) -> R:
    """What `work` returns; it runs on a thread, and what it says goes to the client.

    Args:
        ctx: The call; a client that asked for no progress hears nothing.
        work: Is given the function to say things with.
        to_the_end: Whether it goes on when the call is cancelled; otherwise the next thing that it
            says ends it.
    """
    call = _Call(ctx=ctx)
    failed: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(call.beat)
        try:
            return await run_sync(work, call.note if to_the_end else call.say)
        except Exception as error:  # noqa: BLE001 - raised below, not as a group of one
            failed = error
        finally:
            group.cancel_scope.cancel()
    raise failed or RuntimeError("the call ended without a result")
