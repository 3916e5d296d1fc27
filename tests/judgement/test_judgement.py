"""Every finding is held against what the database really did.

A sample runs with all other tests; `make judgement` runs every case and counts.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from .judging import judge
from .scenarios import CASES, Case

EVERY = os.environ.get("JUDGE_EVERY_CASE") == "1"
SAMPLE = CASES if EVERY else CASES[::9]


@pytest.fixture
def engine_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], sa.Engine]:
    """`engine_of(database)`: an engine of a fresh database of that kind."""

    def engine(database: str) -> sa.Engine:
        names = {"postgresql": "postgres_url", "mysql": "mariadb_url"}
        if database in names:
            url = request.getfixturevalue(names[database])
        else:
            url = f"sqlite:///{tmp_path / 'judged.db'}"
        return sa.create_engine(url, poolclass=NullPool)

    return engine


@pytest.mark.proves("A04", "A05", "A06", "A07", "A22")
@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.id)
def test_the_review_says_what_happens(
    case: Case,
    engine_of: Callable[[str], sa.Engine],
    tmp_path: Path,
    record_property: Callable[[str, Any], None],
) -> None:
    judged = judge(case, engine_of(case.database), tmp_path)
    record_property("false_alarms", len(judged.false_alarms))
    assert judged.right, str(judged)
