"""A dropped table lives on as an archive, and what a narrowing changes is put back."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_policies import archives
from rulezero_server.project import WorkerProject

TABLES = """
teams = sa.Table(
    "teams", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.String(30), nullable=False),
    sa.UniqueConstraint("title", name="uq_teams_title"),
)
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("team_id", sa.ForeignKey("teams.id", name="fk_users_team_id")),
)
logs = sa.Table(
    "logs", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", name="fk_logs_user_id", ondelete="CASCADE")),
    sa.Column("team_id", sa.ForeignKey("teams.id", name="fk_logs_team_id")),
    sa.Column("parent", sa.ForeignKey("logs.id", name="fk_logs_parent")),
    sa.Column("text", sa.Text, server_default="none"),
    sa.Column("data", sa.LargeBinary),
    sa.Index("ix_logs_user_id", "user_id"),
)
"""

USERS = """
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("team_id", sa.Integer),
)
"""


def generated(place: Any) -> Any:
    project = WorkerProject.open(place.folder)
    with project.reading():
        wished = archives.wishes(project.diff().operations)
        return project.generate("drop", (), wished)


def fill(place: Any, tables: dict[str, Any]) -> None:
    logs = [
        {"id": 1, "user_id": 1, "team_id": 7, "parent": None, "text": "", "data": b"\x00\xff"},
        {"id": 2, "user_id": None, "team_id": 7, "parent": 1, "text": None, "data": b""},
    ]
    with place.engine.begin() as connection:
        connection.execute(tables["teams"].insert().values(id=7, title="rot"))
        connection.execute(tables["users"].insert().values(id=1, team_id=7))
        connection.execute(tables["logs"].insert(), logs)


@pytest.mark.proves("D06")
def test_dropped_tables_come_back_with_rows_keys_and_indexes(place: Any) -> None:
    tables = place.begin(TABLES)
    fill(place, tables)
    names = ("logs", "teams", "users")
    before = {n: (place.shape(n), place.read(tables[n])) for n in names}
    place.models(USERS)
    made = generated(place)
    assert {(a.kind, a.table) for a in made.archives} == {("table", "logs"), ("table", "teams")}
    place.upgrade()
    assert [t for t in place.tables() if t in names] == ["users"]
    assert not [o for o in WorkerProject.open(place.folder).diff().operations if "table" in o.kind]
    # What the archive refers to may go and change while it is there.
    place.run("UPDATE users SET team_id = 8", "INSERT INTO users (id) VALUES (2)")
    place.run("DELETE FROM users WHERE id = 2", "UPDATE users SET team_id = 7")
    place.downgrade()
    assert {n: (place.shape(n), place.read(tables[n])) for n in names} == before
    assert place.archives() == []
    place.upgrade()


WIDE = """
prices = sa.Table(
    "prices", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("price", sa.Numeric(12, 4), nullable=False),
)
"""


@pytest.mark.filterwarnings("ignore:Dialect sqlite.*does.*not support Decimal")
@pytest.mark.proves("D06")
def test_what_a_narrowing_rounds_comes_back_where_nobody_wrote_since(place: Any) -> None:
    prices = place.begin(WIDE)["prices"]
    given = ["1.2345", "1.5000", "-7.9999", "2.0001"]
    with place.engine.begin() as connection:
        for number, price in enumerate(given, 1):
            connection.execute(prices.insert().values(id=number, price=Decimal(price)))
    place.models(WIDE.replace("12, 4", "12, 1"))
    assert [a.kind for a in generated(place).archives] == ["narrowing"]
    place.upgrade()
    if place.engine.dialect.name != "sqlite":
        archive = place.archives()[0]
        assert place.rows(f"SELECT id FROM {archive} ORDER BY id") == [(1,), (3,), (4,)]
    place.run("UPDATE prices SET price = 3.5 WHERE id = 4", "DELETE FROM prices WHERE id = 3")
    place.downgrade()
    back = [(1, Decimal("1.2345")), (2, Decimal("1.5")), (4, Decimal("3.5"))]
    assert place.read(prices) == back
    place.upgrade()


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_texts_that_mariadb_cuts_off_come_back(place: Any) -> None:
    text = 'a = sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True), '
    models = f'{text}sa.Column("name", sa.String(20)))'
    table: sa.Table = place.begin(models)["a"]
    place.run("INSERT INTO a VALUES (1, 'abcdefgh'), (2, 'abc'), (3, NULL), (4, 'abc   ')")
    before = place.read(table)
    place.models(models.replace("20", "3"))
    path = place.folder / generated(place).path
    relaxed = "    op.execute(\"SET sql_mode = ''\")\n"
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace("    op.alter_column", f"{relaxed}    op.alter_column", 1))
    place.upgrade()
    assert [row[1] for row in place.read(table)] == ["abc", "abc", None, "abc"]
    place.downgrade()
    assert place.read(table) == before
