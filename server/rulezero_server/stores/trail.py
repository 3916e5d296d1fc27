"""The store's part about the audit trail, and its head, which is kept apart."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, select, update

from rulezero_policies import audit as chain
from rulezero_policies.errors import StoreFailed
from rulezero_server.stores import values
from rulezero_server.stores.base import Base
from rulezero_server.stores.engine import reading, writing
from rulezero_server.stores.tables import audit, audit_head


class Trail(Base):
    """The audit trail: entries are added, and never changed."""

    def append(
        self,
        *,
        at: datetime,
        event: chain.Event,
        project: str,
        principal: str,
        plan_id: str | None,
        detail: str,
    ) -> chain.Entry:
        """Add an audit entry, chained to the last one."""
        with writing(self._ready, alone_in=audit) as connection:
            # Chained to the head, not to what stands last: a cut would close without a trace.
            sequence, previous = _head(connection)
            entry = chain.chained(
                chain.Entry(
                    sequence=sequence + 1,
                    at=at.astimezone(UTC),
                    event=event,
                    project=project,
                    principal=principal,
                    plan_id=plan_id,
                    detail=detail,
                    previous=previous,
                )
            )
            _keep(connection, entry)
        return entry

    def entries(
        self, *, project: str | None = None, plan_id: str | None = None, limit: int | None = None
    ) -> tuple[chain.Entry, ...]:
        """The audit trail in order, or the newest `limit` of it (still oldest first)."""
        query = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
        if project is not None:
            query = query.where(audit.c.project == project)
        if plan_id is not None:
            # Long trails are not parsed for one plan; what only mentions it is left to the caller.
            query = query.where(audit.c.value.contains(plan_id, autoescape=True))
        with reading(self._ready) as connection:
            newest = [_entry(row) for row in connection.execute(query).mappings()]
        return tuple(reversed(newest))

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry, kept apart from the trail; (0, GENESIS) for none."""
        with reading(self._ready) as connection:
            return _head(connection)


def _entry(row: RowMapping) -> chain.Entry:
    """With the columns it was found by: an entry moved to another place or project is altered."""
    entry = values.read(chain.Entry, row["value"])
    return replace(entry, sequence=row["sequence"], project=row["project"])


def _head(connection: Connection) -> tuple[int, str]:
    row = connection.execute(select(audit_head.c.sequence, audit_head.c.hash)).first()
    return (0, chain.GENESIS) if row is None else (row.sequence, row.hash)


def _keep(connection: Connection, entry: chain.Entry) -> None:
    row = {"sequence": entry.sequence, "project": entry.project, "value": values.write(entry)}
    connection.execute(audit.insert().values(row))
    moved = update(audit_head).values(sequence=entry.sequence, hash=entry.hash)
    if connection.execute(moved).rowcount != 1:
        raise StoreFailed(reason="the head of its audit trail was removed by hand")
