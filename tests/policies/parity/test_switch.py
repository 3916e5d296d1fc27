"""If the code is there, find the switch."""

# ruff: noqa: E501  (programs, one a line)

import textwrap
from dataclasses import replace

import pytest

from rulezero_policies.parity.flags import FlagView, flags
from rulezero_policies.parity.switch import Production, Switch, find_switch, with_main
from rulezero_policies.parity.values import Entry, FlagRule, Layout, Service, Shape, Source, State
from rulezero_policies.parity.walked import Walked, walked
from rulezero_policies.references import ModelClass, SourceFile, Sources

NOTE = ModelClass(
    name="Note",
    table="notes",
    attributes=(("id", "id"), ("body", "body"), ("archived", "archived")),
)
USER = ModelClass(name="User", table="users", attributes=(("id", "id"), ("email", "email")))

STATES: dict[str, tuple[State, Shape]] = {
    "on": ("on", "boolean"),
    "off": ("off", "boolean"),
    "text": ("other", "text"),
    "url": ("other", "url"),
    "": ("off", "empty"),
    "changeme": ("other", "placeholder"),
}

APP = {
    "app/__init__.py": """
        from flask import Flask
        from app.config import Config

        def create_app():
            app = Flask(__name__)
            app.config.from_object(Config)
            from app.notes import bp
            if app.config["FEATURE_NOTES"]:
                app.register_blueprint(bp, url_prefix="/notes")
            from app.users import bp as users
            app.register_blueprint(users)
            return app
    """,
    "app/config.py": """
        import os

        class Config:
            SECRET_KEY = os.environ["SECRET_KEY"]
            FEATURE_NOTES = os.environ.get("FEATURE_NOTES", "0") == "1"
            NOTES_LIMIT = int(os.environ.get("NOTES_LIMIT", "10"))
    """,
    "app/models.py": """
        class Note: ...
        class User: ...
    """,
    "app/notes.py": """
        from flask import Blueprint, current_app
        from app.models import Note

        bp = Blueprint("notes", __name__)

        @bp.route("/")
        def index():
            limit = current_app.config["NOTES_LIMIT"]
            return render(newest(limit))

        def newest(limit):
            return Note.query.limit(limit).all()

        @bp.get("/<int:id>/archive")
        def archive(id):
            return db.session.execute("UPDATE notes SET archived = 1 WHERE id = 1")
    """,
    "app/users.py": """
        from flask import Blueprint
        from app.models import User

        bp = Blueprint("users", __name__, url_prefix="/users")

        @bp.route("/<name>", methods=["GET"])
        def one(name):
            return User.query.filter_by(email=name).first()
    """,
}


def code(files: dict[str, str], service: str = "api") -> Walked:
    given = (SourceFile(path=p, text=textwrap.dedent(t).lstrip("\n")) for p, t in files.items())
    return walked(service, Sources(files=tuple(given)))


def layout(**environments: dict[str, str]) -> Layout:
    """What each environment sets for the service, every value by what it is like."""
    sources = tuple(
        Source(
            service="api",
            environment=name,
            path=f".env.{name}",
            kind="file",
            entries=tuple(
                Entry(
                    key=k,
                    path=f".env.{name}",
                    line=n,
                    shape=STATES[v][1],
                    state=STATES[v][0],
                    mark=v,
                )
                for n, (k, v) in enumerate(held.items(), start=1)
            ),
        )
        for name, held in environments.items()
    )
    services = (Service(name="api", folder="."),)
    return Layout(
        production="production", baseline=("staging",), services=services, sources=sources
    )


def production(**held: str) -> Layout:
    return layout(production={"SECRET_KEY": "text", **held})


def switch(
    name: str,
    given: Layout,
    files: dict[str, str] = APP,
    lacking: frozenset[tuple[str, str | None]] | None = frozenset(),
) -> Switch:
    models = (NOTE, USER)
    has = Production(layout=given, rule=FlagRule(), models=models, lacking=lacking)
    return find_switch(name, [code(files)], has)


def lacks(found: Switch) -> list[tuple[str, str]]:
    return [(k.kind, k.name) for k in found.lacks]


@pytest.mark.proves("B14")
@pytest.mark.parametrize(
    "name",
    ["index", "/notes", "/notes/", "GET /notes/", "notes.index", "app.notes.index", "index()"],
)
def test_a_route_is_found_by_each_of_its_names_with_all_that_production_lacks(name: str) -> None:
    found = switch(name, layout(production={}), lacking=frozenset({("notes", "archived")}))
    (one,) = found.definitions
    assert (one.kind, one.label, one.endpoint, one.path, one.line) == (
        *("route", "/notes/", "notes.index"),
        *("app/notes.py", 7),
    )
    assert one.text == '@bp.route("/")\ndef index():'
    assert lacks(found) == [
        ("schema", "notes.archived"),
        ("key", "SECRET_KEY"),
        ("flag", "FEATURE_NOTES"),
    ]
    (flag,) = found.barriers
    assert (flag.path, flag.line, flag.through, flag.when) == (
        *("app/__init__.py", 8),
        *("registration", "on"),
    )
    assert {n.key for n in found.needs} == {"FEATURE_NOTES", "NOTES_LIMIT", "SECRET_KEY"}
    assert (found.tables, found.visible, found.unknown) == (("notes",), False, ())


