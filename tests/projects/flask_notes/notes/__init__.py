import os
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from notes.models import db

ROOT = Path(__file__).resolve().parent.parent


def create_app() -> Flask:
    app = Flask(__name__)
    default = f"sqlite:///{(ROOT / 'notes.db').as_posix()}"
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", default)
    db.init_app(app)
    Migrate(app, db)
    return app
