"""What every store promises, on every engine it runs on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest

from rulezero_policies.audit import GENESIS, Entry, broken_at
from rulezero_policies.errors import StoreFailed
from rulezero_policies.findings import Fact, Finding, Question
from rulezero_policies.grant import Challenge, Grant
from rulezero_policies.operations import Change, Column, Operation
from rulezero_policies.plan import DatabaseIdentity, FileHash, Plan, PlannedChange
from rulezero_server.stores import open_store
from rulezero_tools.ports import Store
from rulezero_tools.records import Analysis, Run, RunReport

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
FILES = {"migrations/env.py": b"env = 1\n", "migrations/versions/a1.py": b"\x00\xff not text"}


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """A fresh, empty place for a store."""
    if request.param == "sqlite":
        return tmp_path / "state" / "store.sqlite3"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(where: str | Path) -> Store:
    if isinstance(where, Path):
        where.parent.mkdir(mode=0o700)
    return open_store(where)


def plan(**changes: object) -> Plan:
    asked = Question(probe="values", table="tasks", column="title")
    first = Plan(
        kind="upgrade",
        project="/projects/täsks",
        environment="development",
        protected=False,
        database=DatabaseIdentity(
            dialect="postgresql", host=None, port=5432, name="tasks", server_id="7/16384"
        ),
        from_revisions=("a0",),
        to_revision="a1",
        revisions=("a1",),
        files=tuple(
            FileHash(path=path, sha256=sha256(data).hexdigest()) for path, data in FILES.items()
        ),
        sql="ALTER TABLE tasks DROP COLUMN title; -- \u202e\x00",
        fingerprint="f" * 64,
        description="drop the title",
        path="migrations/versions/a1.py",
        changes=(PlannedChange(subject="tasks.title", description="dropped"),),
        findings=(
            Finding(
                rule="drop-column",
                severity="CRITICAL",
                subject="tasks.title",
                evidence="3 values",
                outcome="loses_data",
                fix="keep it",
                line=12,
            ),
        ),
        facts=(Fact(question="values in tasks.title", count=3, sample=("1",), asked=asked),),
        verdict="UNSAFE",
        risk="CRITICAL",
        warnings=("This DELETES data.",),
        phrases=("yes, drop it",),
        rollback_command="flask db downgrade a0",
        policy="p" * 64,
        created=NOW,
        expires=NOW + timedelta(hours=1),
    )
    return replace(first, **changes)


def analysis(**changes: object) -> Analysis:
    first = Analysis(
        analysis_id="analysis-1",
        project="/projects/täsks",
        environment="development",
        operations=(
            Operation(
                kind="alter_column",
                table="tasks",
                column=Column(name="title", type="VARCHAR(10)"),
                changes=(Change(attribute="type", before="TEXT", after="VARCHAR(10)"),),
            ),
        ),
        risk="WARNING",
        description="shorten the title",
        from_revisions=("a0",),
        created=NOW,
    )
    return replace(first, **changes)


def challenge(nonce: str = "n1", **changes: object) -> Challenge:
    first = Challenge(
        nonce=nonce,
        plan_digest="d" * 64,
        principal="Test Client",
        person="somebody@here",
        channel="approval page",
        needs="secret",
        created=NOW,
        expires=NOW + timedelta(minutes=10),
    )
    return replace(first, **changes)


def grant(token_hash: str = "1" * 64, **changes: object) -> Grant:
    first = Grant(
        token_hash=token_hash,
        plan_digest="d" * 64,
        database="sqlite:/tasks.db (1:2)",
        principal="Test Client",
        approver="a person",
        channel="form elicitation",
        level="client",
        created=NOW,
        expires=NOW + timedelta(minutes=10),
    )
    return replace(first, **changes)


def run(**changes: object) -> Run:
    first = Run(plan_id="plan-1", token_hash="1" * 64, status="running", started=NOW)
    return replace(first, **changes)


def say(store: Store, detail: str, project: str = "/projects/one") -> Entry:
    return store.append(
        at=NOW,
        event="proposed",
        project=project,
        principal="Test Client",
        plan_id="plan-1",
        detail=detail,
    )


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What `work` gave in `count` threads that all start together."""
    barrier = Barrier(count)

    def started(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(started, range(count)))


