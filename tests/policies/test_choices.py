"""Of each rename the person says whether it is one: nothing is decided by being left out."""

from dataclasses import replace

import pytest

from rulezero_policies import choices
from rulezero_policies.renames import Rename, RenameCandidate

MAIL = RenameCandidate(
    rename=Rename(kind="column", table="users", old="mail", new="email"),
    score=92,
    evidence=("same type", "similar name"),
    held="1204 values",
)
NAME = RenameCandidate(
    rename=Rename(kind="column", table="users", old="name", new="full_name"),
    score=60,
    evidence=("similar type",),
    against=("quite another name", "values that do not fit VARCHAR(20): 2"),
    held="17 values",
    named=True,
)
TABLE = RenameCandidate(
    rename=Rename(kind="table", table="teams", old="teams", new="groups"), score=90, evidence=()
)
BOTH = (MAIL, NAME)
UNLIKE = (
    "   Likeness 60 of 100, below the 70 from which one is proposed. For it: similar type. "
    "Against it: quite another name, values that do not fit VARCHAR(20): 2. "
    "The assistant asked for this rename."
)


@pytest.mark.proves("D07")
def test_what_is_said_of_each_is_what_is_chosen() -> None:
    assert list(choices.keyed(BOTH)) == ["rename_1", "rename_2"]
    decided = {"rename_1": False, "rename_2": True}
    assert choices.missing(BOTH, decided) is None
    assert choices.chosen(BOTH, decided) == ("users.name -> full_name",)
    assert choices.missing((), {}) is None
    assert choices.chosen((), {}) == ()


@pytest.mark.proves("D07")
@pytest.mark.parametrize("given", [{}, {"rename_2": True}, {"rename_1": 1, "rename_2": True}])
def test_what_is_left_out_is_neither_a_rename_nor_a_drop(given: dict[str, bool]) -> None:
    said = choices.missing(BOTH, given)
    assert said == "it does not say whether users.mail -> email is a rename"


def test_two_old_ones_cannot_get_one_name_nor_one_old_one_two() -> None:
    last = replace(NAME, rename=replace(NAME.rename, new="last_name"))
    to_email = replace(NAME, rename=replace(NAME.rename, new="email"))
    clubs = replace(TABLE, rename=replace(TABLE.rename, table="clubs", old="clubs"))
    yes = {"rename_1": True, "rename_2": True}
    for pair in ((NAME, last), (MAIL, to_email), (TABLE, clubs)):
        assert "cannot both be renames" in (choices.missing(pair, yes) or "")
        assert choices.missing(pair, {"rename_1": True, "rename_2": False}) is None
    assert choices.missing((MAIL, TABLE, NAME), {**yes, "rename_3": True}) is None
    assert not MAIL.rename.clashes(MAIL.rename)


def test_the_question_says_what_either_answer_leads_to_and_what_speaks() -> None:
    (said,) = choices.text(BOTH)
    assert said.splitlines() == [
        "A rename keeps the data, a drop deletes it. Which is it, for each?",
        "1. Is email the new name of users.mail?",
        "   Yes: users.mail is renamed to email with 1204 values.",
        "   No: users.mail is dropped with 1204 values.",
        "   Likeness 92 of 100. For it: same type, similar name.",
        "2. Is full_name the new name of users.name?",
        "   Yes: users.name is renamed to full_name with 17 values.",
        "   No: users.name is dropped with 17 values.",
        UNLIKE,
    ]
    assert choices.text(()) == ()
    rival = choices.reasons(replace(MAIL, ambiguous=True))
    assert rival[-1] == "Another candidate is about as likely."


def test_what_was_chosen_is_told_of_each() -> None:
    assert choices.outcomes((MAIL, TABLE), ("teams -> groups",)) == (
        "users.mail is dropped with 1204 values",
        "teams is renamed to groups with all that is in it",
    )


def test_a_name_that_hides_something_is_written_out() -> None:
    sly = replace(MAIL, rename=replace(MAIL.rename, new="e\u202email"))
    assert "<U+202E>" in choices.question(sly)
    assert "\u202e" not in choices.text((sly,))[0]
