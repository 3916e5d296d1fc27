"""What the page shows, and what an answer does, as it goes over HTTP."""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.backup import PlannedBackup
from rulezero_policies.errors import StoreFailed
from rulezero_policies.findings import Finding
from rulezero_policies.plan import Plan, PlannedChange
from rulezero_server.approval import ApprovalPage
from rulezero_tools import enrolment
from rulezero_tools.ports import Desk

Send = Callable[..., Any]
Ticket = Callable[[str], str]


@pytest.mark.proves("C02", "D04")
def test_the_pin_approves_and_the_page_says_so(
    counter: Any, safe: Plan, post: Send, http: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    done = post(url, {"ticket": ticket(url), "do": "approve", "pin": pin})
    assert (done.status, done.headers["location"]) == (303, url[url.index("/q/") :])
    kept = counter.answer()
    assert (kept.answer, kept.level, kept.approver) == ("approved", "secret", "ann@box")
    assert kept.through == "approval page"
    assert "Approved" in http(url).text
    assert 'name="ticket"' not in http(url).text


@pytest.mark.proves("C02", "D04")
def test_a_passkey_approves_what_needs_one(
    counter: Any, critical: Plan, post: Send, ticket: Ticket, soft_key: Any, soft_passkey: Any
) -> None:
    challenge = counter.ask(critical, needs="passkey")
    url = counter.page.url(challenge)
    text = enrolment.passkey_challenge(challenge, critical.database.label)
    signed = soft_key.sign(text, origin=url[: url.index("/q/")])
    fields = {"do": "approve", "typed": "tasks 1204", "passkey": signed}
    assert post(url, {**fields, "ticket": ticket(url)}).status == 303
    assert (counter.answer().answer, counter.answer().level) == ("approved", "passkey")


def test_a_no_needs_no_secret(
    counter: Any, safe: Plan, post: Send, http: Send, ticket: Ticket
) -> None:
    url = counter.url(safe)
    assert post(url, {"ticket": ticket(url), "do": "decline"}).status == 303
    assert counter.answer().answer == "declined"
    assert "Declined" in http(url).text


def test_where_nothing_is_enrolled_the_page_names_the_command_and_can_only_decline(
    bare: Any, safe: Plan, post: Send, http: Send, ticket: Ticket
) -> None:
    url = bare.url(safe)
    text = http(url).text
    assert "<code>rulezero enroll</code>" in text
    assert 'name="pin"' not in text
    assert post(url, {"ticket": ticket(url), "do": "approve", "pin": ""}).status == 422
    assert bare.answer().answer is None
    assert post(url, {"ticket": ticket(url), "do": "decline"}).status == 303


def test_a_question_that_needs_a_passkey_offers_no_pin(
    counter: Any, critical: Plan, http: Send
) -> None:
    text = http(counter.url(critical, needs="passkey")).text
    assert "<code>rulezero enroll --passkey</code>" in text
    assert 'name="pin"' not in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"typed": "tasks 12"}, "it needs the typed words"),
        ({"typed": ""}, "it needs the typed words"),
        ({"typed": "tasks 1204", "pin": "wrong one"}, "That is not the PIN; 4 more"),
        ({"typed": "tasks 1204", "do": "yes"}, "it says neither yes nor no"),
        ({"typed": "tasks 1204", "do": ["approve", "decline"]}, "it says neither yes nor no"),
    ],
)
def test_an_incomplete_answer_keeps_what_was_typed_but_never_the_pin(
    counter: Any,
    critical: Plan,
    post: Send,
    ticket: Ticket,
    pin: str,
    fields: dict[str, Any],
    said: str,
) -> None:
    url = counter.url(critical)
    reply = post(url, {"ticket": ticket(url), "do": "approve", "pin": pin, **fields})
    assert reply.status == 422
    assert said in reply.text
    assert f'name="typed" value="{fields["typed"]}"' in reply.text
    assert pin not in reply.text
    assert "wrong one" not in reply.text
    assert counter.answer().answer is None


