"""Archives follow schemas, renames of the same revision, and columns that set themselves."""

from typing import Any

import pytest

from rulezero_policies import archives
from rulezero_policies.renames import Rename
from rulezero_server.project import WorkerProject

OLD = """
a = sa.Table("a", metadata, sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("gone", sa.String(9)))
"""
NEW = 'a = sa.Table("b", metadata, sa.Column("code", sa.Integer, primary_key=True))'


@pytest.mark.proves("D06", "D07")
def test_a_table_that_is_renamed_in_the_same_revision_is_found_by_its_new_names(
    place: Any,
) -> None:
    place.begin(OLD)
    place.run("INSERT INTO a VALUES (1, 'x'), (2, NULL)")
    place.models(NEW.replace('"code"', '"key"'))
    renames = (Rename(kind="table", table="a", old="a", new="b"),)
    project = WorkerProject.open(place.folder)
    with project.reading():
        wished = archives.wishes(project.diff(renames).operations)
        made = project.generate("rename", renames, wished)
    assert [(a.table, a.column) for a in made.archives] == [("b", "gone")]
    place.upgrade()
    assert place.rows("SELECT * FROM b ORDER BY 1") == [(1,), (2,)]
    place.downgrade()
    assert place.rows("SELECT * FROM a ORDER BY 1") == [(1, "x"), (2, None)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.proves("D06")
def test_an_archive_stands_in_the_schema_of_its_table(place: Any) -> None:
    env = place.folder / "migrations" / "env.py"
    text = env.read_text("utf-8")
    env.write_text(text.replace("render_as_batch=", "include_schemas=True, render_as_batch="))
    place.run('CREATE SCHEMA "Shop"')
    models = """
p = sa.Table("p", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="Shop")
a = sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("p_id", sa.ForeignKey("Shop.p.id", name="fk_a_p")),
    sa.Column("gone", sa.String(9)), schema="Shop")
"""
    place.begin(models)
    place.run(
        'INSERT INTO "Shop".p VALUES (1)',
        """INSERT INTO "Shop".a VALUES (1, 1, 'x'), (2, NULL, '')""",
    )
    before = place.rows('SELECT id, gone FROM "Shop".a ORDER BY 1')
    place.models("\n".join(x for x in models.splitlines() if "gone" not in x) + 'schema="Shop")')
    project = WorkerProject.open(place.folder)
    with project.reading():
        project.generate("one", (), archives.wishes(project.diff().operations))
    place.upgrade()
    (kept,) = WorkerProject.open(place.folder).archives()
    assert (kept.schema, kept.rows) == ("Shop", 2)
    assert "a.gone, archived by revision" in (kept.note or "")
    place.downgrade()
    assert place.rows('SELECT id, gone FROM "Shop".a ORDER BY 1') == before
    place.upgrade()
    place.models("")
    project = WorkerProject.open(place.folder)
    with project.reading():
        made = project.generate("two", (), archives.wishes(project.diff().operations))
    assert {a.kind for a in made.archives} == {"table"}
    place.upgrade()
    place.downgrade()
    assert place.rows('SELECT id, p_id FROM "Shop".a ORDER BY 1') == [(1, 1), (2, None)]


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.proves("D06")
def test_putting_back_moves_no_time_that_sets_itself(place: Any) -> None:
    models = """
at = sa.text("current_timestamp() ON UPDATE current_timestamp()")
a = sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("changed", sa.TIMESTAMP, nullable=False, server_default=at),
    sa.Column("gone", sa.String(9)),
)
"""
    place.begin(models)
    place.run("INSERT INTO a VALUES (1, '2001-02-03 04:05:06', 'x')")
    before = place.rows("SELECT * FROM a")
    place.models("\n".join(x for x in models.splitlines() if "gone" not in x))
    project = WorkerProject.open(place.folder)
    with project.reading():
        project.generate("one", (), archives.wishes(project.diff().operations))
    place.upgrade()
    place.downgrade()
    assert place.rows("SELECT id, changed, gone FROM a") == before
