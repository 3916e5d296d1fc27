"""Templates as responses: everything that is not ours is made visible and escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from rulezero_policies.text import visible

_WHOLE = 10_000_000
"""Characters: SQL that a person is to approve is shown to its end."""


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A template of ours, filled in."""
    return HTMLResponse(_environment().get_template(template).render(values), status_code=status)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # On whatever a template prints, so that no template can forget it.
        finalize=_shown,
    )
    environment.filters["cut"] = _cut
    return environment


def _shown(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value.expandtabs(4), limit=_WHOLE, lines=True)


def _cut(text: str, limit: int = 400) -> str:
    """What is shown of a name or a sentence; the rest is counted."""
    return visible(text, limit=limit)
