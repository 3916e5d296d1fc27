"""Every refusal says what failed, why and what to do next."""

from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from rulezero_policies.errors import (
    PROJECT_ERRORS,
    DatabaseNotAtHead,
    GateError,
    NoChannel,
    NoProject,
    OutOfOrder,
    ProjectError,
    RulezeroError,
)


def _all(error: type[RulezeroError]) -> Iterator[type[RulezeroError]]:
    yield error
    for below in error.__subclasses__():
        yield from _all(below)


ERRORS = tuple(_all(RulezeroError))


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_message_and_advice_are_filled_with_the_facts(error: type[RulezeroError]) -> None:
    names = _fields(error.__doc__ or "") | _fields(error.next_step)
    facts: dict[str, Any] = {name: f"<{name}>" for name in names}
    raised = error(**facts)
    assert _fields(str(raised)) == set()
    assert all(f"<{name}>" in str(raised) + raised.advice for name in names)
    assert raised.facts == facts


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_every_error_has_a_message_and_a_next_step(error: type[RulezeroError]) -> None:
    assert (error.__doc__ or "").strip()
    assert error.next_step.strip()


def test_a_fact_with_braces_is_no_template() -> None:
    assert "{secret}" in str(NoProject(root="/srv/{secret}"))


def test_the_code_is_the_name_of_the_error() -> None:
    assert OutOfOrder(step="apply", first="confirm").code == "OutOfOrder"


@pytest.mark.proves("A02")
def test_a_step_out_of_order_names_the_step_to_call_first() -> None:
    refused = OutOfOrder(step="apply", first="confirm")
    assert str(refused) == "`apply` was called before `confirm`."
    assert refused.advice == "Call `confirm` first."


def test_no_channel_says_how_a_person_can_approve() -> None:
    assert NoChannel(reason="no form", how="Use a client with forms.").advice.startswith("Use")


@pytest.mark.proves("A17")
def test_the_ways_in_which_generation_fails_are_told_apart() -> None:
    told_apart = {
        "ModelSyntaxError",
        "ModelImportError",
        "NoConnection",
        "DatabaseNotAtHead",
        "SeveralHeads",
    }
    assert told_apart <= PROJECT_ERRORS.keys()
    assert len({PROJECT_ERRORS[name].__doc__ for name in told_apart}) == len(told_apart)
    behind = DatabaseNotAtHead(current="a1", head="b2", pending="1 revision")
    assert str(behind) == "The database is at a1, the newest revision is b2: 1 revision waiting."


def test_the_worker_may_answer_with_project_errors_only() -> None:
    assert all(issubclass(error, ProjectError) for error in PROJECT_ERRORS.values())
    assert not any(issubclass(error, GateError) for error in PROJECT_ERRORS.values())
