"""A file is put first in a service's env_file list; nothing else of the compose file changes."""

import pytest
import yaml

from rulezero_policies.parity import composing
from rulezero_policies.parity.composing import EnvFiles

pytestmark = pytest.mark.proves("B05")

TEXT = """\
# three services
x-common: &common
  restart: always
services:
  api:  # the first
    <<: *common
    build: ./api
    env_file: ./api/.env  # its own
    environment:
      env_file: "no list: ${HOST} $$NOT ${PORT:-80}"
  "web":
    env_file: ["web/.env", shared/.env]
    command: run
  worker:
    env_file:

      # in this order
      - path: worker/.env
        required: false
      - './more.env'
    image: x
  flat:
    env_file:
    - a.env
  none:
    image: $IMAGE
volumes:
  api:
    env_file: other
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("service", ["api", "web", "worker", "flat"])
def test_a_file_is_put_first_and_the_rest_stays(service: str, end: str) -> None:
    text = TEXT.replace("\n", end)
    after = composing.put_first(text, service, "root/.env.production")
    assert after is not None
    old, new = yaml.safe_load(text), yaml.safe_load(after)
    was = old["services"][service].pop("env_file")
    now = new["services"][service].pop("env_file")
    assert now == ["root/.env.production", *([was] if isinstance(was, str) else was)]
    assert new == old
    kept = iter(after.split(end))
    others = [line for line in text.split(end) if "env_file: " not in line]
    assert all(line in kept for line in others), "every other line stands as it stood"
    assert "# its own" in after


def test_the_lists_are_read() -> None:
    assert composing.env_files(TEXT) == (
        EnvFiles(service="api", files=("./api/.env",), editable=True),
        EnvFiles(service="web", files=("web/.env", "shared/.env"), editable=True),
        EnvFiles(service="worker", files=("worker/.env", "./more.env"), editable=True),
        EnvFiles(service="flat", files=("a.env",), editable=True),
    )


@pytest.mark.parametrize(
    "line",
    [
        "env_file: *files",
        "env_file: [a.env, {path: b.env}]",
        "env_file: []",
        "env_file: [a.env,",
        "env_file: ${FILE}",
        "env_file: &files",
        "env_file:\n      - ${A}: x\n      - &b b.env",
        "env_file:",
    ],
)
def test_what_is_not_plain_is_for_a_person(line: str) -> None:
    text = f"services:\n  api:\n    {line}\n    image: x\n"
    assert composing.put_first(text, "api", ".env") is None
    assert not composing.env_files(text)[0].editable


def test_a_path_or_a_service_that_cannot_be_written_plainly_is_for_a_person() -> None:
    assert composing.put_first(TEXT, "api", "a file # with more") is None
    assert composing.put_first(TEXT, "none", ".env") is None
    assert composing.put_first(TEXT, "volumes", ".env") is None


def test_a_block_list_may_end_the_file() -> None:
    text = "services:\n  api:\n    env_file:\n      - a.env"
    after = composing.put_first(text, "api", "b.env")
    assert after == "services:\n  api:\n    env_file:\n      - b.env\n      - a.env"


def test_a_list_may_be_the_last_thing_of_a_file_without_a_newline() -> None:
    text = "services:\n  api:\n    env_file: a.env"
    assert composing.put_first(text, "api", "b.env") == (
        "services:\n  api:\n    env_file:\n      - b.env\n      - a.env\n"
    )


def test_what_compose_puts_into_the_file_is_known() -> None:
    assert composing.interpolated(TEXT) == {"HOST", "PORT", "IMAGE"}
