"""Which lines missing keys get: nothing guessed, no flag on unasked."""

from dataclasses import replace
from typing import Any

import pytest
from tests.policies.parity.test_consolidation import layout, needs, source

from rulezero_policies.parity.changes import FileChange, Operation
from rulezero_policies.parity.generating import Generated, Wish, generate, is_flag, looks_secret
from rulezero_policies.parity.values import Entry, FlagRule, Layout, Need, Shape, Source, State

pytestmark = pytest.mark.proves("B08")

FLAGS = FlagRule()


def line(key: str, shape: Shape = "text", state: State = "other", **more: Any) -> Entry:
    return Entry(key=key, path="", line=1, shape=shape, mark="m", state=state, **more)


def example(service: str | None, *entries: Entry, path: str | None = None) -> Source:
    place = path or (f"{service}/.env.example" if service else ".env.example")
    return source(service, entries, path=place, environment="example")


def made(case: Layout, wish: Wish | None = None, asked: tuple[Need, ...] = ()) -> Generated:
    return generate(case, asked, FLAGS, wish or Wish())


def operations(found: Generated, path: str) -> list[tuple[str, str | None]]:
    return [(o.kind, o.key) for c in found.changes if c.path == path for o in c.operations]


def test_plain_words_are_taken_over_and_all_else_gets_a_placeholder() -> None:
    case = layout(
        example(
            "api",
            line("LOG_LEVEL"),
            line("PORT", "number"),
            line("DEBUG_SQL", "boolean"),
            line("SESSION_SECRET"),
            line("BASE_URL", "url"),
            line("NAME", "empty"),
            line("MAIL", "placeholder"),
            line("PEM", "lines"),
            line("THERE"),
            line("BARE", given=False),
        ),
        source("api", (line("THERE"),)),
    )
    assert operations(made(case), "api/.env") == [
        ("copy", "LOG_LEVEL"),
        ("copy", "PORT"),
        ("copy", "DEBUG_SQL"),
        ("placeholder", "SESSION_SECRET"),
        ("placeholder", "BASE_URL"),
        ("placeholder", "NAME"),
        ("placeholder", "MAIL"),
        ("placeholder", "PEM"),
        ("placeholder", "BARE"),
    ]


def test_what_only_the_code_asks_for_gets_a_placeholder_too() -> None:
    case = layout(source("api", (line("A"),)))
    optional = needs("api", "MAYBE")
    asked = (needs("api", "TOKEN_URL"), needs("web", "ELSEWHERE"))
    found = made(case, asked=(*asked, replace(optional, required=False)))
    assert found.changes == (
        FileChange(path="api/.env", operations=(Operation(kind="placeholder", key="TOKEN_URL"),)),
    )


def test_what_compose_itself_asks_for_is_not_written_to_a_services_file() -> None:
    case = layout(source("api", (line("A"),)))
    tag = replace(needs("api", "TAG"), how="compose", path="compose.yml")
    found = made(case, asked=(tag,))
    assert found.changes == ()
    assert "compose.yml asks for it" in found.left[0].reason
    both = made(case, asked=(tag, needs("api", "TAG")))
    assert operations(both, "api/.env") == [("placeholder", "TAG")]


def test_only_the_keys_that_are_asked_for_are_added() -> None:
    case = layout(example("api", line("A"), line("B"), line("C")), source("api", ()))
    assert operations(made(case, Wish(keys=("B",))), "api/.env") == [("copy", "B")]
    assert made(case, Wish(keys=())).changes == ()
    covered = Wish(covered=frozenset({"A", "C"}))
    assert operations(made(case, covered), "api/.env") == [("copy", "B")]
    worked_out = Wish(missing=(("api", "A"), ("", "R")))
    found = made(case, worked_out)
    assert operations(found, "api/.env") == [("copy", "A")]
    assert operations(found, ".env") == [("placeholder", "R")], "named as the services' files"


