"""What autogenerate does not see is said, and what differs in it is found: nothing else is."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rulezero_server.project import WorkerProject

MODELS = """
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Item(db.Model):
    __tablename__ = "items"
    id = db.Column(db.Integer, primary_key=True)
    mood = db.Column(db.Enum("new", "old", name="mood"))
    state = db.Column(db.String(20), server_default="open")
    size = db.Column(db.Integer, nullable=False, server_default="3")
    active = db.Column(db.Boolean, nullable=False, server_default=sa.true())
    made = db.Column(db.DateTime, server_default=sa.func.now())
    price = db.Column(db.Integer, nullable=False)
    double = db.Column(db.Integer, sa.Computed("price * 2"))
    __table_args__ = (
        sa.CheckConstraint("price > 0 AND state IN ('open', 'shut')", name="ck_items_price"),
    )
"""


@pytest.fixture
def items(
    copy_project: Any, database_url: str, monkeypatch: pytest.MonkeyPatch, run_in: Any
) -> Path:
    """A project whose database was migrated from exactly these models."""
    folder: Path = copy_project("flask_notes")
    monkeypatch.setenv("DATABASE_URL", database_url)
    for file in (folder / "migrations" / "versions").glob("*.py"):
        file.unlink()
    (folder / "notes" / "models.py").write_text(MODELS, encoding="utf-8")
    run_in(folder, "flask", "db", "migrate", "-m", "first")
    run_in(folder, "flask", "db", "upgrade")
    return folder


def change(folder: Path, *pairs: tuple[str, str]) -> dict[str, str]:
    text = MODELS
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (folder / "notes" / "models.py").write_text(text, encoding="utf-8")
    return {c.subject: c.detail for c in WorkerProject.open(folder).unseen().changes}


def test_what_nobody_compared_is_said_and_a_fresh_database_differs_in_nothing(
    items: Path, database_url: str
) -> None:
    seen = WorkerProject.open(items).unseen()
    assert seen.changes == ()
    assert "CHECK constraints" in seen.not_compared
    assert any(n.startswith("server defaults") for n in seen.not_compared)
    is_enum = "values of enum types" in seen.not_compared
    assert is_enum == database_url.startswith("postgresql")


def test_defaults_checks_and_enum_values_that_differ_are_found_with_their_code(
    items: Path, database_url: str
) -> None:
    found = change(
        items,
        ('server_default="open"', 'server_default="shut"'),
        ('server_default="3"', 'server_default="4"'),
        ("'shut')\", name", "'shut', 'lost')\", name"),
        ('"old", name', '"old", "odd", name'),
        ("price * 2", "price * 3"),
        ("nullable=False)\n    double", "nullable=False, server_default='1')\n    double"),
    )
    enum = {"mood": "the models add odd"} if database_url.startswith("postgresql") else {}
    assert {k: v for k, v in found.items() if k == "mood"} == enum
    assert set(found) - {"mood"} == {
        "items.state",
        "items.size",
        "items.price",
        "items.ck_items_price",
        "items.double",
    }
    code = {c.subject: c.code for c in WorkerProject.open(items).unseen().changes}
    assert code["items.size"] == "op.alter_column('items', 'size', server_default=sa.text(\"'4'\"))"
    if enum:
        assert "ADD VALUE 'odd'" in code["mood"]


def test_what_was_taken_away_or_put_in_another_order_is_found(
    items: Path, database_url: str
) -> None:
    found = change(
        items,
        ('server_default="3"', "server_default=None"),
        ('"new", "old"', '"old", "new"'),
        ('name="ck_items_price"', 'name="ck_items_other"'),
    )
    assert found["items.size"].endswith("the models want none")
    assert found["items.ck_items_other"] == "it is not in the database"
    if database_url.startswith("postgresql"):
        assert found["mood"] == "the order of the values differs"


def test_defaults_that_are_the_same_in_other_words_are_no_difference(
    items: Path, database_url: str
) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(
                sa.text("ALTER TABLE items ALTER made SET DEFAULT clock_timestamp()")
            )
            connection.execute(sa.text("ALTER TABLE items ALTER size SET DEFAULT (3)"))
    assert change(items, ("sa.true()", "sa.text('true')")) == {}


@pytest.mark.parametrize("name", ["alembic_shop", "flask_notes"])
def test_the_sample_projects_raise_nothing(copy_project: Any, to_head: Any, name: str) -> None:
    folder: Path = copy_project(name)
    to_head(folder)
    assert WorkerProject.open(folder).unseen().changes == ()
