"""The commands for people, CI and scripts: the same use cases, the same gate, no `--yes`."""

import functools
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec

import typer

from rulezero_policies import risk
from rulezero_policies.errors import RulezeroError
from rulezero_policies.findings import Risk
from rulezero_server import __version__
from rulezero_server.app import App
from rulezero_server.cli import formats, mended, person, progress, rulebook, show
from rulezero_server.cli.doctor import doctor as examine
from rulezero_tools import reading
from rulezero_tools.analyze import analyze as analyze_models
from rulezero_tools.ports import Session
from rulezero_tools.results import ReviewResult
from rulezero_tools.review import review_files

P = ParamSpec("P")

CLIENT = "rulezero command line"

cli = typer.Typer(
    name="rulezero",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Database migrations an AI assistant can prepare and only a person can decide to run.",
)


class Format(StrEnum):
    """How a result is printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class FailOn(StrEnum):
    """From which risk on the exit status is 1."""

    warning = "WARNING"
    critical = "CRITICAL"


class Database(StrEnum):
    """Where the demo runs."""

    sqlite = "sqlite"
    postgresql = "postgresql"


ProjectDir = Annotated[Path, typer.Option("--project", help="The project's folder.")]
EnvironmentName = Annotated[
    str | None, typer.Option("--environment", help="An environment of rulezero.toml.")
]
DatabaseName = Annotated[
    str | None,
    typer.Option("--database", help="Of several databases that the project migrates, this one."),
]
As = Annotated[Format, typer.Option("--format", help="How to print the result.")]
FailAt = Annotated[FailOn, typer.Option("--fail-on", help="Exit with 1 from this risk on.")]


def _could_not_run(error: RulezeroError) -> NoReturn:
    sys.stderr.write(f"rulezero: {error.code}: {error}\nNext: {error.advice}\n")
    raise typer.Exit(2)


def clear(command: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into two lines on stderr and exit status 2."""

    @functools.wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except RulezeroError as error:
            _could_not_run(error)

    return call


def _session(project: Path, environment: str | None, database: str | None = None) -> Session:
    return App(project).session(environment, client=CLIENT, database=database)


def _exit(risks: list[Risk], fail_on: FailOn) -> None:
    order: list[Risk] = ["SAFE", "WARNING", "CRITICAL"]
    limit = order.index(fail_on.value)  # type: ignore[arg-type]
    if any(order.index(r) >= limit for r in risks):
        raise typer.Exit(1)


