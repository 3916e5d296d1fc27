"""What env.py says to Alembic, and which of its databases goes on to the migrations.

A project of several databases calls `context.configure` and `context.run_migrations` once for each.
Only the chosen one passes: Alembic sends nothing to another, not even its version table.
"""

from __future__ import annotations

import io
import os
from typing import Any

from sqlalchemy.engine import make_url

from . import errors

DEFAULT = "default"
"""The name of Flask's default bind, which Flask-Migrate's template calls by the empty string."""


class Hearing:
    """One run of env.py. `names` are the databases that it came to, `name` the one it is at."""

    def __init__(
        self,
        chosen: str | None,
        *,
        every: bool = False,
        output: Any = None,
        databases: Any = None,
    ) -> None:
        """Listen.

        Args:
            chosen: The database that goes on; None for the only one there is.
            every: Whether each of several goes on where none was chosen.
            output: Takes the SQL that is rendered offline, wherever env.py would have it go.
            databases: Is told which connections are migrated.
        """
        self.names: list[str] = []
        self.name = ""
        self._chosen, self._every = chosen, every and chosen is None
        self._output, self._databases = output, databases
        self._said: dict[str, Any] = {}
        self._pieces: list[io.StringIO] = []

    def to(self, environment: Any) -> Any:
        """`environment`, with this ear.

        Its new attribute `given` holds the arguments that revisions are called with
        (`context.run_migrations(...)`).
        """
        configure, run_migrations = environment.configure, environment.run_migrations
        environment.given = {}

        def configured(*args: Any, **kwargs: Any) -> None:
            configure(*args, **self._configured(args, kwargs))

        def run(**kw: Any) -> None:
            if self._passes(kw):
                environment.given = kw
                run_migrations(**kw)

        # Alembic finds the functions of `alembic.context` by the class: a subclass has none.
        environment.configure, environment.run_migrations = configured, run
        return environment

    def _configured(self, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        connection = kwargs.get("connection") or next(iter(args), None)
        self._said = {**kwargs, "connection": connection}
        if self._databases is not None and connection is not None:
            self._databases.migrates(_raw(connection))
        if self._output is None:
            return kwargs
        # What another database has said around its migrations must not stand in the SQL of this.
        self._said["output_buffer"] = io.StringIO()
        return {**kwargs, "output_buffer": self._said["output_buffer"]}

    def _passes(self, given: dict[str, Any]) -> bool:
        name = self._name(given)
        again = name in self.names
        self.names.append(name)
        first = len(self.names) == 1
        if again or not (self._every or (first if self._chosen is None else name == self._chosen)):
            return False
        self.name = name
        if self._output is not None:
            self._pieces.append(self._said["output_buffer"])
        return True

    def _name(self, given: dict[str, Any]) -> str:
        """As env.py names it to the revisions; without a name, as the database and schema are."""
        texts = [value for value in given.values() if isinstance(value, str)]
        named = given.get("engine_name", texts[0] if len(texts) == 1 else None)
        if named is not None:
            return str(named) or DEFAULT
        return ".".join(part for part in (_place(self._said), self._schema()) if part)

    def _schema(self) -> str:
        return str(self._said.get("version_table_schema") or "")

    def end(self) -> None:
        """Env.py is through: hand over the SQL, and say what cannot be told apart.

        Raises:
            Failure: ChooseDatabase, UnknownDatabase or SeveralDatabases.
        """
        for piece in self._pieces:
            self._output.write(piece.getvalue())
        listed = ", ".join(dict.fromkeys(self.names))
        twice = {n for n in self.names if self.names.count(n) > 1}
        if twice and (self._chosen is None or self._chosen in twice):
            raise errors.Failure("SeveralDatabases", databases=", ".join(sorted(twice)))
        if self._chosen is None and len(self.names) > 1 and not self._every:
            raise errors.Failure("ChooseDatabase", databases=listed)
        if self._chosen is not None and self.names and self._chosen not in self.names:
            raise errors.Failure("UnknownDatabase", database=self._chosen, databases=listed)


def _place(said: dict[str, Any]) -> str:
    """The database's name, as the URL has it: a shadow that stands for it is called otherwise."""
    engine = getattr(said["connection"], "engine", None)
    url = getattr(engine, "url", None) or said.get("url")
    database = make_url(url).database if url is not None else None
    return os.path.basename(database or "") or DEFAULT  # noqa: PTH119 - SQLite's is a path


def _raw(connection: Any) -> Any:
    """The driver's own connection under SQLAlchemy's."""
    pooled = getattr(connection, "connection", None)
    return getattr(pooled, "driver_connection", None) or getattr(pooled, "dbapi_connection", None)
