"""update: change the caller's own contact details."""

from datetime import UTC, datetime

from shared.agent.arguments import Given
from shared.agent.sentences import REFERENCE, Phrase, own, phrase
from shared.agent.tool_files import ArgumentType, UpdateFile
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.drafts import ContactDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.domain.record_mapping import fill, placeholders
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, refusal
from web.tools.caller import Caller, caller_for_a_write
from web.tools.request import WriteRequest
from web.tools.turn import Turn

OTHERS_WAIT_S = 1.0
"""How long a change of a phone number waits to see who has that number."""


def update_contact(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    assert isinstance(tool.file, UpdateFile)
    file = tool.file
    caller = caller_for_a_write(turn)
    if caller.customers is not None and not caller.contact:
        return refusal(turn.first(own(tool.name, "update", "not-known")))
    if _is_taken(turn, caller, file, given):
        return refusal(turn.first(own(tool.name, "update", "number-of-another")))
    changes = {
        field: value
        for field, template in file.fields.items()
        if (value := fill(template, given.stored())) not in (None, "")
    }
    earlier = [
        intent
        for intent in turn.intents
        if intent.kind is Kind.CONTACT_UPDATE
        and intent.state is not State.CANCELLED
        and intent.fingerprint  # a field that Salesforce refused is an intent without one
    ]
    return WriteRequest(
        Kind.CONTACT_UPDATE,
        ContactDraft(
            caller_number=turn.state.number,
            contact_id=caller.identity.contact_id_to_write,
            changes=changes,
            seen=_seen(turn, caller, changes, earlier),
            accepted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        ),
        said=turn.first(
            own(tool.name, "update", "accepted"),
            fields=[_named(turn, file, field, value) for field, value in changes.items()],
            reference=REFERENCE,
        ),
        after=tuple(intent.id for intent in earlier),
        target=_place_among(earlier, changes),
    )


def _named(turn: Turn, file: UpdateFile, field: str, value: str) -> Phrase:
    """A field by its spoken name, with what it becomes where the file says `spell`."""
    named = phrase(f"field-{field}", "field", name=field)
    (argument,) = placeholders(file.fields[field])
    if not file.arguments[argument].spell:
        return named
    return phrase("field-spelled", field=named, letters=turn.spelled(value))


def _is_taken(turn: Turn, caller: Caller, file: UpdateFile, given: Given) -> bool:
    """Another contact has one of the numbers, or an account: callers from there would be taken for
    somebody else from then on.

    As far as can be seen within OTHERS_WAIT_S; the worker looks again before it writes.
    """
    service, contact_id = turn.service, caller.identity.contact_id
    numbers = {
        given.values[name]
        for name, argument in file.arguments.items()
        if argument.type is ArgumentType.PHONE and name in given.values
    }
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
