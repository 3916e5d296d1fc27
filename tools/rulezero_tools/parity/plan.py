"""Plan to write settings files: missing keys, flags that were asked for, one root file.

A person decides with the gate's own question; the executor writes. No value is in the plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rulezero_policies import words
from rulezero_policies.errors import ParityRefused
from rulezero_policies.parity import consolidation, filewords, loading
from rulezero_policies.parity.changes import FileChange, Operation, SettingsFile, SettingsPlan
from rulezero_policies.parity.consolidation import (
    Consolidation,
    Kept,
    Shared,
    Terms,
)
from rulezero_policies.parity.generating import Generated, Left, Wish, generate
from rulezero_policies.parity.loading import Load
from rulezero_policies.parity.values import Layout, Need
from rulezero_policies.plan import Plan, PlannedChange
from rulezero_policies.text import visible
from rulezero_tools.parity import observing
from rulezero_tools.parity.ports import Deployment
from rulezero_tools.planning import record, refused
from rulezero_tools.ports import Session


@dataclass(frozen=True, kw_only=True)
class FileView:
    """What is done to one file; `created` is whether it is not there yet."""

    path: str
    created: bool
    edits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """The keys that a service sees in production, before and after.

    `gains` are those that it does not see now; `from_root` those that it sees from the root file
    afterwards, with the value they have now. It loses none.
    """

    service: str
    before: int
    after: int
    gains: tuple[str, ...]
    from_root: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConflictView:
    """A key that services set to different values; nothing is done about it."""

    key: str
    services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ParityPlanResult:
    """A files plan: nothing was written yet. `plan_id` is null where there is nothing to write.

    `conflicts`, `kept` and `left` are for a person: what disagrees, what stays with its service,
    and what is missing still. `placeholders` are keys that a person gives a value afterwards.
    """

    plan_id: str | None
    environment: str
    root: str
    files: tuple[FileView, ...]
    services: tuple[ServiceView, ...]
    shared: tuple[Shared, ...]
    kept: tuple[Kept, ...]
    conflicts: tuple[ConflictView, ...]
    left: tuple[Left, ...]
    placeholders: tuple[str, ...]
    backups: str
    warnings: tuple[str, ...]
    approval_request: str | None
    next_step: str


def plan_parity(
    session: Session,
    deployment: Deployment,
    *,
    consolidate: bool = False,
    keys: Sequence[str] | None = None,
    enable: Sequence[str] = (),
    needs: Sequence[Need] = (),
    missing: Sequence[tuple[str, str]] | None = None,
) -> ParityPlanResult:
    """Plan the files that bring production's settings to parity.

    Args:
        session: The project, the store and the caller.
        deployment: Its services and environments.
        consolidate: Whether keys that services share go to the root file.
        keys: The missing keys to add a line for; None for all of them.
        enable: The flags to switch on in production, by name.
        needs: What the code reads, as far as that was looked at.
        missing: What production lacks, as (service or "", key), where that was worked out before.

    Raises:
        ParityRefused: Something could not be read: nothing is planned on half a picture.
        FileRefused: A file is none that may be edited.
    """
    layout = deployment.layout()
    _check(session, layout)
    needs = (*needs, *layout.needs)
    asked = frozenset(keys or ())
    terms = _terms(session, deployment, layout, (*needs, *_listed(layout)), asked)
    moved = consolidation.consolidate(layout, terms)
    wish = Wish(
        keys=None if keys is None else tuple(keys),
        enable=tuple(enable),
        missing=None if missing is None else tuple(missing),
        covered=_covered(moved, asked) if consolidate else frozenset(),
    )
    generated = generate(layout, needs, deployment.config().flags, wish)
    changes = _merged((*(moved.changes if consolidate else ()), *generated.changes))
    draft = _Draft(
        layout=layout, moved=moved, generated=generated, consolidate=consolidate, loads=terms.loads
    )
    if not changes:
        return _result(session, draft, None, ())
    targets = observing.files_of(session).foresee(changes)
    read = [s.path for s in layout.sources if s.kind != "process"]
    read += [c.path for c in terms.compose]
    plan = _frozen(session, draft, targets, read)
    return _result(session, draft, plan, targets)


@dataclass(frozen=True, kw_only=True)
class _Draft:
    layout: Layout
    moved: Consolidation
    generated: Generated
    consolidate: bool
    loads: tuple[Load, ...]


def _check(session: Session, layout: Layout) -> None:
    """Nothing is planned on half a picture; a root file that is not there yet is none of it."""
    here = [s for s in layout.sources if s.environment == layout.production and s.error]
    to_make = {s.path for s in here if s.service is None and s.error == _NOT_THERE}
    broken = [f"{s.path} {s.error}." for s in here if s.path not in to_make]
    found = dict.fromkeys((*layout.problems, *broken))
    problems = [visible(p) for p in found if p not in {f"{path} {_NOT_THERE}." for path in to_make}]
    if problems:
        reason = f"not everything could be read: {' '.join(problems[:5])}"
        mend = "Mend what is named, then call `check_parity` again."
        raise refused(session, None, ParityRefused(reason=reason, mend=mend))


_NOT_THERE = "does not exist"


def _listed(layout: Layout) -> Iterable[Need]:
    """What examples list for a service: it is to have it, and not from elsewhere unasked."""
    for service in layout.services:
        for source in layout.sources:
            if source.environment in layout.baseline and source.service in {None, service.name}:
                for e in source.entries:
                    yield Need(
                        key=e.key,
                        service=service.name,
                        path=source.path,
                        line=e.line,
                        required=False,
                        how="listed",
                    )


def _terms(
    session: Session,
    deployment: Deployment,
    layout: Layout,
    needs: Iterable[Need],
    asked: frozenset[str],
) -> Terms:
    config = deployment.config()
    declared = (p for name, e, p in config.files if not name and e == config.production)
    return Terms(
        compose=observing.files_of(session).compose(),
        declared=frozenset(p for p in declared if not p.endswith((".yml", ".yaml"))),
        needs=tuple(needs),
        asked=asked,
        loads=tuple(
            load
            for service in layout.services
            for load in loading.loads(service.name, deployment.code(service))
        ),
    )


def _covered(moved: Consolidation, asked: frozenset[str]) -> frozenset[str]:
    """Keys that come to the root file, and from there to those who lack them."""
    return frozenset(s.key for s in moved.shared if s.moves) & asked


def _merged(changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    """One change a file, in the order of the paths; a key that arrives twice arrives once."""
    files: dict[str, dict[tuple[str | None, str | None], Operation]] = {}
    for change in changes:
        for operation in change.operations:
            place = files.setdefault(change.path, {})
            place.setdefault((operation.key, operation.service), operation)
    # What is taken out goes last: until then it shows where its neighbours belong.
    return tuple(
        FileChange(
            path=path, operations=tuple(sorted(found.values(), key=lambda o: o.kind == "remove"))
        )
        for path, found in sorted(files.items())
    )


def frozen(
    session: Session,
    settings: SettingsPlan,
    *,
    description: str,
    warnings: tuple[str, ...],
    read: Iterable[str],
) -> Plan:
    """A files plan, kept and recorded; the files that it rests on are bound as they are now.

    Raises:
        FileRefused: One of them is no plain text file.
    """
    now, paths = session.clock.now(), [t.path for t in settings.targets]
    plan = Plan(
        kind="files",
        project=session.project.name,
        environment=session.project.environment,
        protected=observing.guarded(session, settings.environment),
        database=observing.identity(session),
        from_revisions=(),
        to_revision="no revision",
        revisions=(),
        files=observing.hashes(session, [*paths, *read]),
        sql=None,
        fingerprint=None,
        description=description,
        path=paths[0],
        changes=tuple(
            PlannedChange(subject=t.path, description=line)
            for t in settings.targets
            for line in filewords.edits(t)
        ),
        findings=(),
        facts=(),
        verdict="SAFE",
        # What production runs with is never changed as if it were nothing.
        risk="WARNING",
        warnings=warnings,
        phrases=(),
        rollback_command="`rollback` with restore set to this plan's id, then `confirm`, `apply`",
        policy=session.policy.digest,
        created=now,
        expires=now + session.policy.plan_life,
        settings=settings,
    )
    session.store.save_plan(plan, {})
    record(session, "proposed", plan, f"files: {len(paths)} to write, risk {plan.risk}")
    return plan


def _frozen(
    session: Session, draft: _Draft, targets: tuple[SettingsFile, ...], read: Iterable[str]
) -> Plan:
    environment, backups = draft.layout.production, observing.files_of(session).backups
    settings = SettingsPlan(environment=environment, targets=targets, backups=backups)
    description = f"settings files of {environment}: {len(targets)} to write"
    warnings = tuple(_warnings(draft, settings))
    return frozen(session, settings, description=description, warnings=warnings, read=read)


def _warnings(draft: _Draft, settings: SettingsPlan) -> Iterable[str]:
    yield kept_in(settings)
    placeholders = _placeholders(settings.targets)
    if placeholders:
        yield (
            f"A person gives these a value before anything is deployed: {', '.join(placeholders)}. "
            "`check_parity` says FAIL for as long as a placeholder stands."
        )
    flags = {o.key or "" for t in settings.targets for o in t.operations if o.kind in _FLAGS}
    if flags:
        yield f"Switched on in {settings.environment}: {', '.join(sorted(flags))}."
    touched = {o.source for t in settings.targets for o in t.operations if o.kind == "remove"}
    for load in draft.loads if touched else ():
        yield (
            f"{load.service} reads settings in its code, too ({load.call} at {load.place}): see "
            f"that it reads {draft.moved.root} before its own file, so that nothing is missing."
        )
    for conflict in draft.moved.conflicts:
        services = ", ".join(conflict.services)
        yield f"{conflict.key} differs between {services}: it stays as it is, for you to decide."


_FLAGS = frozenset({"flag", "switch"})


def kept_in(settings: SettingsPlan) -> str:
    """Where the backup goes, in words."""
    return (
        "What each file holds now is kept first, readable by you alone, in a folder of this plan "
        f"below {settings.backups}; if that fails, nothing is written."
    )


def _placeholders(targets: Iterable[SettingsFile]) -> tuple[str, ...]:
    named = (o.key or "" for t in targets for o in t.operations if o.kind == "placeholder")
    return tuple(dict.fromkeys(named))


def _result(
    session: Session, draft: _Draft, plan: Plan | None, targets: tuple[SettingsFile, ...]
) -> ParityPlanResult:
    moved = draft.moved
    return ParityPlanResult(
        plan_id=plan.plan_id if plan else None,
        environment=draft.layout.production,
        root=moved.root,
        files=tuple(
            FileView(path=t.path, created=t.before is None, edits=filewords.edits(t))
            for t in targets
        ),
        services=tuple(_services(draft, targets)),
        shared=moved.shared,
        kept=moved.kept,
        conflicts=tuple(ConflictView(key=c.key, services=c.services) for c in moved.conflicts),
        left=draft.generated.left,
        placeholders=_placeholders(targets),
        backups=observing.files_of(session).backups,
        warnings=plan.warnings if plan else (),
        approval_request=words.approval_request(plan) if plan else None,
        next_step=_next(plan, draft),
    )


def _next(plan: Plan | None, draft: _Draft) -> str:
    if plan is not None:
        return (
            "Nothing was written. Show this to the person, then call `confirm` with plan_id "
            f"{plan.plan_id}; with the token, `apply`. Then `check_parity`."
        )
    more = "" if draft.consolidate else ", or with consolidate=true for shared keys"
    return f"There is nothing to write. Show the person what is left, kept and in conflict{more}."


def _services(draft: _Draft, targets: Iterable[SettingsFile]) -> Iterable[ServiceView]:
    layout, root = draft.layout, draft.moved.root
    added = {t.path: frozenset(_keys(t, gone=False)) for t in targets}
    gone = {t.path: frozenset(_keys(t, gone=True)) for t in targets}
    for service in layout.services:
        production = (s for s in layout.sources if s.environment == layout.production)
        own = [s for s in production if s.service in {None, service.name}]
        before = frozenset(e.key for s in own for e in s.entries)
        paths = {s.path for s in own} | ({root} if draft.moved.read_by_all else set[str]())
        left = frozenset[str]().union(*(gone.get(path, ()) for path in paths))
        fresh = frozenset[str]().union(*(added.get(path, ()) for path in paths)) - before
        yield ServiceView(
            service=service.name,
            before=len(before),
            after=len(before | fresh),
            gains=tuple(sorted(fresh)),
            from_root=tuple(sorted(left)),
        )


def _keys(target: SettingsFile, *, gone: bool) -> Iterable[str]:
    for operation in target.operations:
        if operation.key and (operation.kind == "remove") == gone:
            yield operation.key