@pytest.mark.proves("B14")
def test_what_production_has_is_not_lacking() -> None:
    found = switch("/notes", production(FEATURE_NOTES="on"))
    assert (found.lacks, found.unknown, found.visible) == ((), (), True)


@pytest.mark.proves("B14")
@pytest.mark.parametrize(
    ("name", "missing", "lacking"),
    [
        ("/notes/7/archive", ("notes", "archived"), True),
        ("/notes/7/archive", ("notes", "body"), False),
        ("/notes/7/archive", ("notes", None), True),
        ("/notes/7/other", ("notes", None), False),
        ("/users/me", ("users", "id"), True),
        ("/users/me", ("notes", "archived"), False),
        ("newest", ("notes", "body"), True),
    ],
)
def test_only_what_the_function_uses_of_the_schema_counts(
    name: str, missing: tuple[str, str | None], lacking: bool
) -> None:
    found = switch(name, production(FEATURE_NOTES="on"), lacking=frozenset({missing}))
    assert [k.kind for k in found.lacks] == (["schema"] if lacking else [])


@pytest.mark.parametrize(
    ("held", "lacking"),
    [
        ({}, [("key", "SECRET_KEY")]),
        ({"SECRET_KEY": ""}, [("key", "SECRET_KEY")]),
        ({"SECRET_KEY": "changeme"}, [("key", "SECRET_KEY")]),
        ({"SECRET_KEY": "text"}, []),
    ],
)
def test_a_required_key_that_holds_no_value_is_lacking(
    held: dict[str, str], lacking: list[tuple[str, str]]
) -> None:
    assert lacks(switch("/users/me", layout(production=held))) == lacking


@pytest.mark.proves("B14")
def test_what_could_not_be_looked_at_is_unknown() -> None:
    nothing = switch("/notes", layout(staging={}), lacking=None)
    assert nothing.lacks == ()
    assert nothing.visible is None
    assert nothing.unknown == (
        "how FEATURE_NOTES at app/__init__.py:8 stands (not read)",
        "what api is set to in production: not all could be read",
        "production's schema was not looked at",
    )
    broken = {**APP, **{f"x{n}.py": "what?" for n in range(4)}}
    assert switch("/notes", production(FEATURE_NOTES="on"), broken).unknown == (
        "4 files of api could not be parsed: x0.py, x1.py, x2.py, …",
    )


def test_what_is_not_there_is_said() -> None:
    found = switch("/nowhere", production())
    assert (found.visible, found.unknown) == (
        False,
        ("nothing called /nowhere was found in the code",),
    )


@pytest.mark.proves("B14")
def test_a_flag_is_asked_for_by_its_own_name() -> None:
    found = switch("FEATURE_NOTES", production(FEATURE_NOTES="off"))
    assert {d.label for d in found.definitions} == {"/notes/", "/notes/<int:id>/archive"}
    assert ("flag", "FEATURE_NOTES") in lacks(found)


@pytest.mark.proves("B14")
@pytest.mark.parametrize(("held", "closed"), [("off", True), ("on", False)])
def test_a_flag_that_gates_no_route_is_found_too(held: str, closed: bool) -> None:
    files = {"a.py": "import os\ndef f():\n    if os.getenv('FF_X') == '1':\n        g()\n    h()"}
    found = switch("FF_X", production(FF_X=held), files)
    assert lacks(found) == ([("flag", "FF_X")] if closed else [])
    assert found.visible is not closed


@pytest.mark.proves("B14")
@pytest.mark.parametrize(("answer", "visible"), [(True, True), (False, False), (None, None)])
def test_whether_it_is_on_main_is_part_of_the_answer(
    answer: bool | None, visible: bool | None
) -> None:
    found = switch("/notes", production(FEATURE_NOTES="on"))
    said = with_main(found, {("app/notes.py", 7): answer})
    assert (said.definitions[0].on_main, said.visible) == (answer, visible)
    assert lacks(said) == ([("merge", "index")] if answer is False else [])


VIEW = """
    import os
    from flask import Flask, abort, current_app
    app = Flask(__name__)
    app.config["FEATURE_X"] = os.getenv("FEATURE_X") == "1"
"""


