"""Find the switch: what keeps something that is merged from being seen in production."""

from dataclasses import dataclass, replace

from rulezero_policies.errors import ProjectError
from rulezero_policies.parity import switch
from rulezero_policies.parity.barriers import Barrier
from rulezero_policies.parity.switch import Definition, Production, Switch
from rulezero_policies.references import ModelClass
from rulezero_policies.text import visible
from rulezero_tools.parity import check, schema
from rulezero_tools.parity.check import Scope
from rulezero_tools.parity.ports import Deployment
from rulezero_tools.parity.views import MOST


@dataclass(frozen=True, kw_only=True)
class SwitchResult:
    """What keeps something from being seen in production; `visible` null: not known.

    `definitions` say where it is and whether main has it, `gates` what stands on the way to it,
    `lacks` what production lacks in the order to switch it. A value of a key is nowhere in it.
    """

    name: str
    visible: bool | None
    definitions: tuple[str, ...]
    gates: tuple[str, ...]
    keys: tuple[str, ...]
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    lacks: tuple[str, ...]
    unknown: tuple[str, ...]
    next_step: str


def find_switch(scope: Scope, *, name: str) -> SwitchResult:
    """Why `name` does not show in production; it changes nothing.

    Args:
        scope: What is read.
        name: A function, a route ("/notes"), an endpoint, a CLI command, a class or a flag.

    Raises:
        ProjectError: The project's own settings are broken.
    """
    deployment = scope.deployment
    layout = deployment.layout()
    models, lacking, unknown = _schema(scope, layout.production)
    production = Production(
        layout=layout, rule=deployment.config().flags, models=models, lacking=lacking
    )
    found = switch.find_switch(name, check.read(deployment, layout), production)
    told = {(one.path, one.line): _on_main(deployment, one) for one in found.definitions}
    found = switch.with_main(found, told)
    return _viewed(replace(found, unknown=(*found.unknown, *unknown)), layout.production)


def _viewed(found: Switch, production: str) -> SwitchResult:
    return SwitchResult(
        name=visible(found.name),
        visible=found.visible,
        definitions=tuple(map(_place, found.definitions))[:MOST],
        gates=tuple(f"{_gate(one)} ({one.path}:{one.line})" for one in found.barriers)[:MOST],
        keys=tuple(dict.fromkeys(one.key for one in found.needs))[:MOST],
        tables=found.tables[:MOST],
        columns=tuple(f"{table}.{column}" for table, column in found.columns)[:MOST],
        lacks=tuple(f"{one.kind} {one.name} ({one.service}): {one.why}" for one in found.lacks),
        unknown=found.unknown[:MOST],
        next_step=_next(found, production),
    )


def _place(one: Definition) -> str:
    main = {True: "on main", False: "not on main", None: "not known whether main has it"}
    return f"{one.kind} {one.label} ({one.service}, {one.path}:{one.line}), {main[one.on_main]}"


def _gate(one: Barrier) -> str:
    state = "open" if one.closed is False else "closed" if one.closed else f"unknown: {one.unsure}"
    return f"{one.through} by {', '.join(one.names)}: {one.state} ({one.why}), {state}"


def _next(found: Switch, production: str) -> str:
    if found.lacks:
        first = found.lacks[0]
        rest = f" Then {len(found.lacks) - 1} more, in order." if len(found.lacks) > 1 else ""
        return f"{first.do}{_HOW.get(first.kind, '').format(production=production)}{rest}"
    if found.visible:
        return "Nothing of what was looked at keeps it from being seen."
    return "Show what is not known: with it, nothing lacking does not mean that nothing does."


_HOW = {
    "schema": " Call `review` with environment {production!r}.",
    "key": " Call `plan_parity`.",
    "flag": " Call `plan_parity` with `enable`, if the person wants it on.",
}


def _on_main(deployment: Deployment, one: Definition) -> bool | None:
    return deployment.on_main(one.path, one.text)


def _schema(
    scope: Scope, production: str
) -> tuple[tuple[ModelClass, ...], frozenset[tuple[str, str | None]] | None, tuple[str, ...]]:
    """The models, what production's schema lacks of them, and what could not be told."""
    if production not in scope.databases:
        return (), None, ("what production's database has: its environment is not declared",)
    try:
        models = scope.sessions(production).project.models()
    except ProjectError as error:
        return (), None, (f"the models: {check.said(error)}",)
    gap = schema.schema_gap(scope.sessions, production, ())
    errors = tuple(one.error for one in gap.databases if one.error)
    if errors:
        return models, None, errors
    pairs = {(one.table, None if one.whole else one.column) for one in gap.missing}
    return models, frozenset(pairs), ()
