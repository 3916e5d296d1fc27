"""Which services and environments a project has, and what they set, from its files."""

import logging
import os
from pathlib import Path

import pytest

from rulezero_policies.parity.gap import gap
from rulezero_policies.parity.values import Layout, Service
from rulezero_server.parity import names
from rulezero_server.parity.layout import FileDeployment, Running
from rulezero_tools.parity.ports import Deployment

CANARY = "canary-5f1d9a-value"


def project(root: Path, files: dict[str, str]) -> FileDeployment:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return FileDeployment(root=root)


def sources(found: Layout) -> list[tuple[str | None, str, str, str]]:
    return [
        (one.service, one.environment, one.path, " ".join(entry.key for entry in one.entries))
        for one in found.sources
    ]


def services(found: Layout) -> list[tuple[str, str]]:
    return [(one.name, one.folder) for one in found.services]


THREE = {
    "api/app.py": "import os\n",
    "api/.env.example": "DSN=\nNEW_UI=false\n",
    "api/.env.staging": "DSN=a\nNEW_UI=true\n",
    "api/.env.production": "DSN=b\n",
    "worker/main.py": "",
    "worker/.env": "DSN=x\n",
    "worker/.env.prod": "DSN=b\n",
    "web/package.json": "{}",
    "web/.env.production": "API=https://api\n",
    ".env.example": "LOG=info\n",
    ".env.production": "LOG=warn\n",
}


@pytest.mark.proves("B02", "B04")
def test_folders_with_settings_are_services_and_names_say_the_environment(tmp_path: Path) -> None:
    deployment: Deployment = project(tmp_path, THREE)
    found = deployment.layout()
    assert services(found) == [("api", "api"), ("web", "web"), ("worker", "worker")]
    assert sources(found) == [
        (None, "example", ".env.example", "LOG"),
        (None, "production", ".env.production", "LOG"),
        ("worker", "local", "worker/.env", "DSN"),
        ("worker", "production", "worker/.env.prod", "DSN"),
        ("api", "example", "api/.env.example", "DSN NEW_UI"),
        ("api", "staging", "api/.env.staging", "DSN NEW_UI"),
        ("api", "production", "api/.env.production", "DSN"),
        ("web", "production", "web/.env.production", "API"),
    ]
    assert (found.production, found.baseline) == ("production", ("example", "staging", "local"))
    assert found.problems == ()
    assert [(one.service, one.key) for one in gap(found, ()).missing] == [("api", "NEW_UI")]


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        (".env", "local"),
        (".env.local", "local"),
        (".env.example", "example"),
        (".env.sample", "example"),
        (".env.template", "example"),
        (".env.dist", "example"),
        (".env-example", "example"),
        (".env.production.example", "example"),
        ("example.env", "example"),
        ("env.example", "example"),
        (".env.production", "production"),
        (".env.prod", "production"),
        ("prod.env", "production"),
        ("docker_production.env", "production"),
        (".env.production.local", "production"),
        (".env.stage", "staging"),
        (".env.dev", "development"),
        (".env.test", "test"),
        (".env.qa", "qa"),
        (".env.berlin", "berlin"),
        (".env.bak", None),
        (".env.production.bak", None),
        (".env.vault", None),
        (".env.prod.enc", None),
        (".env.js", None),
        (".envrc", None),
        ("api.env", None),
        ("environment.py", None),
        ("env.py", None),
    ],
)
def test_a_files_name_says_the_environment(name: str, environment: str | None) -> None:
    assert names.environment(name) == environment


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("compose.yaml", ""),
        ("docker-compose.yml", ""),
        ("docker-compose.override.yml", "local"),
        ("docker-compose.prod.yml", "production"),
        ("docker-compose-production.yaml", "production"),
        ("compose.deploy.yml", "production"),
        ("docker-compose.staging.yml", "staging"),
        ("docker-compose.gpu.yml", None),
        ("my-compose.yml", None),
        ("composer.json", None),
    ],
)
def test_a_compose_files_name_says_the_environment(name: str, environment: str | None) -> None:
    assert names.compose_environment(name) == environment


