"""Plan to write settings files: missing keys, flags that were asked for, one root file.

A person decides with the gate's own question; the executor writes. No value is in the plan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rulezero_policies import words
from rulezero_policies.errors import ParityRefused
from rulezero_policies.parity import consolidation, filewords
from rulezero_policies.parity.changes import FileChange, Operation, SettingsFile, SettingsPlan
from rulezero_policies.parity.consolidation import (
    Consolidation,
)
from rulezero_policies.parity.generating import Generated, Wish, generate
from rulezero_policies.parity.loading import Load
from rulezero_policies.parity.values import Layout, Need
from rulezero_policies.plan import Plan
from rulezero_policies.text import visible
from rulezero_tools.parity import freezing, observing, planviews
from rulezero_tools.parity.planviews import ConflictView, FileView, ParityPlanResult
from rulezero_tools.parity.ports import Deployment
from rulezero_tools.parity.terms import terms
from rulezero_tools.planning import refused
from rulezero_tools.ports import Session


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
    besides = terms(observing.files_of(session), deployment, layout, needs, asked)
    moved = consolidation.consolidate(layout, besides)
    wish = Wish(
        keys=None if keys is None else tuple(keys),
        enable=tuple(enable),
        missing=None if missing is None else tuple(missing),
        covered=_covered(moved, asked) if consolidate else frozenset(),
    )
    generated = generate(layout, needs, deployment.config().flags, wish)
    changes = _merged((*(moved.changes if consolidate else ()), *generated.changes))
    draft = _Draft(
        layout=layout,
        moved=moved,
        generated=generated,
        consolidate=consolidate,
        loads=besides.loads,
    )
    if not changes:
        return _result(session, draft, None, ())
    targets = observing.files_of(session).foresee(changes)
    read = [s.path for s in layout.sources if s.kind != "process"]
    read += [c.path for c in besides.compose]
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


def _frozen(
    session: Session, draft: _Draft, targets: tuple[SettingsFile, ...], read: Iterable[str]
) -> Plan:
    environment, backups = draft.layout.production, observing.files_of(session).backups
    settings = SettingsPlan(environment=environment, targets=targets, backups=backups)
    description = f"settings files of {environment}: {len(targets)} to write"
    warnings = tuple(_warnings(draft, settings))
    return freezing.frozen(session, settings, description=description, warnings=warnings, read=read)


def _warnings(draft: _Draft, settings: SettingsPlan) -> Iterable[str]:
    yield freezing.kept_in(settings)
    placeholders = _placeholders(settings.targets)
    if placeholders:
        yield (
            f"A person gives these a value before anything is deployed: {', '.join(placeholders)}. "
            "`check_parity` says FAIL for as long as a placeholder stands."
        )
    flags = {o.key or "" for t in settings.targets for o in t.operations if o.kind in _FLAGS}
    if flags:
        yield f"Switched on in {settings.environment}: {', '.join(sorted(flags))}."
    unread = [s.name for s in draft.layout.services if s.name not in draft.moved.readers]
    if unread and draft.moved.root in {t.path for t in settings.targets}:
        yield f"See that {', '.join(unread)} read {draft.moved.root}, too: that is not known."
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
        services=tuple(planviews.services(draft.layout, moved, targets)),
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
            f"{plan.plan_id} and environment {plan.environment!r}; with the token, `apply` "
            "likewise. Then `check_parity`."
        )
    more = "" if draft.consolidate else ", or with consolidate=true for shared keys"
    return f"There is nothing to write. Show the person what is left, kept and in conflict{more}."
