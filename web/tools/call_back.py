"""call_back: a person is to call the caller back."""

from shared.agent.arguments import Given, Problem
from shared.agent.sentences import REFERENCE, own
from shared.agent.tools import Tool
from shared.domain.drafts import CallbackDraft
from shared.domain.kinds import Kind
from shared.vapi.answers import Answer, refusal
from web.tools.caller import known_caller
from web.tools.request import WriteRequest
from web.tools.turn import Turn


def request_callback(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    phone = given.get("phone") or turn.state.number
    if not phone:
        missing = [Problem("phone", "missing")]
        return refusal(turn.wrong_arguments(tool.name, "call_back", missing))
    identity = known_caller(turn).identity
    return WriteRequest(
        Kind.CALLBACK,
        CallbackDraft(
            caller_number=turn.state.number,
            contact_id=identity.contact_id_to_write,
            has_no_contact=identity.has_no_contact,
            phone=phone,
            phone_was_given=bool(given.get("phone")),
            when=given.get("when") or "",
            reason=given.get("reason") or "",
        ),
        said=turn.first(own(tool.name, "call_back", "accepted"), reference=REFERENCE),
    )
