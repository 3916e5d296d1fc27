"""Databases, branches and the trail as results show them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DatabaseView:
    """The database, without user or password."""

    dialect: str
    version: str
    name: str
    identity: str


@dataclass(frozen=True, kw_only=True)
class BindView:
    """One of the databases that the project migrates; `name` is what `database` is set to.

    `lacks` are the revisions that wait to be applied to it; `locked` is whether a run holds it.
    """

    name: str
    database: DatabaseView
    current: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    locked: bool | None = None


@dataclass(frozen=True, kw_only=True)
class BranchView:
    """One of several heads, with the labels of its branch; each of them is a `branch`."""

    head: str
    labels: tuple[str, ...] = ()
    applied: bool = False


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One entry of the audit trail."""

    sequence: int
    at: str
    event: str
    plan_id: str | None
    principal: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class HistoryResult:
    """The newest entries of the audit trail, oldest first.

    `chain` is "whole", or says what was altered, removed, reordered or cut off; `length` counts the
    entries of the whole trail, and `head` is the hash of its newest one, to be noted elsewhere.
    """

    entries: tuple[HistoryEntry, ...]
    chain: str
    length: int
    head: str
    next_step: str
