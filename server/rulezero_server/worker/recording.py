"""A connection that writes down what it is asked to execute, and executes nothing."""

from __future__ import annotations

import copy
import itertools
from types import SimpleNamespace
from typing import Any, Protocol, cast

from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from . import elements, standin, statements
from .driver import DriverError, Raw, nothing
from .operations import Step, opaque


class Notes(Protocol):
    """Where a recording connection notes what it was asked."""

    def write(self, steps: list[Step]) -> list[Step]:
        """Keep the steps of one call, and give back what was kept."""
        ...

    def looked(self) -> None:
        """The revision was told how the schema stands now."""
        ...

    def ended(self) -> None:
        """The revision committed or rolled back by itself."""
        ...

    def stands_in(self, statement: str) -> bool:
        """Whether to answer a query with a made-up row."""
        ...


UNSEEN = "what follows depends on the rows of this query, and here it was given none"


CHECKED = "checkfirst"
"""The detail of DDL that the run leaves out where the object is there already."""


class Sink:
    """Where statements end. Queries of the catalogue alone are answered, by the real database."""

    def __init__(self, real: Connection | None, spoken: Any, notes: Notes) -> None:
        """Answer from `real`, if there is one; hand everything else to `notes`."""
        self._real = real
        self._spoken = spoken
        self._notes = notes
        self._keys = itertools.count(1)
        self.checked = False

    def dialect(self) -> Any:
        """The real dialect, with its execution led here."""
        dialect: Any = copy.copy(self._spoken)
        if dialect.dbapi is None:  # offline, no driver is loaded: SQLAlchemy asks for its errors
            dialect.dbapi = SimpleNamespace(Error=DriverError)
        # Rows come one statement at a time: a batch would look for sentinels in the answer.
        dialect.use_insertmanyvalues = False
        dialect.do_execute = self.execute
        dialect.do_executemany = self.execute_many
        dialect.do_execute_no_params = self.execute_plain
        for ending in ("do_begin", "do_commit", "do_rollback", "do_close", "do_terminate"):
            setattr(dialect, ending, nothing)
        return dialect

    def execute_plain(self, cursor: Any, statement: str, context: Any = None) -> None:
        """The dialect's way to execute without parameters."""
        self.execute(cursor, statement, None, context)

    def execute_many(self, cursor: Any, statement: str, sets: Any, context: Any = None) -> None:
        """The dialect's way to execute with many sets of values."""
        self._note(cursor, statement, len(sets), context, f"{len(sets)} times, with values")

    def execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Answer a statement, or write it down."""
        bare = statements.bare(statement)
        if statements.SEQUENCE.match(bare):
            cursor.answer(["nextval"], [(next(self._keys),)])
        elif self._real is not None and statements.is_catalogue_read(statement):
            cursor.pass_on(_ask(self._real, statement, parameters))
            self._notes.looked()
        else:
            self._note(cursor, statement, 1, context)

    def _note(
        self, cursor: Any, statement: str, rows: int, context: Any, detail: str | None = None
    ) -> None:
        bare = statements.bare(statement)
        detail = detail or (CHECKED if self.checked else None)
        step: Step = {"kind": "execute", "sql": self._text(statement, context), "detail": detail}
        kept = self._notes.write([step])
        if statements.is_read(bare) and self._notes.stands_in(statement):
            named = standin.columns(context, bare)
            row = tuple(standin.value(type_, self._spoken.name) for _, type_ in named)
            cursor.answer([name for name, _ in named], [row])
            return
        if statements.is_read(bare):
            cursor.answer(_labels(context), [], lambda: _unseen(kept))
            return
        # No row was there to update: a loop that goes on while rows change has to end.
        cursor.rowcount = rows if statements.is_insert(bare) else 0
        cursor.lastrowid = next(self._keys)
        if statements.RETURNING.search(bare):
            self._returned(cursor, bare, context, kept)

    def _returned(self, cursor: Any, bare: str, context: Any, kept: list[Step]) -> None:
        """SQLAlchemy asks an INSERT for keys; other rows that come back are not known."""
        labels = _labels(context)
        if statements.is_insert(bare) and getattr(context, "isinsert", False):
            cursor.answer(labels, [tuple(next(self._keys) for _ in labels)])
        else:
            cursor.answer(labels, [], lambda: _unseen(kept))

    def ended(self) -> None:
        """The transaction was ended by whoever uses the connection."""
        self._notes.ended()

    def unknown(self, name: str, *_: Any, **__: Any) -> None:
        """A call of the driver's own that nobody here understands (COPY, ...)."""
        self._notes.write([opaque(f"it calls the driver's own {name}()")])

    def _text(self, statement: str, context: Any) -> str:
        dialect = self._spoken
        compiled = getattr(context, "compiled", None)
        if compiled is None or statement != context.statement:
            return statement.strip()
        if context.isddl:
            preparer: Any = dialect.identifier_preparer
            doubled = preparer._double_percents  # noqa: SLF001 - what the compiler looks at
            return (statement.replace("%%", "%") if doubled else statement).strip()
        sets: list[dict[str, Any]] = context.compiled_parameters
        values = sets[0] if len(sets) == 1 else {}
        return elements.sql_text(compiled.statement, dialect, values, compiled.column_keys)


