"""The store on SQLAlchemy Core: one implementation for SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rulezero_policies import audit as trail
from rulezero_policies.grant import Answer, Challenge, Grant
from rulezero_policies.plan import FileHash, Plan
from rulezero_server.stores import values
from rulezero_server.stores.engine import open_engine, reading, writing
from rulezero_server.stores.schema import make_ready
from rulezero_server.stores.tables import analyses, audit, blobs, challenges, grants, plans, runs
from rulezero_tools.ports import Analysis, Run


class SqlStore:
    """Implements `rulezero_tools.ports.Store`; threads and processes may share it.

    Every method may raise `StoreFailed`: the database does not answer, or holds what cannot be
    read. Each opens a connection of its own and closes it.
    """

    def __init__(self, where: str | Path | None = None) -> None:
        """Nothing is opened yet.

        Args:
            where: A file for SQLite, a `sqlite:///` or `postgresql://` URL, or None for the
                default file in the state folder.
        """
        self._where = where
        self._lock = Lock()
        self._engine: Engine | None = None

    def save_analysis(self, analysis: Analysis) -> None:
        """Keep or replace an analysis."""
        row = {
            "analysis_id": analysis.analysis_id,
            "project": analysis.project,
            "created": analysis.created,
            "value": values.write(analysis),
        }
        with writing(self._ready) as connection:
            _put(connection, analyses, row)

    def analysis(self, analysis_id: str) -> Analysis | None:
        """An analysis by its id."""
        query = select(analyses.c.value).where(analyses.c.analysis_id == analysis_id)
        with reading(self._ready) as connection:
            text = connection.execute(query).scalar()
        return None if text is None else values.read(Analysis, text)

    def save_plan(self, plan: Plan, files: Mapping[str, bytes]) -> None:
        """Keep a plan and the bytes of its files (each kept once, by hash). Saving twice is one."""
        row = {
            "plan_id": plan.plan_id,
            "project": plan.project,
            "created": plan.created,
            "value": values.write(plan),
        }
        kept = {sha256(data).hexdigest(): data for data in files.values()}
        with writing(self._ready) as connection:
            for name in sorted(kept):
                _add(connection, blobs, {"sha256": name, "data": kept[name]})
            _add(connection, plans, row)

    def plan(self, plan_id: str) -> Plan | None:
        """A plan by its id."""
        query = select(plans.c.value).where(plans.c.plan_id == plan_id)
        with reading(self._ready) as connection:
            text = connection.execute(query).scalar()
        return None if text is None else values.read(Plan, text)

    def plans(self, project: str) -> tuple[Plan, ...]:
        """The project's plans, newest first."""
        query = select(plans.c.value).where(plans.c.project == project)
        with reading(self._ready) as connection:
            rows = connection.execute(query.order_by(plans.c.created.desc(), plans.c.plan_id))
            return tuple(values.read(Plan, row.value) for row in rows)

    def sealed(self, files: Sequence[FileHash]) -> Mapping[str, bytes]:
        """The bytes kept for these files, by path.

        Raises:
            KeyError: Bytes with that hash were never kept, or are no longer those bytes.
        """
        wanted = {file.sha256 for file in files}
        query = select(blobs.c.data).where(blobs.c.sha256.in_(sorted(wanted)))
        with reading(self._ready) as connection:
            kept = {sha256(row.data).hexdigest(): row.data for row in connection.execute(query)}
        return {file.path: kept[file.sha256] for file in files}

    def open_challenge(self, challenge: Challenge) -> Challenge:
        """Keep `challenge`, or return the unanswered, unexpired one of this plan and principal."""
        row = {
            "nonce": challenge.nonce,
            "plan_digest": challenge.plan_digest,
            "principal": challenge.principal,
            "expires": challenge.expires,
            "answer": challenge.answer,
            "value": values.write(challenge),
        }
        with writing(self._ready, alone_in=challenges) as connection:
            text = _waiting(connection, challenge)
            if text is not None:
                return values.read(Challenge, text)
            connection.execute(challenges.insert().values(row))
        return challenge

    def answer_challenge(self, nonce: str, answer: Answer) -> bool:
        """Record the answer, once: False when it was answered already or is not known."""
        unanswered = (challenges.c.nonce == nonce) & challenges.c.answer.is_(None)
        with writing(self._ready) as connection:
            done = connection.execute(update(challenges).where(unanswered).values(answer=answer))
            return done.rowcount == 1

    def save_grant(self, grant: Grant) -> None:
        """Keep a grant (its hash, never the token). One that is kept is never replaced."""
        row = {
            "token_hash": grant.token_hash,
            "spent": grant.spent,
            "value": values.write(replace(grant, spent=None)),
        }
        with writing(self._ready) as connection:
            connection.execute(grants.insert().values(row))

    def grant(self, token_hash: str) -> Grant | None:
        """A grant by its token's hash."""
        query = select(grants.c.value, grants.c.spent).where(grants.c.token_hash == token_hash)
        with reading(self._ready) as connection:
            row = connection.execute(query).first()
        return None if row is None else replace(values.read(Grant, row.value), spent=row.spent)

    def spend(self, token_hash: str, at: datetime) -> bool:
        """Spend the grant in one atomic, durable statement: False when it was spent before."""
        unspent = (grants.c.token_hash == token_hash) & grants.c.spent.is_(None)
        with writing(self._ready) as connection:
            done = connection.execute(update(grants).where(unspent).values(spent=at))
            return done.rowcount == 1

    def start_run(self, run: Run) -> None:
        """Record that a run begins, before it does; a token begins one run and no second."""
        with writing(self._ready) as connection:
            connection.execute(runs.insert().values(_run_row(run)))

    def finish_run(self, run: Run) -> None:
        """Record how it ended."""
        same = runs.c.token_hash == run.token_hash
        with writing(self._ready) as connection:
            done = connection.execute(update(runs).where(same).values(_run_row(run)))
            if done.rowcount == 0:
                connection.execute(runs.insert().values(_run_row(run)))

    def run(self, plan_id: str) -> Run | None:
        """The newest run of a plan, if it ever ran."""
        query = select(runs.c.value).where(runs.c.plan_id == plan_id)
        with reading(self._ready) as connection:
            text = connection.execute(query.order_by(runs.c.number.desc()).limit(1)).scalar()
        return None if text is None else values.read(Run, text)

    def append(
        self,
        *,
        at: datetime,
        event: trail.Event,
        project: str,
        principal: str,
        plan_id: str | None,
        detail: str,
    ) -> trail.Entry:
        """Add an audit entry, chained to the last one."""
        with writing(self._ready, alone_in=audit) as connection:
            last = _last(connection)
            entry = trail.chained(
                trail.Entry(
                    sequence=last.sequence + 1 if last else 1,
                    at=at.astimezone(UTC),
                    event=event,
                    project=project,
                    principal=principal,
                    plan_id=plan_id,
                    detail=detail,
                    previous=last.hash if last else trail.GENESIS,
                )
            )
            row = {"sequence": entry.sequence, "project": project, "value": values.write(entry)}
            connection.execute(audit.insert().values(row))
        return entry

    def entries(
        self, *, project: str | None = None, limit: int | None = None
    ) -> tuple[trail.Entry, ...]:
        """The audit trail in order, or the newest `limit` of it (still oldest first)."""
        query = select(audit.c.value).order_by(audit.c.sequence.desc()).limit(limit)
        if project is not None:
            query = query.where(audit.c.project == project)
        with reading(self._ready) as connection:
            newest = [values.read(trail.Entry, row.value) for row in connection.execute(query)]
        return tuple(reversed(newest))

    @property
    def _ready(self) -> Engine:
        """The engine, its tables made on first use."""
        with self._lock:
            if self._engine is None:
                engine = open_engine(self._where)
                make_ready(engine)
                self._engine = engine
            return self._engine


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _add(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Insert `row` unless its key is there."""
    connection.execute(_insert(connection, table).values(row).on_conflict_do_nothing())


def _put(connection: Connection, table: Table, row: Mapping[str, object]) -> None:
    """Insert `row`, or replace the one with its key."""
    statement = _insert(connection, table).values(row)
    key = list(table.primary_key.columns)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=dict(row)))


def _waiting(connection: Connection, challenge: Challenge) -> str | None:
    query = select(challenges.c.value).where(
        challenges.c.plan_digest == challenge.plan_digest,
        challenges.c.principal == challenge.principal,
        challenges.c.answer.is_(None),
        challenges.c.expires > challenge.created,
    )
    return connection.execute(query.limit(1)).scalar()


def _run_row(run: Run) -> dict[str, object]:
    return {"token_hash": run.token_hash, "plan_id": run.plan_id, "value": values.write(run)}


def _last(connection: Connection) -> trail.Entry | None:
    query = select(audit.c.value).order_by(audit.c.sequence.desc()).limit(1)
    text = connection.execute(query).scalar()
    return None if text is None else values.read(trail.Entry, text)
