"""call_back: a person is to call the caller back."""

from shared.agent.sentences import REFERENCE, own
from shared.agent.wrong_arguments import Problem
from shared.domain.drafts import CallbackDraft
from shared.domain.kinds import Kind
from shared.vapi.answers import Answer, refusal
from shared.vapi.tools import RequestCallback
from web.tools.caller import known_caller
from web.tools.request import WriteRequest
from web.tools.turn import Turn


def request_callback(turn: Turn, wanted: RequestCallback) -> WriteRequest | Answer:
    phone = wanted.phone or turn.state.number
    if not phone:
        missing = [Problem("phone", "missing")]
        return refusal(turn.wrong_arguments(wanted.tool(), "call_back", missing))
    return WriteRequest(
        Kind.CALLBACK,
        CallbackDraft(
            caller_number=turn.state.number,
            contact_id=known_caller(turn).identity.contact_id_to_write,
            phone=phone,
            phone_was_given=bool(wanted.phone),
            when=wanted.when or "",
            reason=wanted.reason or "",
        ),
        said=turn.first(own(wanted.tool(), "call_back", "accepted"), reference=REFERENCE),
    )
