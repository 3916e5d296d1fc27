"""Alembic's `op` for a run in which nothing happens and everything is written down."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from alembic import op as op_module
from alembic.operations import BatchOperations, Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine.mock import MockConnection as Mock

from . import operations, recording
from .operations import Step

LONGEST = 5000
"""Steps of one run that are kept: a loop that waits for rows to change never ends here."""


LOOKED = "what follows depends on the schema as it will be then; it was seen as it is now"


class TooLongError(BaseException):
    """The run does not end. Not an `Exception`, so that no revision goes on after it."""


class Tape:
    """The steps of one run of `upgrade()` or `downgrade()`, as they come."""

    def __init__(self, path: str, *, settled: bool = True) -> None:
        """Note the lines of the revision file at `path`.

        Args:
            path: The revision file.
            settled: Whether the schema as it stands now is the one that the run will meet.
        """
        self.steps: list[Step] = []
        self.autocommit = False
        self.with_rows = False
        self.external = False
        self.open = False
        self._answered: set[str] = set()
        self._settled = settled
        self._looked: set[int | None] = set()
        self.files = {path, os.path.abspath(path), os.path.realpath(path)}  # noqa: PTH100

    def write(self, steps: list[Step], *, batch: bool = False) -> list[Step]:
        """Keep the steps of one call, with the line of the revision file that made it."""
        if len(self.steps) >= LONGEST:
            raise TooLongError(f"more than {LONGEST} steps")
        self.open = True
        line = self.line()
        more = {"line": line, "batch": batch, "autocommit": self.autocommit}
        kept = [{**step, **more} for step in steps]
        self.steps += kept
        return kept

    def stands_in(self, statement: str) -> bool:
        """Whether a query gets a made-up row: once each, so that a loop until none is left ends."""
        if not self.with_rows or statement in self._answered:
            return False
        self._answered.add(statement)
        return True

    def looked(self) -> None:
        """Say so, once a line, where the answer may be another one when the revision runs."""
        line = self.line()
        if not self._settled and line not in self._looked:
            self._looked.add(line)
            self.write([operations.opaque(LOOKED)])

    def ended(self) -> None:
        """The revision itself ended the transaction; its next statement begins another."""
        self.open = False

    def enters_autocommit(self) -> None:
        """Say so where alembic cannot leave a transaction that it did not begin."""
        if self.external and self.open:
            self.write([{"kind": "statement", "verb": operations.STUCK}])

    def line(self) -> int | None:
        """The innermost line of the revision file on the present stack."""
        frame = inspect.currentframe()
        while frame is not None and frame.f_code.co_filename not in self.files:
            frame = frame.f_back
        return None if frame is None else frame.f_lineno

    def line_of(self, error: BaseException) -> int | None:
        """The innermost line of the revision file in an error's traceback."""
        found, step = None, error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename in self.files:
                found = step.tb_lineno
            step = step.tb_next
        return found


class _Recording:
    """What `op` and a batch's `batch_op` share: an operation is written down, not carried out."""

    tape: Tape
    migration_context: Any
    in_batch = False

    def invoke(self, operation: Any) -> Any:
        """Write an operation down; a created table is returned, as alembic does."""
        context = self.migration_context
        if operations.reader_of(operation) is None:
            return self._carry_out(operation)
        steps = operations.serialize(operation, context.dialect, context=context)
        self.tape.write(steps, batch=self.in_batch)
        made = isinstance(operation, ops.CreateTableOp)
        return operations.table_of(operation, context) if made else None

    def _carry_out(self, operation: Any) -> Any:
        """An operation of somebody else's: what it does goes through this `op` in turn."""
        before = len(self.tape.steps)
        alembic: Any = Operations
        carry_out = alembic._to_impl.dispatch(  # noqa: SLF001 - as alembic's own invoke does
            operation, self.migration_context.impl.__dialect__
        )
        result = carry_out(self, operation)
        if len(self.tape.steps) == before:
            name = type(operation).__name__
            self.tape.write([operations.opaque(f"{name} is not one of alembic's own operations")])
        return result


_QUEUED = {
    "AddColumnOp": "add_column",
    "CreateIndexOp": "create_index",
    "DropIndexOp": "drop_index",
}


class RecordingBatch(_Recording, BatchOperations):  # pyright: ignore[reportIncompatibleMethodOverride,reportIncompatibleVariableOverride] - alembic's overloads
    """The `batch_op` of a batch block."""

    in_batch = True
    queued: list[Any]

    def invoke(self, operation: Any) -> Any:
        """Write it down, and remember it as alembic's batch mode does to decide on a copy."""
        self.queued.append((_QUEUED.get(type(operation).__name__, "other"), operation))
        return super().invoke(operation)


