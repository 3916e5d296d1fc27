"""Results for people, in a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rulezero_policies import backup, choices, words
from rulezero_policies.checklist import pre_migration_checklist
from rulezero_policies.findings import Finding
from rulezero_policies.grant import Challenge
from rulezero_policies.plan import Plan
from rulezero_policies.text import visible
from rulezero_server.cli import timeline
from rulezero_server.cli.doctor import Check
from rulezero_server.cli.rulebook import RuleView
from rulezero_tools import rehearse
from rulezero_tools.answering import Waiting
from rulezero_tools.results import (
    AnalyzeResult,
    DatabaseView,
    ReferenceView,
    RenameView,
    ReviewResult,
)
from rulezero_tools.views import HistoryResult

COLOURS = {
    "SAFE": "green",
    "PASS": "green",
    "WARNING": "yellow",
    "NEEDS_CHANGES": "yellow",
    "CRITICAL": "red",
    "UNSAFE": "red",
}

LONGEST_SQL = 20_000
"""Characters of SQL that a terminal shows; the page shows the whole."""

console = Console(highlight=False)


def _coloured(word: str) -> str:
    return f"[bold {COLOURS[word]}]{word}[/]"


def _database(view: DatabaseView) -> str:
    if view.version == "not asked":
        return f"[dim]database[/]  {view.dialect}, not asked"
    return f"[dim]database[/]  {escape(view.identity)}, {view.dialect} {escape(view.version)}"


def _indented(markup: str, by: int) -> None:
    console.print(Padding(Text.from_markup(markup), (0, 0, 0, by), expand=False))


def _lines(title: str, lines: Iterable[str]) -> None:
    kept = list(lines)
    if kept:
        console.print(f"\n[bold]{title}[/]")
    for line in kept:
        _indented(line, 2)


def _findings(found: Iterable[Finding]) -> None:
    for f in found:
        line = f" [dim]line {f.line}[/]" if f.line else ""
        console.print(f"\n  {_coloured(f.severity)} {f.rule}  [bold]{escape(f.subject)}[/]{line}")
        _indented(escape(f.evidence), 4)
        _indented(f"[dim]→[/] {escape(f.fix)}", 4)


def _references(found: Sequence[ReferenceView], total: int) -> None:
    lines = [
        f"{escape(r.place)}  [dim]{r.confidence}[/]  {escape(r.subject)}: {escape(r.how)}"
        for r in found
    ]
    more = [f"[dim]… {total - len(found)} more[/]"] if total > len(found) else []
    _lines("Used in the code", [*lines, *more])


def _rename(found: RenameView) -> str:
    rival = ", another is about as likely" if found.ambiguous else ""
    against = f"; against it: {', '.join(found.against)}" if found.against else ""
    why = f"[dim]{found.score} of 100: {escape(', '.join(found.evidence) + against)}{rival}[/]"
    return (
        f"{escape(found.id)}  {why}\n  {escape(found.code)}\n  otherwise {escape(found.otherwise)}"
    )


def analysis(result: AnalyzeResult) -> None:
    """An analysis."""
    console.print(f"Risk {_coloured(result.risk)}   {escape(result.strategy)}")
    console.print(_database(result.database))
    _lines("Changes", (f"{escape(c.subject)}: {escape(c.description)}" for c in result.changes))
    _findings(result.breaking)
    _references(result.references, result.references_total)
    _lines("May be renames", map(_rename, result.rename_candidates))
    _lines("Foreign keys", map(escape, result.foreign_key_order))
    _lines("Indexes worth adding", map(escape, result.indexes_to_add))
    _lines("Before you go on", (f"[ ] {escape(c)}".replace("[ ]", "☐") for c in result.checklist))
    _lines("Warnings", map(escape, result.warnings))
    if result.not_compared:
        _lines("Autogenerate does not compare", [escape(", ".join(result.not_compared))])
    console.print(f"\n[dim]Next:[/] {escape(result.next_step)}")


def review(result: ReviewResult) -> None:
    """A review."""
    if not result.path:
        console.print(f"{_coloured(result.verdict)}   {escape(result.next_step)}")
        return
    console.rule(f"{escape(result.revision)}  {escape(result.path)}", align="left", style="dim")
    console.print(f"{_coloured(result.verdict)}   risk {_coloured(result.risk)}")
    console.print(escape(result.because))
    console.print(_database(result.database))
    _lines("Changes", (f"{escape(c.subject)}: {escape(c.description)}" for c in result.changes))
    _findings(result.findings)
    timeline.show(console, result.rehearsal)
    _references(result.references, result.references_total)
    marks = {True: "[green]✓[/]", False: "[red]✗[/]"}
    _lines("Checklist", (f"{marks[c.passed]} {escape(c.item)}" for c in result.checklist))
    _lines("Warnings", map(escape, result.warnings))
    console.print(f"\n[dim]Next:[/] {escape(result.next_step)}")


def waiting(found: Sequence[Waiting], person: str) -> None:
    """The plans that wait for a person."""
    if not found:
        console.print(f"Nothing waits for {escape(person)}.")
        return
    for w in found:
        about = f"{escape(visible(w.plan.description))}  [dim]{escape(w.plan.project)}[/]"
        until = f"[dim]until {w.challenge.expires:%H:%M} UTC[/]"
        console.print(f"{w.plan.plan_id}  {_coloured(w.plan.risk)}  {about}  {until}")
    console.print("\nShow and decide one: [bold]rulezero approve PLAN[/]")


def question(asked: Waiting) -> None:
    """Exactly what would run, before a person decides."""
    plan, challenge = asked.plan, asked.challenge
    console.rule(plan.plan_id, align="left", style="dim")
    console.print(f"[bold]{words.HEADINGS[plan.kind]}[/]  {escape(visible(plan.description))}\n")
    for name, value in _facts_of(plan, challenge):
        console.print(f"[dim]{name:<12}[/] {value}")
    _lines("Warnings", map(escape, words.own_warnings(plan)))
    _lines("Renames", map(escape, choices.text(plan.renames)))
    _lines("Changes", (escape(visible(f"{c.subject}: {c.description}")) for c in plan.changes))
    _findings(plan.findings)
    timeline.show(console, rehearse.view(plan.rehearsal))
    _lines("SQL", [escape(visible(plan.sql, limit=LONGEST_SQL, lines=True))] if plan.sql else ())
    _lines("Files", (f"[dim]{f.sha256[:12]}[/]  {escape(visible(f.path))}" for f in plan.files))
    before = () if plan.kind == "files" else pre_migration_checklist(plan.findings)
    _lines("Before you approve", map(escape, before))
    _lines("How to go back", [escape(visible(plan.rollback_command))])


def _facts_of(plan: Plan, challenge: Challenge) -> Iterable[tuple[str, str]]:
    moves = f"{', '.join(plan.from_revisions) or 'base'} → {plan.to_revision}"
    guarded = " [bold red]protected[/]" if plan.protected else ""
    yield "risk", _coloured(plan.risk)
    yield "database", escape(visible(plan.place))
    yield "environment", escape(visible(plan.environment)) + guarded
    yield "project", escape(visible(plan.project))
    if plan.kind != "files":
        yield "revision", escape(visible(moves))
    if plan.backup is not None:
        yield "backup", escape(visible(backup.line(plan.backup), limit=800))
    yield "asked by", escape(visible(challenge.principal))
    yield "open until", f"{challenge.expires:%H:%M} UTC"


def history(result: HistoryResult) -> None:
    """The audit trail."""
    table = Table(box=None, pad_edge=False)
    for column in ("#", "when", "what", "plan", "who", "detail"):
        table.add_column(column, overflow="fold")
    for e in result.entries:
        row = (str(e.sequence), e.at, e.event, e.plan_id or "", e.principal, e.detail)
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
    console.print(escape(chain(result)), soft_wrap=True)


def chain(result: HistoryResult) -> str:
    """Whether the audit trail is whole, in one line."""
    if result.chain != "whole":
        return f"broken: {result.chain}"
    return f"whole, {result.length} entries, head {result.head}"


def rules(found: Iterable[RuleView]) -> None:
    """Every rule in a line."""
    table = Table(box=None, pad_edge=False)
    for column in ("rule", "severity", "databases", "what"):
        table.add_column(column, overflow="fold")
    for v in found:
        table.add_row(v.id, _coloured(v.severity), ", ".join(v.databases), escape(v.title))
    console.print(table)
    console.print("\nOne rule's page: [bold]rulezero rules ID[/]")


def checks(found: Iterable[Check]) -> bool:
    """What the doctor saw; True when nothing is wrong."""
    good = True
    for check in found:
        good = good and check.good
        console.print(f"{'[green]✓[/]' if check.good else '[red]✗[/]'} {escape(check.what)}")
        if check.advice:
            _indented(f"[dim]→[/] {escape(check.advice)}", 2)
    return good


def spoken(who: str, text: str, colour: str) -> None:
    """Something a party of the demo says."""
    console.print(Panel(Text(text), title=who, title_align="left", border_style=colour))
