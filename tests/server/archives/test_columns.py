"""A dropped column is archived by its revision, and comes back with every value."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_policies import archives
from rulezero_server.project import WorkerProject

BEFORE = """
from sqlalchemy.dialects import mysql
teams = sa.Table("teams", metadata, sa.Column("id", sa.Integer, primary_key=True))
users = sa.Table(
    "users", metadata,
    sa.Column("org", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("select", sa.String(20), primary_key=True),
    sa.Column("name", sa.String(20)),
    sa.Column("note", sa.Text().with_variant(mysql.TEXT(charset="utf8mb4"), "mysql", "mariadb")),
    sa.Column("level", sa.Numeric(20, 6), nullable=False),
    sa.Column("state", sa.String(10), server_default="new"),
    sa.Column("photo", sa.LargeBinary),
    sa.Column("extra", sa.JSON),
    sa.Column("seen", sa.DateTime(timezone=True)),
    sa.Column("team_id", sa.ForeignKey("teams.id", name="fk_users_team_id", ondelete="CASCADE")),
    sa.Index("ix_users_note", "note", mysql_length=20),
    sa.Index("ix_users_team_id", "team_id"),
)
"""

LOST = ("note", "level", "state", "photo", "extra", "seen", "team_id")

AT = datetime(2024, 5, 17, 12, 30, 15, tzinfo=UTC)


def after(text: str) -> str:
    """The models without what is lost."""
    gone = ("ix_users", *(f'Column("{name}"' for name in LOST))
    return "\n".join(line for line in text.splitlines() if not any(g in line for g in gone))


def values(number: int, **more: Any) -> dict[str, Any]:
    return {
        "org": 1,
        "select": f"u{number}",
        "name": "Ann",
        "note": "Grüße 🚀 'x' \\ %s :y",
        "level": Decimal("12345678901234.123456"),
        "state": "old",
        "photo": bytes(range(256)),
        "extra": {"a": [1, None, "ü"], "b": 1.5},
        "seen": AT,
        "team_id": 7,
        **more,
    }


ROWS = (
    values(1),
    values(2, note="", photo=b"", extra=[], level=Decimal(0)),
    values(3, note=None, state=None, photo=None, extra=sa.null(), seen=None, team_id=None),
    values(4, org=2, select="u1", level=Decimal("-0.000001"), note="two keys"),
    values(5),
)


def fill(place: Any, table: sa.Table) -> None:
    with place.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO teams (id) VALUES (7)")
        for row in ROWS:
            connection.execute(table.insert().values(**row))


def generated(place: Any) -> Any:
    project = WorkerProject.open(place.folder)
    with project.reading():
        wished = archives.wishes(project.diff().operations)
        return project.generate("drop", (), wished)


@pytest.mark.filterwarnings("ignore:Dialect sqlite.*does.*not support Decimal")
@pytest.mark.proves("D06")
def test_every_value_of_a_dropped_column_comes_back_by_its_key(place: Any) -> None:
    users = place.begin(BEFORE)["users"]
    fill(place, users)
    shape, rows = place.shape("users"), place.read(users)
    place.models(after(BEFORE))
    made = generated(place)
    assert {a.column for a in made.archives} == set(LOST)
    assert made.not_archived == ()
    place.upgrade()
    assert "note" not in str(place.shape("users"))
    assert len(place.archives()) == len(LOST)
    assert WorkerProject.open(place.folder).diff().operations == ()
    place.downgrade()
    assert place.read(users) == rows
    assert place.shape("users") == shape
    assert place.archives() == []
    place.upgrade()


@pytest.mark.proves("D06")
def test_rows_of_today_stay_as_they_are_and_get_null_or_the_default(place: Any) -> None:
    users = place.begin(BEFORE.replace(", nullable=False", ""))["users"]
    fill(place, users)
    rows = {row[:2]: row for row in place.read(users)}
    place.models(after(BEFORE))
    generated(place)
    place.upgrade()
    place.run(
        "UPDATE users SET name = 'Bob' WHERE org = 1",
        "DELETE FROM users WHERE org = 2",
        f"INSERT INTO users (org, {quoted(place)}) VALUES (3, 'new')",
    )
    place.downgrade()
    found = {row[:2]: row for row in place.read(users)}
    assert (2, "u1") not in found
    assert found[3, "new"] == (3, "new", None, None, None, "new", None, None, None, None)
    for key in [(1, "u1"), (1, "u2"), (1, "u3"), (1, "u5")]:
        assert found[key] == (*key, "Bob", *rows[key][3:])


def quoted(place: Any) -> str:
    return str(place.engine.dialect.identifier_preparer.quote("select"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no primary key", "its table has no primary key"),
        ("computed", "the database fills it itself"),
        ("colon", "its name cannot stand in SQL text"),
    ],
)
def test_what_cannot_be_archived_is_dropped_as_ever_and_said(
    place_at: Any, tmp_path: Any, text: str, reason: str
) -> None:
    place = place_at(f"sqlite:///{(tmp_path / 'one.sqlite').as_posix()}")
    column = {
        "no primary key": 'sa.Column("gone", sa.Integer)',
        "computed": 'sa.Column("gone", sa.Integer, sa.Computed("id + 1"))',
        "colon": 'sa.Column("go:ne", sa.Integer)',
    }[text]
    key = "" if text == "no primary key" else ", primary_key=True"
    models = f'a = sa.Table("a", metadata, sa.Column("id", sa.Integer{key}), {column})'
    place.begin(models)
    place.models(models.replace(f", {column}", ""))
    made = generated(place)
    assert made.archives == ()
    assert reason in made.not_archived[0]
    assert "execute" not in (place.folder / made.path).read_text(encoding="utf-8")


def test_a_failure_between_archive_and_drop_leaves_every_value(place: Any) -> None:
    users = place.begin(BEFORE)["users"]
    fill(place, users)
    rows = place.read(users)
    place.models(after(BEFORE))
    path = place.folder / generated(place).path
    text = path.read_text(encoding="utf-8")
    cut = text.index(
        "op.drop_" if "batch" not in text.split("def downgrade")[0] else "with op.batch"
    )
    path.write_text(f"{text[:cut]}raise RuntimeError\n    {text[cut:]}", encoding="utf-8")
    with pytest.raises(RuntimeError):
        place.upgrade()
    assert place.read(users) == rows
