"""What besides the layout decides which keys can stand in one root file."""

from collections.abc import Iterable

from rulezero_policies.parity import loading
from rulezero_policies.parity.consolidation import Terms
from rulezero_policies.parity.values import Layout, Need
from rulezero_tools.parity.filesport import SettingsFiles
from rulezero_tools.parity.ports import Deployment


def terms(
    files: SettingsFiles,
    deployment: Deployment,
    layout: Layout,
    needs: Iterable[Need],
    asked: Iterable[str] = (),
) -> Terms:
    """What a plan consolidates on, so that a report can say the same beforehand.

    Args:
        files: The project's settings files.
        deployment: Its services and environments.
        layout: What they set.
        needs: What the code reads.
        asked: Keys that services may gain from the root file, because they were asked for by name.

    Raises:
        FileRefused: A compose file cannot be read.
    """
    config = deployment.config()
    declared = (p for name, e, p in config.files if not name and e == config.production)
    return Terms(
        compose=files.compose(),
        declared=frozenset(p for p in declared if not p.endswith((".yml", ".yaml"))),
        needs=(*needs, *_listed(layout)),
        asked=frozenset(asked),
        loads=tuple(
            load
            for service in layout.services
            for load in loading.loads(service.name, deployment.code(service))
        ),
    )


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
