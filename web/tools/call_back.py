"""call_back: a person is to call the caller back."""

from shared.agent.arguments import Given, Problem
from shared.agent.policy import ANOTHER_NUMBER
from shared.agent.sentences import REFERENCE, own
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.domain.drafts import CallbackDraft
from shared.domain.identity import Tier
from shared.domain.kinds import Kind
from shared.vapi.answers import Answer, refusal
from web.tools.caller import Caller, caller_for_a_write, known_caller, may, proof_needed
from web.tools.request import WriteRequest
from web.tools.turn import Turn


def request_callback(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    phone = given.get("phone") or turn.state.number
    if not phone:
        missing = [Problem("phone", "missing")]
        return refusal(turn.wrong_arguments(tool.name, "call_back", missing))
    caller = known_caller(turn)
    if tool.file.tier or not turn.agent.policy.allows(Tier.UNKNOWN, Verb.CALL_BACK):
        caller = caller_for_a_write(turn)
    if not may(turn, caller, Verb.CALL_BACK, tool=tool):
        return refusal(proof_needed(turn))
    identity = caller.identity
    if not _is_theirs(turn, caller, phone) and not may(
        turn, caller, Verb.CALL_BACK, ANOTHER_NUMBER, tool=tool
    ):
        return refusal(turn.first(own(tool.name, "call_back", "another-number")))
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


def _is_theirs(turn: Turn, caller: Caller, phone: str) -> bool:
    """The number of this call, or one that the org has for the caller."""
    on_file = caller.contact.phones if caller.contact else ()
    return phone in (turn.state.number, *map(turn.service.normal_number, on_file))
