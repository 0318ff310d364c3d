"""comment: add to a case."""

from shared.agent.arguments import Given
from shared.agent.sentences import REFERENCE, own
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.domain.drafts import CommentDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.vapi.answers import Answer, refusal
from web.tools.caller import acts_for_household, known_caller
from web.tools.request import WriteRequest
from web.tools.turn import Turn
from web.tools.which_case import find_case


def add_comment(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    target = find_case(turn, tool, given.get("reference"), given.get("caseNumber"))
    if isinstance(target, Answer):
        return target
    if target.opened_by and target.opened_by.state is State.CANCELLED:
        return refusal(turn.say("case-taken-back"))
    if target.opened_by:
        return comment_on(turn, target.opened_by, given.get("comment"), tool.name)
    return _comment(turn, given.get("comment"), tool.name, case_number=target.number)


def comment_on(turn: Turn, opened_by: Intent, text: str, tool: str = "") -> WriteRequest:
    """On the case that this intent opens. tool: "" for one that only sometimes comments."""
    return _comment(turn, text, tool, case_intent=opened_by.id)


def _comment(
    turn: Turn,
    text: str,
    tool: str,
    *,
    case_intent: str | None = None,
    case_number: str | None = None,
) -> WriteRequest:
    caller = known_caller(turn)
    identity = caller.identity
    return WriteRequest(
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=turn.state.number,
            contact_id=identity.contact_id_to_write,
            has_no_contact=identity.has_no_contact,
            for_household=acts_for_household(turn, caller, Verb.COMMENT),
            case_intent=case_intent,
            case_number=case_number,
            text=text,
        ),
        said=turn.first(own(tool, "comment", "accepted"), reference=REFERENCE),
        after=(case_intent,) if case_intent else (),
        target=case_intent or case_number or "",
    )