@pytest.mark.proves("B14")
@pytest.mark.parametrize(
    "body",
    [
        "@app.get('/x')\ndef x():\n    if not app.config['FEATURE_X']:\n        abort(404)\n    return 1",
        "@app.get('/x')\ndef x():\n    if not app.config['FEATURE_X']:\n        return 'no', 404\n    return 1",
        "@app.get('/x')\ndef x():\n    if not app.config['FEATURE_X']:\n        raise NotFound()\n    return 1",
        "@app.get('/x')\ndef x():\n    if app.config['FEATURE_X']:\n        return 1\n    abort(404)",
        "@app.get('/x')\ndef x():\n    if app.config['FEATURE_X']:\n        return 1\n    else:\n        return None",
        "@app.get('/x')\ndef x():\n    if y or not app.config['FEATURE_X']: abort(404)\n    return 1",
        "@app.get('/x')\ndef x():\n    if app.config.get('FEATURE_X', False) is False: abort(404)\n    return 1",
        "@app.get('/x')\ndef x():\n    if not on(): abort(404)\n    return 1\ndef on(): return current_app.config['FEATURE_X']",
        "@app.get('/x')\ndef x():\n    if not bool(on := app.config['FEATURE_X']): abort(404)\n    return 1",
        "if app.config['FEATURE_X']:\n    @app.get('/x')\n    def x(): return 1",
        "if app.config['FEATURE_X'] and y:\n    @app.get('/x')\n    def x(): return 1",
        "if not app.config['FEATURE_X']:\n    pass\nelse:\n    @app.get('/x')\n    def x(): return 1",
        "def x(): return 1\nif app.config['FEATURE_X']:\n    app.add_url_rule('/x', 'x', x)",
        "def x(): return 1\napp.config['FEATURE_X'] and app.add_url_rule('/x', view_func=x)",
        "def x(): return 1\napp.add_url_rule('/x', view_func=x) if app.config['FEATURE_X'] else None",
        "def views():\n    if not app.config['FEATURE_X']:\n        return\n    @app.get('/x')\n    def x(): return 1\nviews()",
        "def views():\n    @app.get('/x')\n    def x(): return 1\nif app.config['FEATURE_X']:\n    views()",
        "@app.before_request\ndef gate():\n    if not app.config['FEATURE_X']: abort(404)\n@app.get('/x')\ndef x(): return 1",
        "def needs(f):\n    def inner():\n        if not app.config['FEATURE_X']: abort(404)\n        return f()\n    return inner\n@app.get('/x')\n@needs\ndef x(): return 1",
        "@app.get('/x')\ndef x():\n    if not app.config['FEATURE_X']: return\n    return 1",
        "@app.get('/x')\n@feature_required('FEATURE_X')\ndef x(): return 1",
        "@app.get('/x')\n@only_if(app.config['FEATURE_X'])\ndef x(): return 1",
        "class X:\n    def get(self): return 1\nif app.config['FEATURE_X']:\n    app.add_url_rule('/x', view_func=X.as_view('x'))",
        "@app.cli.command('x')\n@app.get('/x')\ndef x():\n    if os.environ.get('FEATURE_X') != '1': raise SystemExit\n    print(1)",
    ],
)
def test_a_flag_is_found_wherever_it_stands_on_the_way(body: str) -> None:
    files = {"app.py": textwrap.dedent(VIEW) + body}
    closed = switch("/x", production(FEATURE_X="off"), files)
    assert lacks(closed) == [("flag", "FEATURE_X")]
    assert switch("/x", production(FEATURE_X="on"), files).visible


@pytest.mark.parametrize(
    "body",
    [
        "@app.get('/x')\ndef x():\n    if app.config['FEATURE_X']:\n        return 2\n    return 1",
        "@app.get('/x')\ndef x():\n    log(app.config['FEATURE_X'])\n    return 1",
        "@app.get('/x')\ndef x():\n    if verify(app.config['FEATURE_X'], 1): abort(404)\n    return 1",
        "@app.get('/x')\ndef x():\n    if request.json is None: abort(404)\n    return 1",
        "if app.config['FEATURE_X']:\n    print(1)\n@app.get('/x')\ndef x(): return 1",
        "def x(): return 1\nif app.config['FEATURE_X']:\n    app.add_url_rule('/y', 'y', x)\napp.add_url_rule('/x', 'x', x)",
        "def views():\n    @app.get('/x')\n    def x(): return 1\nif app.config['FEATURE_X']:\n    views()\nviews()",
    ],
)
def test_what_only_differs_by_a_flag_is_there_without_it(body: str) -> None:
    files = {"app.py": textwrap.dedent(VIEW) + body}
    assert switch("/x", production(FEATURE_X="off"), files).visible