COMPOSE = """\
services:
  api:
    build: ./api
    environment:
      DSN: ${DSN:?set it}
      LOG: ${LOG:-info}
      TOKEN:
    env_file: api/common.env
  worker:
    build: ./api
    command: work
  jobs:
    image: shop
  db:
    image: postgres
    env_file: [db.env, .env.production]
"""


@pytest.mark.proves("B02", "B04")
def test_compose_services_are_services_and_production_counts_where_a_file_says_so(
    tmp_path: Path,
) -> None:
    files = {
        "compose.yaml": COMPOSE,
        "compose.prod.yaml": "services:\n  api:\n    environment: [DEBUG=0]\n",
        "api/app.py": "",
        "api/common.env": "COMMON=1\n",
        ".env.production": "DSN=postgresql://h/d\nSPARE=1\n",
    }
    found = project(tmp_path, files).layout()
    assert services(found) == [("api", "api"), ("worker", "api")]
    assert [one for one in sources(found) if one[1] == "production"] == [
        (None, "production", ".env.production", "DSN SPARE"),
        ("api", "production", "api/common.env", "COMMON"),
        ("api", "production", "compose.yaml", "DSN LOG TOKEN"),
        ("api", "production", "compose.prod.yaml", "DEBUG"),
    ]
    composed = next(
        one
        for one in found.sources
        if one.path == "compose.yaml" and one.environment == "production"
    )
    assert [(one.key, one.shape, one.given) for one in composed.entries] == [
        ("DSN", "url", True),
        ("LOG", "text", True),
        ("TOKEN", "empty", False),
    ]
    assert [(one.key, one.required, one.how) for one in found.needs] == [
        ("DSN", True, "compose"),
        ("LOG", False, "compose"),
    ]
    assert found.foreign == (".env.production",)
    assert gap(found, ()).missing == ()


def test_a_compose_file_for_local_work_says_nothing_of_production(tmp_path: Path) -> None:
    found = project(tmp_path, {"compose.yaml": COMPOSE, "api/app.py": ""}).layout()
    assert {one.environment for one in found.sources} == {"local"}
    assert not any(one.required for one in found.needs)
    unknown = gap(found, ()).unknown
    assert [one.service for one in unknown] == ["api"]


def test_a_base_with_an_override_beside_it_counts_for_production(tmp_path: Path) -> None:
    files = {
        "docker-compose.yml": "services:\n  api:\n    build: api\n    env_file: [.env]\n"
        "    environment: {A: 1}\n",
        "docker-compose.override.yml": "services:\n  api:\n    environment: {B: 1}\n",
        "api/app.py": "",
        ".env": "DSN=mine\n",
    }
    found = project(tmp_path, files).layout()
    production = [one for one in found.sources if one.environment == "production"]
    assert [(one.path, len(one.entries)) for one in production] == [
        (".env", 0),
        ("docker-compose.yml", 1),
    ]
    assert production[0].error is not None
    assert '[parity.files] production = "PATH"' in production[0].error
    declared = '[parity.files]\nproduction = "live.env"\n'
    again = project(tmp_path, {"live.env": "DSN=real\n", "rulezero.toml": declared}).layout()
    assert [one.path for one in again.sources if one.environment == "production"] == [
        "live.env",
        "docker-compose.yml",
    ]
    assert again.problems == ()


def test_an_environment_has_the_name_that_the_project_gives_it(tmp_path: Path) -> None:
    toml = '[environments.dev]\nenv_file = "dev.env"\n[parity]\nproduction = "live"\n'
    compose = "services: {shop: {build: ., environment: {B: 1}}}"
    files = {
        "rulezero.toml": toml,
        "app.py": "",
        "dev.env": "A=1\n",
        ".env.dev": "A=1\n",
        ".env.prod": "A=1\n",
        "compose.production.yaml": compose,
    }
    found = project(tmp_path, files).layout()
    assert [one[1:3] for one in sources(found)] == [
        ("dev", ".env.dev"),
        ("live", ".env.prod"),
        ("dev", "dev.env"),
        ("live", "compose.production.yaml"),
    ]
    assert found.production == "live"


def test_a_declared_service_is_looked_into_whatever_its_folder_is_called(tmp_path: Path) -> None:
    files = {
        "rulezero.toml": '[parity.services.demo]\nfolder = "examples/build/demo"\n',
        "examples/build/demo/.env.production": "A=1\n",
        "examples/other/.env.production": "A=1\n",
    }
    found = project(tmp_path, files).layout()
    assert [one[:3] for one in sources(found)] == [
        ("demo", "production", "examples/build/demo/.env.production")
    ]