# --- analyses ---


def test_an_analysis_comes_back_as_it_was_kept(store: Store) -> None:
    store.save_analysis(analysis())
    assert store.analysis("analysis-1") == analysis()


def test_an_analysis_kept_again_replaces_the_first(store: Store) -> None:
    store.save_analysis(analysis())
    store.save_analysis(analysis(plan_id="plan-7"))
    kept = store.analysis("analysis-1")
    assert kept is not None
    assert kept.plan_id == "plan-7"


def test_an_unknown_analysis_is_none(store: Store) -> None:
    assert store.analysis("analysis-1") is None


# --- plans and their files ---


def test_a_plan_comes_back_with_the_same_digest(store: Store) -> None:
    store.save_plan(plan(), FILES)
    kept = store.plan(plan().plan_id)
    assert kept == plan()
    assert kept is not None
    assert kept.digest == plan().digest


def test_a_plan_made_in_another_time_zone_keeps_its_digest(store: Store) -> None:
    elsewhere = plan(created=NOW.astimezone(timezone(timedelta(hours=5, minutes=30))))
    store.save_plan(elsewhere, FILES)
    kept = store.plan(elsewhere.plan_id)
    assert kept is not None
    assert kept.digest == elsewhere.digest


def test_a_plan_saved_twice_is_one(store: Store) -> None:
    store.save_plan(plan(), FILES)
    store.save_plan(plan(), FILES)
    assert store.plans(plan().project) == (plan(),)


def test_an_unknown_plan_is_none(store: Store) -> None:
    assert store.plan("plan-none") is None


def test_plans_are_the_projects_own_newest_first(store: Store) -> None:
    older = plan(created=NOW - timedelta(microseconds=1))
    store.save_plan(older, FILES)
    store.save_plan(plan(), FILES)
    store.save_plan(plan(project="/projects/other"), FILES)
    assert store.plans(plan().project) == (plan(), older)


@pytest.mark.proves("D03")
def test_sealed_files_are_the_bytes_that_were_kept(store: Store) -> None:
    store.save_plan(plan(), FILES)
    assert store.sealed(plan().files) == FILES


@pytest.mark.proves("D03")
def test_files_of_an_older_plan_stay_when_a_path_gets_other_bytes(store: Store) -> None:
    store.save_plan(plan(), FILES)
    store.save_plan(plan(description="newer"), {"migrations/env.py": b"env = 2\n"})
    assert store.sealed(plan().files) == FILES


def test_bytes_that_were_never_kept_are_a_key_error(store: Store) -> None:
    store.save_plan(plan(), FILES)
    with pytest.raises(KeyError):
        store.sealed([FileHash(path="migrations/env.py", sha256="0" * 64)])


def test_two_paths_with_the_same_bytes_are_both_sealed(store: Store) -> None:
    both = {"a.py": b"same", "b.py": b"same"}
    store.save_plan(plan(), both)
    name = sha256(b"same").hexdigest()
    assert store.sealed([FileHash(path=path, sha256=name) for path in both]) == both


# --- questions ---


def test_a_question_is_asked_once_while_it_waits(store: Store) -> None:
    first = store.open_challenge(challenge("n1"))
    again = store.open_challenge(challenge("n2"))
    assert first == again == challenge("n1")


def test_an_answered_question_is_not_asked_again(store: Store) -> None:
    store.open_challenge(challenge("n1"))
    assert store.answer_challenge("n1", "declined")
    assert store.open_challenge(challenge("n2")).nonce == "n2"


