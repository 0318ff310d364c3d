"""call_back: a person is to call the caller back.

On the number of the call, or on another one for a caller who has shown who they are. Another number
of anybody else is checked by a person first, in the same words whether it is on file or not.
"""

from shared.agent.arguments import Given, Problem
from shared.agent.policy import ANOTHER_NUMBER
from shared.agent.sentences import REFERENCE, own
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.domain.drafts import CallbackDraft
from shared.domain.identity import Tier
from shared.domain.kinds import Kind
from shared.phone import earns_by_calls, region_of
from shared.vapi.answers import Answer, refusal
from web.limits import limit_reached
from web.tools.caller import Caller, caller_for_a_write, known_caller, may, proof_needed
from web.tools.request import WriteRequest
from web.tools.turn import Turn


def request_callback(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    phone = given.get("phone") or turn.state.number
    if not phone:
        missing = [Problem("phone", "missing")]
        return refusal(turn.wrong_arguments(tool.name, "call_back", missing))
    caller = known_caller(turn)
    is_at_home = region_of(phone) in turn.service.settings.calls.may_be_called
    if (
        tool.file.tier
        or not turn.agent.policy.allows(Tier.UNKNOWN, Verb.CALL_BACK)
        or not is_at_home
    ):
        caller = caller_for_a_write(turn)
    if not may(turn, caller, Verb.CALL_BACK, tool=tool):
        return refusal(proof_needed(turn))
    is_unproven = phone != turn.state.number and not may(
        turn, caller, Verb.CALL_BACK, ANOTHER_NUMBER, tool=tool
    )
    is_called = is_at_home or _is_of_their_country(turn, caller, phone, is_proven=not is_unproven)
    if not is_called or earns_by_calls(phone):
        limit_reached("call_back_country", turn.state.call_id)
        return refusal(turn.first(own(tool.name, "call_back", "not-called")))
    identity = caller.identity
    said = own(tool.name, "call_back", "accepted")
    if is_unproven:
        said = own(tool.name, "call_back", "another-number")
    return WriteRequest(
        Kind.CALLBACK,
        CallbackDraft(
            caller_number=turn.state.number,
            contact_id=identity.contact_id_to_write,
            has_no_contact=identity.has_no_contact,
            phone=phone,
            phone_was_given=bool(given.get("phone")),
            is_unproven=is_unproven,
            when=given.get("when") or "",
            reason=given.get("reason") or "",
        ),
        said=turn.first(said, reference=REFERENCE),
    )


def _is_of_their_country(turn: Turn, caller: Caller, phone: str, *, is_proven: bool) -> bool:
    """Unless a setting names the countries: those of the customer's own numbers count as well.

    Of the number of the call, if it is a customer's; of the others on file only for who may be
    called there, or the answer would show that they are.
    """
    if turn.service.settings.calls.callback_countries:
        return False
    own: list[str | None] = []
    if caller.customers or not caller.identity.is_settled:
        own.append(turn.state.number)
    if is_proven and caller.contact:
        own += map(turn.service.normal_number, caller.contact.phones)
    return region_of(phone) in {region_of(number) for number in own if number} - {""}
