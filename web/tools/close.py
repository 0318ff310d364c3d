"""close: take back a case that was opened by mistake, or a record of the team's own object."""

from shared.agent.arguments import Given
from shared.agent.sentences import REFERENCE, own
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.domain.drafts import CloseDraft, CommentDraft
from shared.domain.intent import BY_CALLER, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.domain.text import one_line
from shared.vapi.answers import Answer, refusal, result
from web.tools.caller import acts_for_household, caller_for_a_write
from web.tools.change import close_record
from web.tools.request import WriteRequest
from web.tools.turn import Turn
from web.tools.which_case import Target, case_opened_by, find_case


def close(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    return (close_record if tool.change else cancel_case)(turn, tool, given)


def cancel_case(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    target = _target(turn, tool, given.get("reference"))
    if isinstance(target, Answer):
        return target
    opened_by = target.opened_by
    if opened_by:
        became, due_kinds = turn.service.journal.cancel(opened_by.id, BY_CALLER)
        turn.service.notifier.notify(due_kinds)
        turn.changed(opened_by.id)
        if became == State.CANCELLED:
            return result(turn.first(own(tool.name, "close", "taken-back")))
        if became == State.PARKED:
            return result(turn.first(own(tool.name, "close", "with-colleague")))
    caller = caller_for_a_write(turn)
    identity = caller.identity
    draft = CloseDraft(
        caller_number=turn.state.number,
        contact_id=identity.contact_id_to_write,
        visible_to_contact_id=identity.contact_id,
        has_no_contact=identity.has_no_contact,
        for_household=acts_for_household(turn, caller, Verb.CLOSE),
        case_intent=opened_by.id if opened_by else None,
        case_number=target.number,
    )
    close_id = new_intent_id()
    return WriteRequest(
        Kind.CASE_CLOSE,
        draft,
        said=turn.first(own(tool.name, "close", "accepted"), reference=REFERENCE),
        after=(opened_by.id,) if opened_by else (),
        also=_why(turn, draft, given.get("reason"), close_id),
        target=opened_by.id if opened_by else target.number or "",
        id=close_id,
    )


def _target(turn: Turn, tool: Tool, reference: str | None) -> Target | Answer:
    if reference:
        return find_case(turn, tool, reference, None)
    identity = caller_for_a_write(turn).identity
    # The last one, also when it was taken back already: asking twice must not take two back.
    cases = [
        intent
        for intent in turn.intents
        if intent.kind is Kind.CASE_CREATE and identity.requested(intent)
    ]
    if not cases:
        return refusal(turn.first(own(tool.name, "close", "nothing")))
    return case_opened_by(turn, tool, cases[-1])


def _why(turn: Turn, draft: CloseDraft, reason: str | None, close_id: str) -> tuple[NewIntent, ...]:
    """The caller's reason, as a comment on the case once it is closed."""
    if not reason:
        return ()
    taken_back = turn.agent.sentences.for_staff("record-case-taken-back")
    comment = CommentDraft(
        caller_number=draft.caller_number,
        contact_id=draft.contact_id,
        has_no_contact=draft.has_no_contact,
        for_household=draft.for_household,
        case_intent=draft.case_intent,
        case_number=draft.case_number,
        only_after=close_id,
        text=f"{taken_back} {one_line(reason)}",
    )
    return (
        NewIntent(
            id=new_intent_id(),
            kind=Kind.CASE_COMMENT,
            draft=comment,
            reference=new_reference(),
            after=(close_id,),
        ),
    )