FASTAPI = {
    "main.py": """
        from fastapi import FastAPI
        from api.routes import router
        from settings import settings

        app = FastAPI()
        app.include_router(router, prefix=settings.root)
    """,
    "settings.py": """
        from pydantic_settings import BaseSettings

        class Settings(BaseSettings):
            root: str = "/v1"
            feature_notes: bool = False
            token: str

        def get_settings():
            return Settings()

        settings = Settings()
    """,
    "api/__init__.py": "",
    "api/routes.py": """
        from fastapi import APIRouter, Depends, HTTPException
        from api import notes, other
        from settings import get_settings, settings

        router = APIRouter()
        if settings.feature_notes:
            router.include_router(notes.router, prefix="/notes")
        for one in (other.router,):
            router.include_router(one)
    """,
    "api/notes.py": """
        from fastapi import APIRouter

        router = APIRouter(tags=["notes"])

        @router.get("/{id}")
        async def read_note(id: int): ...
    """,
    "api/other.py": """
        from fastapi import APIRouter, Depends, HTTPException
        from settings import get_settings

        router = APIRouter(prefix="/other")

        def allowed():
            if not get_settings().feature_notes:
                raise HTTPException(404)

        @router.get("", dependencies=[Depends(allowed)])
        def one(): ...

        @router.post("/")
        def two(x=Depends(allowed)): ...

        @router.put("/")
        def three(x=Depends(make())): ...
    """,
}


@pytest.mark.proves("B14")
@pytest.mark.parametrize("name", ["/v1/notes/{id}", "/v1/notes/3", "read_note", "/v1/other"])
def test_fastapi_routes_are_followed_through_their_routers(name: str) -> None:
    found = switch(name, layout(production={"TOKEN": "text"}), FASTAPI)
    assert lacks(found) == [("flag", "FEATURE_NOTES")]
    assert found.lacks[0].why.endswith("it is off: code default")
    assert switch(
        name, layout(production={"token": "text", "Feature_Notes": "on"}), FASTAPI
    ).visible


def test_a_dependency_that_is_not_found_asks_nothing() -> None:
    assert not switch("three", layout(production={"TOKEN": "text"}), FASTAPI).barriers


NEVER = """
    from flask import Flask, Blueprint
    app = Flask(__name__)
    bp = Blueprint("notes", __name__)
    @bp.route("/x")
    def x(): ...
"""


@pytest.mark.proves("B14")
@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"app.py": NEVER}, "notes (app.py:3) is never registered with an application"),
        (
            {"app.py": NEVER + "    def wire():\n        app.register_blueprint(bp)\n"},
            "wire (app.py:6), which registers it, is never called",
        ),
        (
            {
                "app.py": "from flask import Flask\napp = Flask(__name__)",
                "views.py": "from app import app\n@app.get('/x')\ndef x(): ...",
            },
            "views.py is never imported, so that nothing in it is registered",
        ),
    ],
)
def test_what_is_never_registered_is_off_in_the_code(files: dict[str, str], why: str) -> None:
    (lack,) = switch("/x", production(), files).lacks
    assert (lack.kind, lack.name, lack.why) == ("code", "/x", why)


@pytest.mark.parametrize(
    "more",
    [
        "    def create_app():\n        app.register_blueprint(bp)\n",
        "    class A:\n        def wire(self):\n            app.register_blueprint(bp)\n",
        "    def wire():\n        app.register_blueprint(bp)\n    wire()\n",
        "    def wire():\n        app.register_blueprint(bp)\n    def all(): wire()\n    all()\n",
        "    BPS = [bp]\n    for b in BPS:\n        app.register_blueprint(b)\n",
        "    again = bp\n    app.register_blueprint(blueprint=again)\n",
    ],
)
def test_what_is_registered_in_any_way_is_not_off(more: str) -> None:
    assert switch("/x", production(), {"app.py": NEVER + more}).visible


def test_who_calls_a_function_that_is_handed_on_is_unknown() -> None:
    more = "    def wire():\n        app.register_blueprint(bp)\n    on_start(wire)\n"
    found = switch("/x", production(), {"app.py": NEVER + more})
    assert (found.visible, found.unknown) == (
        None,
        ("who calls wire (app.py:6) was not found out",),
    )


@pytest.mark.proves("B14")
@pytest.mark.parametrize("name", ["sync-notes", "sync_notes"])
def test_a_command_is_found_with_its_flag(name: str) -> None:
    files = {
        "cli.py": """
            import os
            import click
            @click.group()
            def cli(): ...
            @cli.command()
            def sync_notes():
                if os.environ.get("FEATURE_SYNC") is None:
                    raise click.ClickException("off")
        """
    }
    found = switch(name, production(), files)
    assert found.definitions[0].kind == "command"
    assert lacks(found) == [("flag", "FEATURE_SYNC")]


