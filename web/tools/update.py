"""update: change the caller's own contact details, or a record of the team's own object."""

from shared.agent.arguments import Given
from shared.agent.sentences import REFERENCE, Phrase, own, phrase
from shared.agent.tool_files import ArgumentType, UpdateFile, Verb
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.drafts import CallbackDraft, ContactDraft
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.record_mapping import fill, placeholders
from shared.domain.reference import new_reference
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, refusal
from web.limits import limit_reached
from web.tools.caller import Caller, caller_for_a_write, may, proof_needed
from web.tools.change import update_record
from web.tools.request import WriteRequest
from web.tools.turn import Turn

OTHERS_WAIT_S = 1.0
"""How long a change of a phone number waits to see who has that number."""


def update(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    return (update_record if tool.change else update_contact)(turn, tool, given)


def update_contact(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    assert isinstance(tool.file, UpdateFile)
    file = tool.file
    caller = caller_for_a_write(turn)
    if caller.customers is not None and not caller.contact:
        return refusal(turn.first(own(tool.name, "update", "not-known")))
    if not may(turn, caller, Verb.UPDATE, tool=tool, pending=True):
        return refusal(proof_needed(turn))
    wanted = {
        field: value
        for field, template in file.fields.items()
        if (value := fill(str(template), given.stored())) not in (None, "")
    }
    changes = {
        field: value
        for field, value in wanted.items()
        if may(turn, caller, Verb.UPDATE, f"Contact.{field}", tool=tool, pending=True)
    }
    taken = _taken(turn, caller, file, changes)
    changes = {field: value for field, value in changes.items() if field not in taken}
    to_check = {field: value for field, value in wanted.items() if field not in changes}
    why = _why(turn, taken, to_check)
    if not changes:
        return _for_colleague(turn, tool, caller, to_check, why)
    rest = _rest(turn, tool, to_check)
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
            accepted_at=turn.accepted_at(),
        ),
        said=" ".join(filter(None, (_accepted(turn, tool, changes), rest))),
        also=_also_for_colleague(turn, tool, caller, to_check, why, rest),
        after=tuple(intent.id for intent in earlier),
        target=_place_among(earlier, changes),
    )


def _why(turn: Turn, taken: frozenset[str], to_check: dict[str, str]) -> str:
    """What a person has to know of a number that may be somebody else's; "" without one."""
    if not taken:
        return ""
    is_only_that = taken == to_check.keys()
    keys = ("record-number-of-another",) if is_only_that else (
        "record-change-to-check", "record-number-of-another"
    )  # fmt: skip
    return " ".join(turn.agent.sentences.for_staff(key) for key in keys)


def _accepted(turn: Turn, tool: Tool, changes: dict[str, str]) -> str:
    return turn.first(
        own(tool.name, "update", "accepted"),
        fields=_all_named(turn, tool, changes),
        reference=REFERENCE,
    )


def _rest(turn: Turn, tool: Tool, to_check: dict[str, str]) -> str:
    """What is said of the fields that a person checks first; "" without any."""
    if not to_check:
        return ""
    return turn.first(
        own(tool.name, "update", "rest-for-colleague"), fields=_all_named(turn, tool, to_check)
    )


def _for_colleague(
    turn: Turn, tool: Tool, caller: Caller, to_check: dict[str, str], why: str
) -> WriteRequest:
    """A task for a person, who makes the changes once they know who asks for them.

    why: what else the person has to know; "" when it is only that.
    """
    return WriteRequest(
        Kind.CALLBACK,
        _to_check(turn, caller, to_check, why),
        said=turn.first(
            own(tool.name, "update", "for-colleague"),
            fields=_all_named(turn, tool, to_check),
            reference=REFERENCE,
        ),
        target=",".join(sorted(to_check)),
    )


def _also_for_colleague(
    turn: Turn, tool: Tool, caller: Caller, to_check: dict[str, str], why: str, said: str
) -> tuple[NewIntent, ...]:
    """The task, for the rest of a request. Held and taken back as the request itself."""
    if not to_check:
        return ()
    return (
        NewIntent(
            id=new_intent_id(),
            kind=Kind.CALLBACK,
            draft=_to_check(turn, caller, to_check, why),
            tool=tool.name,
            reference=new_reference(),
            hold_ms=turn.service.settings.journal.commit_window_ms,
            requested_at_ms=turn.at_ms,
            message=turn.message_id,
            said=said,
        ),
    )


def _to_check(turn: Turn, caller: Caller, to_check: dict[str, str], why: str) -> CallbackDraft:
    return CallbackDraft(
        caller_number=turn.state.number,
        contact_id=caller.identity.contact_id_to_write,
        has_no_contact=caller.identity.has_no_contact,
        phone=turn.state.number,
        reason=why,
        changes=to_check,
    )


def _all_named(turn: Turn, tool: Tool, changes: dict[str, str]) -> list[str | Phrase]:
    assert isinstance(tool.file, UpdateFile)
    return [_named(turn, tool.file, field, value) for field, value in changes.items()]


def _named(turn: Turn, file: UpdateFile, field: str, value: str) -> Phrase:
    """A field by its spoken name, with what it becomes where the file says `spell`."""
    named = phrase(f"field-{field}", "field", name=field)
    (argument,) = placeholders(str(file.fields[field]))
    if not file.arguments[argument].spell:
        return named
    return phrase("field-spelled", field=named, letters=turn.spelled(value))


def _taken(turn: Turn, caller: Caller, file: UpdateFile, changes: dict[str, str]) -> frozenset[str]:
    """The fields whose new number another contact has, or an account: callers from there would be
    taken for somebody else from then on. A person looks at them.

    As far as can be seen within OTHERS_WAIT_S; the worker looks again before it writes. Only for
    changes that the caller may make, and for so many a day: the answer shows which numbers are on
    file. After that a person looks at every new number.
    """
    numbers = {
        field: value
        for field, value in changes.items()
        for name in placeholders(str(file.fields[field]))
        if file.arguments[name].type is ArgumentType.PHONE and value != caller.number
    }
    if not numbers:
        return frozenset()
    usage, contact_id = turn.service.usage, caller.identity.contact_id
    if not usage.may_see_taken_numbers(caller.number):
        limit_reached("taken_numbers", turn.state.call_id)
        return frozenset(numbers)
    asked = sorted(set(numbers.values()))
    try:
        found = turn.ask(
            lambda until: turn.service.customers.registered(asked, until),
            Deadline.after(OTHERS_WAIT_S),
        )
    except SalesforceError:
        return frozenset()
    taken = frozenset(
        field for field, value in numbers.items() if not found[value].is_open_to(contact_id)
    )
    if taken:
        usage.saw_taken_number(caller.number)
    return taken


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
