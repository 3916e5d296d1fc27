"""The page in a frame of another one, under a button that says something else"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the page is shown in no frame, and runs no script but its own", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


def test_no_frame_shows_it(visitor: Any, world: Any, untouched: Any, drop: Any) -> None:
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    with untouched(world.database):
        shown = visitor.send(url)
        assert shown.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
        for place in ("iframe", "embed", "object", "empty", "script"):
            assert visitor.send(url, Sec_Fetch_Dest=place).status == 403
        visitor.gets_no_token(plan_id)
