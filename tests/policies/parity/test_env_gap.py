"""The gap between environments: what production lacks, what nothing uses, what differs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rulezero_policies.parity.audit import Conflict, Difference, Override, Row
from rulezero_policies.parity.effective import effective
from rulezero_policies.parity.gap import Duplicate, Hollow, Missing, Unknown, Unused, gap
from rulezero_policies.parity.values import Entry, Layout, Need, Service, Source

SERVICES = tuple(Service(name=name, folder=name) for name in ("api", "worker", "web"))


def entry(key: str, value: str = "v", path: str = "f", line: int = 1, **more: Any) -> Entry:
    """An entry whose mark is its value: equal values have equal marks."""
    return replace(Entry(key=key, path=path, line=line, mark=value, shape="text"), **more)


def source(
    service: str | None, environment: str, *entries: Entry | str, path: str | None = None
) -> Source:
    named = path or f"{service or ''}/.env.{environment}"
    made = tuple(entry(one) if isinstance(one, str) else one for one in entries)
    return Source(
        service=service,
        environment=environment,
        path=named,
        kind="file",
        entries=tuple(replace(one, path=named) for one in made),
    )


def layout(*sources: Source, **more: Any) -> Layout:
    made = Layout(
        production="production",
        baseline=("example", "staging"),
        services=SERVICES,
        sources=sources,
    )
    return replace(made, **more)


def need(key: str, service: str = "api", line: int = 7, **more: Any) -> Need:
    made = Need(
        key=key,
        service=service,
        path=f"{service}/app.py",
        line=line,
        required=True,
        how="os.environ[]",
    )
    return replace(made, **more)


def missing(found: Layout, *needs: Need) -> list[tuple[str, str]]:
    return [(one.service, one.key) for one in gap(found, needs).missing]


@pytest.mark.proves("B02")
def test_a_key_that_the_code_fails_without_is_missing_for_the_services_that_read_it() -> None:
    found = gap(
        layout(*(source(name, "production", "OTHER") for name in ("api", "worker", "web"))),
        (need("TOKEN", "api"), need("TOKEN", "api", 9), need("TOKEN", "worker")),
    )
    assert found.missing == (
        Missing(
            service="api",
            environment="production",
            key="TOKEN",
            needed_by=("api/app.py:7", "api/app.py:9"),
            required=True,
        ),
        Missing(
            service="worker",
            environment="production",
            key="TOKEN",
            needed_by=("worker/app.py:7",),
            required=True,
        ),
    )


@pytest.mark.proves("B02")
@pytest.mark.parametrize("environment", ["example", "staging"])
def test_a_key_of_the_example_or_staging_that_production_lacks_is_missing(
    environment: str,
) -> None:
    found = gap(
        layout(source("api", environment, "NEW_UI"), source("api", "production", "OTHER")),
        (need("NEW_UI", required=False, default="off"), need("OTHER")),
    )
    assert found.missing == (
        Missing(
            service="api",
            environment="production",
            key="NEW_UI",
            needed_by=("api/app.py:7", environment),
            default="off",
        ),
    )


def test_a_key_of_the_roots_example_is_missing_where_it_is_read() -> None:
    found = layout(
        source(None, "example", "DSN", "LOOSE", "HELD"),
        source(None, "staging", "DSN"),
        source(None, "production", "OTHER"),
        source("web", "production", "HELD"),
    )
    assert missing(found, need("DSN", "worker"), need("OTHER", "web")) == [
        ("", "LOOSE"),
        ("worker", "DSN"),
    ]
    told = {one.key: one for one in gap(found, (need("DSN", "worker"),)).missing}
    assert told["DSN"].needed_by == ("worker/app.py:7", "example", "staging")
    assert {key: one.read for key, one in told.items()} == {"DSN": True, "LOOSE": False}
    mentioned = replace(found, mentions=(("web", "LOOSE"),))
    assert all(one.read for one in gap(mentioned, (need("DSN", "worker"),)).missing)


def test_what_only_a_developer_sets_is_missing_only_where_something_reads_it() -> None:
    found = layout(
        source("api", "local", "TOOLBAR", "LEVEL"),
        source(None, "local", "NOISE", "TRACE"),
        source(None, "production", "OTHER"),
        baseline=("local",),
    )
    needs = (need("LEVEL", required=False), need("TRACE", "web", required=False))
    assert missing(found, *needs) == [("api", "LEVEL"), ("web", "TRACE")]


@pytest.mark.parametrize(
    "key", ["HOME", "PATH", "CI", "XDG_CONFIG_HOME", "KUBERNETES_SERVICE_HOST"]
)
def test_what_the_system_sets_is_never_missing(key: str) -> None:
    assert missing(layout(source("api", "production", "A")), need(key)) == []


def test_a_key_with_a_default_in_the_code_is_not_missing_by_itself() -> None:
    found = layout(source("api", "production", "A"))
    assert missing(found, need("LEVEL", required=False, default="other")) == []


def test_a_pattern_requires_nothing() -> None:
    assert missing(layout(source("api", "production", "A")), need("APP_*")) == []


def test_a_key_that_is_found_in_any_case_is_there() -> None:
    found = layout(source("api", "production", "database_url"))
    assert missing(found, need("DATABASE_URL", any_case=True)) == []
    assert missing(found, need("DATABASE_URL")) == [("api", "DATABASE_URL")]
    assert missing(found, need("OTHER", any_case=True)) == [("api", "OTHER")]


def test_what_the_image_sets_is_not_missing() -> None:
    built = (("api", "RELEASE"), ("", "BASE"))
    found = layout(*(source(one, "production", "A") for one in ("api", "web")), built=built)
    needs = (need("RELEASE"), need("RELEASE", "web"), need("BASE", "web"))
    assert missing(found, *needs) == [("web", "RELEASE")]


def test_another_key_that_does_as_well_is_enough() -> None:
    found = layout(source("api", "production", "POSTGRES_URL"))
    assert missing(found, need("DATABASE_URL", instead=("POSTGRES_URL",))) == []


@pytest.mark.parametrize(
    ("entries", "default", "expected"),
    [
        ((entry("MAIL", state="on"),), None, [("api", "MAIL_KEY")]),
        ((entry("MAIL", state="off"),), "on", []),
        ((entry("A"),), "on", [("api", "MAIL_KEY")]),
        ((entry("A"),), "off", []),
    ],
)
def test_a_place_that_production_does_not_come_to_requires_nothing(
    entries: tuple[Entry, ...], default: Any, expected: list[tuple[str, str]]
) -> None:
    found = layout(source("api", "production", *entries))
    needs = (need("MAIL", required=False, default=default), need("MAIL_KEY", under=("MAIL",)))
    assert missing(found, *needs) == expected


def test_of_services_with_the_same_code_one_that_has_the_key_is_enough() -> None:
    services = (Service(name="api", folder="app"), Service(name="worker", folder="app"))
    sources = (source("api", "production", "A"), source("worker", "production", "QUEUE"))
    both = (need("QUEUE", "api"), need("QUEUE", "worker"))
    assert missing(layout(*sources, services=services), *both) == []
    lacking = (source("api", "production", "A"), source("worker", "production", "A"))
    assert missing(layout(*lacking, services=services), *both) == [
        ("api", "QUEUE"),
        ("worker", "QUEUE"),
    ]
    assert missing(layout(sources[0], services=services), need("QUEUE", "api")) == []


def test_what_compose_fills_in_has_to_come_from_the_root() -> None:
    asked = (need("TAG", "", how="compose"),)
    found = layout(source(None, "production", "A"), source("api", "production", "TAG"), needs=asked)
    assert missing(found) == [("", "TAG")]
    assert missing(replace(found, sources=found.sources[1:])) == []


def test_what_compose_would_leave_blank_is_missing_and_not_required() -> None:
    asked = (
        need("BLANK", "", required=False, how="compose"),
        need("GIVEN", "", required=False, how="compose", default="other"),
        need("LOCAL", "", required=False, how="compose elsewhere"),
    )
    found = gap(layout(source(None, "production", "A"), needs=asked), ())
    assert [(one.key, one.required) for one in found.missing] == [("BLANK", False)]


@pytest.mark.proves("B02")
def test_where_production_is_not_known_nothing_is_called_missing() -> None:
    broken = replace(source("api", "production"), error="is binary, not text")
    aside = replace(source("web", "test"), error="is a folder")
    found = gap(
        layout(broken, aside, source("web", "production", "A")),
        (need("TOKEN"), need("A", "web"), need("QUEUE", "worker")),
    )
    assert found.missing == ()
    assert [(one.service, one.environment) for one in found.unknown] == [
        ("api", "production"),
        ("worker", "production"),
    ]
    assert found.unknown[0] == Unknown(
        service="api",
        environment="production",
        why="api/.env.production is binary, not text",
    )
    assert '[parity.services.worker.files] production = "PATH"' in found.unknown[1].why


@pytest.mark.proves("B02")
def test_a_value_that_only_holds_its_place_is_told_and_an_empty_one_where_it_is_needed() -> None:
    found = gap(
        layout(
            source(
                "api",
                "production",
                entry("SECRET", line=1, shape="placeholder"),
                entry("TOKEN", line=2, shape="empty"),
                entry("SUFFIX", line=3, shape="empty"),
                entry("GOOD", line=4),
                entry("BARE", line=5, shape="empty", given=False),
            ),
            source(None, "production", entry("LEFT", line=6, shape="placeholder")),
        ),
        (need("SECRET"), need("TOKEN"), need("SUFFIX", required=False), need("BARE"), need("GOOD")),
    )
    assert [(one.service, one.key, one.shape, one.needed_by) for one in found.hollow] == [
        ("api", "SECRET", "placeholder", ("api/app.py:7",)),
        ("api", "TOKEN", "empty", ("api/app.py:7",)),
        ("", "LEFT", "placeholder", ()),
    ]
    assert isinstance(found.hollow[0], Hollow)


@pytest.mark.proves("B02")
def test_a_key_that_nothing_uses_is_named_and_no_other() -> None:
    found = gap(
        layout(
            source("api", "production", "DEAD", "READ", "PREFIX_A", "MENTIONED", "PORT"),
            source("api", "production", entry("URL", refers=("PART",)), "PART", path="second"),
            source(None, "production", "SHARED", "COMPOSED", "GONE", "SAID"),
            source(None, "production", "BY_THE_DATABASE", path="db.env"),
            source("api", "staging", "ELSEWHERE"),
            replace(source(None, "production", "PROCESS"), kind="process"),
            needs=(need("COMPOSED", "", required=False),),
            mentions=(("api", "MENTIONED"), ("", "SAID"), ("worker", "DEAD")),
            foreign=("db.env",),
        ),
        (
            need("READ"),
            need("URL"),
            need("PREFIX_*"),
            need("SHARED", "web"),
            need("DEAD", "worker"),
        ),
    )
    assert [(one.service, one.key, one.path) for one in found.unused] == [
        ("api", "DEAD", "api/.env.production"),
        ("", "GONE", "/.env.production"),
    ]
    assert isinstance(found.unused[0], Unused)
    assert all(one.certain for one in found.unused)


def test_where_the_code_reads_any_key_none_is_surely_unused_and_none_is_needed_for_it() -> None:
    anything = need("*", required=False, how="os.environ.get")
    found = gap(
        layout(source("api", "example", "A"), source("api", "production", "B")), (anything,)
    )
    assert [(one.key, one.certain) for one in found.unused] == [("B", False)]
    assert [(one.key, one.needed_by) for one in found.missing] == [("A", ("example",))]


@pytest.mark.proves("B04")
def test_a_conflict_names_the_services_on_each_side() -> None:
    found = gap(
        layout(
            source(None, "production", entry("DSN", "one"), entry("LOG", "root")),
            source("worker", "production", entry("DSN", "two"), entry("PORT", "1")),
            source("web", "production", entry("DSN", "one"), entry("PORT", "2")),
            source("worker", "staging", entry("PORT", "1")),
            source("web", "staging", entry("PORT", "2"), entry("BARE", "x", given=False)),
            source("api", "example", entry("DSN", "x")),
            source("web", "example", entry("DSN", "y")),
        ),
        (need("DSN", "api"),),
    )
    assert found.conflicts == (
        Conflict(key="DSN", environment="production", services=(("api", "web"), ("worker",))),
        Conflict(
            key="PORT",
            environment="production",
            services=(("worker",), ("web",)),
            elsewhere=("staging",),
        ),
        Conflict(
            key="PORT",
            environment="staging",
            services=(("worker",), ("web",)),
            elsewhere=("production",),
        ),
    )


def test_a_service_that_neither_sets_nor_reads_a_key_is_in_no_conflict() -> None:
    found = layout(
        source(None, "production", entry("DSN", "one")),
        source("worker", "production", entry("DSN", "two")),
    )
    assert gap(found, ()).conflicts == ()


@pytest.mark.proves("B04")
def test_what_a_service_sets_over_the_root_is_told_with_both_places() -> None:
    handed_on = entry("TAG", "other", refers=("TAG",))
    found = gap(
        layout(
            source(None, "production", entry("DSN", "one", line=3), entry("TAG", "t")),
            source("worker", "production", entry("DSN", "two", line=5), handed_on),
            source("web", "production", entry("DSN", "one"), "OWN"),
            source("api", "production", entry("DSN", "", given=False)),
            source(None, "example", entry("DSN", "x")),
            source("web", "example", entry("DSN", "y")),
        ),
        (),
    )
    assert found.overrides == (
        Override(
            key="DSN",
            environment="production",
            service="worker",
            root="/.env.production:3",
            own="worker/.env.production:5",
        ),
    )


@pytest.mark.proves("B11")
def test_a_key_that_one_file_sets_twice_is_told_with_whether_the_values_conflict() -> None:
    twice = source(
        None,
        "production",
        entry("A", "1", line=1),
        entry("A", "2", line=4),
        entry("B", "1", line=2),
        entry("B", "1", line=3),
        "C",
    )
    found = gap(layout(twice, twice, replace(twice, kind="compose", path="c.yml")), ())
    assert [(one.key, one.lines, one.conflicting) for one in found.duplicates] == [
        ("A", (1, 4), True),
        ("B", (2, 3), False),
    ]
    assert isinstance(found.duplicates[0], Duplicate)


@pytest.mark.parametrize(
    ("production", "staging", "told"),
    [
        ("text", "boolean", True),
        ("boolean", "url", True),
        ("url", "number", True),
        ("boolean", "number", False),
        ("text", "url", False),
        ("empty", "boolean", False),
        ("text", "empty", False),
        ("text", "text", False),
    ],
)
def test_a_value_of_a_surprising_kind_is_told(production: Any, staging: Any, told: bool) -> None:
    found = gap(
        layout(
            source("api", "production", entry("K", shape=production), "ALONE"),
            source("api", "staging", entry("K", shape=staging)),
        ),
        (),
    )
    expected = Difference(
        key="K", service="api", shape=production, elsewhere=(("staging", staging),)
    )
    assert found.differences == ((expected,) if told else ())


@pytest.mark.proves("B04")
def test_the_audit_holds_every_key_of_every_service_side_by_side() -> None:
    broken = replace(source("web", "production"), error="is a folder")
    found = gap(
        layout(
            source("api", "production", "A", entry("B", shape="empty"), entry("D", "1")),
            source("worker", "production", "A", entry("C", shape="placeholder"), entry("D", "2")),
            broken,
        ),
        (),
    )
    assert found.audit == (
        Row(
            key="A",
            environment="production",
            cells=(("api", "set"), ("worker", "set"), ("web", "unknown")),
            equal=True,
        ),
        Row(
            key="B",
            environment="production",
            cells=(("api", "empty"), ("worker", "absent"), ("web", "unknown")),
            equal=None,
        ),
        Row(
            key="C",
            environment="production",
            cells=(("api", "absent"), ("worker", "placeholder"), ("web", "unknown")),
            equal=None,
        ),
        Row(
            key="D",
            environment="production",
            cells=(("api", "set"), ("worker", "set"), ("web", "unknown")),
            equal=False,
        ),
    )


def test_what_is_read_later_wins_and_the_process_wins_over_all() -> None:
    sources: Sequence[Source] = (
        replace(source(None, "production", entry("A", "process")), kind="process"),
        source("api", "production", entry("A", "own"), entry("B", "own")),
        source(None, "production", entry("A", "root"), entry("B", "root"), entry("C", "root")),
        source("api", "production", entry("C", "", given=False), entry("D", given=False)),
    )
    seen = effective(layout(*sources), "api", "production")
    assert {key: one.mark for key, one in seen.items()} == {
        "A": "process",
        "B": "own",
        "C": "root",
        "D": "v",
    }
