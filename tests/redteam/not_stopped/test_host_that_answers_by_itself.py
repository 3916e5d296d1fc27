"""A host that answers the form by itself, where a form is enough"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by='`SAFE = "secret"` in policy.toml: by default a SAFE plan on a local '
        "database needs no more than the client's form",
        level="never",
    ),
    pytest.mark.proves("D04"),
]


def test_level_client_proves_a_client(world: Any, changed: Any) -> None:
    plan_id = world.pending()
    token = world.said_yes(plan_id)
    with changed(world.database):
        assert world.applied(plan_id, token).status == "applied"
    assert "level client" in next(e.detail for e in world.store.entries() if e.event == "approved")