class RecordingOperations(_Recording, Operations):  # pyright: ignore[reportIncompatibleMethodOverride,reportIncompatibleVariableOverride] - alembic's overloads
    """The `op` of a run."""

    @contextmanager
    def batch_alter_table(self, *args: Any, **kwargs: Any) -> Generator[RecordingBatch]:
        """A batch block: its operations are steps, its table is not reflected."""
        given = inspect.signature(Operations.batch_alter_table).bind(self, *args, **kwargs)
        table, schema = given.arguments["table_name"], given.arguments.get("schema")
        impl = SimpleNamespace(
            operations=self, table_name=table, schema=schema, impl=self.impl, batch=[]
        )
        batch = RecordingBatch(self.migration_context, impl=impl)  # pyright: ignore[reportArgumentType] - what it needs of it
        batch.tape, batch.queued = self.tape, []
        before = len(self.tape.steps)
        yield batch
        self._recreated(given.arguments, nothing=len(self.tape.steps) == before)
        copied = self._copies(given.arguments.get("recreate", "auto"), batch.queued)
        for step in self.tape.steps[before:]:
            step["recreates"] = copied

    def _copies(self, recreate: str, queued: list[Any]) -> bool:
        """Whether alembic would copy the table for this block."""
        if recreate != "auto":
            return recreate == "always"
        asked: list[Any] = [(n, (None, getattr(o, "column", None)), {}) for n, o in queued]
        impl: Any = self.impl
        return bool(impl.requires_recreate_in_batch(SimpleNamespace(batch=asked)))

    def _recreated(self, given: dict[str, Any], *, nothing: bool) -> None:
        extra = bool(given.get("table_args")) or bool(given.get("table_kwargs"))
        if extra or (nothing and given.get("recreate") == "always"):
            place = {"table": str(given["table_name"]), "schema": given.get("schema")}
            detail = "the batch block recreates the table with a definition given to it"
            self.tape.write([operations.opaque(detail, **place)], batch=True)


class RecordingContext(MigrationContext):
    """The migration context of a run, on a recording connection."""

    @contextmanager
    def autocommit_block(self) -> Generator[None]:
        """Nothing is committed; what is written down meanwhile stands outside transactions."""
        tape = self.tape
        tape.enters_autocommit()
        before, tape.autocommit = tape.autocommit, True
        try:
            yield
        finally:
            tape.autocommit = before

    tape: Tape


@contextmanager
def recording_of(real: Any, tape: Tape) -> Generator[RecordingOperations]:
    """Have `op`, and alembic's context, write to `tape` while the block runs.

    Args:
        real: The project's own migration context; offline, no database is asked anything.
        tape: Where the steps go.
    """
    asked = None if real.as_sql else real.connection
    # env.py may have begun a transaction before alembic came to it.
    tape.external = tape.open = bool(getattr(real, "_in_external_transaction", False))
    connection = recording.connect(asked, real.dialect, tape)
    opts = {k: v for k, v in real.opts.items() if k not in {"literal_binds", "output_encoding"}}
    opts.update(as_sql=False, output_buffer=io.StringIO())
    context = RecordingContext(connection.dialect, connection, opts, real.environment_context)
    context.tape = tape
    recorder = RecordingOperations(context)
    recorder.tape = tape
    with ExitStack() as stack:
        stack.enter_context(_installed(recorder))
        stack.enter_context(_in_place_of(real, context))
        stack.enter_context(own_ddl())
        yield recorder


@contextmanager
def _installed(recorder: RecordingOperations) -> Generator[None]:
    """`from alembic import op` is a module of proxies; they are shared by all its classes."""
    alembic: Any = Operations
    setups = alembic._setups  # noqa: SLF001 - how alembic finds the module of a class
    setups[RecordingOperations] = setups[Operations]
    outer, inner = vars(op_module).get("_proxy"), cast("Any", recorder)
    inner._install_proxy()  # noqa: SLF001 - as `Operations.context` does
    try:
        yield
    finally:
        inner._remove_proxy()  # noqa: SLF001
        if outer is not None:
            outer._install_proxy()  # noqa: SLF001


@contextmanager
def _in_place_of(real: Any, context: RecordingContext) -> Generator[None]:
    """`alembic.context` must not lead back to the real connection."""
    environment = real.environment_context
    if environment is None:
        yield
        return
    options = environment.context_opts
    environment._migration_context = context  # noqa: SLF001 - it has no other way to be set
    # A revision that goes another way offline, or refuses to, is to be seen as it will run.
    environment.context_opts = {**options, "as_sql": False}
    try:
        yield
    finally:
        environment.context_opts = options
        environment._migration_context = real  # noqa: SLF001


@contextmanager
def own_ddl() -> Generator[None]:
    """Let `create_all` and the like through to what records or renders, and only to that."""
    schema: Any = import_module("sqlalchemy.schema")
    owners = ((schema.MetaData, ("create_all", "drop_all")), (schema.Table, ("create", "drop")))
    methods = [(owner, name, getattr(owner, name)) for owner, names in owners for name in names]
    for owner, name, current in methods:
        setattr(owner, name, _recorded(current))
    try:
        yield
    finally:
        for owner, name, current in methods:
            setattr(owner, name, current)


def _recorded(current: Any) -> Any:
    original = getattr(current, "__wrapped__", current)

    def method(self: Any, bind: Any = None, *args: Any, **kwargs: Any) -> Any:
        ours = isinstance(bind, (recording.RecordingConnection, recording.RecordingEngine, Mock))
        return partial(original if ours else current, self, bind, *args, **kwargs)()

    return method
