"""update and close on objects of the team's: change a record of the caller's own, or take it back.

What a record has in its fields, the tool's file says. The worker writes over nothing that a person
has changed since.
"""

from shared.agent.arguments import Given
from shared.agent.own_records import as_read, compared_fields
from shared.agent.policy import DEFAULT
from shared.agent.sentences import REFERENCE, own
from shared.agent.tool_files import CloseFile, UpdateFile, Verb
from shared.agent.tools import Tool
from shared.domain.drafts import ChangeDraft
from shared.domain.intent import BY_CALLER, Intent
from shared.domain.kinds import SETTLED, Kind, State
from shared.domain.record_mapping import placeholders
from shared.vapi.answers import Answer, refusal, result
from web.tools.caller import Caller, caller_for_a_write, may, proof_needed
from web.tools.own_record import Target, find_record, is_taken_back, look_at
from web.tools.request import WriteRequest
from web.tools.sentences import said_arguments
from web.tools.submit import fingerprint_of
from web.tools.turn import Turn


def update_record(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    caller = caller_for_a_write(turn)
    if refused := _refused(turn, tool, caller, given):
        return refused
    target = find_record(turn, tool, caller, given)
    if isinstance(target, Answer):
        return target
    if is_taken_back(target):
        return refusal(turn.first(own(tool.name, "update-record", "gone")))
    return _change(
        turn, tool, caller, given, target, said=own(tool.name, "update-record", "accepted")
    )


def close_record(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    """Takes back what this caller asked for, while nothing of it can have reached Salesforce; else
    gives the record the fields of a closed one."""
    caller = caller_for_a_write(turn)
    target = find_record(turn, tool, caller, given)
    if isinstance(target, Answer):
        # Who has to show who they are first gets no answer about a reference either.
        refused = _refused(turn, tool, caller, given) if caller.contact else None
        return refused or target
    created_by = target.created_by
    of_this_call = created_by and turn.state.call_id and created_by.call_id == turn.state.call_id
    if not of_this_call and (refused := _refused(turn, tool, caller, given)):
        return refused
    if created_by:
        became, due_kinds = turn.service.journal.cancel(created_by.id, BY_CALLER)
        turn.service.notifier.notify(due_kinds)
        turn.changed(created_by.id)
        if became == State.CANCELLED:
            return result(turn.first(own(tool.name, "close-record", "taken-back")))
        if became == State.PARKED:
            return result(turn.first(own(tool.name, "close-record", "with-colleague")))
    accepted = own(tool.name, "close-record", "accepted")
    return _refused(turn, tool, caller, given) or _change(
        turn, tool, caller, given, target, said=accepted
    )


def _refused(turn: Turn, tool: Tool, caller: Caller, given: Given) -> Answer | None:
    """Why this caller may not change such a record in this way; None when they may. A field that
    the policy keeps from them keeps the whole change from them, and so does the field by which they
    name the record: whether it is found shows its value. What a closed record gets is the team's,
    not theirs."""
    assert tool.change
    assert isinstance(tool.file, UpdateFile | CloseFile)
    if caller.customers is not None and not caller.contact:
        return refusal(turn.first(own(tool.name, "own-record", "not-known")))
    filled = tool.change.filled({**given.stored(), "caller.number": turn.state.number})
    changed = filled if tool.verb is Verb.UPDATE else ()
    named_by = compared_fields(as_read(tool.file), given.stored())
    about = [
        (tool.verb, DEFAULT),
        *((Verb.UPDATE, f"{tool.change.object}.{name}") for name in changed),
        *((Verb.READ, f"{tool.change.object}.{name}") for name in named_by),
    ]
    if not all(may(turn, caller, verb, what, tool=tool, pending=True) for verb, what in about):
        return refusal(proof_needed(turn))
    if _says_nothing(tool, given):
        return refusal(turn.first(own(tool.name, "update-record", "nothing")))
    return None


def _says_nothing(tool: Tool, given: Given) -> bool:
    """The tool changes what the caller says, and the caller said nothing of it."""
    assert tool.change
    values = [entry.value for entry in tool.change.fields.values()]
    said = {name for value in values if isinstance(value, str) for name in placeholders(value)}
    said -= {"caller.number"}
    is_constant = any(not isinstance(value, str) or not placeholders(value) for value in values)
    return bool(said) and not is_constant and not said & given.values.keys()


def _change(
    turn: Turn, tool: Tool, caller: Caller, given: Given, target: Target, *, said: tuple[str, ...]
) -> WriteRequest | Answer:
    """said: the keys of the sentence for a change that was accepted."""
    assert tool.change
    found = look_at(turn, tool, caller, given, target)
    if isinstance(found, Answer):
        return found
    created_by = found.created_by
    draft = ChangeDraft(
        caller_number=turn.state.number,
        contact_id=caller.identity.contact_id_to_write,
        visible_to_contact_id=caller.identity.contact_id,
        has_no_contact=caller.identity.has_no_contact,
        arguments={
            name: value for name, value in given.stored().items() if name in tool.file.arguments
        },
        mapping=tool.change,
        record_intent=created_by.id if created_by else None,
        record_id=found.record_id,
        seen=found.seen,
        accepted_at=turn.accepted_at(),
    )
    kind = Kind.changing(tool.verb, tool.change.object)
    earlier = [
        intent
        for intent in turn.intents
        if intent.kind == kind
        and intent.state is not State.CANCELLED
        and (other := intent.draft_as(ChangeDraft))
        and draft.is_about_same(other)
    ]
    waits_for = [created_by] if created_by and created_by.state not in SETTLED else []
    return WriteRequest(
        kind,
        draft,
        said=turn.first(said, reference=REFERENCE, **said_arguments(turn, tool, given)),
        after=tuple(intent.id for intent in (*waits_for, *earlier)),
        target=_place_among(earlier, tool, given, draft.record("")),
    )


def _place_among(earlier: list[Intent], tool: Tool, given: Given, record: str) -> str:
    """The last change of this record asked for once more is the same request; with another one in
    between it is a new one."""
    last = f"{record}:{len(earlier) - 1}"
    if earlier and earlier[-1].fingerprint == fingerprint_of(tool.name, given, 0, last):
        return last
    return f"{record}:{len(earlier)}"
