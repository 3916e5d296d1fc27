"""What parity needs of the world; edges implement it."""

from typing import Protocol

from rulezero_policies.parity.values import Layout, ParityConfig, Service
from rulezero_policies.references import Sources


class Deployment(Protocol):
    """The services and environments of one project, for reading; raises `ProjectError` only."""

    def config(self) -> ParityConfig:
        """What the project declares."""
        ...

    def layout(self) -> Layout:
        """Services, environments and every key that they set, freshly read."""
        ...

    def code(self, service: Service) -> Sources:
        """The service's own source files, other services' folders left out."""
        ...

    def on_main(self, path: str, text: str) -> bool | None:
        """Whether the main branch has `text` in the file at `path`; None: not known."""
        ...