def test_a_class_is_found_with_what_it_uses() -> None:
    files = {
        "a.py": """
            import os
            from models import Note
            class Store:
                def __init__(self): self.path = os.environ["STORE"]
                def all(self): return Note.query.all()
            class Other:
                def __init__(self): self.store = Store()
        """,
        "models.py": "class Note: ...",
    }
    missing = frozenset({("notes", "archived")})
    assert lacks(switch("Store", production(), files, missing)) == [
        ("schema", "notes.archived"),
        ("key", "STORE"),
    ]
    assert lacks(switch("a:Other", production(), files, missing)) == [("key", "STORE")]


def test_django_and_starlette_list_their_routes() -> None:
    files = {
        "urls.py": """
            import views
            from django.urls import path, re_path
            from views import NotesView
            urlpatterns = [
                path("notes/<int:id>/", views.one, name="note"),
                re_path(r"^more/$", NotesView.as_view()),
                path("gone/", include("x")),
                path("x"),
            ]
        """,
        "views.py": "def one(request, id): ...\nclass NotesView: ...",
    }
    assert switch("/notes/3/", production(), files).definitions[0].endpoint == "note"
    assert switch("/more", production(), files).definitions[0].name == "NotesView"


@pytest.mark.proves("B14")
def test_what_a_script_serves_is_found_and_its_way_said_to_be_unknown() -> None:
    files = {
        "web/app.js": "const app = express()\napp.get('/notes/:id', list)\nfunction list() {}",
        "web/app.test.js": "function list() {}",
    }
    for name, line in (("/notes/3", 2), ("list", 3)):
        found = switch(name, production(), files)
        assert found.visible is None or not found.definitions
        assert found.unknown[0].startswith(f"{name} is defined at web/app.js:{line}")


@pytest.mark.proves("B14")
def test_a_setting_that_the_code_fixes_is_to_be_changed_there() -> None:
    files = {
        "app.py": """
            from flask import Flask, abort
            app = Flask(__name__)
            app.config["FEATURE_X"] = False
            @app.get("/x")
            def x():
                if not app.config["FEATURE_X"]: abort(404)
                return 1
            @app.get("/y")
            def y():
                if not app.config["FEATURE_Y"]: abort(404)
                return 1
        """
    }
    (lack,) = switch("/x", production(), files).lacks
    assert (lack.kind, lack.do) == ("code", "Turn it on in the code (app.py:3).")
    assert switch("/y", production(), files).visible is None


@pytest.mark.proves("B14")
def test_a_flag_that_a_service_keeps_is_unknown() -> None:
    files = {
        "app.py": """
            import ldclient
            from flask import Flask, abort
            app = Flask(__name__)
            @app.get("/x")
            def x():
                if not ldclient.get().variation("notes-x", user, False): abort(404)
                return 1
        """
    }
    found = switch("/x", production(), files)
    assert found.visible is None
    assert found.unknown == ("how notes-x at app.py:6 stands (kept elsewhere)",)


@pytest.mark.parametrize(
    ("test", "held", "visible"),
    [
        ("os.getenv('URL')", {"URL": "url"}, True),
        ("os.getenv('URL')", {}, False),
        ("not os.getenv('URL')", {"URL": "url"}, None),
        ("os.getenv('MODE') == 'full'", {"MODE": "text"}, None),
        ("os.getenv('MODE') != 'full'", {"MODE": "text"}, None),
        ("os.getenv('N', 0) > 3", {"N": "on"}, None),
        ("os.getenv('A') == '1' or os.getenv('B') == '1'", {"A": "on", "B": "off"}, None),
        ("os.getenv('A') == '1' or os.getenv('B') == '1'", {"A": "off", "B": "off"}, False),
        ("os.getenv('A') == '1' or os.getenv('B') == '1'", {"A": "on", "B": "on"}, True),
        ("os.getenv('A') == '1' and os.getenv('B') == '1'", {"A": "on", "B": "off"}, False),
        ("os.getenv('A') == '1' or not os.getenv('B')", {"A": "on", "B": "on"}, None),
        ("(not os.getenv('A')) in (False, None)", {"A": "on"}, None),
        ("os.getenv('A') not in ('0', 'false')", {"A": "on"}, True),
        ("'A' in os.environ", {"A": "on"}, True),
        ("'A' not in os.environ", {"A": "on"}, False),
        ("os.environ['X'] if y else z", {"X": "on"}, True),
        ("(lambda: 1)()", {}, True),
    ],
)
def test_what_is_asked_of_a_setting_is_understood_or_unknown(
    test: str, held: dict[str, str], visible: bool | None
) -> None:
    body = f"if {test}:\n    @app.get('/x')\n    def x(): return 1"
    files = {"app.py": textwrap.dedent(VIEW) + body}
    assert switch("/x", production(**held), files).visible is visible


# Flags.


def views(
    files: dict[str, str], given: Layout, rule: FlagRule | None = None
) -> dict[str, FlagView]:
    return {v.name: v for v in flags([code(files)], given, rule or FlagRule())}


