"""Somebody with a shell who runs `flask db upgrade` without asking anybody"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the database's password out of the assistant's reach, or a database "
        "that refuses DDL to it",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_rulezero_is_not_in_the_way_of_a_shell(real: Any, changed: Any, to_head: Any) -> None:
    with changed(real):
        to_head(real.folder)
