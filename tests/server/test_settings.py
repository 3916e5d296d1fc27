"""Reading rulezero.toml and [tool.rulezero]."""

from pathlib import Path

import pytest

from rulezero_policies.errors import UnknownEnvironment, UnreadableConfig
from rulezero_server import settings


def _write(folder: Path, text: str, name: str = "rulezero.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_there_is_one_environment(tmp_path: Path) -> None:
    found = settings.read(tmp_path)
    assert found == settings.Settings()
    assert found.environment().name == "development"
    assert not found.environment().protected
    assert (found.timeout, found.run_timeout) == (60.0, 3600.0)


FULL = """
python = ".venv/bin/python"
config = "db/alembic.ini"
flask_app = "app:make"
timeout = 5
run_timeout = 60.5

[environments.local]
env = { DATABASE_URL = "sqlite:///x" }

[environments.production]
env_file = "prod.env"
protected = true
"""


@pytest.mark.parametrize("name", ["rulezero.toml", "pyproject.toml"])
def test_everything_can_be_set_in_either_file(tmp_path: Path, name: str) -> None:
    text = FULL if name == "rulezero.toml" else _under_tool(FULL)
    found = settings.read(_write(tmp_path, text, name))
    assert found.python == tmp_path / ".venv/bin/python"
    assert found.config == tmp_path / "db/alembic.ini"
    assert found.flask_app == "app:make"
    assert (found.timeout, found.run_timeout) == (5.0, 60.5)
    assert found.origin == name
    assert found.environment().name == "local"
    assert found.environment().variables() == {"DATABASE_URL": "sqlite:///x"}
    assert found.environment("production").protected
    assert found.environment("production").env_file == tmp_path / "prod.env"


def _under_tool(text: str) -> str:
    return "[tool.rulezero]" + text.replace("[environments", "[tool.rulezero.environments")


def test_rulezero_toml_wins_over_pyproject(tmp_path: Path) -> None:
    _write(tmp_path, "[tool.rulezero]\ntimeout = 1\n", "pyproject.toml")
    assert settings.read(_write(tmp_path, "timeout = 2\n")).timeout == 2.0


def test_a_pyproject_about_other_things_sets_nothing(tmp_path: Path) -> None:
    _write(tmp_path, "[project]\nname = 'x'\n[tool.other]\n", "pyproject.toml")
    assert settings.read(tmp_path) == settings.Settings()


def test_a_python_without_a_path_is_a_command(tmp_path: Path) -> None:
    assert settings.read(_write(tmp_path, 'python = "python3.12"')).python == Path("python3.12")


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    found = settings.read(_write(tmp_path, FULL))
    with pytest.raises(UnknownEnvironment, match="'staging'; known: local, production"):
        found.environment("staging")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("timeout = ", "Invalid value"),
        ("timeot = 3", "unknown key timeot; known: python, config"),
        ("timeout = '3'", "timeout must be a number of seconds above 0"),
        ("timeout = true", "timeout must be a number"),
        ("timeout = 0", "timeout must be a number"),
        ("run_timeout = -1", "run_timeout must be a number"),
        ("timeout = nan", "timeout must be a number"),
        ("python = 3", "python must be a string"),
        ("config = ['a']", "config must be a string"),
        ("environments = 3", "environments must be a table"),
        ("[environments]\nprod = 3", "environments.prod must be a table"),
        ("[environments.prod]\nprotected = 'yes'", "environments.prod.protected must be true or"),
        ("[environments.prod]\nsecure = true", "unknown key environments.prod.secure"),
        ("[environments.prod.env]\nPORT = 3", "environments.prod.env.PORT must be a string"),
        ("approval = 'client'", "approval must be a table"),
        ("[approval]\nlevel = 'client'", "unknown key approval.level; known: local, protected"),
        ("[approval]\npin_attempts = true", "approval.pin_attempts must be a whole number"),
        ("[environments.prod]\nenv = 'x'", "environments.prod.env must be a table"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnreadableConfig) as caught:
        settings.read(_write(tmp_path, text))
    assert "rulezero.toml" in str(caught.value)
    assert reason in str(caught.value)


def test_a_tool_table_that_is_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfig, match=r"tool\.rulezero must be a table"):
        settings.read(_write(tmp_path, "[tool]\nrulezero = 3\n", "pyproject.toml"))


def test_the_table_of_variables_wins_over_the_file(tmp_path: Path) -> None:
    _write(tmp_path, "A=1\nB=1\n", "prod.env")
    text = '[environments.prod]\nenv_file = "prod.env"\nenv = { B = "2" }\n'
    found = settings.read(_write(tmp_path, text)).environment("prod")
    assert found.variables() == {"A": "1", "B": "2"}


def test_a_missing_env_file_is_named(tmp_path: Path) -> None:
    text = '[environments.prod]\nenv_file = "gone.env"\n'
    found = settings.read(_write(tmp_path, text)).environment("prod")
    with pytest.raises(UnreadableConfig, match=r"gone\.env cannot be read: it does not exist"):
        found.variables()