def _ask(real: Connection, statement: str, parameters: Any) -> Any:
    # `connection` is the raw one: the dialect has rendered this statement already.
    raw: Any = real.connection
    cursor = raw.cursor()
    try:
        cursor.execute(statement, *([] if parameters is None else [parameters]))
    except Exception:
        cursor.close()
        raw.rollback()
        raise
    return cursor


def _unseen(steps: list[Step]) -> None:
    for step in steps:
        step.update(kind="opaque", detail=UNSEEN)


def _labels(context: Any) -> list[str]:
    columns = getattr(getattr(context, "compiled", None), "_result_columns", None) or ()
    return [str(c[0]) for c in columns] or ["value"]


class RecordingConnection(Connection):
    """A SQLAlchemy connection whose statements end in a `Sink`."""

    def execution_options(self, **options: Any) -> Any:
        """An isolation level is nothing to a database that is not there."""
        options.pop("isolation_level", None)
        return super().execution_options(**options) if options else self

    def commit(self) -> None:
        """Only that it was called is of interest."""
        super().commit()
        self._sink.ended()

    def rollback(self) -> None:
        """Only that it was called is of interest."""
        super().rollback()
        self._sink.ended()

    @property
    def _sink(self) -> Sink:
        engine: Any = self.engine
        return engine.sink

    def get_isolation_level(self) -> Any:
        """The level that the dialect starts with."""
        return getattr(self.dialect, "default_isolation_level", None)

    def _run_ddl_visitor(self, visitorcallable: Any, element: Any, **options: Any) -> None:
        # Whether the object is there cannot be asked of a database that the run has not changed.
        sink = self._sink
        sink.checked = bool(options.get("checkfirst"))
        options["checkfirst"] = False
        try:
            super()._run_ddl_visitor(visitorcallable, element, **options)
        finally:
            sink.checked = False


class RecordingEngine(Engine):
    """The engine of a recording connection: what it connects to records too."""

    def connect(self, **_: Any) -> Any:
        """Another recording connection."""
        return RecordingConnection(self, connection=self.raw_connection())

    def raw_connection(self, *_: Any) -> Any:
        """A DBAPI connection without a database."""
        return Raw(self.sink)

    def execution_options(self, **_: Any) -> Any:
        """The options of an engine choose isolation levels and schemas: nothing to record."""
        return self

    sink: Sink


def connect(real: Connection | None, dialect: Any, notes: Notes) -> RecordingConnection:
    """A recording connection.

    Args:
        real: The project's own connection, which must be read-only; None where there is no
            database to ask.
        dialect: The project's own dialect.
        notes: Is given every statement as a step.
    """
    sink = Sink(real, dialect, notes)
    url = make_url(f"{dialect.name}://") if real is None else real.engine.url
    pool: Any = NullPool(cast("Any", nothing))
    engine = RecordingEngine(pool, sink.dialect(), url)
    engine.sink = sink
    return engine.connect()
