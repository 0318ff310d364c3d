"""transfer-destination-request: who takes the call, by rules, and what they are told first.

The rules are a file (`shared/transfer.py`); `FALLBACK_PHONE_NUMBER` is for everything else.
"""

import json
from datetime import datetime

from shared.calls.calls import CallState
from shared.domain.drafts import CaseDraft, CommentDraft
from shared.domain.intent import Intent
from shared.transfer import Rules, read_rules
from shared.vapi.messages import INBOUND, WEB
from web.service import Service
from web.tools.caller import Caller, caller_for_a_write
from web.tools.turn import Turn
from web.tools.which_case import last_case_of_call

MAX_SO_FAR = 3_000
NOBODY = "Nobody can take this call now. Offer that somebody calls back."
NO_PHONE = (
    "This conversation is not a phone call, so it can't be transferred to a phone. Offer that "
    "somebody calls back, and ask for the number."
)
"""Vapi would drop the caller (docs/vendors.md V18)."""


def answer_transfer(turn: Turn, now: datetime) -> str:
    """The destination, with a line for the caller and one for the colleague; or a refusal."""
    service, state = turn.service, turn.state
    if state.direction == WEB:
        return json.dumps({"error": NO_PHONE})
    settings = service.settings.calls
    path, fallback = settings.transfer_rules, settings.fallback_phone_number
    rules = read_rules(path) if path else Rules()
    caller = caller_for_a_write(turn)
    # In a call that showed two numbers, no case is named.
    case_intent = last_case_of_call(
        [intent for intent in turn.intents if caller.identity.requested(intent)]
    )
    number, whom = _destination(rules, fallback, caller, case_intent, now)
    if not number:
        return json.dumps({"error": NOBODY})
    _bring_up_to_date(service, state, case_intent, whom, caller.identity.contact_id_to_write)
    return json.dumps(
        {
            "destination": {
                "type": "number",
                "number": number,
                "message": f"I am connecting you with {whom}. One moment, please.",
                "transferPlan": {
                    "mode": "warm-transfer-say-message",
                    "message": _context(caller, case_intent),
                },
            }
        }
    )


def _destination(
    rules: Rules,
    fallback: str | None,
    caller: Caller,
    case_intent: Intent | None,
    now: datetime,
) -> tuple[str, str]:
    """Number and whom it reaches, in words; "" for nobody."""
    if rules.hours is None or rules.hours.open_at(now):
        contact = caller.contact
        if rules.owner and contact and contact.owner_phone:
            return contact.owner_phone, contact.owner_name or "your account manager"
        issue_type = _issue_type(case_intent)
        for name in (issue_type, "default"):
            if name in rules.queues:
                return rules.queues[name], "a colleague"
    return fallback or "", "a colleague"


def _context(caller: Caller, case_intent: Intent | None) -> str:
    contact = caller.contact
    who = "A caller who is not known by their number"
    if contact and not caller.is_old:  # the number may have changed hands
        who = contact.name + (f" of {contact.account_name}" if contact.account_name else "")
    if not case_intent:
        return f"{who} wants to talk to somebody."
    number = case_intent.receipt.number if case_intent.receipt else None
    case = f"case {number}" if number else f"a case with reference {case_intent.reference}"
    return f"{who} wants to talk to somebody about {case}, {_issue_type(case_intent)}."


def _issue_type(case_intent: Intent | None) -> str:
    case_draft = case_intent.draft_as(CaseDraft) if case_intent else None
    return case_draft.issue_type if case_draft else ""


def _bring_up_to_date(
    service: Service,
    state: CallState,
    case_intent: Intent | None,
    whom: str,
    contact_id: str | None,
) -> None:
    """What is held goes to Salesforce at once, and the case gets what was said so far."""
    service.notifier.notify(service.journal.release_holds(state.call_id))
    if not case_intent:
        return
    so_far = service.calls.transcript(state.call_id, state.direction or INBOUND)[-MAX_SO_FAR:]
    comment = CommentDraft(
        caller_number=state.number,
        contact_id=contact_id,
        case_intent=case_intent.id,
        text=f"The call is being transferred to {whom}. What was said so far:\n{so_far}",
    )
    fingerprint = f"transfer:{case_intent.id}"
    service.notifier.notify(service.end_of_call.comment(state, comment, fingerprint))