@pytest.mark.proves("B07")
def test_a_flag_says_what_it_gates_and_how_it_stands_everywhere() -> None:
    files = {
        **APP,
        "app/templates/nav.html": "<b>\n{% if config.FEATURE_NOTES %}<a>{% elif x %}{% endif %}",
        "app/templates/old.html": "{% if not config.FEATURE_NOTES %}",
    }
    given = layout(
        production={"NOTHING": "text"},
        staging={"FEATURE_NOTES": "on", "FEATURE_DEAD": "on"},
        broken={},
    )
    source = next(s for s in given.sources if s.environment == "broken")
    others = tuple(s for s in given.sources if s is not source)
    given = replace(given, sources=(*others, replace(source, error="it cannot be read")))
    found = views(files, given)
    assert set(found) == {"FEATURE_NOTES", "FEATURE_DEAD"}
    flag = found["FEATURE_NOTES"]
    assert {(g.kind, g.name, g.when) for g in flag.gates} == {
        ("route", "/notes/", "on"),
        ("route", "/notes/<int:id>/archive", "on"),
        ("template", "app/templates/nav.html", "on"),
        ("template", "app/templates/old.html", "off"),
    }
    assert {(t.path, t.line, t.function) for t in flag.tests} == {
        ("app/__init__.py", 8, "create_app"),
        ("app/templates/nav.html", 2, None),
        ("app/templates/old.html", 1, None),
    }
    assert {(s.environment, s.state, s.why) for s in flag.states} == {
        ("production", "off", "code default"),
        ("staging", "on", "set"),
        ("broken", "unknown", "not read"),
    }
    dead = found["FEATURE_DEAD"].state("production")
    assert dead is not None
    assert (dead.state, dead.why, found["FEATURE_DEAD"].gates) == ("unknown", "not set", ())
    assert flag.state("nowhere") is None


@pytest.mark.proves("B07")
def test_a_boolean_that_decides_what_is_there_is_a_flag_by_any_name() -> None:
    files = {
        "app.py": """
            import os
            from flask import Flask
            app = Flask(__name__)
            if os.getenv("NEW_NOTES"):
                @app.get("/x")
                def x(): ...
            if os.getenv("OLD_NOTES", "1") == "1":
                @app.get("/y")
                def y(): ...
            if os.getenv("SENTRY"):
                @app.get("/z")
                def z(): ...
            if os.getenv("PLAIN", "1") == "1":
                print(1)
        """
    }
    assert set(views(files, layout(staging={"NEW_NOTES": "on"}))) == {"NEW_NOTES", "OLD_NOTES"}
    rule = FlagRule(patterns=(), names=("SENTRY",))
    assert "SENTRY" in views(files, layout(staging={"SENTRY": "url"}), rule)


@pytest.mark.proves("B07")
def test_flags_of_the_code_and_of_services_are_told_apart() -> None:
    files = {
        "app.py": """
            import os
            import waffle
            from flask import Flask, abort
            FEATURE_OLD = True
            FLAGS = {"FEATURE_IN_DICT": False, "lower": True, **more}
            app.config.update(FEATURE_SET=False, **more)
            FEATURE_ANNOTATED: bool = True
            def f(request):
                if FEATURE_OLD: g()
                if waffle.flag_is_active(request, "notes"): g()
                if app.config["FEATURE_IN_DICT"] or app.config.FEATURE_SET: g()
                if settings.FEATURE_ANNOTATED: g()
                if client.variation("x"): g()
                if waffle.flag_is_active(): g()
                while app.config["FEATURE_NOWHERE"]: g()
        """
    }
    found = views(files, layout(production={"A": "on"}))
    assert {n: (v.kind, v.kept_by) for n, v in found.items()} == {
        **dict.fromkeys(("FEATURE_OLD", "FEATURE_IN_DICT", "FEATURE_SET"), ("code", None)),
        "FEATURE_ANNOTATED": ("code", None),
        "notes": ("service", "django-waffle"),
        "FEATURE_NOWHERE": ("key", None),
    }
    states = {n: (s.state, s.why) for n, v in found.items() if (s := v.state("production"))}
    assert states["FEATURE_OLD"] == ("on", "fixed in the code")
    assert states["notes"] == ("unknown", "kept elsewhere")
    assert states["FEATURE_NOWHERE"] == ("unknown", "not set")


def test_a_decorators_flag_is_tested_where_the_decorator_stands() -> None:
    files = {"app.py": textwrap.dedent(VIEW) + "@app.get('/x')\n@flag('FEATURE_X')\ndef x(): ...\n"}
    (test,) = views(files, production())["FEATURE_X"].tests
    assert (test.line, test.function) == (6, "x")


