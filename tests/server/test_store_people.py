"""Questions and their answers, PINs, passkeys and the trail's head, on every engine."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from rulezero_policies.audit import GENESIS, Entry
from rulezero_policies.errors import StoreFailed
from rulezero_policies.grant import Challenge, Grant
from rulezero_server.stores import open_store
from rulezero_server.stores.sql import SqlStore
from rulezero_tools.ports import Store
from rulezero_tools.records import Passkey, Pin

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
ME = "somebody@here"

AT_ONCE = 1000
"""How many redeem one token at the same time."""


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """A fresh, empty place for a store."""
    if request.param == "sqlite":
        return tmp_path / "store.sqlite3"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(where: str | Path) -> Store:
    return SqlStore(where)


def challenge(nonce: str = "n1", **changes: object) -> Challenge:
    first = Challenge(
        nonce=nonce,
        plan_digest="d" * 64,
        principal=f"{ME} via test",
        person=ME,
        channel="approval page",
        needs="secret",
        created=NOW,
        expires=NOW + timedelta(minutes=10),
    )
    return replace(first, **changes)


def passkey(name: str = "k1", **changes: object) -> Passkey:
    first = Passkey(id=name, person=ME, public_key="pk", sign_count=0, created=NOW, name="laptop")
    return replace(first, **changes)


def said(store: Store, detail: str) -> Entry:
    return store.append(
        at=NOW, event="asked", project="/p", principal=ME, plan_id=None, detail=detail
    )


def tries(where: str | Path, work: Callable[[int], object]) -> list[object]:
    """What `work` gave, `AT_ONCE` times at once: a thread each, or as many as a server serves."""
    threads = AT_ONCE if isinstance(where, Path) else 50
    return at_once(threads, AT_ONCE // threads, work)


def at_once(threads: int, each: int, work: Callable[[int], object]) -> list[object]:
    barrier = Barrier(threads)

    def started(number: int) -> list[object]:
        barrier.wait()
        return [work(number) for _ in range(each)]

    with ThreadPoolExecutor(threads) as pool:
        return [one for some in pool.map(started, range(threads)) for one in some]


# --- questions ---


def test_a_question_is_found_by_its_nonce_as_it_was_asked(store: Store) -> None:
    store.open_challenge(challenge())
    assert store.challenge("n1") == challenge()
    assert store.challenge("n2") is None


def test_what_became_of_a_question_is_kept_with_it(store: Store) -> None:
    store.open_challenge(challenge())
    store.show_challenge("n1", NOW)
    store.answer_challenge("n1", "approved", level="passkey", approver=ME, through="terminal")
    store.claim_challenge("n1")
    done = challenge(
        shown=NOW,
        answer="approved",
        level="passkey",
        approver=ME,
        through="terminal",
        claimed=True,
    )
    assert store.challenge("n1") == store.last_challenge("d" * 64, f"{ME} via test") == done


@pytest.mark.parametrize("other", [{"needs": "passkey"}, {"channel": "form elicitation"}])
def test_asked_another_way_it_is_another_question(store: Store, other: dict[str, str]) -> None:
    store.open_challenge(challenge())
    assert store.open_challenge(challenge("n2", **other)).nonce == "n2"


def test_the_last_question_is_the_newest_of_this_plan_and_client(store: Store) -> None:
    mine = f"{ME} via test"
    assert store.last_challenge("d" * 64, mine) is None
    for nonce in ("n1", "n2", "n3"):
        store.open_challenge(challenge(nonce))
        store.answer_challenge(nonce, "declined")
    store.open_challenge(challenge("other plan", plan_digest="e" * 64))
    store.open_challenge(challenge("other client", principal="another"))
    last = store.last_challenge("d" * 64, mine)
    assert last == challenge("n3", answer="declined")


def test_the_first_time_a_question_was_shown_counts(store: Store) -> None:
    store.open_challenge(challenge())
    store.show_challenge("n1", NOW)
    store.show_challenge("n1", NOW + timedelta(seconds=1))
    store.show_challenge("nobody asked this", NOW)
    assert store.challenge("n1") == challenge(shown=NOW)


def test_what_waits_is_open_on_the_page_for_this_person_oldest_first(store: Store) -> None:
    def ask(nonce: str, **changes: object) -> Challenge:
        asked = challenge(nonce, plan_digest=nonce.ljust(64, "0"), **changes)
        return store.open_challenge(asked)

    first, second = ask("n1"), ask("n0")
    ask("form", channel="form elicitation", needs="client")
    ask("another's", person="other@here")
    ask("late", expires=NOW + timedelta(minutes=1))
    ask("answered")
    store.answer_challenge("answered", "declined")
    assert store.waiting(ME, NOW + timedelta(minutes=1)) == (first, second)
    assert store.waiting(ME, NOW + timedelta(minutes=10)) == ()
    assert store.waiting("nobody", NOW) == ()


def test_only_an_answer_can_be_claimed_and_only_once(store: Store) -> None:
    store.open_challenge(challenge())
    assert store.claim_challenge("n1") is False
    store.answer_challenge("n1", "approved")
    assert store.claim_challenge("n1") is True
    assert store.claim_challenge("n1") is False
    assert store.claim_challenge("n2") is False


@pytest.mark.proves("C02", "C03")
def test_of_many_that_claim_one_answer_one_gets_it(store: Store) -> None:
    store.open_challenge(challenge())
    store.answer_challenge("n1", "approved")
    assert at_once(8, 5, lambda _: store.claim_challenge("n1")).count(True) == 1


def test_of_a_yes_and_a_no_at_the_same_time_one_counts(store: Store) -> None:
    store.open_challenge(challenge())
    won = at_once(8, 3, lambda n: store.answer_challenge("n1", "approved" if n % 2 else "declined"))
    assert won.count(True) == 1


# --- tokens ---


@pytest.mark.proves("C02", "C03")
def test_of_a_thousand_that_redeem_one_token_at_once_one_wins(
    where: str | Path, store: Store
) -> None:
    store.save_grant(grant())
    won = tries(where, lambda _: store.spend("1" * 64, NOW))
    assert (won.count(True), won.count(False)) == (1, AT_ONCE - 1)


def grant() -> Grant:
    return Grant(
        token_hash="1" * 64,
        plan_digest="d" * 64,
        database="sqlite:/tasks.db (1:2)",
        principal=f"{ME} via test",
        approver=ME,
        channel="approval page",
        level="secret",
        created=NOW,
        expires=NOW + timedelta(minutes=10),
    )


RIVAL = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from rulezero_server.stores import open_store
where = sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1])
store, now = open_store(where), datetime.now(UTC)
does = (
    lambda: store.spend("1" * 64, now),
    lambda: store.answer_challenge("n1", "approved"),
    lambda: store.claim_challenge("n2"),
    lambda: store.try_pin("somebody@here", 0, now),
)
store.head()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as pool:
    print(*(sum(pool.map(lambda _: one(), range(8))) for one in does), flush=True)
"""