@pytest.mark.proves("B04")
def test_what_is_declared_stands_instead_of_what_is_found(tmp_path: Path) -> None:
    toml = """
[environments.staging]
env_file = "deploy/staging.env"
[parity.services.shop]
folder = "api"
[parity.services.shop.files]
production = ["deploy/one.env", "deploy/two.env"]
[parity.files]
production = "stack.yml"
"""
    stack = "services:\n  shop:\n    image: shop\n    environment: [C=1]\n"
    extra = {
        "rulezero.toml": toml,
        "deploy/one.env": "A=1\n",
        "deploy/two.env": "A=2\n",
        "deploy/staging.env": "A=3\n",
        "stack.yml": stack,
    }
    found = project(tmp_path, {**THREE, **extra}).layout()
    assert services(found) == [("shop", "api")]
    told = [one for one in sources(found) if one[1] in ("production", "staging")]
    assert ("shop", "production", "deploy/one.env", "A") in told
    assert ("shop", "production", "deploy/two.env", "A") in told
    assert ("shop", "production", "stack.yml", "C") in told
    assert (None, "staging", "deploy/staging.env", "A") in told
    assert "api/.env.production" not in {one[2] for one in told}


def test_a_declaration_that_leads_nowhere_is_a_problem(tmp_path: Path) -> None:
    toml = """
[parity.services.api]
folder = "gone"
[parity.files]
production = "none.env"
staging = "/nowhere/at/all.env"
example = "../outside.env"
"""
    root = tmp_path / "project"
    (tmp_path / "outside.env").write_text("A=1", encoding="utf-8")
    problems = project(root, {"rulezero.toml": toml}).layout().problems
    assert "[parity.services.api] folder is gone, which does not exist." in problems
    # A root file may be declared before a plan makes it: it sets nothing yet.
    assert not any(one.startswith("none.env") for one in problems)
    assert "/nowhere/at/all.env does not exist." in problems
    assert any("leads out of the project" in one for one in problems)
    allowed = FileDeployment(root=root, besides=(tmp_path,)).layout()
    assert not any("leads out" in one for one in allowed.problems)


