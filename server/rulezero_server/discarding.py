"""Removing a revision file that a person discarded; only the runner asks for it."""

import os
from pathlib import Path

from rulezero_policies.errors import PlanStale
from rulezero_policies.plan import Plan
from rulezero_server import places, sealing


def remove(root: Path, plan: Plan, content: bytes) -> Path:
    """Keep the approved bytes in the state folder, then remove the file that still holds them.

    Args:
        root: The project's root folder.
        plan: The approved plan.
        content: The sealed bytes of its file.

    Returns:
        Where the bytes are kept.

    Raises:
        PlanStale: The file is another one by now, or no plain file.
        OSError: It cannot be kept or removed.
    """
    path = root / plan.path
    approved = next(f.sha256 for f in plan.files if f.path == plan.path)
    if path.is_symlink() or not path.is_file() or sealing.sha256(path.read_bytes()) != approved:
        raise PlanStale(plan_id=plan.plan_id, differences=f"{plan.path} is another file now")
    kept = _keep(path.name, plan, content)
    path.unlink()
    return kept


def _keep(name: str, plan: Plan, content: bytes) -> Path:
    folder = places.private_folder(places.state_dir() / "discarded" / plan.plan_id)
    kept = places.private_file(folder / name)
    with kept.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return kept
