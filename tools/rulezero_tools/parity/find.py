"""Find the switch: what keeps something that is merged from being seen in production."""

from dataclasses import replace

from rulezero_policies.errors import ProjectError
from rulezero_policies.parity import switch
from rulezero_policies.parity.switch import Definition, Production, Switch
from rulezero_policies.references import ModelClass
from rulezero_tools.parity import check, schema
from rulezero_tools.parity.check import Scope
from rulezero_tools.parity.ports import Deployment


def find_switch(scope: Scope, *, name: str) -> Switch:
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
    return replace(found, unknown=(*found.unknown, *unknown))


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
