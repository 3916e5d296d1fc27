"""Compose files: services, folders, environment, interpolation; bounded and silent on values."""

import time
from pathlib import Path

import pytest

from rulezero_server.parity import compose, interpolation
from rulezero_server.parity.compose import ComposeFile, EnvFile, Setting
from rulezero_server.parity.reading import Grounds

CANARY = "canary-5f1d9a-value"

FULL = """\
x-shared: &shared
  LOG: info
  DSN: ${DSN:-sqlite://}
services:
  api:
    build:
      context: .
      dockerfile: api/Dockerfile
    image: shop-api
    environment:
      <<: *shared
      LOG: debug
      PORT: 8000
      TOKEN:
      EMPTY: ""
    env_file:
      - common.env
      - path: more.env
        required: false
  worker:
    extends: api
    build: ./worker
    environment:
      - QUEUE=${QUEUE:?must be set}
      - HOST
      - TAIL=a=b
    env_file: one.env
  db:
    image: postgres:${TAG-18}
"""


def read(folder: Path, text: str) -> ComposeFile:
    path = folder / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    return compose.read(path, Grounds(root=folder))


@pytest.mark.proves("B02", "B04")
def test_services_are_read_with_the_line_of_every_key(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    api, worker, db = found.services
    assert (found.error, found.path) == (None, "compose.yaml")
    assert (api.name, api.context, api.dockerfile, api.image) == (
        "api",
        ".",
        "api/Dockerfile",
        "shop-api",
    )
    assert api.settings == (
        Setting(key="LOG", line=12, raw="debug"),
        Setting(key="DSN", line=3, raw="${DSN:-sqlite://}"),
        Setting(key="PORT", line=13, raw="8000"),
        Setting(key="TOKEN", line=14, raw=None),
        Setting(key="EMPTY", line=15, raw=""),
    )
    assert api.env_files == (EnvFile(path="common.env"), EnvFile(path="more.env", required=False))
    assert (worker.context, worker.image) == ("./worker", "shop-api")
    assert worker.settings == (
        Setting(key="QUEUE", line=24, raw="${QUEUE:?must be set}"),
        Setting(key="HOST", line=25, raw=None),
        Setting(key="TAIL", line=26, raw="a=b"),
    )
    assert worker.env_files == (EnvFile(path="one.env"),)
    assert (db.context, db.settings) == (None, ())
    assert [(one.asked.key, one.asked.required, one.line) for one in db.uses] == [
        ("TAG", False, 29)
    ]
    assert [(one.asked.key, one.asked.required, one.line) for one in worker.uses] == [
        ("QUEUE", True, 24)
    ]


def test_services_that_extend_each_other_end(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "services:\n  a: {extends: {service: b}}\n  b: {extends: a, image: x}\n"
        "  c: {extends: {service: a, file: other.yml}}\n",
    )
    assert [(one.name, one.image) for one in found.services] == [
        ("a", "x"),
        ("b", "x"),
        ("c", None),
    ]


@pytest.mark.parametrize(
    "text", ["", "services:", "services: []", "- a", "services: {a: null}", "version: '3'"]
)
def test_a_file_that_says_little_gives_little(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert found.error is None
    assert [one.settings for one in found.services] in ([], [()])


@pytest.mark.proves("B15")
@pytest.mark.parametrize(
    "text",
    [
        f"services:\n  a:\n    environment:\n  - [{CANARY}\n",
        f"a: &x {CANARY}\nb: *{CANARY}\n",
        f"a: b: {CANARY}\n",
        f"--- {CANARY}\n--- {CANARY}\n",
        f"\ta: {CANARY}\x07",
    ],
)
def test_what_is_no_yaml_is_named_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert found.error is not None
    assert found.error.startswith("is no YAML")
    assert CANARY not in repr(found)


@pytest.mark.proves("B15")
def test_a_line_that_is_no_setting_is_named_by_its_number(tmp_path: Path) -> None:
    text = f'services:\n  a:\n    environment:\n      - "{CANARY} {CANARY}"\n      - A={CANARY}\n'
    found = read(tmp_path, text)
    assert found.services[0].broken == (4,)
    assert [one.key for one in found.services[0].settings] == ["A"]
    assert CANARY not in repr(found)


def test_anchors_that_multiply_and_nesting_without_end_are_stopped(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    start = time.monotonic()
    bomb = read(tmp_path, "\n".join(lines) + "\nservices: {a: {command: *a8}}\n")
    assert "more than 50000 values" in (bomb.error or "")
    deep = read(tmp_path, "services: " + "[" * 50_000)
    assert (deep.error or "").startswith(("is nested too deeply", "is no YAML (line 1)"))
    assert "larger than 400 kB" in (read(tmp_path, "a: b\n" * 100_000).error or "")
    assert time.monotonic() - start < 30


def test_a_mapping_that_holds_itself_ends(tmp_path: Path) -> None:
    found = read(tmp_path, "services:\n  a: &a\n    <<: *a\n    deploy: *a\n    image: x\n")
    assert found.error is None or "more than" in found.error or "no YAML" in found.error


@pytest.mark.parametrize(
    ("text", "value", "left"),
    [
        ("$A and ${A}", "1 and 1", ()),
        ("$$A ${A}$", "$A 1$", ()),
        ("${NONE:-d}${EMPTY:-d}${EMPTY-d}", "dd", ()),
        ("${NONE-${A}}${NONE:-${EMPTY:-x}}", "1x", ()),
        ("${A:+yes}${EMPTY:+yes}${EMPTY+set}${NONE+no}", "yesset", ()),
        ("${NONE:?why}${A?why}${EMPTY:?why}", "1", ("NONE", "EMPTY")),
        ("${NONE} $OTHER ${broken", "  ", ("NONE", "OTHER", "broken")),
    ],
)
def test_interpolation_is_that_of_compose(text: str, value: str, left: tuple[str, ...]) -> None:
    outcome = interpolation.resolve(text, {"A": "1", "EMPTY": ""})
    assert (outcome.value, outcome.open) == (value, left)


def test_defaults_inside_defaults_are_followed_a_few_levels() -> None:
    text = "x"
    for _ in range(12):
        text = f"${{NONE:-{text}}}"
    assert interpolation.resolve(text, {}).value == ""


def test_every_key_that_a_text_asks_for_is_found() -> None:
    found = {one.key: one for one in interpolation.asked("$A ${B:-${C?x}} ${D:+e} $$E ${F:?}")}
    assert list(found) == ["A", "B", "C", "D", "F"]
    assert {key for key, one in found.items() if one.required} == {"C", "F"}
    assert (found["A"].default, found["B"].default, found["D"].default) == (None, "${C?x}", "")
