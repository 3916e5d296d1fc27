"""A form on another page, sent by the person's own browser, the PIN filled in by the browser"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(stopped_by="a form counts only from the page's own origin", level="secret"),
    pytest.mark.proves("D04", "C03", "D11"),
]

FOREIGN: list[dict[str, Any]] = [
    {"Origin": "http://evil.example", "Sec_Fetch_Site": "cross-site"},
    {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
    {"Origin": "http://localhost:1", "Sec_Fetch_Site": "same-site"},
    {"Origin": None},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Content_Type": "text/plain"},
    {"Content_Type": "application/json"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_form_is_not_read(
    visitor: Any, world: Any, untouched: Any, drop: Any, headers: dict[str, Any]
) -> None:
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    form = visitor.form(url, typed="tasks 3")
    with untouched(world.database):
        assert visitor.send(url, form, **headers).status in {403, 415}
        visitor.gets_no_token(plan_id)
    assert "answered" not in world.events()