@pytest.mark.proves("B15")
def test_a_service_whose_folder_leads_out_of_the_project_has_no_code(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/secret.py").write_text("", encoding="utf-8")
    deployment = project(tmp_path / "shop", {"rulezero.toml": "[parity.services.api]\n"})
    (tmp_path / "shop/api").symlink_to(tmp_path / "other")
    found = deployment.layout()
    assert "[parity.services.api] folder leads out of the project: name another." in found.problems
    assert deployment.code(found.services[0]).files == ()


def test_what_rulezero_connects_with_is_read_besides_what_is_found(tmp_path: Path) -> None:
    toml = '[environments.production]\nenv_file = "deploy/db.env"\n'
    toml += '[environments.development]\nenv_file = ".env"\n'
    files = {"rulezero.toml": toml, "deploy/db.env": "URL=1\n", ".env": "A=1\n"}
    found = project(tmp_path, {**files, "app.py": "", ".env.production": "B=1\n"}).layout()
    assert [one[1:] for one in sources(found)] == [
        ("production", ".env.production", "B"),
        ("production", "deploy/db.env", "URL"),
        ("development", ".env", "A"),
    ]


def test_the_root_is_the_service_where_there_is_no_other(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    found = project(root, {"app.py": "", ".env.production": "A=1\n"}).layout()
    assert services(found) == [("shop", ".")]
    assert sources(found) == [(None, "production", ".env.production", "A")]


def test_a_program_in_the_root_is_a_service_beside_the_others(tmp_path: Path) -> None:
    found = project(tmp_path / "shop", {**THREE, "wsgi.py": "", "setup.py": ""}).layout()
    assert services(found)[-1] == ("shop", ".")
    tools_only = project(tmp_path / "tools", {**THREE, "setup.py": "", "conftest.py": ""}).layout()
    assert "." not in {folder for _, folder in services(tools_only)}
    packaged = {**THREE, "src/shop/__init__.py": "", "docker/Dockerfile": "", "docker/.env": "A=1"}
    found = project(tmp_path / "packaged", packaged).layout()
    assert services(found)[-1] == ("packaged", ".")
    assert (None, "local", "docker/.env", "A") in sources(found)


def test_settings_of_tests_documents_and_installed_packages_are_left_alone(tmp_path: Path) -> None:
    aside = ("tests", "docs", "examples", "node_modules/x", ".git", "venv")
    files = {f"{folder}/.env.production": "A=1\n" for folder in aside}
    assert project(tmp_path, {"app.py": "", **files}).layout().sources == ()


def test_folders_kept_for_settings_say_the_environment(tmp_path: Path) -> None:
    files = {
        "manage.py": "",
        ".envs/.production/.django": "A=1\n",
        ".envs/.local/.django": "A=2\n",
        "docker/prod/app.env": "B=1\n",
    }
    found = project(tmp_path, files).layout()
    assert [one[1:3] for one in sources(found)] == [
        ("local", ".envs/.local/.django"),
        ("production", ".envs/.production/.django"),
    ]


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = {
        "a/web/package.json": "",
        "a/web/.env": "A=1\n",
        "b/web/package.json": "",
        "b/web/.env": "A=1\n",
    }
    assert services(project(tmp_path, files).layout()) == [("a/web", "a/web"), ("b/web", "b/web")]


@pytest.mark.proves("B02")
def test_the_process_environment_counts_only_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_THE_PROCESS", CANARY)
    deployment = project(tmp_path, THREE)
    assert "FROM_THE_PROCESS" not in repr(deployment.layout())
    running = Running(environment="production", values=os.environ)
    asked = FileDeployment(root=tmp_path, running=running)
    last = asked.layout().sources[-1]
    assert (last.kind, last.service, last.environment) == ("process", None, "production")
    assert "FROM_THE_PROCESS" in {one.key for one in last.entries}
    assert CANARY not in repr(asked) + repr(asked.layout())


def test_a_service_has_its_own_code_and_not_that_of_others(tmp_path: Path) -> None:
    files = {
        **THREE,
        "wsgi.py": "",
        "web/src/page.tsx": "",
        "web/node_modules/x/index.js": "",
        "api/pyproject.toml": "",
        "api/readme.md": "",
    }
    deployment = project(tmp_path / "shop", files)
    code = {
        one.name: [file.path for file in deployment.code(one).files]
        for one in deployment.layout().services
    }
    assert code == {
        "api": ["api/app.py", "api/pyproject.toml"],
        "web": ["web/src/page.tsx"],
        "worker": ["worker/main.py"],
        "shop": ["wsgi.py"],
    }


def test_scripts_ask_for_keys_and_names_that_stand_somewhere_are_not_called_unused(
    tmp_path: Path,
) -> None:
    files = {
        **THREE,
        "api/start.sh": "OWN=1\n# $COMMENT\necho $OWN ${NEEDED:?} $PORT $lower $PORT\n",
        "api/pipe.sh": "\x00",
        "api/entrypoint": "#!/bin/sh -e\nexec app --bind ${BIND:-0.0.0.0}\n",
        "api/tool": "#!/usr/bin/env python\nprint('$NO_KEY')\n",
        "web/notes.md": "API",
        "deploy/nginx.conf": "set $x LOG;\n# DSN is not used\n",
        "web/test_page.py": "API",
        "worker/main.py": "settings = {'DSN': 1}",
    }
    found = project(tmp_path, files).layout()
    assert [(one.service, one.key, one.required, one.line) for one in found.needs] == [
        ("api", "BIND", False, 2),
        ("api", "NEEDED", True, 3),
        ("api", "PORT", False, 3),
    ]
    assert found.mentions == (("", "LOG"), ("worker", "DSN"))
    assert [(one.service, one.key) for one in gap(found, ()).unused] == [
        ("api", "DSN"),
        ("web", "API"),
    ]


BROKEN = (
    "worker/.env.prod: what stands on line 2 is neither a setting nor a comment, and "
    "python-dotenv passes over it; quote a value of several lines, or remove the line."
)


DOCKERFILE = """\
FROM python:3.13
ARG RELEASE
ENV A=1 B="two words C=3" \\
    # a comment
    D='4'
env E a value
RUN ENV_IN_A_WORD=1 true
"""


def test_keys_that_an_image_sets_are_known_for_the_services_in_its_folder(tmp_path: Path) -> None:
    files = {**THREE, "api/Dockerfile": DOCKERFILE, "deploy/base.Dockerfile": "ENV BASE=1\n"}
    found = project(tmp_path, files).layout()
    assert found.built == (
        *(("api", key) for key in ("A", "B", "D", "E")),
        ("", "BASE"),
    )


@pytest.mark.proves("B02")
def test_what_cannot_be_read_is_a_named_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    deployment = project(
        tmp_path,
        {**THREE, "compose.yaml": "a: [\n", "worker/.env.prod": "A=1\nnot a setting\n"},
    )
    (tmp_path / "api/.env.production").write_bytes(b"\x00\x01")
    (tmp_path / "web/.env.production").unlink()
    (tmp_path / "web/.env.production").symlink_to(tmp_path / "web/.env.production")
    found = deployment.layout()
    assert found.problems == (
        "compose.yaml is no YAML (line 2): mend that line.",
        BROKEN,
        "api/.env.production is binary, not text: name the file that is meant.",
        "web/.env.production is a link that leads round in a circle: mend the link.",
    )
    unknown = {(one.service, one.environment) for one in gap(found, ()).unknown}
    assert unknown == {("api", "production"), ("web", "production")}


def test_many_broken_lines_are_counted(tmp_path: Path) -> None:
    found = project(tmp_path, {"app.py": "", ".env": "a b\n" * 9}).layout()
    assert "line 1, 2, 3, 4, 5 and 4 more is neither" in found.problems[0]


def test_the_main_branch_is_asked_through_a_seam(tmp_path: Path) -> None:
    assert project(tmp_path, {}).on_main("app.py", "x") is None
    asked: list[tuple[str, str]] = []

    def history(path: str, text: str) -> bool:
        asked.append((path, text))
        return True

    assert FileDeployment(root=tmp_path, history=history).on_main("app.py", "x")
    assert asked == [("app.py", "x")]


PLANTED = (
    f"A={CANARY}\n",
    f"export A='{CANARY}'\nB=${{A}}\n",
    f'A="{CANARY}\n',
    f"{CANARY} {CANARY}\n",
    f"A=1\n{CANARY}=\n".replace("-", "/"),
    f"A=x\n\x00{CANARY}",
)


@pytest.mark.proves("B15")
@pytest.mark.parametrize("text", PLANTED)
def test_a_secret_is_in_nothing_that_comes_out(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    stack = (
        f"services:\n  api:\n    build: api\n    environment:\n      - TOKEN={CANARY}\n"
        f"      - '{CANARY} x'\n      - URL=https://u:${{A:-{CANARY}}}@h\n"
        f"    command: run ${{B:-{CANARY}}}\n"
    )
    files = {**THREE, "api/.env.production": text, "docker-compose.prod.yml": stack}
    deployment = project(tmp_path, files)
    with caplog.at_level(logging.DEBUG):
        found = deployment.layout()
        shown = repr((deployment, found, gap(found, found.needs), found.problems, caplog.text))
    assert CANARY not in shown
    assert CANARY.replace("-", "/") not in shown


def test_declared_services_are_those_and_no_others(tmp_path: Path) -> None:
    toml = '[parity.services.api]\n[parity.services.jobs]\nfolder = "worker"\n'
    found = project(tmp_path, {**THREE, "rulezero.toml": toml}).layout()
    assert found.services == (
        Service(name="api", folder="api"),
        Service(name="jobs", folder="worker"),
    )


@pytest.mark.proves("B02")
def test_a_declared_settings_file_does_not_use_the_keys_that_it_sets(tmp_path: Path) -> None:
    toml = '[parity.services.api]\n[parity.services.api.files]\nproduction = "live/api.env"\n'
    files = {"rulezero.toml": toml, "live/api.env": "TYPPO=1\n", "api/app.py": ""}
    found = project(tmp_path, files).layout()
    assert found.mentions == ()
    assert [one.key for one in gap(found, ()).unused] == ["TYPPO"]
