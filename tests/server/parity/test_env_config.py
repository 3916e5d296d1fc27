"""`[parity]` of rulezero.toml and pyproject.toml."""

from pathlib import Path

import pytest

from rulezero_policies.errors import UnreadableConfig
from rulezero_policies.parity.values import (
    FlagRule,
    ParityConfig,
    Service,
    SmokeRule,
    StoreRule,
)
from rulezero_server import settings
from rulezero_server.parity import config

FULL = """
timeout = 5
[parity]
production = "live"
baseline = ["example", "staging"]
flags = ["FEATURE_*", "NEW_UI"]
[parity.services.api]
folder = "services/api"
[parity.services.api.files]
live = ["deploy/api.env", "deploy/api.secret.env"]
[parity.services.worker]
[parity.files]
live = ".env.live"
[parity.stores.notes]
service = "api"
interface = "app.stores:NoteStore"
store = "app.stores:SqlNoteStore"
fallback = "app.stores:MemoryNoteStore"
exercise = "tests.stores:exercise"
[parity.stores.notes.records]
"app.stores:Note" = "notes"
[parity.smoke.notes]
service = "api"
kind = "route"
target = "/notes"
method = "post"
status = 201
contains = "made"
seconds = 5
"""


def write(folder: Path, text: str, name: str = "rulezero.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["rulezero.toml", "pyproject.toml"])
def test_everything_can_be_declared_in_either_file(tmp_path: Path, name: str) -> None:
    in_tool = FULL.replace("[parity", "[tool.rulezero.parity").replace("timeout = 5", "")
    root = write(tmp_path, FULL if name == "rulezero.toml" else in_tool, name)
    assert config.read(root) == ParityConfig(
        production="live",
        baseline=("example", "staging"),
        services=(
            Service(name="api", folder="services/api"),
            Service(name="worker", folder="worker"),
        ),
        files=(
            ("", "live", ".env.live"),
            ("api", "live", "deploy/api.env"),
            ("api", "live", "deploy/api.secret.env"),
        ),
        flags=FlagRule(patterns=("FEATURE_*",), names=("NEW_UI",)),
        stores=(
            StoreRule(
                name="notes",
                service="api",
                interface="app.stores:NoteStore",
                store="app.stores:SqlNoteStore",
                fallback="app.stores:MemoryNoteStore",
                records=(("app.stores:Note", "notes"),),
                exercise="tests.stores:exercise",
            ),
        ),
        smoke=(
            SmokeRule(
                name="notes",
                service="api",
                kind="route",
                target="/notes",
                method="POST",
                status=201,
                contains="made",
                seconds=5.0,
            ),
        ),
    )
    assert settings.read(root).environment().name == "development"


def test_a_project_that_declares_nothing_has_the_defaults(tmp_path: Path) -> None:
    assert config.read(tmp_path) == ParityConfig()
    assert config.read(write(tmp_path, "timeout = 5")) == ParityConfig()
    small = config.read(write(tmp_path, '[parity]\nflags = ["NEW_UI"]'))
    assert small.flags == FlagRule(names=("NEW_UI",))


def test_a_mistake_in_parity_stops_nothing_else(tmp_path: Path) -> None:
    root = write(tmp_path, "timeout = 5\n[parity]\nunknown = 1")
    assert settings.read(root).timeout == 5.0
    with pytest.raises(UnreadableConfig, match=r"unknown key parity\.unknown"):
        config.read(root)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[parity]\nproduction = 1", "parity.production must be a string"),
        ('[parity]\nproduction = " "', "parity.production must be a string that says something"),
        ('[parity]\nbaseline = "staging"', "parity.baseline must be a list of strings"),
        ("parity = 1", "parity must be a table"),
        ("[parity.services]\napi = 1", "parity.services.api must be a table"),
        ('[parity.services.api]\nport = "1"', "unknown key parity.services.api.port"),
        ('[parity.services.api]\nfolder = "../api"', "a folder inside the project"),
        ('[parity.services.api]\nfolder = "/api"', "a folder inside the project"),
        ('[parity.services.api]\nfolder = "C:\\\\api"', "a folder inside the project"),
        ("[parity.files]\nproduction = 1", "parity.files.production must be a path"),
        ("[parity.files]\nproduction = []", "parity.files.production must be a path"),
        ('[parity.files]\nproduction = ["a", 1]', "parity.files.production must be a path"),
        ('[parity.stores.notes]\nservice = "api"', "parity.stores.notes.fallback is missing"),
        ('[parity.smoke.a]\nservice = "api"\nkind = "magic"', "one of route, http, command"),
        (
            '[parity.smoke.a]\nservice="api"\nkind="route"\ntarget="/"\nstatus=99',
            "parity.smoke.a.status must be an HTTP status",
        ),
        (
            '[parity.smoke.a]\nservice="api"\nkind="route"\ntarget="/"\nseconds=601',
            "parity.smoke.a.seconds must be a number of seconds above 0, at most 600",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UnreadableConfig) as caught:
        config.read(write(tmp_path, text))
    assert why in str(caught.value)
