import os

from flask import Flask
from flask_migrate import Migrate

from notes.models import db
from notes.pinned import pinned
from notes.views import views


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    db.init_app(app)
    Migrate(app, db)
    app.register_blueprint(views)
    if os.environ.get("FEATURE_PINNED", "false").lower() in {"1", "true", "yes", "on"}:
        app.register_blueprint(pinned)
    app.logger.setLevel(os.environ.get("LOG_LEVEL", "info").upper())
    return app
