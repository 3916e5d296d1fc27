"""`rulezero enroll` and `rulezero approve`: what a person does in a terminal of their own."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from rulezero_policies import choices
from rulezero_policies.backup import attests
from rulezero_policies.errors import GateError, NoChannel
from rulezero_policies.policy import CONFIRMATIONS, Confirmation, confirmations, to_type
from rulezero_server.app import App
from rulezero_server.cli import show
from rulezero_tools import answering, enrolment
from rulezero_tools.answering import Waiting
from rulezero_tools.ports import Desk, PinHasher

TRIES = 3
"""How often a mistyped PIN may be typed again in one go."""


def enroll(
    passkey: Annotated[
        bool, typer.Option("--passkey", help="Enroll a passkey, on a page in your browser.")
    ] = False,
) -> None:
    """Choose the PIN (or make the passkey) by which you approve migrations."""
    desk = _at_a_terminal()
    if passkey:
        _enroll_passkey(desk)
        return
    old = None
    if desk.store.pin(desk.person) is not None:
        enrolment.locked_out(desk)
        old = getpass.getpass("The PIN you have now: ")
    new = getpass.getpass(f"New PIN (at least {enrolment.SHORTEST} characters): ")
    if getpass.getpass("The same again: ") != new:
        show.console.print("[red]✗[/] The two were not the same. Nothing was changed.")
        raise typer.Exit(1)
    enrolment.enroll_pin(desk, _hasher(), new, old=old)
    show.console.print(
        f"[green]✓[/] The PIN of {desk.person} is set. It is asked for on rulezero's page and by "
        "[bold]rulezero approve[/], and nowhere else: never type it into a chat or a form."
    )


def _hasher() -> PinHasher:
    from rulezero_server.approval import Argon2Hasher

    return Argon2Hasher()


def _enroll_passkey(desk: Desk) -> None:
    from rulezero_server.approval import enroll_page

    show.console.print("Your browser shows a page on which the passkey is made.")
    if not enroll_page(desk, _hasher(), say=show.console.print):
        show.console.print("[red]✗[/] No passkey was made. Nothing was changed.")
        raise typer.Exit(1)
    show.console.print(f"[green]✓[/] The passkey of {desk.person} is enrolled.")


def approve(
    plan: Annotated[str | None, typer.Argument(help="A plan_id; default: the one that waits.")] = (
        None
    ),
    decline: Annotated[bool, typer.Option("--decline", help="Say no; it needs no PIN.")] = False,
) -> None:
    """Show the plans that wait for you; approve one with your PIN, or decline it."""
    desk = App(Path()).desk()
    found = answering.waiting(desk) if plan is None else (answering.find(desk, plan),)
    if len(found) != 1:
        show.waiting(found, desk.person)
        return
    if decline:
        _decline(desk, found[0])
        return
    _decide(_at_a_terminal(), found[0])


def _decide(desk: Desk, asked: Waiting) -> None:
    show.question(asked)
    answering.shown(desk, asked)
    said = show.console.input("\n[bold]a[/]pprove, [bold]d[/]ecline, or Enter to leave it open: ")
    match said.strip().lower():
        case "a" | "approve":
            _approve(desk, asked)
        case "d" | "decline":
            _decline(desk, asked)
        case _:
            show.console.print("It stays open. Nothing was changed.")
            raise typer.Exit(1)


def _decline(desk: Desk, asked: Waiting) -> None:
    answering.decline(desk, asked, channel="terminal")
    show.console.print(f"[green]✓[/] Declined. {asked.plan.plan_id} will not run.")


def _approve(desk: Desk, asked: Waiting) -> None:
    if asked.challenge.needs == "passkey":
        how = "Approve it on the page, which `confirm` opens, or leave it."
        raise NoChannel(reason="this plan needs a passkey, which a terminal has not", how=how)
    decided = _decided(asked)
    typed, ticked = _typed(asked), _ticked(asked)
    for left in reversed(range(TRIES)):
        pin = getpass.getpass("PIN: ")
        try:
            proof = enrolment.prove_by_pin(
                desk, _hasher(), asked.challenge, pin, channel="terminal"
            )
        except GateError as error:
            if error.code != "WrongPin" or not left:
                raise
            show.console.print(f"[red]✗[/] {error}")
            continue
        answering.approve(desk, asked, proof, typed=typed, ticked=ticked, decided=decided)
        show.console.print(
            "[green]✓[/] Approved. The assistant gets a token for this plan alone, good once, with "
            "its next call of confirm."
        )
        return


def _typed(asked: Waiting) -> str:
    words = to_type(asked.plan)
    return show.console.input(f"{_why(asked)}To go on, type [bold]{words}[/]: ") if words else ""


def _why(asked: Waiting) -> str:
    critical = "This is CRITICAL. " if asked.plan.risk == "CRITICAL" else ""
    none = "No backup can be made. " if attests(asked.plan.backup) else ""
    return critical + none


def _ticked(asked: Waiting) -> frozenset[Confirmation]:
    return frozenset(
        c
        for c in confirmations(asked.plan)
        if show.console.input(f"{CONFIRMATIONS[c][0]} (yes/no) ").strip().lower() in {"yes", "y"}
    )


def _decided(asked: Waiting) -> dict[str, bool]:
    """What each rename is; asked until it is said, as neither answer may come about by itself."""
    return {
        key: _either(choices.question(candidate))
        for key, candidate in choices.keyed(asked.plan.renames).items()
    }


def _either(question: str) -> bool:
    while True:
        match show.console.input(f"{escape(question)} (yes/no) ").strip().lower():
            case "yes" | "y":
                return True
            case "no" | "n":
                return False
            case _:
                show.console.print("Type yes or no.")


def _at_a_terminal() -> Desk:
    """The desk, if somebody can type at it: a PIN is never read from a pipe.

    Raises:
        NoChannel: Standard input is no terminal.
    """
    if not sys.stdin.isatty():
        how = "Run it in a terminal of your own."
        raise NoChannel(reason="a PIN is typed at a terminal, and this is none", how=how)
    return App(Path()).desk()
