"""What is wrong with the revision files is found by the review; the other files are reviewed."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from rulezero_policies.findings import Finding
from rulezero_server.app import App
from rulezero_tools.ports import Session
from rulezero_tools.review import review_files

pytestmark = pytest.mark.proves("A17", "A22")

FIRST = "4c11a0b7d2e8"
DROPS = '''\
"""drop"""
import sqlalchemy as sa
from alembic import op
{head}
revision = "{revision}"
down_revision = "{down}"


def upgrade():
    op.drop_table("{table}"){tail}


def downgrade():
    op.create_table("{table}", sa.Column("id", sa.BigInteger(), primary_key=True))
'''

Write = Callable[..., None]


@pytest.fixture
def shop(
    copy_project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """The plain Alembic sample, its database not made yet."""
    monkeypatch.setenv("RULEZERO_STATE_DIR", str(tmp_path / "state"))
    return copy_project("alembic_shop")


def write(
    folder: Path, revision: str, *, down: str = FIRST, head: str = "", tail: str = ""
) -> None:
    text = DROPS.format(revision=revision, down=down, table=f"t_{revision}", head=head, tail=tail)
    path = folder / "migrations" / "versions" / f"{revision}_drop.py"
    path.write_text(text, encoding="utf-8")


def session(folder: Path) -> Session:
    return App(folder).session(None, client="test")


def by_revision(folder: Path) -> dict[str, dict[str, Finding]]:
    """What `review --all --static` finds, by revision and rule."""
    results = review_files(session(folder), every=True, static=True)
    return {r.revision: {f.rule: f for f in r.findings} for r in results}


def test_one_file_that_does_not_load_does_not_end_the_review_of_all(shop: Path) -> None:
    write(shop, "aaaa00000001", tail=" +")
    write(shop, "aaaa00000002", down="aaaa00000001", head="import nowhere")
    write(shop, "aaaa00000003", down="aaaa00000002")
    found = by_revision(shop)
    assert set(found["aaaa00000001"]) == set(found["aaaa00000002"]) == {"unloadable"}
    assert found["aaaa00000001"]["unloadable"].outcome == "will_fail"
    assert found["aaaa00000001"]["unloadable"].line == 10
    assert found["aaaa00000002"]["unloadable"].outcome == "unknown"
    assert "No module named 'nowhere'" in found["aaaa00000002"]["unloadable"].evidence
    assert "drop-table" in found["aaaa00000003"]


def test_a_parent_that_is_missing_is_a_finding_of_the_revision_that_names_it(shop: Path) -> None:
    write(shop, "aaaa00000001", down="feedfeedfeed")
    write(shop, "aaaa00000002", down="aaaa00000001")
    found = by_revision(shop)
    graph = found["aaaa00000001"]["graph"]
    assert (graph.severity, graph.outcome) == ("CRITICAL", "will_fail")
    assert "names feedfeedfeed, which no revision file has" in graph.evidence
    assert "what follows it (1) cannot be reached" in graph.evidence
    assert "graph" not in found["aaaa00000002"]


def test_what_waits_is_reviewed_over_several_heads_and_says_so(shop: Path) -> None:
    write(shop, "aaaa00000001")
    write(shop, "aaaa00000002")
    (result,) = review_files(session(shop))
    heads = [f for f in result.findings if f.rule == "graph"]
    assert len(heads) == 2
    assert all("aaaa00000001, aaaa00000002" in f.evidence for f in heads)
    assert "alembic merge aaaa00000001 aaaa00000002" in heads[0].fix
    assert result.verdict == "UNSAFE"


def test_what_waits_behind_a_file_that_does_not_load_is_read_without_the_database(
    shop: Path,
) -> None:
    write(shop, "aaaa00000001", head="import nowhere")
    write(shop, "aaaa00000002", down="aaaa00000001")
    (result,) = review_files(session(shop))
    assert {"unloadable", "drop-table"} <= {f.rule for f in result.findings}
    assert result.sql is None


def test_a_database_at_a_revision_that_no_file_has_is_a_finding(shop: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{(shop / 'shop.db').as_posix()}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('feedbeef0000')")
    engine.dispose()
    (result,) = review_files(session(shop))
    (finding,) = result.findings
    assert (finding.rule, finding.severity) == ("graph", "CRITICAL")
    assert f"at feedbeef0000, which no revision file has; the files end at {FIRST}" in (
        finding.evidence
    )
    assert result.next_step == "Nothing was reviewed: the database is at feedbeef0000."
