"""Each failure is told apart, with its exact message and place."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rulezero_policies.errors import (
    AppLoadError,
    AppNotFound,
    EnvScriptError,
    InterpreterMissing,
    ModelImportError,
    ModelSyntaxError,
    NoConnection,
    NoMigrations,
    PackageMissing,
    ProjectError,
    RevisionScriptError,
)
from rulezero_server.project import WorkerProject

CopyProject = Callable[[str], Path]
Edit = Callable[..., None]

pytestmark = pytest.mark.proves("A17")


def _raised(folder: Path) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        WorkerProject.open(folder).describe()
    return caught.value


def test_a_syntax_error_in_the_models_has_its_line(copy_project: CopyProject) -> None:
    error = _raised(copy_project("broken_syntax"))
    assert isinstance(error, ModelSyntaxError)
    assert (error.facts["file"], error.facts["line"]) == ("notes/models.py", 15)


def test_an_import_error_has_its_line(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    error = _raised(copy_project("broken_import"))
    assert isinstance(error, ModelImportError)
    assert str(error) == (
        "The project does not import: ModuleNotFoundError: "
        "No module named 'sqlalchemy_of_nowhere' (notes/models.py, line 1)."
    )


def test_an_import_error_below_env_py_has_its_line(copy_project: CopyProject, edit: Edit) -> None:
    folder = copy_project("alembic_shop")
    edit(
        folder / "shop/models.py",
        "from sqlalchemy import",
        "import nowhere\nfrom sqlalchemy import",
    )
    error = _raised(folder)
    assert isinstance(error, ModelImportError)
    assert (error.facts["file"], error.facts["line"]) == ("shop/models.py", 1)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('no key')", "ValueError: no key"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("input('name? ')", "EOFError: EOF when reading a line"),
    ],
)
def test_an_app_that_fails_while_it_is_made_is_named(
    copy_project: CopyProject, edit: Edit, code: str, said: str
) -> None:
    folder = copy_project("flask_notes")
    edit(folder / "notes/__init__.py", "    return app", f"    {code}\n    return app")
    error = _raised(folder)
    assert isinstance(error, AppLoadError)
    assert error.facts["error"] == said
    assert (error.facts["file"], error.facts["line"]) == ("notes/__init__.py", 18)


@pytest.mark.parametrize("named", ["notes:no_such_factory", "nowhere:create_app", "notes"])
def test_an_app_that_cannot_be_found_says_what_to_set(
    copy_project: CopyProject, edit: Edit, named: str
) -> None:
    folder = copy_project("flask_notes")
    (folder / "rulezero.toml").write_text(f'flask_app = "{named}"\n', encoding="utf-8")
    edit(folder / "notes/__init__.py", "def create_app", "def create_the_app")
    error = _raised(folder)
    assert isinstance(error, AppNotFound)
    assert "flask_app" in error.advice
    assert "Traceback" not in str(error)


def test_an_app_without_flask_migrate_is_named(copy_project: CopyProject, edit: Edit) -> None:
    folder = copy_project("flask_notes")
    edit(folder / "notes/__init__.py", "    Migrate(app, db)\n", "")
    error = _raised(folder)
    assert isinstance(error, AppNotFound)
    assert "no Migrate(app, db)" in str(error)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target_metadata = Base", "target_metadata = Bass", "NameError: name 'Bass'"),
        ("config = context.config", "config = = context.config", "SyntaxError: invalid syntax"),
        ("        context.run_migrations()", "        pass", "without a call of context.run"),
    ],
)
def test_a_failing_env_py_is_named(
    copy_project: CopyProject, edit: Edit, old: str, new: str, said: str
) -> None:
    folder = copy_project("alembic_shop")
    edit(folder / "migrations/env.py", old, new)
    error = _raised(folder)
    assert isinstance(error, EnvScriptError)
    assert said in str(error)
    assert error.facts["file"] == "migrations/env.py"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def upgrade():", "def upgrade()"),
        ("import sqlalchemy as sa", "import sqlalchemy as sa\nfrom sqlalchemy import nothing"),
        ('revision = "4c11a0b7d2e8"', "revision = undefined"),
        ("down_revision = None", 'down_revision = "aaaaaaaaaaaa"'),
    ],
)
def test_a_revision_file_that_does_not_load_is_named(
    copy_project: CopyProject, edit: Edit, old: str, new: str
) -> None:
    folder = copy_project("alembic_shop")
    (path,) = (folder / "migrations/versions").glob("*.py")
    edit(path, old, new)
    error = _raised(folder)
    assert isinstance(error, RevisionScriptError), repr(error)
    assert error.facts["file"] == f"migrations/versions/{path.name}"
    assert error.facts["line"] == _line_of(path, new.splitlines()[-1])


def _line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_package_that_a_revision_needs_is_named_with_the_python_that_lacks_it(
    copy_project: CopyProject, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    folder = copy_project("alembic_shop")
    (path,) = (folder / "migrations/versions").glob("*.py")
    edit(path, "import sqlalchemy as sa", "import sqlalchemy as sa\nimport nowhere")
    error = _raised(folder)
    assert isinstance(error, ModelImportError)
    assert "No module named 'nowhere'; it ran with rulezero's own" in str(error)


def test_a_migration_folder_that_is_gone_is_named(copy_project: CopyProject, edit: Edit) -> None:
    folder = copy_project("alembic_shop")
    edit(folder / "alembic.ini", "%(here)s/migrations", "%(here)s/nowhere")
    error = _raised(folder)
    assert isinstance(error, NoMigrations)
    assert "nowhere" in str(error)


SECRET = "s3cr3t-of-the-house"


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
def test_a_database_that_is_down_is_named_without_its_password(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{driver}://app:{SECRET}@127.0.0.1:1/shop")
    error = _raised(copy_project("flask_notes"))
    assert isinstance(error, NoConnection)
    assert "shop on 127.0.0.1:1" in str(error)
    assert SECRET not in str(error)
    assert SECRET not in repr(error.facts)


def test_a_refused_password_is_not_repeated(
    copy_project: CopyProject, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///x?note={SECRET}")
    folder = copy_project("flask_notes")
    said = f"f'password={SECRET} and postgresql://me:{SECRET}@db/x'"
    edit(folder / "notes/__init__.py", "    return app", f"    raise ValueError({said})")
    error = _raised(folder)
    assert isinstance(error, AppLoadError)
    assert SECRET not in str(error)


@pytest.mark.proves("B15")
def test_a_value_of_the_settings_is_not_repeated_by_the_error_about_it(
    copy_project: CopyProject, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_project("alembic_shop")
    monkeypatch.setenv("STRIPE_API_KEY", f"{SECRET}-of-stripe")
    quoted = f"Not a URL [type=url, input_value={{'a': '{SECRET}, b'}}, input_type=dict] "
    said = f"raise RuntimeError({quoted!r} + os.environ['STRIPE_API_KEY'])"
    edit(folder / "migrations/env.py", "from logging.config", f"{said}\nfrom logging.config")
    error = _raised(folder)
    assert SECRET not in f"{error} {error.facts}"
    assert "Not a URL [type=url, input_value=***, input_type=dict] ***" in str(error)


def test_a_driver_that_is_not_installed_is_a_missing_package(
    copy_project: CopyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+pg8000://app@127.0.0.1/shop")
    error = _raised(copy_project("alembic_shop"))
    assert isinstance(error, PackageMissing)
    assert error.facts["package"] == "pg8000"


def test_an_interpreter_without_alembic_is_named(
    copy_project: CopyProject, bare_python: Path
) -> None:
    folder = copy_project("alembic_shop")
    (folder / "rulezero.toml").write_text(
        f"python = '{bare_python.as_posix()}'\n", encoding="utf-8"
    )
    error = _raised(folder)
    assert isinstance(error, PackageMissing)
    assert error.facts["package"] == "alembic"
    assert "rulezero.toml" in str(error)


def test_an_interpreter_that_cannot_be_started_is_named(copy_project: CopyProject) -> None:
    folder = copy_project("alembic_shop")
    (folder / "python").write_text("no program", encoding="utf-8")
    (folder / "python").chmod(0o755)
    (folder / "rulezero.toml").write_text('python = "./python"\n', encoding="utf-8")
    assert isinstance(_raised(folder), InterpreterMissing)
