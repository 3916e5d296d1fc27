"""What goes to the root file, what stays, and that no service sees another value for it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulezero_policies.parity.changes import FileChange, Operation
from rulezero_policies.parity.consolidation import (
    ComposeService,
    Consolidation,
    Terms,
    consolidate,
)
from rulezero_policies.parity.loading import loads
from rulezero_policies.parity.values import Entry, Layout, Need, Service, Source, SourceKind
from rulezero_policies.references import SourceFile, Sources

pytestmark = pytest.mark.proves("B05")

ROOT = ".env.production"
DECLARED = Terms(declared=frozenset({ROOT}))


def entry(key: str, mark: str, **more: Any) -> Entry:
    return Entry(key=key, path="", line=1, shape="text", mark=mark, **more)


def source(
    service: str | None,
    keys: dict[str, str] | tuple[Entry, ...],
    *,
    path: str | None = None,
    kind: SourceKind = "file",
    environment: str = "production",
) -> Source:
    found = keys if isinstance(keys, tuple) else tuple(entry(k, m) for k, m in keys.items())
    place = path or (f"{service}/.env" if service else ROOT)
    return Source(service=service, environment=environment, path=place, kind=kind, entries=found)


def layout(*sources: Source) -> Layout:
    names = dict.fromkeys(s.service for s in sources if s.service)
    return Layout(
        production="production",
        baseline=("example",),
        services=tuple(Service(name=name, folder=name) for name in names),
        sources=sources,
    )


def needs(service: str, key: str) -> Need:
    return Need(key=key, service=service, path="a.py", line=1, required=True, how="os.environ[]")


def moved(found: Consolidation) -> set[str]:
    return {s.key for s in found.shared if s.moves}


def reason(found: Consolidation, key: str) -> str:
    return next(s.reason or "" for s in found.shared if s.key == key)


def test_shared_and_equal_keys_go_to_the_root_and_the_rest_stays() -> None:
    found = consolidate(
        layout(
            source("api", {"SAME": "1", "OTHER": "a", "ONE": "x"}),
            source("web", {"SAME": "1", "OTHER": "b"}),
            source("web", {"SAME": "9"}, environment="staging"),
        ),
        DECLARED,
    )
    assert found.root == ROOT
    assert moved(found) == {"SAME"}
    assert [(c.key, c.services) for c in found.conflicts] == [("OTHER", ("api", "web"))]
    kept = {(k.service, k.key): k.reason for k in found.kept}
    assert kept == {
        ("api", "OTHER"): "services disagree",
        ("web", "OTHER"): "services disagree",
        ("api", "ONE"): "no other service sets it",
    }
    move = Operation(kind="move", key="SAME", source="api/.env", like="api/.env")
    gone = Operation(kind="remove", key="SAME", source=ROOT)
    assert found.changes == (
        FileChange(path=ROOT, operations=(move,)),
        FileChange(path="api/.env", operations=(gone,)),
        FileChange(path="web/.env", operations=(gone,)),
    )


def test_what_the_root_has_already_is_taken_out_of_the_services() -> None:
    found = consolidate(
        layout(
            source(None, {"A": "1", "B": "2"}), source("api", {"A": "1"}), source("web", {"B": "3"})
        )
    )
    assert moved(found) == {"A"}
    assert [c.path for c in found.changes] == ["api/.env"]
    assert [c.key for c in found.conflicts] == ["B"]


@pytest.mark.parametrize(
    ("api", "why"),
    [
        ((entry("K", "1"), entry("K", "1")), "more than one place"),
        ((entry("K", "1", given=False),), "without a value"),
        ((entry("K", "1", refers=("HOST",)),), "refers to HOST"),
        ((entry("K", "1"), entry("URL", "2", refers=("K",))), "URL of api refers to it"),
    ],
)
def test_a_line_that_would_mean_something_else_elsewhere_stays(
    api: tuple[Entry, ...], why: str
) -> None:
    found = consolidate(layout(source("api", api), source("web", {"K": "1"})), DECLARED)
    assert why in reason(found, "K")
    assert found.changes == ()


def test_what_a_compose_file_sets_stays() -> None:
    composed = source("api", {"K": "1"}, path="compose.yml", kind="compose")
    found = consolidate(layout(composed, source("web", {"K": "1"})), DECLARED)
    assert "compose.yml, which is no settings file" in reason(found, "K")


def test_a_service_that_is_without_a_key_gets_it_only_where_that_was_asked_for() -> None:
    case = layout(
        source("api", {"K": "1"}), source("web", {"K": "1"}), source("worker", {"W": "1"})
    )
    terms = replace(DECLARED, needs=(needs("worker", "K"),))
    found = consolidate(case, terms)
    assert reason(found, "K") == "worker reads it and is without it now"
    assert moved(consolidate(case, replace(terms, asked=frozenset({"K"})))) == {"K"}
    assert moved(consolidate(case, replace(DECLARED, needs=(needs("worker", "W"),)))) == {"K"}


def test_nothing_moves_to_a_file_that_nobody_is_known_to_read() -> None:
    case = layout(source("api", {"K": "1"}), source("web", {"K": "1"}))
    found = consolidate(case)
    assert "that api reads .env is not known (nothing says so)" in reason(found, "K")
    assert found.root == ".env"
    assert found.changes == ()


def test_code_that_reads_its_own_files_is_not_taken_to_read_the_root() -> None:
    case = layout(source(None, {}), source("api", {"K": "1"}), source("web", {"K": "1"}))
    assert moved(consolidate(case)) == {"K"}
    code = Sources(
        files=(
            SourceFile(
                path="api/app.py", text="from dotenv import load_dotenv\nload_dotenv('x')\n"
            ),
            SourceFile(path="api/conf.py", text="S = SettingsConfigDict(env_file='.env', x=1)\n"),
            SourceFile(path="api/other.py", text="def env(:\n"),
            SourceFile(path="api/plain.py", text="print('env')\n"),
            SourceFile(path="api/none.py", text="x = 1\n"),
            SourceFile(path="api/app.js", text="load_dotenv()\n"),
        )
    )
    found = loads("api", code)
    assert [(one.place, one.call) for one in found] == [
        ("api/app.py:2", "load_dotenv"),
        ("api/conf.py:1", "SettingsConfigDict(env_file=)"),
    ]
    stays = consolidate(case, Terms(loads=found))
    assert "load_dotenv at api/app.py:2 may read other files" in reason(stays, "K")
    assert moved(consolidate(case, replace(DECLARED, loads=found))) == {"K"}
    assert moved(consolidate(case, Terms(loads=loads("worker", code)))) == {"K"}


def used(service: str, *files: str, editable: bool = True, **more: Any) -> ComposeService:
    return ComposeService(
        path="compose.yml", service=service, files=files, editable=editable, **more
    )


def test_compose_services_get_the_root_file_first() -> None:
    case = layout(
        source("api", {"K": "1"}, path="api/api.env"),
        source("web", {"K": "1"}, path="web/web.env"),
        source("db", {"D": "1"}, path="db/db.env"),
    )
    root = ".env.production"
    terms = Terms(
        compose=(
            used("api", "api/api.env"),
            used("web", root, "web/web.env"),
            used("db", "db/db.env"),
        )
    )
    found = consolidate(case, terms)
    assert found.changes[-1] == FileChange(
        path="compose.yml",
        operations=(Operation(kind="env_file", source=root, service="api"),),
    )
    assert len(found.changes) == 4
    assert found.readers == ("api", "web")
    stuck = replace(terms, compose=(used("api", "api/api.env", editable=False), *terms.compose[1:]))
    assert "for a person" in reason(consolidate(case, stuck), "K")
    reading = replace(terms, needs=(needs("db", "K"),))
    assert moved(consolidate(case, reading)) == {"K"}, "db does not read the root file"
    joined = replace(reading, compose=(*terms.compose, used("x", "db/db.env", "api/api.env")))
    assert moved(consolidate(case, joined)) == set()


def test_what_compose_takes_from_the_root_file_stays() -> None:
    case = layout(
        source("api", {"K": "1", "L": "1"}, path="api/.env"),
        source("web", {"K": "1", "L": "1"}, path="web/.env"),
    )
    compose = (
        used("api", "api/.env", interpolated=frozenset({"K"})),
        used("web", "web/.env", interpolated=frozenset({"K"})),
    )
    found = consolidate(case, Terms(compose=compose))
    assert moved(found) == {"L"}
    assert "puts it into itself" in reason(found, "K")


SERVICES, KEYS = ("api", "web", "worker"), ("A", "B", "C")


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    keys = st.lists(
        st.builds(
            entry,
            st.sampled_from(KEYS),
            st.sampled_from("12"),
            refers=st.sampled_from(((), ("A",))),
            given=st.sampled_from((True, True, False)),
        ),
        max_size=4,
    ).map(tuple)
    own = [source(name, draw(keys)) for name in SERVICES]
    own += [source("api", draw(keys), path="api/more.env")] if draw(st.booleans()) else []
    own += [source("web", draw(keys), path="c.yml", kind="compose")] if draw(st.booleans()) else []
    return layout(*([source(None, draw(keys))] if draw(st.booleans()) else []), *own)


def seen(sources: tuple[Source, ...], service: str) -> dict[str, str]:
    return {
        e.key: e.mark
        for s in sorted(sources, key=lambda s: s.service is not None)
        if s.service in {None, service}
        for e in s.entries
    }


def carried_out(case: Layout, found: Consolidation) -> tuple[Source, ...]:
    """The layout after the changes."""
    lines = {s.path: list(s.entries) for s in case.sources}
    before = {path: list(entries) for path, entries in lines.items()}
    for change in found.changes:
        place = lines.setdefault(change.path, [])
        for o in change.operations:
            if o.kind == "move":
                place.append([e for e in before[o.source or ""] if e.key == o.key][-1])
            else:
                place[:] = [e for e in place if e.key != o.key]
    sources = {s.path: s for s in case.sources}
    sources.setdefault(found.root, source(None, ()))
    return tuple(replace(s, entries=tuple(lines.get(p, ()))) for p, s in sources.items())


@settings(max_examples=300, deadline=None)
@given(layouts(), st.sets(st.tuples(st.sampled_from(SERVICES), st.sampled_from(KEYS))))
def test_no_service_sees_another_value_than_before(
    case: Layout, reading: set[tuple[str, str]]
) -> None:
    terms = replace(DECLARED, needs=tuple(needs(*pair) for pair in sorted(reading)))
    found = consolidate(case, terms)
    after = carried_out(case, found)
    for name in SERVICES:
        old, new = seen(case.sources, name), seen(after, name)
        assert {k: new.get(k) for k in old} == old
        assert not {(name, k) for k in new.keys() - old.keys()} & reading