@pytest.mark.proves("B15")
def test_no_value_is_in_what_is_said() -> None:
    canary = "canary-77aa"
    files = {
        "app.py": textwrap.dedent(VIEW) + f"if os.getenv('A', '{canary}'):\n    x = '{canary}'"
    }
    walked_code = code(files)
    has = Production(layout=production(), rule=FlagRule())
    said = repr(
        (find_switch("x", [walked_code], has), flags([walked_code], production(), FlagRule()))
    )
    assert canary not in said


def test_a_need_says_on_which_keys_it_depends() -> None:
    files = {"a.py": "import os\nif os.getenv('USE_S3') == '1':\n    os.environ['S3_KEY']"}
    needs = {n.key: n.under for n in code(files).reading.every}
    assert needs == {"USE_S3": (), "S3_KEY": ("USE_S3",)}


# Corners of the way.


@pytest.mark.parametrize(
    ("test", "held", "visible"),
    [
        # "false" is a text that is not empty, and so true to who asks for the text alone.
        ("os.getenv('FEATURE_X')", "off", True),
        ("os.getenv('FEATURE_X')", "", False),
        ("not os.getenv('FEATURE_X')", "off", False),
        ("os.getenv('FEATURE_X') == 'true'", "off", False),
        ("os.getenv('FEATURE_X') and y", "off", True),
    ],
)
def test_a_text_that_says_false_is_not_false_to_code_that_asks_for_any_text(
    test: str, held: str, visible: bool
) -> None:
    body = f"import os\nfrom flask import Flask\napp = Flask(__name__)\nif {test}:\n    @app.get('/x')\n    def x(): ..."
    assert switch("/x", production(FEATURE_X=held), {"app.py": body}).visible is visible


def test_the_route_that_says_most_itself_is_meant() -> None:
    files = {
        "app.py": """
            from flask import Flask
            app = Flask(__name__)
            @app.get("/<int:number>")
            def number(number): ...
            @app.get("/<name>")
            def name(name): ...
            @app.get("/<path:rest>")
            def rest(rest): ...
            @app.get("/<name>/<other>")
            def both(name, other): ...
            @app.get("/notes/<name>")
            def note(name): ...
            @app.get("/notes")
            def notes(): ...
        """
    }
    for path, meant in {
        "/notes": ["notes"],
        "/notes/a": ["note", "rest"],
        "/5": ["number", "name", "rest"],
        "/a": ["name", "rest"],
        "/a/b/c": ["rest"],
        "/<x>": ["number", "name", "rest"],
    }.items():
        found = [d.name for d in switch(path, production(), files).definitions]
        assert sorted(found) == sorted(meant)


def test_restx_namespaces_stand_on_their_apis_blueprint() -> None:
    files = {
        "api.py": """
            from flask import Blueprint, Flask
            from flask_restx import Api, Namespace
            app = Flask(__name__)
            bp = Blueprint("api", __name__, url_prefix="/api")
            api = Api(bp)
            notes = Namespace("notes")
            api.add_namespace(notes, "/notes")
            app.register_blueprint(bp)
            @notes.route("/<id>")
            class One:
                def get(self): ...
            api.add_org_resource(One, scoped("/more"), endpoint="more")
        """
    }
    assert switch("/api/notes/3", production(), files).definitions[0].name == "One"
    assert switch("/api/more", production(), files).visible


@pytest.mark.parametrize(
    "files",
    [
        {"app.py": NEVER.replace('@bp.route("/x")', "@bp.route(path)")},
        {"app.py": "import x\n@x.route()\ndef f(): ..."},
        {
            "app.py": "from flask import Flask\napp: Flask = Flask(__name__)\napp.add_url_rule('/y')\napp.add_url_rule(view_func=f)"
        },
        {"app.py": "from fastapi import APIRouter\na = APIRouter()\na.include_router(a)"},
    ],
)
def test_what_is_no_route_of_that_path_is_not_found(files: dict[str, str]) -> None:
    assert not switch("/x", production(), files).definitions


def test_routers_that_hold_each_other_end() -> None:
    files = {
        "app.py": "from fastapi import APIRouter\na = APIRouter()\na.include_router(a, prefix='/p')\n@a.get('/x')\ndef x(): ..."
    }
    assert switch("x", production(), files).definitions


