"""call_back: a person is to call the caller back."""

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
        return refusal("I still need the phone number to call back.")
    identity = known_caller(turn).identity
    return WriteRequest(
        Kind.CALLBACK,
        CallbackDraft(
            caller_number=turn.state.number,
            contact_id=identity.contact_id_to_write,
            has_no_contact=identity.has_no_contact,
            phone=phone,
            phone_was_given=bool(wanted.phone),
            when=wanted.when or "",
            reason=wanted.reason or "",
        ),
        said="Somebody will call back. The reference is {reference}.",
    )
