"""comment: add to a case."""

from shared.domain.drafts import CommentDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.vapi.answers import Answer, refusal
from shared.vapi.tools import AddCaseComment
from web.tools.caller import known_caller
from web.tools.request import WriteRequest
from web.tools.turn import Turn
from web.tools.which_case import find_case

ADDED = "The comment is being added. Its reference is {reference}."


def add_comment(turn: Turn, wanted: AddCaseComment) -> WriteRequest | Answer:
    target = find_case(turn, wanted.reference, wanted.case_number)
    if isinstance(target, Answer):
        return target
    if target.opened_by and target.opened_by.state is State.CANCELLED:
        return refusal("That case was taken back, so nothing can be added to it.")
    if target.opened_by:
        return comment_on(turn, target.opened_by, wanted.comment)
    return _comment(turn, wanted.comment, case_number=target.number)


def comment_on(turn: Turn, opened_by: Intent, text: str) -> WriteRequest:
    """On the case that this intent opens."""
    return _comment(turn, text, case_intent=opened_by.id)


def _comment(
    turn: Turn, text: str, *, case_intent: str | None = None, case_number: str | None = None
) -> WriteRequest:
    identity = known_caller(turn).identity
    return WriteRequest(
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=turn.state.number,
            contact_id=identity.contact_id_to_write,
            has_no_contact=identity.has_no_contact,
            case_intent=case_intent,
            case_number=case_number,
            text=text,
        ),
        said=ADDED,
        after=(case_intent,) if case_intent else (),
        target=case_intent or case_number or "",
    )