def test_a_key_of_the_roots_example_goes_to_the_root_file() -> None:
    case = layout(
        example(None, line("A")), source("api", ()), source(None, (), path="deploy/root.env")
    )
    assert [c.path for c in made(case).changes] == ["deploy/root.env"]


def test_a_service_follows_its_own_example_before_the_roots() -> None:
    case = layout(example(None, line("A"), line("B")), example("api", line("B")), source("api", ()))
    found = made(case)
    assert operations(found, ".env") == [("copy", "A")]
    (own,) = (c.operations for c in found.changes if c.path == "api/.env")
    assert [(o.key, o.source) for o in own] == [("B", "api/.env.example")]


def test_a_service_without_a_file_gets_one_named_as_its_example_is() -> None:
    case = layout(example("api", line("A")), source("web", (line("A"),), path="web/x"))
    assert [c.path for c in made(case).changes] == ["api/.env.production"]
    bare = made(case, Wish(missing=(("web", "B"),)))
    assert [c.path for c in bare.changes] == ["web/x"]
    nothing = layout(source("api", (line("A"),), path="c.yml", kind="compose"))
    found = made(nothing, Wish(missing=(("api", "B"),)))
    assert [c.path for c in found.changes] == ["api/.env.production"]


@pytest.mark.proves("B07")
def test_no_flag_is_added_or_switched_on_unless_it_is_named() -> None:
    case = layout(
        example("api", line("FEATURE_A", "boolean", "on"), line("FEATURE_B", "boolean", "off")),
        source("api", (line("FEATURE_B", "boolean", "off"),)),
    )
    found = made(case)
    assert found.changes == ()
    assert [(left.key, left.service) for left in found.left] == [("FEATURE_A", "api")]
    on = made(case, Wish(enable=("FEATURE_A", "FEATURE_B")))
    assert on.left == ()
    assert operations(on, "api/.env") == [("flag", "FEATURE_A"), ("switch", "FEATURE_B")]


@pytest.mark.proves("B07")
def test_a_flag_is_switched_on_wherever_it_stands_and_is_read() -> None:
    case = layout(
        source("api", (line("FEATURE_A", "empty"),)),
        source("web", ()),
        source("other", ()),
        example("worker", line("FEATURE_A")),
        source("worker", ()),
    )
    found = made(case, Wish(enable=("FEATURE_A", "FEATURE_A")), (needs("web", "FEATURE_A"),))
    assert [c.path for c in found.changes] == ["api/.env", "web/.env", "worker/.env"]
    assert operations(found, "api/.env") == [("switch", "FEATURE_A")]
    rooted = layout(source(None, (line("FEATURE_A", "boolean", "off"),)), source("api", ()))
    asked = (needs("api", "FEATURE_A"),)
    found = made(rooted, Wish(enable=("FEATURE_A",)), asked)
    assert [c.path for c in found.changes] == [".env.production"]


@pytest.mark.proves("B07")
@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (source("api", (line("FEATURE_A", "boolean", "on"),)), "on in api/.env already"),
        (source("api", (line("FEATURE_A"),)), "neither on nor off"),
        (source("api", (line("FEATURE_A"),), path="c.yml", kind="compose"), "set in c.yml"),
    ],
)
def test_a_flag_that_cannot_be_switched_on_is_left(standing: Source, why: str) -> None:
    found = made(layout(standing), Wish(enable=("FEATURE_A",)))
    assert found.changes == ()
    assert why in found.left[0].reason


def test_a_key_that_is_no_flag_is_not_set() -> None:
    found = made(layout(source("api", (line("DEBUG"),))), Wish(enable=("DEBUG",)))
    assert found.changes == ()
    assert "no flag's" in found.left[0].reason


def test_flags_and_secrets_are_known_by_their_names() -> None:
    assert is_flag("FEATURE_X", FLAGS)
    assert is_flag("MINE", FlagRule(names=("MINE",)))
    assert not is_flag("PORT", FLAGS)
    assert looks_secret("STRIPE_API_KEY")
    assert not looks_secret("LOG_LEVEL")
