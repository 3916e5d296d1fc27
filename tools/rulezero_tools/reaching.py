"""What the project's code tried to reach while it was only read, as findings and warnings."""

from collections.abc import Iterable

from rulezero_policies.findings import Finding
from rulezero_policies.text import scrub, visible
from rulezero_tools.records import Interception

RULE = "reaches-out"

_FIX = (
    "Remove it: a migration changes its own database, through op.*, and nothing else. If reading "
    "the project needs it, a person allows it under [reading] in their own policy.toml."
)


def reaches_out(interceptions: Iterable[Interception]) -> tuple[Finding, ...]:
    """A finding for each program and connection that the project's own code asked for.

    What an installed package does of its own accord is no finding about the migration.
    """
    own = (i for i in interceptions if i.kind != "change" and i.package is None)
    return tuple(dict.fromkeys(map(_finding, own)))


def _finding(seen: Interception) -> Finding:
    return Finding(
        rule=RULE,
        severity="CRITICAL",
        subject=_clean(seen.file),
        evidence=_clean(f"{_place(seen)}, {_words(seen)} while it is only read; it was refused"),
        outcome="unknown",
        fix=_FIX,
        line=seen.line or None,
    )


def unjudged(interceptions: Iterable[Interception]) -> tuple[Interception, ...]:
    """Those that `reaches_out` says nothing of."""
    return tuple(i for i in interceptions if i.kind == "change" or i.package is not None)


def told(seen: Interception) -> str:
    """What was tried, in a sentence."""
    return _clean(_sentence(seen))


def _sentence(seen: Interception) -> str:
    if seen.package is not None:
        return (
            f"The package {seen.package} {_words(seen)} by itself ({_place(seen)}). It was stopped "
            "while the project is read; a person can allow it under [reading] in their policy.toml."
        )
    if seen.kind != "change":
        return f"{_place(seen)}, {_words(seen)} while the project is only read. It was stopped."
    return (
        f"Rule 0 hole: {_place(seen)}, calls {seen.call} while the app loads. It was stopped "
        "here, but it changes the database unasked whenever the app starts: remove it."
    )


def _words(seen: Interception) -> str:
    if seen.kind == "program":
        return f"starts a program (`{seen.call}`)"
    return f"opens a connection to {seen.call}"


def _place(seen: Interception) -> str:
    return f"{seen.file}, line {seen.line}"


def _clean(text: str) -> str:
    return visible(scrub(" ".join(text.split())), limit=800)