def test_an_expired_question_is_not_taken_up_again(store: Store) -> None:
    store.open_challenge(challenge("n1"))
    later = NOW + timedelta(minutes=10)
    assert store.open_challenge(challenge("n2", created=later)).nonce == "n2"


@pytest.mark.parametrize("other", [{"plan_digest": "e" * 64}, {"principal": "Another Client"}])
def test_another_plan_or_client_has_its_own_question(store: Store, other: dict[str, str]) -> None:
    store.open_challenge(challenge("n1"))
    assert store.open_challenge(challenge("n2", **other)).nonce == "n2"


def test_a_question_is_answered_at_most_once(store: Store) -> None:
    store.open_challenge(challenge("n1"))
    assert store.answer_challenge("n1", "approved") is True
    assert store.answer_challenge("n1", "declined") is False


def test_a_question_that_nobody_asked_cannot_be_answered(store: Store) -> None:
    assert store.answer_challenge("n1", "approved") is False


def test_of_many_answers_at_once_one_counts(store: Store) -> None:
    store.open_challenge(challenge("n1"))
    assert at_once(6, lambda _: store.answer_challenge("n1", "approved")).count(True) == 1


def test_of_many_questions_at_once_one_is_asked(store: Store) -> None:
    asked = at_once(6, lambda number: store.open_challenge(challenge(f"n{number}")).nonce)
    assert len(set(asked)) == 1


# --- grants ---


def test_a_grant_comes_back_unspent(store: Store) -> None:
    store.save_grant(grant())
    assert store.grant("1" * 64) == grant()


def test_an_unknown_grant_is_none_and_cannot_be_spent(store: Store) -> None:
    assert store.grant("1" * 64) is None
    assert store.spend("1" * 64, NOW) is False


@pytest.mark.proves("C02")
def test_a_grant_is_spent_once(store: Store) -> None:
    store.save_grant(grant())
    assert store.spend("1" * 64, NOW) is True
    assert store.spend("1" * 64, NOW + timedelta(seconds=1)) is False
    assert store.grant("1" * 64) == grant(spent=NOW)


@pytest.mark.proves("C02")
def test_a_spent_grant_cannot_be_kept_afresh(store: Store) -> None:
    store.save_grant(grant())
    store.spend("1" * 64, NOW)
    with pytest.raises(StoreFailed):
        store.save_grant(grant())
    assert store.grant("1" * 64) == grant(spent=NOW)


def test_spending_one_grant_leaves_the_others(store: Store) -> None:
    store.save_grant(grant())
    store.save_grant(grant("2" * 64))
    store.spend("1" * 64, NOW)
    assert store.grant("2" * 64) == grant("2" * 64)


@pytest.mark.proves("C02", "C03")
def test_of_many_threads_that_spend_a_grant_one_wins(store: Store) -> None:
    store.save_grant(grant())
    won = at_once(8, lambda _: store.spend("1" * 64, NOW))
    assert won.count(True) == 1
    assert won.count(False) == 7


# --- runs ---


def test_a_plan_that_never_ran_has_no_run(store: Store) -> None:
    assert store.run("plan-1") is None


def test_a_run_is_known_before_it_ends(store: Store) -> None:
    store.start_run(run())
    assert store.run("plan-1") == run()


def test_a_run_keeps_how_it_ended(store: Store) -> None:
    ended = run(
        status="failed",
        finished=NOW + timedelta(seconds=2),
        report=RunReport(statements=("ALTER TABLE tasks …",), error="no such table", seconds=0.25),
        current=("a0",),
        outcome="nothing was applied",
    )
    store.start_run(run())
    store.finish_run(ended)
    assert store.run("plan-1") == ended


def test_a_token_starts_one_run_and_no_second(store: Store) -> None:
    store.start_run(run())
    with pytest.raises(StoreFailed):
        store.start_run(run(started=NOW + timedelta(seconds=1)))
    assert store.run("plan-1") == run()


