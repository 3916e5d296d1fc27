"""The answer to a question recorded and sent with a later call, in the protocol of 2026-07-28"""

from typing import Any

import pytest
from mcp.types import ElicitResult

pytestmark = [
    pytest.mark.attack(
        stopped_by="a question has a name of its own, and is answered once", level="client"
    ),
    pytest.mark.anyio,
    pytest.mark.proves("C02", "C03", "D11"),
]


async def test_a_recorded_answer_is_no_answer_to_the_next_question(
    real: Any, near: Any, untouched: Any
) -> None:
    async with near(real.folder, "auto") as host:
        plan_id = (await host.call("review"))["plan_id"]
        call = host.client.session.call_tool
        given = {"plan_id": plan_id}
        asked = await call("confirm", given, allow_input_required=True)
        key = next(iter(asked.input_requests))
        yes = ElicitResult(action="accept", content={"approve": True})
        first = await call(
            "confirm",
            given,
            input_responses={key: yes},
            request_state=asked.request_state,
            allow_input_required=True,
        )
        assert first.structured_content["token"]
        with untouched(real):
            for invented in (key, "question-0", ""):
                again = await call(
                    "confirm",
                    given,
                    input_responses={invented: yes},
                    request_state=asked.request_state,
                    allow_input_required=True,
                )
                assert "token" not in (getattr(again, "structured_content", None) or {})
        entries = (await host.call("history"))["entries"]
    assert [e["event"] for e in entries].count("approved") == 1