def rivals(where: str | Path) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", RIVAL, str(where)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return started


def successes(processes: list[subprocess.Popen[str]]) -> list[int]:
    """How often each thing succeeded, all processes together."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0].split() for process in processes]
    return [sum(map(int, each)) for each in zip(*said, strict=True)]


@pytest.mark.proves("C02", "C03")
def test_what_two_servers_on_one_store_race_for_is_won_once(
    where: str | Path, store: Store
) -> None:
    store.save_grant(grant())
    store.open_challenge(challenge())
    store.open_challenge(challenge("n2", plan_digest="e" * 64))
    store.answer_challenge("n2", "approved")
    store.save_pin(Pin(person=ME, hash="h"))
    assert successes(rivals(where)) == [1, 1, 1, 1]


# --- PINs ---


def test_a_pin_comes_back_as_it_was_kept_and_is_replaced(store: Store) -> None:
    assert store.pin(ME) is None
    store.save_pin(Pin(person=ME, hash="one", failures=3, last_failure=NOW))
    store.save_pin(Pin(person="other@here", hash="other"))
    assert store.pin(ME) == Pin(person=ME, hash="one", failures=3, last_failure=NOW)
    store.save_pin(Pin(person=ME, hash="two"))
    assert store.pin(ME) == Pin(person=ME, hash="two")
    assert store.pin("other@here") == Pin(person="other@here", hash="other")


def test_a_try_is_counted_only_on_what_was_read(store: Store) -> None:
    store.save_pin(Pin(person=ME, hash="h"))
    assert store.try_pin(ME, 0, NOW) is True
    assert store.try_pin(ME, 0, NOW) is False
    assert store.try_pin(ME, 1, NOW + timedelta(seconds=1)) is True
    assert store.pin(ME) == Pin(
        person=ME, hash="h", failures=2, last_failure=NOW + timedelta(seconds=1)
    )
    assert store.try_pin("nobody", 0, NOW) is False


def test_a_right_pin_forgets_the_failures_of_its_person_alone(store: Store) -> None:
    for person in (ME, "other@here"):
        store.save_pin(Pin(person=person, hash="h", failures=4, last_failure=NOW))
    store.pin_was_right(ME)
    assert store.pin(ME) == Pin(person=ME, hash="h")
    other = store.pin("other@here")
    assert other is not None
    assert other.failures == 4


@pytest.mark.proves("C03")
def test_guesses_that_race_are_all_counted(store: Store) -> None:
    store.save_pin(Pin(person=ME, hash="h"))
    won = at_once(8, 5, lambda _: store.try_pin(ME, 0, NOW))
    assert won.count(True) == 1
    pin = store.pin(ME)
    assert pin is not None
    assert pin.failures == 1


# --- passkeys ---


def test_passkeys_are_the_persons_own_oldest_first(store: Store) -> None:
    later = passkey("k0", created=NOW + timedelta(seconds=1))
    for one in (later, passkey(), passkey("k2", person="other@here")):
        store.save_passkey(one)
    assert store.passkeys(ME) == (passkey(), later)
    assert store.passkeys("nobody") == ()


def test_a_passkey_kept_again_replaces_the_first(store: Store) -> None:
    store.save_passkey(passkey())
    store.save_passkey(passkey(sign_count=7))
    assert store.passkeys(ME) == (passkey(sign_count=7),)


def test_nobody_takes_over_anothers_passkey(store: Store) -> None:
    store.save_passkey(passkey())
    with pytest.raises(StoreFailed, match="another person"):
        store.save_passkey(passkey(person="other@here", public_key="theirs"))
    assert store.passkeys(ME) == (passkey(),)
    assert store.passkeys("other@here") == ()


# --- the head of the trail ---


@pytest.mark.proves("D10")
def test_the_head_is_the_newest_entrys(store: Store) -> None:
    assert store.head() == (0, GENESIS)
    said(store, "one")
    newest = said(store, "two")
    assert store.head() == (2, newest.hash)


@pytest.mark.proves("D10")
def test_many_that_append_leave_one_head(store: Store) -> None:
    at_once(6, 4, lambda n: said(store, str(n)))
    assert store.head() == (24, store.entries()[-1].hash)


def test_everything_is_there_when_the_store_is_opened_again(
    where: str | Path, store: Store
) -> None:
    store.open_challenge(challenge())
    store.save_pin(Pin(person=ME, hash="h"))
    store.save_passkey(passkey())
    entry = said(store, "one")
    again = open_store(where)
    assert again.waiting(ME, NOW) == (challenge(),)
    assert again.pin(ME) == Pin(person=ME, hash="h")
    assert again.passkeys(ME) == (passkey(),)
    assert again.head() == (1, entry.hash)
