"""Writing the files of an approved files plan; only the runner asks for it.

Every file is written whole beside its target before the first one is replaced, and the journal says
what is about to happen before it does: after a kill it can be told of every file which content it
has, and the backup puts them all back.
"""

import contextlib
import hashlib
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rulezero_policies.errors import FileRefused, PlanStale
from rulezero_policies.parity.changes import FileChange, SettingsPlan
from rulezero_policies.plan import Plan
from rulezero_server import filelocks, runs
from rulezero_server.parity import aftermath, keeping, plainfiles, rewriting
from rulezero_server.parity.plainfiles import Plain

NEW_MODE = 0o600
"""A settings file that was not there is its owner's alone."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A plan on its way: where, what each file is now, and what it becomes (None: it goes)."""

    root: Path
    plan: Plan
    place: Path
    old: Mapping[str, Plain | None]
    new: Mapping[str, bytes | None]

    def target(self, path: str) -> Path:
        return plainfiles.inside(self.root, path)

    def beside(self, path: str) -> Path:
        return aftermath.beside(self.target(path), self.plan.plan_id)


def write(root: Path, plan: Plan) -> Path:
    """Back up, then write, every file of `plan`, or none.

    Args:
        root: The project's root folder.
        plan: The approved plan.

    Returns:
        The folder with what the files held before.

    Raises:
        TokenRefused: It was begun before.
        PlanStale: A file is not what was approved, or would not become it.
        FileRefused: A file is none that may be written.
        OSError: Something could not be written; what was written is put back where that can be.
    """
    place = runs.claim(plan.plan_id)
    with _alone(root), filelocks.to_hand_over(place / "lock"):
        if (place / "closed").exists():
            raise PlanStale(plan_id=plan.plan_id, differences="it was given up as never begun")
        job = _job(root, plan, place)
        kept = keeping.keep(plan.plan_id, job.old)
        _note(job, "begins")
        try:
            _prepare(job)
            _note(job, "ready")
            _replace(job)
        except (OSError, FileRefused, PlanStale):
            _clear(job)
            raise
        return kept


@contextlib.contextmanager
def _alone(root: Path) -> Generator[None]:
    """One plan at a time writes the files of a project."""
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    with filelocks.to_hand_over(Path(runs.locks()) / f"settings-{name}"):
        yield


def _job(root: Path, plan: Plan, place: Path) -> _Job:
    settings = aftermath.settings_of(plan)
    old = {t.path: plainfiles.look(root, t.path, to_write=True) for t in settings.targets}
    held = {path: aftermath.mark(file.content if file else None) for path, file in old.items()}
    new = becoming(root, settings)
    _hold(plan, {t.path: t.before for t in settings.targets}, held, "changed since")
    after = {path: aftermath.mark(content) for path, content in new.items()}
    _hold(plan, {t.path: t.after for t in settings.targets}, after, "would become another")
    return _Job(root=root, plan=plan, place=place, old=old, new=new)


def becoming(root: Path, settings: SettingsPlan) -> dict[str, bytes | None]:
    """What each file of a plan is to hold, computed from what stands there now.

    Raises:
        FileRefused: A file is none that may be edited.
        OSError: A backup cannot be read.
    """
    if settings.restores is not None:
        wanted = {t.path for t in settings.targets}
        backup = [one for one in keeping.read(settings.restores) if one.path in wanted]
        return {one.path: keeping.content(settings.restores, one) for one in backup}
    changes = [FileChange(path=t.path, operations=t.operations) for t in settings.targets]
    return dict(rewriting.rewritten(root, changes))


def _hold(
    plan: Plan, approved: Mapping[str, str | None], now: Mapping[str, str | None], what: str
) -> None:
    wrong = sorted(p for p in approved.keys() | now.keys() if approved.get(p) != now.get(p))
    if wrong:
        raise PlanStale(plan_id=plan.plan_id, differences=f"{', '.join(wrong)} {what}")


def _prepare(job: _Job) -> None:
    """Every new content, on disk and with its mode and owner, beside where it goes."""
    for path, content in job.new.items():
        if content is not None:
            _note(job, "beside", path)
            put(job.beside(path), content, job.old[path])


def put(place: Path, content: bytes, like: Plain | None) -> None:
    """A new file with this content, on disk, with the mode and owner of the one that is `like` it.

    Raises:
        OSError: It cannot be written, or the owner cannot be kept.
    """
    file = os.open(
        place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), NEW_MODE
    )
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
        opened.flush()
        if like is not None and os.name == "posix":
            made = os.fstat(file)
            if (made.st_uid, made.st_gid) != (like.owner, like.group):
                os.fchown(file, like.owner, like.group)
            os.fchmod(file, like.mode)
        os.fsync(file)


def _replace(job: _Job) -> None:
    """One file after the other; if one cannot be, those before it get their old content back."""
    done: list[str] = []
    try:
        for path in job.new:
            _unchanged(job, path)
            take_place(job, path)
            done.append(path)
            _note(job, "written", path)
    except (OSError, FileRefused, PlanStale):
        for path in reversed(done):
            _put_back(job, path)
        raise


def _unchanged(job: _Job, path: str) -> None:
    """A last look: what was written there in the meantime is not overwritten."""
    now, before = plainfiles.look(job.root, path, to_write=True), job.old[path]
    if (now and now.content) != (before and before.content):
        raise PlanStale(plan_id=job.plan.plan_id, differences=f"{path} changed since")


def take_place(job: _Job, path: str) -> None:
    """The new content in the place of the old, in one step; what is not to be there goes.

    Raises:
        OSError: It cannot be done.
    """
    target = job.target(path)
    if job.new[path] is None:
        target.unlink()
    else:
        job.beside(path).replace(target)
    keeping.settle(target.parent)


def _put_back(job: _Job, path: str) -> None:
    old, target = job.old[path], job.target(path)
    if old is None:
        target.unlink()
    else:
        put(job.beside(path), old.content, old)
        job.beside(path).replace(target)
    keeping.settle(target.parent)
    _note(job, "put back", path)


def _clear(job: _Job) -> None:
    """New contents that took nobody's place hold secrets: they do not stay."""
    for path in job.new:
        with contextlib.suppress(OSError):
            job.beside(path).unlink(missing_ok=True)
            _note(job, "cleared", path)


def _note(job: _Job, event: str, path: str | None = None) -> None:
    aftermath.note(job.place, event, path)
