"""One-time codes: sent to a number on the caller's file, and checked by Twilio Verify.

A caller gets the same sentence whatever the reason is that no code was sent. A code never goes to
a number that was said in the call.
"""

from datetime import UTC, datetime, timedelta

from shared.agent.sentences import own
from shared.agent.tools import Tool
from shared.calls.codes import Code
from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.logs import log
from shared.phone import as_e164
from shared.salesforce.failures import SalesforceError
from shared.salesforce.numbers_on_file import numbers_on_file
from shared.salesforce.secrets import NOBODY
from shared.twilio.client import TwilioError
from shared.vapi.answers import Answer, result
from web.tools.caller import ANSWER_S, Caller, look_up_caller
from web.tools.code_number import number_for_code
from web.tools.turn import Turn


class _NotSentError(ServiceError):
    """No code goes out. The text is a code for operators."""


def send_code(turn: Turn, tool: Tool, deadline: Deadline) -> Answer:
    """Raises SalesforceError when the org can't say who is calling."""
    caller = look_up_caller(turn, deadline)
    try:
        code = _sent(turn, caller, deadline.earlier_by(ANSWER_S))
    except (_NotSentError, SalesforceError, TwilioError) as reason:
        log.warning("code_not_sent", call_id=turn.state.call_id, reason=str(reason))
        return result(turn.first(own(tool.name, "verify", "code-not-sent")))
    digits = turn.spelled(code.digits)
    said = own(tool.name, "verify", "code-sent")
    return result(turn.first(said, digits=digits, tool=tool.name))


def checked_code(turn: Turn, code: str, candidates: list[str], deadline: Deadline) -> str | None:
    """The contact among the candidates whose code this is. Raises TwilioError, and SalesforceError
    when there is no answer by the deadline."""
    service, call_id = turn.service, turn.state.call_id
    verify, asked = service.verify, service.codes.of(call_id) if call_id and candidates else None
    if not verify or not asked or not asked.verification or asked.contact_id not in candidates:
        return None
    verification, digits = asked.verification, "".join(filter(str.isalnum, code))
    is_right = turn.ask(
        lambda until: verify.is_right(verification, digits, until),
        deadline.earlier_by(ANSWER_S),
        is_proof=True,
    )
    if not is_right:
        return None
    service.codes.was_right(call_id)
    return asked.contact_id


def _sent(turn: Turn, caller: Caller, deadline: Deadline) -> Code:
    """The code that was sent, now or a moment ago. Raises _NotSentError, TwilioError, and
    SalesforceError, also when there is no answer by the deadline."""
    service, call_id = turn.service, turn.state.call_id
    verify = service.verify
    if not verify or not call_id or not caller.number:
        raise _NotSentError("NO_CALLER" if verify else "NO_SERVICE")
    contact_id = _contact_id(caller)
    number = _number(turn, caller, contact_id, deadline)
    if contact_id is None or number is None:
        raise _NotSentError("NO_NUMBER" if contact_id else "NOT_ONE_CONTACT")
    code = Code(contact_id, number[-2:])
    if just_now := service.codes.begin(call_id, code):
        if not just_now.verification:
            raise _NotSentError("UNDER_WAY")
        return just_now
    if not service.codes.take(call_id, number, contact_id):
        raise _NotSentError("LIMIT")

    def send(until: Deadline) -> None:
        """Notes the code where it is sent: an answer that comes too late makes it valid still."""
        service.codes.sent(call_id, code, verify.start(number, until))

    service.ask(send, deadline, turn.asker.share)
    log.info("code_sent", call_id=call_id)
    return code


def _contact_id(caller: Caller) -> str | None:
    """The only contact with the caller's number. None as well after too many wrong answers."""
    contacts = {customer.contact_id for customer in caller.customers or ()}
    if caller.identity.is_locked_out or len(contacts) != 1:
        return None
    return contacts.pop()


def _number(turn: Turn, caller: Caller, contact_id: str | None, deadline: Deadline) -> str | None:
    """The number that gets the code. The org is asked for unknown callers too: their answer takes
    as long."""
    service, settings = turn.service, turn.service.settings
    region = settings.calls.phone_region
    written = [phone for customer in caller.customers or () for phone in customer.phones]
    expected = {number for phone in written if (number := as_e164(phone, region))}
    on_file = turn.ask(
        lambda until: numbers_on_file(
            service.salesforce,
            contact_id or NOBODY,
            sorted(expected | {caller.number}),
            region,
            until,
            service.agents.number_fields,
        ),
        deadline,
        is_proof=True,
    )
    if contact_id is None or on_file is None:
        return None
    before = datetime.now(UTC) - timedelta(hours=settings.twilio.code_number_age_h)
    writes = service.contact_writes.of([contact_id])[contact_id]
    regions = settings.twilio.regions or {region}
    return number_for_code(contact_id, on_file, writes, before, regions)
