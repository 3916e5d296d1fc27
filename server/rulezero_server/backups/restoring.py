"""What the process that puts a backup back is told; the runner alone asks for it."""

import math
import time
from dataclasses import replace
from pathlib import Path

from rulezero_policies.errors import BackupUnusable, PlanStale
from rulezero_policies.plan import Plan
from rulezero_server import launch, preferences
from rulezero_server.backups import keeping, kind
from rulezero_server.backups.kinds import Carried
from rulezero_server.shadows import Order
from rulezero_server.shadows.errors import NoShadow

SECONDS = 60.0


def prepared(target: launch.Target, plan: Plan, place: Path) -> Carried:
    """What a run in `place` needs beyond what every run does; nothing unless `plan` restores.

    Raises:
        PlanStale: The file is not the backup that was approved.
        BackupUnusable: A program for it is missing, or the backup cannot be read.
        ProjectError: The project does not tell how its database is connected to.
    """
    if plan.restoring is None:
        return Carried(args={})
    backup = plan.restoring.backup
    if keeping.digest(Path(backup.path)) != backup.sha256:
        raise PlanStale(plan_id=plan.plan_id, differences="the backup changed")
    try:
        found = kind(plan.database.dialect).carried(_order(target, plan), backup, place)
    except NoShadow as why:
        raise BackupUnusable(reason=why.reason, mend=why.mend) from why
    args = {
        "file": backup.path,
        "sha256": backup.sha256,
        "mark": plan.restoring.mark,
        "first": list(plan.restoring.first),
        "last": list(plan.restoring.last),
    }
    return replace(found, args={**args, **found.args})


def _order(target: launch.Target, plan: Plan) -> Order:
    wishes = replace(preferences.read().rehearsal, megabytes=math.inf, seconds=SECONDS)
    return Order(
        access=launch.ask(target, "access").result,
        identity=plan.database,
        wishes=wishes,
        protected=plan.protected,
        until=time.monotonic() + SECONDS,
        variables=target.variables,
    )
