"""The locks of a plan in the order in which they are taken, and which transaction holds them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rulezero_policies.findings import Fact, Question
from rulezero_policies.locks import mariadb, postgresql
from rulezero_policies.operations import Operation
from rulezero_policies.scene import Scene
from rulezero_policies.steps import Step
from rulezero_policies.thresholds import (
    BIG_TABLE_ROWS,
    OLD_TRANSACTION_SECONDS,
    SMALL_TABLE_ROWS,
)

MYSQL = frozenset({"mysql", "mariadb"})
OLDEST = Question(probe="oldest_transaction")

_ENDS = frozenset({"commit", "rollback", "begin"})
_TIMEOUTS = frozenset({"lock_timeout", "lock_wait_timeout", "statement_timeout"})


@dataclass(frozen=True, kw_only=True)
class Held:
    """A step with its cost, the number of its transaction and whether it waits without end."""

    step: Step
    cost: postgresql.Cost
    transaction: int
    bounded: bool
    earlier: bool

    @property
    def operation(self) -> Operation:
        """What is done."""
        return self.step.operation


def held(scene: Scene) -> tuple[Held, ...]:
    """What the plan locks on PostgreSQL, on tables that were there before it."""
    return _of(_This(scene)) if scene.dialect == "postgresql" else ()


class _This:
    """A scene as a key: the very one, not one that says the same, which takes long to find out."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def __hash__(self) -> int:
        return id(self.scene)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and other.scene is self.scene


@lru_cache(maxsize=1)
def _of(this: _This) -> tuple[Held, ...]:
    """Worked out once, however many rules ask about one scene after another."""
    return tuple(_held(this.scene))


def _held(scene: Scene) -> Iterator[Held]:
    transaction, bounded, local = 0, False, False
    for number, step in enumerate(scene.walked):
        operation = step.operation
        begins = number == len(scene.earlier) and scene.own_transaction
        if operation.autocommit or begins or operation.verb in _ENDS:
            transaction += 1
            bounded = bounded and not local
        if operation.verb in {"set", "reset"} and operation.name in _TIMEOUTS:
            bounded = operation.verb == "set" and (operation.detail or "").strip() not in _OFF
            local = (operation.detail or "").startswith("local ")
        cost = postgresql.cost(operation, scene.version)
        if cost is not None and operation.table and not step.new_table:
            yield Held(
                step=step,
                cost=cost,
                transaction=transaction,
                bounded=bounded,
                earlier=number < len(scene.earlier),
            )
        if operation.autocommit:
            transaction += 1


_OFF = frozenset({"0", "local 0", "DEFAULT", "local DEFAULT"})


def copies(scene: Scene) -> Iterator[tuple[Step, mariadb.Cost]]:
    """What the upgrade costs on MariaDB and MySQL, on tables that were there before the plan."""
    if scene.dialect in MYSQL:
        for step in scene.existing:
            cost = mariadb.cost(step.operation)
            if cost is not None:
                yield step, cost


def size_of(step: Step) -> Question:
    """How large the step's live table is."""
    return Question(probe="size", table=step.table or "", schema=step.schema)


def size(scene: Scene, step: Step) -> Fact | None:
    """How large the table is, as far as it was asked."""
    return scene.fact(size_of(step))


def matters(scene: Scene, step: Step) -> bool:
    """Whether the table is large, or may be: a review that asks no database says nothing of it."""
    fact = size(scene, step)
    return fact is not None and (fact.count is None or fact.count >= SMALL_TABLE_ROWS)


def is_small(scene: Scene, step: Step) -> bool:
    """Whether the table is known to be small."""
    fact = size(scene, step)
    return fact is not None and fact.count is not None and fact.count < SMALL_TABLE_ROWS


def is_big(scene: Scene, step: Step) -> bool:
    """Whether the table is known to be big."""
    fact = size(scene, step)
    return fact is not None and fact.count is not None and fact.count >= BIG_TABLE_ROWS


def size_words(scene: Scene, step: Step) -> str:
    """How large the table is, in words."""
    fact, name = size(scene, step), step.operation.qualified
    if fact is None or fact.count is None:
        return f"the size of {name} is not known"
    return f"{name} has about {fact.count} rows"


def waited_on(scene: Scene) -> int | None:
    """How many seconds the oldest transaction is open, where that is long."""
    fact = scene.fact(OLDEST)
    age = fact.count if fact else None
    return age if age is not None and age >= OLD_TRANSACTION_SECONDS else None


def assumed(scene: Scene) -> str:
    """Which version the answer is for."""
    if scene.version is None:
        return "the version is not known, PostgreSQL 12 is assumed"
    return f"PostgreSQL {'.'.join(map(str, scene.version))}"
