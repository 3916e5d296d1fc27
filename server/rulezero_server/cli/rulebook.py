"""The rules as pages: for `rulezero rules`, and for docs/rules."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rulezero_policies.rehearsal_rules import REHEARSAL_RULES, RehearsalRule
from rulezero_policies.rules import RULES, Rule

_NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL and MariaDB", "sqlite": "SQLite"}

_OUTCOMES = {
    "will_fail": "the migration fails",
    "may_fail": "the migration fails, if the data is against it",
    "loses_data": "data is lost",
    "blocks": "others are kept waiting",
    "design": "it runs, and is regretted later",
    "unknown": "nobody knows",
}

_HEAD = """# Rules

What `rulezero review` and `rulezero analyze` look for. CRITICAL and WARNING are what a rule says
where nothing is known of the data; what is counted on the live database can raise, lower or
silence it. `rulezero rules` lists them, `rulezero rules ID` prints a page.

A comment on the step's line, or right above it, sets a WARNING aside:
`# rulezero: ignore[rule-id] the reason`. It leaves the verdict, is shown to whoever approves, and
does not lower who has to approve. Without a reason it does not count; CRITICAL cannot be set aside,
nor what is not understood.
"""

_REHEARSED = """## Shown by a rehearsal

What no reading can tell: the revision was run on a shadow of the database, up, down and up again.
None of these can be set aside by a comment.
"""


@dataclass(frozen=True, kw_only=True)
class RuleView:
    """A rule in one line."""

    id: str
    severity: str
    databases: tuple[str, ...]
    title: str


def views() -> tuple[RuleView, ...]:
    """Every rule by its id, then those of the rehearsal."""
    return (*_views(RULES), *_views(REHEARSAL_RULES))


def _views(rules: Iterable[Rule | RehearsalRule]) -> tuple[RuleView, ...]:
    return tuple(
        RuleView(id=r.id, severity=r.severity, databases=r.databases, title=r.title)
        for r in sorted(rules, key=lambda r: r.id)
    )


def find(rule_id: str) -> Rule | RehearsalRule | None:
    """The rule of that id."""
    return next((r for r in (*RULES, *REHEARSAL_RULES) if r.id == rule_id), None)


def page(rule: Rule | RehearsalRule) -> str:
    """A rule's page, in Markdown."""
    where = ", ".join(_NAMES[d] for d in rule.databases)
    versions = f" {rule.versions}" if isinstance(rule, Rule) and rule.versions else ""
    source = f"\n## Source\n\n{rule.source}\n" if rule.source else ""
    return (
        f"# {rule.id}\n\n**{rule.title}.** {rule.severity}: {_OUTCOMES[rule.outcome]}.\n\n"
        f"Databases: {where}.{versions}\n\n"
        f"## What happens\n\n{rule.why}\n\n"
        f"## What to do\n\n{_filled(rule.fix)}\n\n{_automatic(rule.id)}"
        f"{_examples(rule)}\n{source}"
    )


def _automatic(rule_id: str) -> str:
    """What `fix` does about it, if anything."""
    from rulezero_tools.recipes import recipe_of  # noqa: PLC0415 - libcst is slow to load

    recipe = recipe_of(rule_id)
    if recipe is None:
        return ""
    where = ", ".join(_NAMES[d] for d in recipe.databases)
    more = " The models have to say the same, or it is not written." if recipe.declares else ""
    return f"**Fix: automatic** ({where}). `rulezero fix` {recipe.gives}.{more}\n\n"


def _examples(rule: Rule | RehearsalRule) -> str:
    if isinstance(rule, Rule):
        return f"## Found\n\n{_code(rule.bad)}\n\n## Not found\n\n{_code(rule.good)}"
    needs = f"With {rule.needs}:\n\n" if rule.needs else ""
    return f"## Shown by a rehearsal of\n\n{needs}{_code(rule.bad)}"


def _filled(fix: str) -> str:
    """The template of a fix, with the places to fill in as people write them."""
    return fix.format_map(_Places())


class _Place(str):
    """A name in capitals, whatever way it is formatted."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{self}'"


class _Places(dict[str, str]):
    def __missing__(self, key: str) -> _Place:
        return _Place(key.upper())


def _code(source: str) -> str:
    return f"```python\n{source.strip()}\n```"


def index() -> str:
    """The list of all rules, in Markdown."""
    return f"{_HEAD}\n{_table(RULES)}\n\n{_REHEARSED}\n{_table(REHEARSAL_RULES)}\n"


def _table(rules: Iterable[Rule | RehearsalRule]) -> str:
    rows = (
        f"| [{v.id}]({v.id}.md) | {v.severity} | {', '.join(_NAMES[d] for d in v.databases)} "
        f"| {v.title} |"
        for v in _views(rules)
    )
    return "\n".join(("| rule | severity | databases | what |", "| --- | --- | --- | --- |", *rows))


def pages() -> dict[str, str]:
    """Every file of docs/rules, by its name."""
    return {"README.md": index(), **{f"{r.id}.md": page(r) for r in (*RULES, *REHEARSAL_RULES)}}


def write(folder: Path) -> int:
    """Make `folder` hold the pages and nothing else; the number of rules."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return len(wanted) - 1


if __name__ == "__main__":
    target = Path(sys.argv[1])
    sys.stdout.write(f"docs: {write(target)} rules in {target}\n")
