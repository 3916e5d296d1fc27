"""Projects of several databases, made with the templates that Alembic and Flask-Migrate bring."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

orders, stock = MetaData(), MetaData()
Table("orders", orders, Column("id", Integer, primary_key=True))
Table("items", stock, Column("id", Integer, primary_key=True))
"""

APP = """
import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Order(db.Model):
    __tablename__ = "orders"
    id = db.Column(db.Integer, primary_key=True)


class Item(db.Model):
    __bind_key__ = "stock"
    __tablename__ = "items"
    id = db.Column(db.Integer, primary_key=True)


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["ORDERS_URL"]
    app.config["SQLALCHEMY_BINDS"] = {"stock": os.environ["STOCK_URL"]}
    db.init_app(app)
    Migrate(app, db)
    return app
"""

FIRST = '''
"""the first tables"""
import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = None
branch_labels = None
depends_on = None


def upgrade(engine_name):
    globals()["upgrade_%s" % engine_name]()


def downgrade(engine_name):
    globals()["downgrade_%s" % engine_name]()


def upgrade_{orders}():
    op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade_{orders}():
    op.drop_table("orders")


def upgrade_stock():
    op.create_table("items", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade_stock():
    op.drop_table("items")
'''

Several = Callable[..., Path]


@pytest.fixture
def alembic_several(tmp_path: Path) -> Several:
    """`alembic_several(orders_url, stock_url)`: `alembic init -t multidb`, with one revision."""

    def make(orders: str, stock: str) -> Path:
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "models.py").write_text(MODELS, encoding="utf-8")
        _init(folder, Config(str(folder / "alembic.ini"), stdout=_silent()), "multidb")
        urls = {"orders": orders, "stock": stock}
        ini = folder / "alembic.ini"
        ini.write_text(_with_databases(ini.read_text("utf-8"), urls), encoding="utf-8")
        env = folder / "migrations" / "env.py"
        _replace(
            env,
            "target_metadata = {}",
            'import models\n\ntarget_metadata = {"orders": models.orders, "stock": models.stock}',
        )
        _first(folder, "orders")
        return folder

    return make


@pytest.fixture
def flask_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Several:
    """`flask_several(orders_url, stock_url)`: `flask db init --multidb`, with one revision."""

    def make(orders: str, stock: str) -> Path:
        from flask_migrate import Config as FlaskConfig  # noqa: PLC0415 - only where it is used

        monkeypatch.setenv("ORDERS_URL", orders)
        monkeypatch.setenv("STOCK_URL", stock)
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "app.py").write_text(APP, encoding="utf-8")
        ini = folder / "migrations" / "alembic.ini"
        config: Any = FlaskConfig(stdout=_silent())
        config.set_main_option("script_location", str(folder / "migrations"))
        config.config_file_name = str(ini)
        _init(folder, config, "flask-multidb")
        _first(folder, "")
        return folder

    return make


def _silent() -> Any:
    return io.StringIO()


def _init(folder: Path, config: Config, template: str) -> None:
    command.init(config, str(folder / "migrations"), template=template)


def _with_databases(ini: str, urls: Mapping[str, str]) -> str:
    begin, end = ini.index("databases = "), ini.index("[post_write_hooks]")
    named = "".join(
        f"[{name}]\nsqlalchemy.url = {url.replace('%', '%%')}\n\n" for name, url in urls.items()
    )
    return f"{ini[:begin]}databases = {', '.join(urls)}\n\n{named}{ini[end:]}"


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def _first(folder: Path, orders: str) -> None:
    text = FIRST.lstrip().replace("{orders}", orders).replace("{id}", "1a1a1a1a1a1a")
    place = folder / "migrations" / "versions" / "1a1a1a1a1a1a_first.py"
    place.write_text(text, encoding="utf-8")