@cli.callback(invoke_without_command=True)
def _root(
    shown: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if shown:
        sys.stdout.write(f"rulezero {__version__}\n")
        raise typer.Exit


@cli.command()
@clear
def analyze(
    project: ProjectDir = Path(),
    environment: EnvironmentName = None,
    database: DatabaseName = None,
    style: As = Format.text,
    fail_on: FailAt = FailOn.critical,
) -> None:
    """Compare the models with the database; say what changes, what breaks, how risky it is."""
    result = analyze_models(_session(project, environment, database))
    if style is Format.text:
        show.analysis(result)
    else:
        formats.write_findings(style.value, result, list(result.breaking), path="")
    _exit([result.risk], fail_on)


@cli.command()
@clear
def review(
    project: ProjectDir = Path(),
    environment: EnvironmentName = None,
    database: DatabaseName = None,
    revision: Annotated[str | None, typer.Option(help="One revision, applied or not.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every revision of the project.")] = False,
    static: Annotated[
        bool, typer.Option("--static", help="Read the files only: no database is asked.")
    ] = False,
    style: As = Format.text,
    fail_on: FailAt = FailOn.critical,
) -> None:
    """Review the pending revisions, one, or all. It makes no plan and applies nothing."""
    session = _session(project, environment, database)
    with progress.shown() as say:
        results = review_files(session, revision=revision, every=every, static=static, progress=say)
    _print_reviews(results, style, single=not every and len(results) == 1)
    _exit([risk.risk(r.findings) for r in results], fail_on)


def _print_reviews(results: tuple[ReviewResult, ...], style: Format, *, single: bool) -> None:
    if style is Format.text:
        for result in results:
            show.review(result)
        return
    formats.write_reviews(style.value, results, single=single)


@cli.command()
@clear
def fix(
    revision: Annotated[str, typer.Option(help="A revision that waits to be applied.")],
    project: ProjectDir = Path(),
    environment: EnvironmentName = None,
    finding: Annotated[
        list[str] | None, typer.Option(help="A rule to cure; may be given again. Default: all.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the diff and write nothing.")
    ] = False,
    style: As = Format.text,
) -> None:
    """Rewrite a revision that is not applied so that it reviews clean. The old file is kept."""
    if style not in {Format.text, Format.json}:
        raise typer.BadParameter(f"a fix is printed as text or json, not as {style.value}")
    from rulezero_tools.fix import fix as fix_revision  # noqa: PLC0415 - libcst is slow to load

    session = _session(project, environment)
    with progress.shown() as say:
        result = fix_revision(
            session, revision=revision, findings=finding or (), dry_run=dry_run, progress=say
        )
    mended.show(result) if style is Format.text else formats.write_json(result)
    if result.not_cured:
        raise typer.Exit(1)


@cli.command()
@clear
def parity(
    project: ProjectDir = Path(),
    switch: Annotated[
        str | None,
        typer.Option(help="Why this does not show: a function, route, CLI command or flag."),
    ] = None,
    running: Annotated[
        str | None,
        typer.Option(help="The environment that this very process runs in: its variables count."),
    ] = None,
    style: As = Format.text,
) -> None:
    """Hold production against main: PASS (exit 0) or FAIL (exit 1). It changes nothing."""
    if style not in {Format.text, Format.json}:
        raise typer.BadParameter(f"parity is printed as text or json, not as {style.value}")
    from rulezero_server.cli import parities  # noqa: PLC0415 - code is only read for this

    with progress.shown() as say:
        asked = parities.Asked(switch=switch, running=running)
        good = parities.run(App(project), CLIENT, asked, say, as_json=style is Format.json)
    if not good:
        raise typer.Exit(1)


@cli.command()
@clear
def history(
    project: ProjectDir = Path(),
    environment: EnvironmentName = None,
    limit: Annotated[int, typer.Option(help="How many of the newest entries.")] = 50,
    verify: Annotated[
        bool, typer.Option("--verify", help="Exit with 1 when the chain is broken.")
    ] = False,
    expect: Annotated[
        str | None, typer.Option(help="A head noted earlier: it must still be in the chain.")
    ] = None,
    export: Annotated[
        str | None, typer.Option(help="Write the whole trail as JSON lines to a file, or to -.")
    ] = None,
    style: As = Format.text,
) -> None:
    """Print the audit trail: every proposal, question, answer, refusal and outcome."""
    session = _session(project, environment)
    result = reading.history(session, limit=limit, expect=expect)
    if export is not None:
        _export(session, export)
        sys.stderr.write(f"{show.chain(result)}\n")
    elif style is Format.text:
        show.history(result)
    else:
        formats.write_json(result)
    if (verify or expect is not None) and result.chain != "whole":
        raise typer.Exit(1)


def _export(session: Session, target: str) -> None:
    try:
        formats.write_trail(session.store.entries(), target)
    except OSError as error:
        raise typer.BadParameter(f"{target} cannot be written: {error.strerror}") from error


@cli.command("rules")
def list_rules(
    rule_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One rule.")] = None,
    style: As = Format.text,
) -> None:
    """List the rules, or print one rule's page."""
    if style not in {Format.text, Format.json}:
        raise typer.BadParameter(f"rules are printed as text or json, not as {style.value}")
    if rule_id is None:
        views = rulebook.views()
        show.rules(views) if style is Format.text else formats.write_json(*views, single=False)
        return
    rule = rulebook.find(rule_id)
    if rule is None:
        raise typer.BadParameter(f"there is no rule {rule_id}; `rulezero rules` lists them")
    if style is Format.text:
        sys.stdout.write(rulebook.page(rule))
        return
    formats.write_json(next(v for v in rulebook.views() if v.id == rule_id))


@cli.command()
@clear
def doctor(project: ProjectDir = Path(), environment: EnvironmentName = None) -> None:
    """Say what is wrong with the set-up and how to mend it."""
    if not show.checks(examine(project, environment)):
        raise typer.Exit(1)


cli.command()(clear(person.enroll))
cli.command()(clear(person.approve))


@cli.command()
def demo(
    database: Annotated[Database, typer.Option(help="Where it runs.")] = Database.sqlite,
) -> None:
    """Run the whole flow on a throw-away project with a real MCP client, rollback included."""
    from rulezero_server.cli.demo import run  # noqa: PLC0415 - the client is only for the demo

    raise typer.Exit(run(database.value))


@cli.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": [],
    }
)
def serve(context: typer.Context) -> None:
    """Serve MCP on stdin and stdout. Options: --project DIR, --read-only."""
    from rulezero_server.cli.serve import main  # noqa: PLC0415

    main([*context.args])
