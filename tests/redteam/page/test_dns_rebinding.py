"""Another name that leads to this machine"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the page answers to the one name it is served under", level="secret"
    ),
    pytest.mark.proves("D04", "C03", "D11"),
]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "localhost.evil.example"]
)
def test_another_name_gets_nothing(
    visitor: Any, world: Any, untouched: Any, drop: Any, host: str
) -> None:
    plan_id = world.pending(drop)
    url = visitor.url(plan_id)
    port = url.split(":")[2].split("/")[0]
    named = host if host == "localhost" else f"{host}:{port}"
    form = visitor.form(url, typed="tasks 3")
    with untouched(world.database):
        assert visitor.send(url, Host=named).status == 421
        answer = visitor.send(url, form, Host=named, Origin=f"http://{named}")
        assert answer.status == 421
        assert answer.text == ""
        visitor.gets_no_token(plan_id)
