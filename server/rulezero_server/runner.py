"""The one module that may ask for a writable session, and only with a spent grant."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rulezero_policies.errors import PlanStale, StoreFailed, TokenRefused
from rulezero_policies.grant import Permit, same
from rulezero_policies.plan import Plan
from rulezero_server import discarding, filelocks, launch, places, runs, sealing
from rulezero_server.backups import restoring
from rulezero_server.parity import writing
from rulezero_tools.ports import Store
from rulezero_tools.records import RunReport


class WorkerRunner:
    """Runs a plan's sealed revisions against its database."""

    def __init__(self, target: launch.Target, store: Store) -> None:
        """Run in `target`; ask `store` itself whether a permit's grant is spent."""
        self._target = target
        self._store = store

    def run(self, permit: Permit, plan: Plan, files: Mapping[str, bytes]) -> RunReport:
        """Run the plan's revisions from `files` (the sealed bytes).

        Raises:
            TokenRefused: The permit is not for this plan, or the store does not know it as spent.
            PlanStale: `files` are not exactly the files of the plan.
            ProjectError: The worker could not start, did not answer, or refused.
        """
        self._check(permit, plan)
        if plan.kind == "files":
            return self._write_files(plan)
        _check_files(plan, files)
        if plan.kind == "discard":
            return self._discard(plan, files)
        verb, folders = _verb(plan), runs.Folders(self._target)
        try:
            place = runs.claim(plan.plan_id)
            restore = restoring.prepared(self._meant(plan), plan, place)
            with filelocks.to_hand_over(place / "lock") as lock:
                self._write(place, verb, plan, files, restore.args)
                process = launch.begin(self._target, place, lock, secret=restore.secret)
            ended = runs.await_end(process, self._target.run_timeout)
        except OSError as error:
            raise StoreFailed(reason=error.strerror or type(error).__name__) from error
        return folders.look(plan.plan_id) if ended else folders.so_far(plan.plan_id)

    def _write_files(self, plan: Plan) -> RunReport:
        begun = time.monotonic()
        try:
            # Which folder its files are under stands in the plan, and a person approved it.
            kept = writing.write(Path(plan.database.name), plan)
        except OSError as error:
            raise StoreFailed(reason=error.strerror or type(error).__name__) from error
        seconds = round(time.monotonic() - begun, 3)
        return RunReport(statements=(), error=None, seconds=seconds, kept=str(kept))

    def _discard(self, plan: Plan, files: Mapping[str, bytes]) -> RunReport:
        try:
            kept = discarding.remove(self._target.found.root, plan, files[plan.path])
        except OSError as error:
            raise StoreFailed(reason=error.strerror or type(error).__name__) from error
        return RunReport(statements=(), error=None, seconds=0.0, kept=str(kept))

    def _write(
        self,
        place: Path,
        verb: str,
        plan: Plan,
        files: Mapping[str, bytes],
        also: Mapping[str, Any],
    ) -> None:
        args = {
            "to": plan.to_revision,
            "from": list(plan.from_revisions),
            "identity": asdict(plan.database),
            "sealed": sealing.seal(
                places.private_folder(place / "sealed"), self._target.found.root, files
            ),
            "limits": asdict(self._target.limits),
            "locks": runs.locks(),
            "bind": plan.bind,
            "skip": list(plan.skip),
            "statements": list(plan.statements),
            **also,
        }
        text = launch.request(self._meant(plan), verb, args, mode="running")
        places.private_file(place / "request").write_text(text, encoding="utf-8")

    def _meant(self, plan: Plan) -> launch.Target:
        return replace(self._target, database=plan.bind)

    def _check(self, permit: Permit, plan: Plan) -> None:
        if not same(permit.plan_digest, plan.digest):
            raise TokenRefused(reason="This permit is for another plan.")
        grant = self._store.grant(permit.token_hash)
        if grant is None or grant.spent is None:
            raise TokenRefused(reason="The store knows no spent token for this permit.")
        if not same(grant.plan_digest, plan.digest):
            raise TokenRefused(reason="This token was given for another plan.")
        if plan.project != str(self._target.found.root):
            raise TokenRefused(reason="This plan is for another project.")


def _verb(plan: Plan) -> str:
    if plan.kind == "restore" and plan.restoring is None:
        raise TokenRefused(reason="This plan says of no backup what it restores.")
    if plan.kind not in {"upgrade", "downgrade", "restore", "undo", "purge"}:
        raise TokenRefused(reason=f"A {plan.kind} plan changes no database.")
    return plan.kind


def _check_files(plan: Plan, files: Mapping[str, bytes]) -> None:
    approved = {file.path: file.sha256 for file in plan.files}
    given = {path: sealing.sha256(content) for path, content in files.items()}
    if approved != given:
        wrong = sorted(p for p in approved.keys() | given.keys() if approved.get(p) != given.get(p))
        raise PlanStale(plan_id=plan.plan_id, differences=f"not as approved: {', '.join(wrong)}")
