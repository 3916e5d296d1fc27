"""Real values on their way to their stand-ins, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.parity.values import Entry, Layout, Source
from rulezero_server.parity import realvalues

CANARY = "canary-5c1e77d0"


def source(path: str, *entries: Entry, **more: Any) -> Source:
    given: dict[str, Any] = {"service": None, "environment": "production", "kind": "file", **more}
    return Source(path=path, entries=entries, **given)


def entry(key: str, **more: Any) -> Entry:
    given: dict[str, Any] = {"shape": "text", "mark": key, **more}
    return Entry(key=key, path="x", line=1, **given)


@pytest.mark.proves("B10", "B15")
def test_later_files_win_references_are_filled_in_and_nothing_of_this_process_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLY_OURS", CANARY)
    root = "HOST=one\nURL=http://${HOST}/${ONLY_OURS}${NOT:-default}\nUNSEEN=1\nLOOP=${LOOP}\n"
    (tmp_path / ".env").write_text(root, encoding="utf-8")
    (tmp_path / "api.env").write_text('export HOST="two"\n', encoding="utf-8")
    keys = (entry("HOST"), entry("URL"), entry("LOOP"), entry("BARE", given=False))
    layout = Layout(
        production="production",
        baseline=(),
        services=(),
        sources=(
            source(".env", *keys),
            source("api.env", entry("HOST"), service="api"),
            source("web.env", entry("HOST"), service="web"),
            source(".env", entry("STAGED"), environment="staging"),
        ),
    )
    said = realvalues.of(tmp_path, layout)("api", "production")
    assert said == {"HOST": "two", "URL": "http://two/default", "LOOP": "${LOOP}"}


@pytest.mark.proves("B10")
def test_what_stands_in_no_file_is_given_by_its_shape_and_meaning(tmp_path: Path) -> None:
    layout = Layout(
        production="production",
        baseline=(),
        services=(),
        sources=(
            source(
                "compose.yml",
                entry("FEATURE_A", state="on", shape="boolean"),
                entry("FEATURE_B", state="off", shape="boolean"),
                entry("WORKERS", shape="number"),
                entry("EMPTY", shape="empty"),
                entry("DATABASE_URL", shape="url"),
                entry("HOOK", shape="url"),
                entry("SECRET_KEY"),
                kind="compose",
            ),
        ),
    )
    assert realvalues.of(tmp_path, layout)("api", "production") == {
        "FEATURE_A": "true",
        "FEATURE_B": "false",
        "WORKERS": "1",
        "EMPTY": "",
        "DATABASE_URL": "postgresql://stand-in",
        "HOOK": "https://stand-in",
        "SECRET_KEY": "stand-in-of-a-text",
    }
