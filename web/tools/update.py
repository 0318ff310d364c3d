"""update: change the caller's own contact details."""

from datetime import UTC, datetime

from shared.deadline import Deadline
from shared.domain.drafts import ContactDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, refusal
from shared.vapi.tools import UpdateContact
from web.tools.caller import Caller, caller_for_a_write
from web.tools.request import WriteRequest
from web.tools.sentences import listed
from web.tools.turn import Turn

OTHERS_WAIT_S = 1.0
"""How long a change of a phone number waits to see who has that number."""

SPOKEN_FIELDS = {
    "Phone": "phone number",
    "MobilePhone": "mobile number",
    "Email": "email address",
    "MailingStreet": "street",
    "MailingCity": "city",
    "MailingState": "state",
    "MailingPostalCode": "postal code",
    "MailingCountry": "country",
}


def update_contact(turn: Turn, wanted: UpdateContact) -> WriteRequest | Answer:
    caller = caller_for_a_write(turn)
    if caller.customers is not None and not caller.contact:
        return refusal(
            "I can only change details for the one customer whose phone number this is, and I "
            "can't tell who that is. Nothing was changed."
        )
    if _is_taken(turn, caller, wanted):
        return refusal(
            "I can't put that phone number on file for this customer; a colleague has to look at "
            "it. Nothing was changed."
        )
    given = wanted.model_dump(exclude_unset=True, by_alias=True)
    arguments = {field: field[0].lower() + field[1:] for field in CHANGEABLE}
    changes = {field: given[name] for field, name in arguments.items() if name in given}
    earlier = [
        intent
        for intent in turn.intents
        if intent.kind is Kind.CONTACT_UPDATE
        and intent.state is not State.CANCELLED
        and intent.fingerprint  # a field that Salesforce refused is an intent without one
    ]
    spoken = listed([SPOKEN_FIELDS[field] for field in changes])
    return WriteRequest(
        Kind.CONTACT_UPDATE,
        ContactDraft(
            caller_number=turn.state.number,
            contact_id=caller.identity.contact_id_to_write,
            changes=changes,
            seen=_seen(turn, caller, changes, earlier),
            accepted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        ),
        said=f"The new {spoken} will be on file in a moment. The reference is {{reference}}.",
        after=tuple(intent.id for intent in earlier),
        target=_place_among(earlier, changes),
    )


def _is_taken(turn: Turn, caller: Caller, wanted: UpdateContact) -> bool:
    """Another contact has one of the numbers, or an account: callers from there would be taken for
    somebody else from then on.

    As far as can be seen within OTHERS_WAIT_S; the worker looks again before it writes.
    """
    service, contact_id = turn.service, caller.identity.contact_id
    numbers = {number for number in (wanted.phone, wanted.mobile_phone) if number}
    asked = sorted(numbers - {caller.number})
    if not asked:
        return False
    try:
        found = service.ask(
            lambda until: service.customers.registered(asked, until),
            Deadline.after(OTHERS_WAIT_S),
        )
    except SalesforceError:
        return False
    return not all(number.is_open_to(contact_id) for number in found.values())


def _seen(
    turn: Turn, caller: Caller, changes: dict[str, str], earlier: list[Intent]
) -> dict[str, list[str | None]] | None:
    """The values that each field may have without anybody else's edit: the one in the snapshot, and
    those that the caller's earlier requests give it.

    None when the snapshot is from before the call.
    """
    if not caller.contact or caller.is_old:
        return None
    values = caller.contact.values
    before = [
        intent
        for intent in turn.caller_intents
        if intent.kind is Kind.CONTACT_UPDATE and intent.state is not State.CANCELLED
    ]
    requested = [
        _changes(intent) for intent in {intent.id: intent for intent in before + earlier}.values()
    ]
    return {
        field: [values.get(field), *(other[field] for other in requested if field in other)]
        for field in changes
    }


def _place_among(earlier: list[Intent], changes: dict[str, str]) -> str:
    """The call's last change asked for once more is the same request; with another change in
    between it is a new one."""
    again = bool(earlier) and _changes(earlier[-1]) == changes
    return str(len(earlier) - 1 if again else len(earlier))


def _changes(intent: Intent) -> dict[str, str]:
    draft = intent.draft_as(ContactDraft)
    return draft.changes if draft else {}
