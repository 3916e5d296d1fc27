"""Putting a question before a person: the client's form, or the person's own page.

In protocol 2026-07-28 a question is the result of the call, and its answer comes with the next
call; before that it is a request of its own. Both end here in the same answers.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import anyio
from anyio.to_thread import run_sync
from mcp.server.mcpserver import Context
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import is_version_at_least
from pydantic import ValidationError

if TYPE_CHECKING:
    from rulezero_policies.grant import Challenge
    from rulezero_policies.plan import Plan
    from rulezero_server.app import App
    from rulezero_tools.ports import Session
    from rulezero_tools.results import ConfirmResult

ANSWERS_COME_WITH_THE_NEXT_CALL = "2026-07-28"

POLL = 0.25
"""Seconds between two looks at the store while the person reads: another process may answer."""

Way = Literal["client", "browser"]

HOW: dict[str, str] = {
    "client": "The client was asked to open the approval page for the person.",
    "browser": "The approval page was opened in the person's browser.",
    "": "No browser could be opened here.",
}


def shows_forms(ctx: Context) -> bool:
    """Whether the client declared form elicitation (an empty declaration means form)."""
    capabilities = ctx.client_capabilities
    asking = capabilities.elicitation if capabilities else None
    return asking is not None and (asking.form is not None or asking.url is None)


def opens_links(ctx: Context) -> bool:
    """Whether the client declared URL elicitation."""
    capabilities = ctx.client_capabilities
    asking = capabilities.elicitation if capabilities else None
    return asking is not None and asking.url is not None


@dataclass(kw_only=True)
class Confirming:
    """The questions of one server process, and which ways each was put to its person."""

    app: "App"
    tried: dict[str, dict[Way, bool]] = field(default_factory=dict[str, dict[Way, bool]])

    async def confirm(
        self, ctx: Context, session: "Session", plan_id: str
    ) -> "ConfirmResult | InputRequiredResult":
        """Ask, and say what came of it; pending when the person takes longer than a call may.

        Raises:
            GateError: There is no way to ask, or the person did not say yes.
        """
        from rulezero_tools import asking

        ask = partial(asking.open_question, session, plan_id, form=shows_forms(ctx))
        plan, challenge = await run_sync(ask)
        if challenge.channel == "form elicitation":
            return await self._by_form(ctx, session, plan, challenge)
        return await self._by_page(ctx, session, plan, challenge)

    async def _by_form(
        self, ctx: Context, session: "Session", plan: "Plan", challenge: "Challenge"
    ) -> "ConfirmResult | InputRequiredResult":
        from rulezero_server.forms import form_for, read_form, schema_of
        from rulezero_tools import asking

        form = form_for(plan)
        text = asking.question_text(plan, challenge)
        params = ElicitRequestFormParams(message=text, requested_schema=schema_of(form))
        answer = await _put(ctx, f"question-{challenge.nonce}", params)
        if isinstance(answer, InputRequiredResult):
            return answer
        given = read_form(form, answer)
        return await run_sync(asking.answer_form, session, plan, challenge, given)

    async def _by_page(
        self, ctx: Context, session: "Session", plan: "Plan", challenge: "Challenge"
    ) -> "ConfirmResult | InputRequiredResult":
        from rulezero_tools import asking

        done = await run_sync(asking.collect, session, plan, challenge)
        if done is not None:
            return done
        way = await self._show(ctx, plan, challenge)
        if isinstance(way, InputRequiredResult):
            return way
        with anyio.move_on_after(self.app.wait_seconds):
            while done is None:
                await anyio.sleep(POLL)
                with anyio.CancelScope(shield=True):  # a token that was made must be handed out
                    done = await run_sync(asking.collect, session, plan, challenge)
        return done or asking.pending(plan, challenge, how=HOW[way])

    async def _show(
        self, ctx: Context, plan: "Plan", challenge: "Challenge"
    ) -> str | InputRequiredResult:
        """Bring the page before the person, each way once: the client's, then their browser."""
        ways = self.tried.setdefault(challenge.nonce, {})
        if opens_links(ctx) and "client" not in ways:
            answer = await self._offer(ctx, plan, challenge)
            if isinstance(answer, InputRequiredResult):
                return answer
            ways["client"] = answer.action == "accept"
        elif not any(ways.values()) and "browser" not in ways:
            ways["browser"] = await run_sync(self.app.open_page, challenge)
        return next((way for way, good in ways.items() if good), "")

    async def _offer(
        self, ctx: Context, plan: "Plan", challenge: "Challenge"
    ) -> ElicitResult | InputRequiredResult:
        url = await run_sync(self.app.page_url, challenge)
        message = f"Read and decide plan {plan.plan_id} on rulezero's page on this machine."
        params = ElicitRequestURLParams(
            message=message,
            url=url,
            elicitation_id=None if _with_the_next_call(ctx) else challenge.nonce,
        )
        return await _put(ctx, f"page-{challenge.nonce}", params)


def _with_the_next_call(ctx: Context) -> bool:
    version = ctx.protocol_version
    return version is not None and is_version_at_least(version, ANSWERS_COME_WITH_THE_NEXT_CALL)


async def _put(
    ctx: Context, key: str, params: ElicitRequestFormParams | ElicitRequestURLParams
) -> ElicitResult | InputRequiredResult:
    """The client's answer, or the result by which it is asked. `key` names this one question."""
    request = ElicitRequest(params=params)
    if _with_the_next_call(ctx):
        answer = (ctx.input_responses or {}).get(key)
        if answer is None:
            return InputRequiredResult(input_requests={key: request})
        return answer if isinstance(answer, ElicitResult) else ElicitResult(action="cancel")
    try:
        return await ctx.session.send_request(
            request,
            ElicitResult,
            metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
        )
    except ValidationError:
        # Not an answer in the protocol's sense: it approves nothing, and is no answer of a person.
        return ElicitResult(action="accept", content=None)
