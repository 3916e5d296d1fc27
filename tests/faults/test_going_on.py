"""What a failed run left half done is gone on with, or undone, by a plan that a person approves."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_policies.errors import NotForThisTool, NothingHalfDone, NoWayOn, PlanStale
from rulezero_tools import reading
from rulezero_tools.review import review
from rulezero_tools.rollback import rollback

pytestmark = pytest.mark.proves("A18", "D08")

THREE = """
op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
op.execute("INSERT INTO marks (name) VALUES ('r2')")
op.create_index("uq_accounts_name", "accounts", ["name"], unique=True)
op.add_column("accounts", sa.Column("note", sa.String(20)))
"""

BACK = """
op.drop_column("accounts", "note")
op.drop_index("uq_accounts_name", "accounts")
op.drop_table("items")
"""

CONCURRENTLY = """
op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
with op.get_context().autocommit_block():
    op.create_index("ix_twice", "accounts", ["name"], unique=True, postgresql_concurrently=True)
op.execute("INSERT INTO marks (name) VALUES ('r2')")
"""


def execute(world: Any, *texts: str) -> None:
    engine = sa.create_engine(world.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for text in texts:
            connection.execute(sa.text(text))


def applied(world: Any, plan_id: Any) -> Any:
    plan = world.app().store.plan(plan_id)
    return world.applied(plan, world.said_yes(plan))


def failed(world: Any) -> tuple[str, Any]:
    """A run that stops at the unique index."""
    execute(world, "UPDATE accounts SET name = 'same'")
    plan = world.planned()
    result = world.applied(plan, world.said_yes(plan))
    assert result.ending == "partially applied", result.message
    return plan.plan_id, result


@pytest.mark.parametrize("url", ["mariadb_url", "sqlite"])
def test_what_is_left_of_a_revision_is_run_and_nothing_is_sent_twice(
    make_world: Any, request: Any, tmp_path: Path, url: str
) -> None:
    at = f"sqlite:///{tmp_path / 'database.sqlite'}"
    world = make_world(at if url == "sqlite" else request.getfixturevalue(url), r2=THREE)
    kept = {"mysql": "does not send these 2 statements", "sqlite": "does not send this statement"}
    first, result = failed(world)
    assert f"call `review` with resume={first}" in result.resume[0]
    assert world.status().next_step.startswith(f"The run of {first} stopped half way.")
    execute(world, "UPDATE accounts SET name = 'other' WHERE id = 2")
    plain = review(world.session())
    assert any(f"resume={first}" in warning for warning in plain.warnings)
    assert plain.verdict == "UNSAFE"
    going = review(world.session(), resume=first)
    assert going.rehearsal.upgrade == "ok"
    assert kept[world.dialect] in going.warnings[0]
    assert "committed already: `CREATE TABLE items" in going.warnings[0]
    assert "-- committed already, not sent again:\n-- CREATE TABLE items" in (going.sql or "")
    assert not any("create table items" in c.description for c in going.changes)
    done = applied(world, going.plan_id)
    assert (done.status, world.version()) == ("applied", "r3"), done.message
    assert all(world.effects().values())
    assert going.plan_id is not None
    page = reading.get_plan(world.session(), plan_id=going.plan_id, section="run").text
    assert "(skipped; migrations/versions/r2.py, line 11)" in page
    assert page.count("(committed; ") >= 4
    with pytest.raises(NothingHalfDone, match=f"what ran last is {going.plan_id}"):
        review(world.session(), resume=first)


def test_an_index_that_was_cut_off_is_dropped_and_built_again(
    make_world: Any, postgres_url: str
) -> None:
    world = make_world(postgres_url, r2=CONCURRENTLY)
    first, _ = failed(world)
    going = review(world.session(), resume=first)
    # What failed is not mended yet: the rehearsal finds that out, and so does the run.
    assert going.rehearsal.upgrade == "failed"
    again = applied(world, going.plan_id)
    assert again.ending == "partially applied", again.message
    assert f"call `review` with resume={going.plan_id}" in again.resume[0]
    execute(world, "UPDATE accounts SET name = 'other' WHERE id = 2")
    with pytest.raises(NothingHalfDone):
        review(world.session(), resume=first)
    last = review(world.session(), resume=going.plan_id)
    assert last.rehearsal.upgrade == "ok"
    assert "Before that it sends `DROP INDEX IF EXISTS ix_twice`" in last.warnings[0]
    done = applied(world, last.plan_id)
    assert (done.status, world.version()) == ("applied", "r3"), done.message
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    assert world.rows(invalid) == [(0,)]
    names = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_twice'"
    assert world.rows(names) == [(1,)]


def test_what_is_half_done_is_undone_by_statements_of_ours(make_world: Any, any_url: str) -> None:
    world = make_world(any_url)
    first_insert = THREE.splitlines()[2]
    codes = {"postgresql": CONCURRENTLY, "mysql": THREE.replace(first_insert, "")}
    world.write(r2=codes.get(world.dialect, THREE))
    before = world.session().project.describe().database.fingerprint
    first, result = failed(world)
    assert f"Call `rollback` with undo={first}" in result.undo[0]
    execute(world, "INSERT INTO items (id) VALUES (1), (2)")
    back = rollback(world.session(), undo=first)
    assert (back.from_revision, back.to_revision) == ("r1", "r1")
    assert "DROP TABLE items;" in (back.sql or "")
    assert any(f.question.endswith("items") and f.count == 2 for f in back.facts)
    assert (back.risk, back.rehearsal.downgrade) == ("CRITICAL", "ok")
    done = applied(world, back.plan_id)
    assert (done.status, done.current_revision) == ("applied", "r1"), done.message
    assert "- DROP TABLE items" in done.message
    assert world.session().project.describe().database.fingerprint == before
    assert not any(world.effects().values())
    world.write()
    plan = world.planned()
    assert world.applied(plan, world.said_yes(plan)).status == "applied"


def test_what_has_no_plain_inverse_is_not_undone_by_a_plan(
    make_world: Any, mariadb_url: str
) -> None:
    world = make_world(mariadb_url, r2=THREE)
    first, result = failed(world)
    assert result.undo[0].startswith("Reverse by hand: `INSERT INTO marks")
    with pytest.raises(NoWayOn, match="cannot be undone by a plan"):
        rollback(world.session(), undo=first)


def test_a_database_that_moved_on_is_neither_resumed_nor_undone(
    make_world: Any, mariadb_url: str
) -> None:
    world = make_world(mariadb_url, r2=THREE)
    first, _ = failed(world)
    going = review(world.session(), resume=first)
    execute(world, "ALTER TABLE items ADD COLUMN more INTEGER")
    with pytest.raises(PlanStale, match="schema changed"):
        applied(world, going.plan_id)
    with pytest.raises(NoWayOn, match="not what that run left"):
        rollback(world.session(), undo=first)
    with pytest.raises(NoWayOn, match="not what that run left"):
        review(world.session(), resume=first)


def test_a_revision_that_sends_something_else_is_stopped_before_it_counts(
    make_world: Any, mariadb_url: str
) -> None:
    world = make_world(mariadb_url, r2=THREE)
    first, _ = failed(world)
    execute(world, "UPDATE accounts SET name = 'other' WHERE id = 2")
    world.write(r2=THREE.replace("items", "things"))
    going = review(world.session(), resume=first)
    assert going.verdict == "UNSAFE"
    done = applied(world, going.plan_id)
    assert done.ending == "nothing happened", done.message
    assert "where `CREATE TABLE items" in done.message
    # What stopped is gone on with as before: the first run is still what stands half done.
    world.write(r2=THREE)
    assert applied(world, review(world.session(), resume=first).plan_id).status == "applied"
    assert all(world.effects().values())


def test_a_rollback_that_stopped_half_way_is_gone_on_with(
    make_world: Any, mariadb_url: str
) -> None:
    world = make_world(mariadb_url)
    up = world.planned("r2")
    assert world.applied(up, world.said_yes(up)).status == "applied"
    file = world.folder / "migrations" / "versions" / "r2.py"
    drop, unique = (
        'op.drop_column("accounts", "note")',
        'op.create_index("uq_accounts_name", "accounts", ["name"], unique=True)',
    )
    file.write_text(file.read_text().replace(drop, f"{drop}\n    {unique}"))
    execute(world, "UPDATE accounts SET name = 'same'")
    stopped = applied(world, rollback(world.session()).plan_id)
    assert stopped.ending == "partially applied", stopped.message
    assert f"call `rollback` with resume={stopped.plan_id}" in stopped.resume[0]
    execute(world, "UPDATE accounts SET name = 'other' WHERE id = 2")
    with pytest.raises(NotForThisTool, match="`review` does not carry it out"):
        review(world.session(), resume=stopped.plan_id)
    back = rollback(world.session(), resume=stopped.plan_id)
    assert "ALTER TABLE accounts DROP COLUMN note" in back.warnings[0]
    assert not any("note" in f.subject for f in back.findings)
    done = applied(world, back.plan_id)
    assert (done.status, done.current_revision) == ("applied", "r1"), done.message
    assert not any(world.effects()[name] for name in ("CREATE TABLE items",))
