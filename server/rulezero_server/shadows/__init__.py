"""Shadow databases: copies that a rehearsal runs on, made for it and thrown away after it."""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.rehearsal import NotRehearsed, Shadow
from rulezero_server.shadows.wishes import Wishes


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a shadow is made of, and what it may be.

    `access` is how the target is connected to, as the worker's verb `access` tells it; `variables`
    what the project's environment adds to the server's own; `protected` whether the target's rows
    may leave its server only where the policy says so. `until` is when it has to be there, by
    `time.monotonic()`; `folder` where private folders are made, None for the system's own place.
    `empty` is whether nothing of the target is to stand on it, not even a table.
    """

    access: Mapping[str, Any] = field(repr=False)
    identity: DatabaseIdentity
    wishes: Wishes
    protected: bool
    until: float
    variables: Mapping[str, str] = field(repr=False)
    folder: Path | None = None
    empty: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """A shadow that is there: what it is, and how it is connected to (shaped as `access`)."""

    shadow: Shadow
    to: Mapping[str, Any] = field(repr=False)


Maker = Callable[[Order], contextlib.AbstractContextManager[Made]]


@contextlib.contextmanager
def open(  # noqa: A001 - always called with the package's name before it
    access: Mapping[str, Any],
    identity: DatabaseIdentity,
    wishes: Wishes,
    *,
    protected: bool,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
    empty: bool = False,
) -> Generator[Made | NotRehearsed]:
    """A shadow of the target for the time of the block, or why there is none.

    The target is only read. Whatever was made is gone at the end of the block.

    Args:
        access: How the target is connected to, as the worker's verb `access` tells it.
        identity: Which database the target is.
        wishes: What the person allows.
        protected: Whether the policy protects the target.
        variables: What the project's environment adds to the server's own.
        folder: Where private folders are made; the system's place for temporary files by default.
        empty: Whether nothing of the target is to stand on it, not even a table.
    """
    from rulezero_server.shadows.errors import NoShadow  # noqa: PLC0415 - start-up time

    sweep(folder)
    order = Order(
        access=access,
        identity=identity,
        wishes=wishes,
        protected=protected,
        until=time.monotonic() + wishes.seconds,
        variables=variables or {},
        folder=folder,
        empty=empty,
    )
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(_maker(order)(order))
        except NoShadow as why:
            made = why.answer
        yield made


def _maker(order: Order) -> "Maker":
    """What makes shadows of databases of this dialect; only that is imported."""
    dialect = order.access.get("dialect")
    if dialect == "sqlite":
        from rulezero_server.shadows import sqlite as maker  # noqa: PLC0415 - start-up time
    elif dialect == "postgresql":
        from rulezero_server.shadows import postgresql as maker  # noqa: PLC0415
    elif dialect in {"mysql", "mariadb"}:
        from rulezero_server.shadows import mysql as maker  # noqa: PLC0415
    else:
        from rulezero_server.shadows.errors import NoShadow  # noqa: PLC0415

        reason = f"no shadow can be made of a database of the kind {dialect!r}"
        raise NoShadow(reason, "Try the migration on a copy by hand.")
    return maker.shadow


def sweep(folder: Path | None = None) -> None:
    """Remove what a killed process left: its private servers and folders.

    Args:
        folder: Where private folders are made; the system's place for temporary files by default.
    """
    from rulezero_server.shadows import sweeping  # noqa: PLC0415 - start-up time

    sweeping.sweep(folder)
