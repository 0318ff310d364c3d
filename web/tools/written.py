"""The reference in writing: a text message to the number of the call, or to one on file.

It goes to no number that was only said. Every reason not to send one gets the same sentence, and a
message that fails fails nothing else: the caller hears the reference in any case.
"""

from shared.agent.arguments import Given
from shared.agent.policy import ANOTHER_NUMBER
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.calls.written import Outcome
from shared.deadline import Deadline
from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.logs import log
from shared.phone import takes_messages
from shared.salesforce.failures import SalesforceError
from shared.twilio.client import TwilioError
from shared.twilio.messages import send
from shared.vapi.answers import Answer, result
from web.tools.caller import ANSWER_S, known_caller, look_up_caller, may, may_discuss, proof_needed
from web.tools.turn import Turn
from web.tools.which_case import not_found

DIGITS = 2
"""So many of a number are said."""


def send_reference(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    """Raises SalesforceError when the org can't say whose an earlier reference is."""
    if spoken := given.get("reference"):
        refused = _refused(turn, tool, spoken, deadline)
        if refused:
            return refused
        reference = str(spoken)
    else:
        reference = _newest(turn)
        if not reference:
            return result(turn.say("reference-which"))
    number = _number(turn, tool, given.get("textTo"), deadline)
    outcome = _sent(turn, reference, number, deadline) if number else Outcome.NOT_SENT
    log.info("reference_written", call_id=turn.state.call_id, reason=str(outcome))
    match outcome:
        case Outcome.SENT:
            digits = turn.spelled(number[-DIGITS:])
            said = turn.say("reference-sent", reference=reference, digits=digits)
        case Outcome.IN_DOUBT:
            said = turn.say("reference-sent-perhaps", reference=reference)
        case Outcome.NOT_SENT:
            said = turn.say("reference-not-sent", reference=reference)
    return result(said)


def _refused(turn: Turn, tool: Tool, reference: str, deadline: Deadline) -> Answer | None:
    """Why the caller may not have this reference; None when it is of a request or a case of
    theirs."""
    intent = turn.service.journal.by_reference(reference)
    if intent and _is_of_this_call(turn, intent) and known_caller(turn).identity.requested(intent):
        return None
    caller = look_up_caller(turn, deadline)
    if not caller.contact:
        return result(not_found(turn, "reference"))
    if not may(turn, caller, Verb.READ, tool=tool):
        return result(proof_needed(turn))
    if intent and caller.identity.requested(intent):
        return None
    customers = turn.service.customers
    found = turn.ask(lambda until: customers.case_by_reference(reference, until), deadline)
    if found and may_discuss(turn, caller, tool, found.contact_id):
        return None
    return result(not_found(turn, "reference"))


def _newest(turn: Turn) -> str:
    """The reference that the caller got last in this call; "" for none."""
    identity = known_caller(turn).identity
    own = [
        intent.reference
        for intent in turn.intents
        if intent.reference
        and intent.tool
        and intent.state is not State.CANCELLED
        and identity.requested(intent)
    ]
    return own[-1] if own else ""


def _is_of_this_call(turn: Turn, intent: Intent) -> bool:
    return bool(turn.state.call_id) and intent.call_id == turn.state.call_id


def _number(turn: Turn, tool: Tool, asked: str | None, deadline: Deadline) -> str:
    """The number (E.164) that may get the message, "" for none: that of the call if it is evidence,
    else one on file, the mobile number first, for whom may hear what is on file. asked: the one
    that the caller wants. It shows that it is on file, so it needs what a call-back to it needs."""
    service = turn.service
    regions = service.settings.twilio.regions or {service.settings.calls.phone_region}
    known = known_caller(turn)
    own = known.number if known.identity.attested.counts else ""
    if own and asked in (None, own) and takes_messages(own, regions):
        return own
    try:
        caller = look_up_caller(turn, deadline)
    except SalesforceError:
        return ""
    if not caller.contact or caller.is_old or not may(turn, caller, Verb.READ, tool=tool):
        return ""
    if asked and not may(turn, caller, Verb.CALL_BACK, ANOTHER_NUMBER):
        return ""
    written = [caller.contact.values.get("MobilePhone"), *caller.contact.phones]
    on_file = [service.normal_number(phone) for phone in written if phone]
    fitting = [it for it in on_file if it and asked in (None, it) and takes_messages(it, regions)]
    return fitting[0] if fitting else ""


def _sent(turn: Turn, reference: str, number: str, deadline: Deadline) -> Outcome:
    service, call_id = turn.service, turn.state.call_id
    settings = service.settings.twilio
    if not settings.send_references or not call_id:
        return Outcome.NOT_SENT
    written = service.written
    if (before := written.begin(call_id, reference, number)) is not None:
        return before
    text = turn.say("message-reference", reference=reference)

    def send_and_note(until: Deadline) -> Outcome:
        """Notes the outcome where it happens: an answer that comes too late counts as well."""
        outcome = Outcome.SENT
        try:
            send(settings, number, text, until)
        except TwilioError as error:
            log.warning("message_not_sent", call_id=call_id, reason=str(error))
            outcome = Outcome.IN_DOUBT if error.may_be_done else Outcome.NOT_SENT
        written.ended(call_id, reference, number, outcome)
        return outcome

    try:
        return service.ask(send_and_note, deadline.earlier_by(ANSWER_S), turn.asker.share)
    except SalesforceError:  # no answer by the deadline
        return Outcome.IN_DOUBT