@pytest.mark.parametrize(
    ("files", "visible"),
    [
        (
            {
                "factory.py": "from flask import Flask\nimport os\napp = Flask(__name__)\nif os.getenv('FEATURE_X') == '1':\n    import views",
                "views.py": "from factory import app\n@app.get('/x')\ndef x(): ...",
            },
            False,
        ),
        (
            {
                "factory.py": "from flask import Flask\napp = Flask(__name__)\nMODULES = ['my.views']\nfor m in MODULES: import_module(m)",
                "my/views.py": "from factory import app\n@app.get('/x')\ndef x(): ...",
            },
            True,
        ),
        (
            {
                "factory.py": "from flask import Flask\ndef make():\n    app = Flask(__name__)\n    return app",
                "wsgi.py": "from factory import make\napp = make()\n@app.get('/x')\ndef x(): ...",
            },
            True,
        ),
        (
            {
                "a.py": "from flask import Flask\nimport os\napp = Flask(__name__)\ndef one():\n    def x(): ...\n    app.add_url_rule('/x', view_func=x)\nif os.getenv('FEATURE_X') == '1':\n    one()",
            },
            False,
        ),
    ],
)
def test_a_file_that_is_loaded_only_by_a_flag_is_behind_it(
    files: dict[str, str], visible: bool
) -> None:
    assert switch("x", production(FEATURE_X="off"), files).visible is visible


def test_settings_that_classes_give_differently_are_not_fixed() -> None:
    files = {
        "app.py": """
            from flask import Flask, abort
            app = Flask(__name__)
            class Base:
                FEATURE_X = False
            class Live(Base):
                FEATURE_X = True
            @app.get("/x")
            def x():
                if not app.config["FEATURE_X"]: abort(404)
        """
    }
    assert switch("/x", production(), files).visible is None


def test_helpers_that_are_given_a_name_are_asked_for_it() -> None:
    body = "def on(name, and_so=1): return app.config[name]\n@app.get('/x')\ndef x():\n    if not on('FEATURE_X', and_so=y): abort(404)\n    return 1"
    files = {"app.py": textwrap.dedent(VIEW) + body}
    assert lacks(switch("/x", production(FEATURE_X="off"), files)) == [("flag", "FEATURE_X")]


@pytest.mark.parametrize(
    "decorator", ["feature_flag(name)", "feature_flag('X', 'Y')", "flagged()", "app.get('/y')"]
)
def test_a_decorator_that_names_no_known_flag_is_unknown_at_most(decorator: str) -> None:
    files = {"app.py": textwrap.dedent(VIEW) + f"@app.get('/x')\n@{decorator}\ndef x(): ...\n"}
    assert not switch("/x", production(), files).lacks


@pytest.mark.parametrize(
    "test",
    [
        "os.getenv('X') == '1'",
        "parse_bool(os.getenv('X', ''))",
        "os.getenv('X', '').lower() == 'true'",
        "os.getenv('X', False)",
        "(os.getenv('X') or '0') in ['1']",
    ],
)
def test_a_key_that_the_code_takes_as_on_or_off_is_a_flag_where_it_decides(test: str) -> None:
    files = {
        "app.py": f"import os\nfrom flask import Flask\napp = Flask(__name__)\nif {test}:\n    @app.get('/x')\n    def x(): ...\n"
    }
    assert set(views(files, production())) == {"X"}
    assert lacks(switch("/x", production(X="off"), files)) == [("flag", "X")] or "False" in test


@pytest.mark.parametrize(
    "test",
    [
        "os.getenv('X') == 'full'",
        "os.getenv('X') is not None",
        "os.getenv('X', 'a').lower() + 'b'",
        "len(os.getenv('X', ''))",
    ],
)
def test_a_key_that_is_no_boolean_is_no_flag(test: str) -> None:
    files = {
        "app.py": f"import os\nfrom flask import Flask\napp = Flask(__name__)\nif {test}:\n    @app.get('/x')\n    def x(): ...\n"
    }
    assert not views(files, production())


@pytest.mark.proves("B14")
def test_a_script_of_the_project_is_found_by_its_name() -> None:
    files = {
        "pyproject.toml": '[project.scripts]\nsync-all = "jobs.sync:main"',
        "old/pyproject.toml": "not toml",
        "jobs/sync.py": "import os\ndef main():\n    if os.getenv('FEATURE_SYNC') != '1':\n        return\n    work()",
    }
    found = switch("sync-all", production(), files)
    assert [d.path for d in found.definitions] == ["jobs/sync.py"]
    assert lacks(found) == [("flag", "FEATURE_SYNC")]
    assert not switch("other", production(), files).definitions


def test_a_key_that_only_another_function_needs_is_not_lacking() -> None:
    files = {
        **APP,
        "app/users.py": APP["app/users.py"]
        + "\n        import os\n        def upload():\n            return os.environ['S3_KEY']\n",
    }
    assert switch("/users/me", production(), files).lacks == ()
    assert lacks(switch("upload", production(), files)) == [("key", "S3_KEY")]


def test_what_an_image_sets_is_not_lacking_and_its_state_unknown() -> None:
    given = replace(layout(production={}), built=(("api", "SECRET_KEY"), ("", "FEATURE_NOTES")))
    found = switch("/notes", given)
    assert (found.lacks, found.visible) == ((), None)
    assert found.unknown == ("how FEATURE_NOTES at app/__init__.py:8 stands (set by the image)",)
