"""The store on SQLAlchemy Core: one implementation for SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from sqlalchemy import or_, select, update

from rulezero_policies.plan import FileHash, Plan
from rulezero_server.stores import values
from rulezero_server.stores.base import add, put
from rulezero_server.stores.engine import reading, writing
from rulezero_server.stores.people import People
from rulezero_server.stores.questions import Questions
from rulezero_server.stores.tables import analyses, blobs, plans, runs
from rulezero_server.stores.trail import Trail
from rulezero_tools.records import Analysis, Run

_OPEN_ENDS = ('status":"running"', 'ending":"unknown"')


class SqlStore(Questions, People, Trail):
    """Implements `rulezero_tools.ports.Store`; threads and processes may share it.

    Every method may raise `StoreFailed`: the database does not answer, or holds what cannot be
    read. Each opens a connection of its own and closes it.
    """

    def save_analysis(self, analysis: Analysis) -> None:
        """Keep or replace an analysis."""
        row = {
            "analysis_id": analysis.analysis_id,
            "project": analysis.project,
            "created": analysis.created,
            "value": values.write(analysis),
        }
        with writing(self._ready) as connection:
            put(connection, analyses, row)

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
                add(connection, blobs, {"sha256": name, "data": kept[name]})
            add(connection, plans, row)

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

    def start_run(self, run: Run) -> None:
        """Record that a run begins, before it does; a token begins one run and no second."""
        with writing(self._ready) as connection:
            connection.execute(runs.insert().values(_run_row(run)))

    def finish_run(self, run: Run) -> bool:
        """Record how it ended: False where a settled end is recorded already, which stays."""
        same = runs.c.token_hash == run.token_hash
        with writing(self._ready, alone_in=runs) as connection:
            text = connection.execute(select(runs.c.value).where(same)).scalar()
            if text is None:
                connection.execute(runs.insert().values(_run_row(run)))
                return True
            if values.read(Run, text).settled:
                return False
            connection.execute(update(runs).where(same).values(_run_row(run)))
            return True

    def unsettled(self) -> tuple[Run, ...]:
        """The runs whose end is not recorded, or recorded as unknown; the oldest first."""
        # A quote inside a text is escaped in JSON: only the fields themselves look like this.
        open_ends = [runs.c.value.contains(f'"{key}') for key in _OPEN_ENDS]
        query = select(runs.c.value).where(or_(*open_ends)).order_by(runs.c.number)
        with reading(self._ready) as connection:
            found = [values.read(Run, row.value) for row in connection.execute(query)]
        return tuple(run for run in found if not run.settled)

    def run(self, plan_id: str) -> Run | None:
        """The newest run of a plan, if it ever ran."""
        query = select(runs.c.value).where(runs.c.plan_id == plan_id)
        with reading(self._ready) as connection:
            text = connection.execute(query.order_by(runs.c.number.desc()).limit(1)).scalar()
        return None if text is None else values.read(Run, text)


def _run_row(run: Run) -> dict[str, object]:
    return {"token_hash": run.token_hash, "plan_id": run.plan_id, "value": values.write(run)}