def test_what_was_not_ticked_is_asked_for_again(
    counter: Any, generating: Plan, post: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(generating)
    answer = {"do": "approve", "pin": pin}
    reply = post(url, {**answer, "ticket": ticket(url), "tick": ["backed_up", "everything"]})
    assert "code may still use what is dropped" in reply.text
    assert 'value="backed_up" required data-needed checked' in reply.text
    assert 'value="no_code_references" required data-needed>' in reply.text
    both = ["backed_up", "no_code_references"]
    assert post(url, {**answer, "ticket": ticket(url), "tick": both}).status == 303
    assert counter.answer().answer == "approved"


@pytest.mark.proves("D04")
def test_too_many_wrong_pins_lock_and_the_page_says_until_when(
    counter: Any, safe: Plan, post: Send, http: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    wrong = {"do": "approve", "pin": "wrong one"}
    replies = [post(url, {**wrong, "ticket": ticket(url)}) for _ in range(5)]
    assert "ann@box is locked out until" in replies[-1].text
    assert 'name="pin"' not in http(url).text
    late = post(url, {"ticket": ticket(url), "do": "approve", "pin": pin})
    assert late.status == 422
    assert counter.answer().answer is None
    assert "locked out" in counter.events()


def test_a_question_that_ran_out_says_so_and_takes_no_answer(
    counter: Any, safe: Plan, post: Send, http: Send, ticket: Ticket, pin: str
) -> None:
    url = counter.url(safe)
    held = ticket(url)
    counter.clock.forward(minutes=10)
    assert "Expired" in http(url).text
    reply = post(url, {"ticket": held, "do": "approve", "pin": pin})
    assert (reply.status, counter.answer().answer) == (409, None)


@pytest.mark.proves("C03")
def test_opening_the_page_changes_nothing_but_that_it_was_shown(
    counter: Any, safe: Plan, http: Send
) -> None:
    url, before = counter.url(safe), counter.answer()
    trail = counter.events()
    http(url)
    counter.clock.forward(minutes=1)
    http(url)
    assert counter.answer() == replace(before, shown=before.created)
    assert counter.events() == trail


def test_one_question_has_one_link_and_each_has_its_own(counter: Any, safe: Plan) -> None:
    first = counter.ask(safe)
    second = counter.ask(replace(safe, description="another"))
    assert counter.page.url(first) == counter.page.url(first) != counter.page.url(second)


def test_the_page_shows_all_that_would_run(counter: Any, critical: Plan, http: Send) -> None:
    text = http(counter.url(critical)).text
    for shown in (
        "postgresql:localhost:5432/shop (7/16384)",
        "protected",
        "/srv/shop",
        "a1c9",
        "b2f0c1d4e5a6",
        "ann@box via claude-code (2.1)",
        "1204 values in tasks.code are deleted.",
        "ALTER TABLE tasks DROP COLUMN code;",
        "    name VARCHAR(80) NOT NULL,",
        "flask db downgrade a1c9",
        critical.files[1].sha256,
        critical.findings[0].fix,
        "Back up the database",
        "tasks: 1 column added, 1 column dropped",
        "code VARCHAR(20) (dropped)",
    ):
        assert shown in text


def test_the_sealed_source_is_shown_and_open_where_there_is_no_sql(
    counter: Any, safe: Plan, http: Send
) -> None:
    shown = (
        "def upgrade():\n    op.drop_column(&#39;tasks&#39;, &#39;code&#39;)  # &lt;U+202E&gt;\n"
    )
    closed = '<details class="small"><summary>What it says'
    text = http(counter.url(safe)).text
    assert shown in text
    assert closed in text
    assert "What runs is the Python below" not in text
    plan = replace(safe, sql="-- not rendered: it cannot be")
    text = http(counter.url(plan)).text
    assert closed.replace('small"', 'small" open') in text
    assert "What runs is the Python below: " in text


def test_a_plan_without_its_sealed_files_can_still_be_read(
    counter: Any, safe: Plan, http: Send
) -> None:
    files = tuple(replace(file, sha256="e" * 64) for file in safe.files)
    reply = http(counter.url(replace(safe, files=files)))
    assert (reply.status, "What it says" in reply.text) == (200, False)


def test_a_rollback_is_called_one_and_says_how_to_undo_it(
    counter: Any, critical: Plan, http: Send
) -> None:
    plan = replace(critical, kind="downgrade", rollback_command="flask db upgrade b2f0c1d4e5a6")
    text = http(counter.url(plan)).text
    assert "Roll back this migration?" in text
    assert "How to undo the rollback" in text
    assert "Review checklist" not in text


def test_the_page_says_what_backup_is_made_first(counter: Any, critical: Plan, http: Send) -> None:
    planned = PlannedBackup(form="pg_dump", folder="/backups", bytes=1500)
    text = http(counter.url(replace(critical, backup=planned))).text
    assert "<dt>Backup</dt><dd>the whole database (1.5 kB; pg_dump, custom format)" in text
    assert "<dt>Backup</dt>" not in http(counter.url(critical)).text


@pytest.mark.proves("A04")
def test_where_no_backup_can_be_made_the_persons_word_is_typed_too(
    counter: Any, critical: Plan, http: Send, post: Send, ticket: Ticket, pin: str
) -> None:
    none = PlannedBackup(form="pg_dump", folder="", refused="pg_dump was not found here")
    url = counter.url(replace(critical, backup=none), needs="secret")
    text = http(url).text
    assert "NONE can be made: pg_dump was not found here" in text
    assert "<code>tasks 1204: I have a backup</code>" in text
    assert "No backup can be made here: the last words say that you have one." in text
    answer = {"ticket": ticket(url), "do": "approve", "pin": pin, "typed": "tasks 1204"}
    assert "needs the typed words" in post(url, answer).text
    whole = {**answer, "ticket": ticket(url), "typed": "tasks 1204: I have a backup"}
    assert post(url, whole).status == 303


def test_a_restore_is_called_one(counter: Any, critical: Plan, http: Send) -> None:
    text = http(counter.url(replace(critical, kind="restore", rollback_command="up"))).text
    assert "Restore this backup?" in text
    assert "How to go on from there" in text
    assert "never the data that was in it" not in text


@pytest.mark.proves("D04")
def test_the_page_says_what_a_yes_proves_and_what_not(
    counter: Any, safe: Plan, http: Send, soft_passkey: Any
) -> None:
    text = http(counter.url(safe)).text
    assert "It does not stop who can replace rulezero&#39;s own files." in text
    assert "the enrolled authenticator signed exactly this plan" in text


def test_hidden_characters_are_written_out_and_markup_is_text(
    counter: Any, safe: Plan, http: Send
) -> None:
    nasty = "<script>alert(1)</script>\u202etxt.exe\x1b[2J"
    plan = replace(
        safe,
        description=nasty,
        environment=nasty,
        sql=f"SELECT 1 -- {nasty}",
        changes=(PlannedChange(subject=nasty, description=nasty),),
        rollback_command=nasty,
    )
    text = http(counter.url(plan, principal=nasty)).text
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;&lt;U+202E&gt;txt.exe") >= 6


def test_long_lists_are_shortened_and_all_there(counter: Any, safe: Plan, http: Send) -> None:
    changes = tuple(PlannedChange(subject=f"t{n}.c", description="drop") for n in range(300))
    findings = tuple(
        Finding(
            rule="narrow",
            severity="WARNING",
            subject=f"u{n}.c",
            evidence="e",
            outcome="may_fail",
            fix="f",
        )
        for n in range(30)
    )
    plan = replace(safe, changes=changes, findings=findings, sql="SELECT 1;\n" * 20_000)
    text = http(counter.url(plan)).text
    assert "All 300 changes" in text
    assert "t299.c" in text
    assert "The other 22 findings" in text
    assert text.count("SELECT 1;") == 20_000


def test_a_name_that_is_too_long_is_cut_and_counted(counter: Any, safe: Plan, http: Send) -> None:
    text = http(counter.url(replace(safe, description="x" * 5000))).text
    assert "(4600 more characters)" in text


@pytest.mark.proves("C03")
def test_a_plan_that_was_altered_in_the_store_has_no_page(
    counter: Any, safe: Plan, http: Send, tmp_path: Path
) -> None:
    url = counter.url(safe)
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("UPDATE rulezero_plans SET value = replace(value, 'development', 'dev')")
    connection.close()
    assert (http(url).status, http(url).text) == (404, "")


def test_a_store_that_fails_is_one_sentence(
    hasher: Any, counter: Any, safe: Plan, http: Send
) -> None:
    def broken() -> Desk:
        raise StoreFailed(reason="disk full")

    page = ApprovalPage(broken, hasher)
    reply = http(page.url(counter.ask(safe)))
    page.stop()
    assert reply.status == 500
    assert "failed: disk full" in reply.text


def test_what_nobody_thought_of_is_one_sentence_without_details(
    hasher: Any, counter: Any, safe: Plan, http: Send, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Desk:
        raise RuntimeError("postgresql://ann:hunter2@db/")

    page = ApprovalPage(broken, hasher)
    with caplog.at_level(logging.DEBUG):
        url = page.url(counter.ask(safe))
        reply = http(url)
        page.stop()
    assert reply.status == 500
    assert "Nothing was changed" in reply.text
    assert "hunter2" not in reply.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_no_link_reaches_a_log(
    counter: Any, safe: Plan, http: Send, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        url = counter.url(safe)
        http(url)
    assert url.rpartition("/")[2] not in caplog.text


def test_the_persons_browser_is_opened_at_the_question(
    counter: Any, safe: Plan, opened: Callable[[], str]
) -> None:
    challenge = counter.ask(safe)
    assert counter.page.open(challenge)
    assert opened() == counter.page.url(challenge)


def test_a_page_that_was_stopped_answers_no_more_and_can_be_served_again(
    counter: Any, safe: Plan, http: Send
) -> None:
    challenge = counter.ask(safe)
    old = counter.page.url(challenge)
    counter.page.stop()
    with pytest.raises(OSError, match=r".+"):
        http(old)
    assert http(counter.page.url(challenge)).status == 200
