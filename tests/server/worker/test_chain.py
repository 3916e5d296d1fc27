"""Revision files that do not load or do not fit together are told, each where it stands."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_server.worker import describe, errors, trace, verbs

pytestmark = pytest.mark.proves("A17", "A22")

URL = "sqlite://"

Files = Callable[..., dict[str, str]]


@pytest.fixture
def flaws(project: Any) -> Callable[[dict[str, str]], list[tuple[str, str, list[str]]]]:
    """`flaws(files)`: kind, revision and names of what is wrong, as `describe` tells it."""

    def found(files: dict[str, str]) -> list[tuple[str, str, list[str]]]:
        told = described(project(URL, files))["flaws"]
        return [(f["kind"], f["revision"], f["names"]) for f in told]

    return found


def described(loaded: Any) -> dict[str, Any]:
    loaded.join()
    args = {"static": True, "lenient": True}
    return verbs.call("describe", loaded, args, loaded.ground)


def test_a_chain_has_no_flaw(flaws: Any, source: Any) -> None:
    files = {"a1.py": source("pass"), "b2.py": source("pass", revision="b2", down="a1")}
    assert flaws(files) == []


def test_a_missing_parent_is_told_with_what_hangs_on_it(project: Any, source: Any) -> None:
    files = {
        "a1.py": source("pass"),
        "b2.py": source("pass", revision="b2", down="gone"),
        "c3.py": source("pass", revision="c3", down="b2"),
    }
    told = described(project(URL, files))
    (flaw,) = told["flaws"]
    assert (flaw["kind"], flaw["revision"], flaw["names"]) == ("missing parent", "b2", ["gone"])
    assert (flaw["line"], flaw["after"]) == (6, 1)
    assert {r["id"] for r in told["revisions"]} == {"a1", "b2", "c3"}


def test_a_missing_dependency_is_told(flaws: Any, source: Any) -> None:
    needs = source("pass", revision="b2", down="a1") + '\ndepends_on = "gone"\n'
    assert flaws({"a1.py": source("pass"), "b2.py": needs}) == [("missing parent", "b2", ["gone"])]


def test_an_id_that_two_files_have_is_told_with_both(flaws: Any, source: Any) -> None:
    ((kind, revision, names),) = flaws({"one.py": source("pass"), "two.py": source("pass")})
    assert (kind, revision) == ("duplicate", "a1")
    assert sorted(names) == ["migrations/versions/one.py", "migrations/versions/two.py"]


def test_several_heads_are_told_at_each(flaws: Any, source: Any) -> None:
    files = {"a1.py": source("pass")}
    files |= {f"{r}.py": source("pass", revision=r, down="a1") for r in ("b2", "c3")}
    both = ["b2", "c3"]
    assert sorted(flaws(files)) == [("several heads", "b2", both), ("several heads", "c3", both)]


def test_a_branch_with_a_label_may_have_a_head_of_its_own(flaws: Any, source: Any) -> None:
    named = source("pass", revision="c3", down="a1") + '\nbranch_labels = ("plugin",)\n'
    files = {
        "a1.py": source("pass"),
        "b2.py": source("pass", revision="b2", down="a1"),
        "c3.py": named,
        "d4.py": source("pass", revision="d4", down="c3"),
    }
    assert flaws(files) == []


def test_a_label_before_the_fork_names_no_head(flaws: Any, source: Any) -> None:
    files = {"a1.py": source("pass") + '\nbranch_labels = ("core",)\n'}
    files |= {f"{r}.py": source("pass", revision=r, down="a1") for r in ("b2", "c3")}
    assert {kind for kind, _, _ in flaws(files)} == {"several heads"}


def test_a_circle_is_told_at_each_of_its_revisions(project: Any, source: Any) -> None:
    files = {
        "a1.py": source("pass"),
        "b2.py": source("pass", revision="b2", down="c3"),
        "c3.py": source("pass", revision="c3", down="b2"),
        "d4.py": source("pass", revision="d4", down="c3"),
    }
    told = described(project(URL, files))
    found = {(f["kind"], f["revision"]) for f in told["flaws"]}
    assert found == {("cycle", "b2"), ("cycle", "c3")}
    assert {r["id"] for r in told["revisions"]} == {"a1", "b2", "c3", "d4"}


def test_a_revision_that_follows_itself_is_told(flaws: Any, source: Any) -> None:
    assert flaws({"a1.py": source("pass", down="a1")}) == [("cycle", "a1", ["a1"])]


BROKEN = {
    "syntax": ("def upgrade(:\n    pass\n", "syntax", "SyntaxError"),
    "missing module": ("import no_such_module\n", "unreadable", "No module named"),
    "error": ("raise ValueError('not today')\n", "unreadable", "ValueError: not today"),
    "exit": ("raise SystemExit(3)\n", "unreadable", "SystemExit"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_does_not_load_keeps_its_place(project: Any, source: Any, what: str) -> None:
    line, kind, said = BROKEN[what]
    files = {
        "a1.py": source("op.drop_table('notes')"),
        "b2.py": f'revision = "b2"\ndown_revision = "a1"  # here\n{line}',
        "c3.py": source("op.drop_table('tasks')", revision="c3", down="b2"),
    }
    loaded = project(URL, files)
    told = described(loaded)
    (flaw,) = told["flaws"]
    assert (flaw["kind"], flaw["revision"], flaw["line"]) == (kind, "b2", 3)
    assert said in flaw["detail"]
    assert [r["id"] for r in told["revisions"]] == ["a1", "b2", "c3"]
    args = {"revisions": ["a1", "b2", "c3"], "static": True, "lenient": True}
    traces = verbs.call("trace", loaded, args, loaded.ground)["traces"]
    kinds = [[step["kind"] for step in t["upgrade"]] for t in traces]
    assert kinds == [["drop_table"], ["opaque"], ["drop_table"]]


def test_a_file_that_says_nothing_of_itself_is_named_for_its_file(flaws: Any, source: Any) -> None:
    files = {"a1.py": source("pass"), "not-one.py": "helper = 1\n"}
    assert flaws(files) == [("unreadable", "not_one", [])]


def test_a_merge_that_does_not_load_still_joins_its_branches(flaws: Any, source: Any) -> None:
    files = {"a1.py": source("pass")}
    files |= {f"{r}.py": source("pass", revision=r, down="a1") for r in ("b2", "c3")}
    merge = 'import nowhere\nrevision: str = "d4"\ndown_revision = (\n    "b2",\n    "c3",\n)\n'
    assert flaws({**files, "d4.py": merge}) == [("unreadable", "d4", [])]


def test_whoever_does_not_ask_to_go_on_is_stopped(project: Any, source: Any) -> None:
    loaded = project(URL, {"a1.py": source("pass", down="gone")})
    loaded.join()
    for verb, args in (("describe", {"static": True}), ("probe", {"lenient": True})):
        with pytest.raises(errors.Failure, match="RevisionScriptError"):
            verbs.call(verb, loaded, args, loaded.ground)
    loaded.mend()
    with pytest.raises(errors.Failure, match="RevisionScriptError"):
        verbs.call("describe", loaded, {"static": True}, loaded.ground)


def test_a_database_at_an_unknown_revision_stops_only_who_is_not_lenient(
    project: Any, source: Any, sqlite_url: str
) -> None:
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('feedbeef')")
    engine.dispose()
    loaded = project(sqlite_url, {"a1.py": source("pass")})
    assert describe.database(loaded, lenient=True)["current"] == ["feedbeef"]
    with pytest.raises(errors.Failure, match="UnknownDatabaseRevision"):
        describe.database(loaded)
    assert trace.trace(loaded, {"revisions": ["a1"]})["traces"]


def test_a_revision_that_asks_whether_it_runs_offline_is_seen_as_it_will_run(
    project: Any, source: Any
) -> None:
    body = """
        from alembic import context
        if context.is_offline_mode():
            raise Exception("only possible in online mode")
        op.drop_table("notes")
    """
    loaded = project(URL, {"a1.py": source(body, body)})
    (told,) = trace.trace(loaded, {"revisions": ["a1"], "static": True})["traces"]
    assert (told["upgrade_error"], told["downgrade_error"]) == (None, None)
    assert [s["kind"] for s in told["upgrade"]] == ["drop_table"]