def test_an_outcome_is_kept_even_where_the_start_was_not(store: Store) -> None:
    store.finish_run(run(status="applied"))
    assert store.run("plan-1") == run(status="applied")


@pytest.mark.proves("D08")
def test_an_end_that_is_known_is_recorded_once(store: Store) -> None:
    store.start_run(run())
    known = run(status="failed", ending="rolled back whole", outcome="first")
    ends = [replace(known, outcome=f"server {n}") for n in range(8)]
    recorded = at_once(8, lambda n: store.finish_run(ends[n]))
    assert recorded.count(True) == 1
    assert store.run("plan-1") == ends[recorded.index(True)]


@pytest.mark.proves("D08")
def test_an_end_that_is_unknown_can_still_become_known(store: Store) -> None:
    store.start_run(run())
    assert store.unsettled() == (run(),)
    unknown = run(status="failed", ending="unknown", outcome='it said "status":"running"')
    assert store.finish_run(unknown)
    assert store.unsettled() == (unknown,)
    assert store.finish_run(run(status="applied", ending="applied"))
    assert store.unsettled() == ()
    assert not store.finish_run(unknown)


def test_the_newest_run_of_a_plan_is_the_one_that_counts(store: Store) -> None:
    store.start_run(run(status="failed"))
    store.start_run(run(token_hash="2" * 64))
    assert store.run("plan-1") == run(token_hash="2" * 64)


# --- the audit trail ---


@pytest.mark.proves("D10")
def test_entries_are_numbered_and_chained(store: Store) -> None:
    first, second = say(store, "one"), say(store, "two")
    assert (first.sequence, first.previous) == (1, GENESIS)
    assert (second.sequence, second.previous) == (2, first.hash)
    assert store.entries() == (first, second)
    assert broken_at(store.entries()) is None


def test_entries_can_be_limited_to_the_newest_and_to_a_project(store: Store) -> None:
    kept = [say(store, str(n), f"/projects/{'one' if n % 2 else 'two'}") for n in range(6)]
    assert store.entries(limit=2) == tuple(kept[-2:])
    assert store.entries(project="/projects/one") == tuple(kept[1::2])
    assert store.entries(project="/projects/one", limit=1) == (kept[5],)
    assert store.entries(project="/projects/none") == ()


@pytest.mark.proves("D10")
def test_the_chain_is_whole_when_many_threads_append(store: Store) -> None:
    at_once(6, lambda thread: [say(store, f"{thread}-{n}") for n in range(5)])
    entries = store.entries()
    assert len({entry.detail for entry in entries}) == 30
    assert broken_at(entries) is None


# --- opening and closing ---


def test_a_store_opened_again_holds_everything(where: str | Path, store: Store) -> None:
    store.save_analysis(analysis())
    store.save_plan(plan(), FILES)
    store.open_challenge(challenge())
    store.save_grant(grant())
    store.spend("1" * 64, NOW)
    store.start_run(run())
    entry = say(store, "one")
    again = open_store(where)
    assert again.analysis("analysis-1") == analysis()
    assert again.plan(plan().plan_id) == plan()
    assert again.sealed(plan().files) == FILES
    assert again.answer_challenge("n1", "approved") is True
    assert again.grant("1" * 64) == grant(spent=NOW)
    assert again.run("plan-1") == run()
    assert again.entries() == (entry,)


def test_many_stores_that_make_the_same_tables_at_once_all_open(where: str | Path) -> None:
    if isinstance(where, Path):
        where.parent.mkdir(mode=0o700)
    at_once(4, lambda _: open_store(where).entries())
    assert open_store(where).plans("/projects/none") == ()


def test_a_moment_without_a_zone_is_not_kept(store: Store) -> None:
    store.save_grant(grant())
    with pytest.raises(StoreFailed):
        store.spend("1" * 64, NOW.replace(tzinfo=None))
    assert store.grant("1" * 64) == grant()
