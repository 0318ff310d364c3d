"""transfer-destination-request: who takes the call, by rules, and what they are told first.

handoff-destination-request: which assistant takes over.

The rules are `transfer.toml` of the agent folder; `FALLBACK_PHONE_NUMBER` is for everything else.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from shared.agent.destinations import is_sip, number_and_extension
from shared.agent.folder import Agent
from shared.agent.sentences import Phrase, Sentences, Value, phrase, quoted
from shared.agent.tool_files import Verb
from shared.agent.transfer import Rules
from shared.agent.transfer_plan import CALLER_IDS
from shared.calls.secrets_said import SecretsSaid
from shared.calls.transcript_labels import TranscriptLabels
from shared.domain.drafts import CaseDraft, CommentDraft
from shared.domain.intent import Intent
from shared.vapi.messages import WEB
from web.tools.caller import Caller, caller_for_a_write, may
from web.tools.identify import MAX_NAME, named
from web.tools.turn import Turn
from web.tools.which_case import last_case_of_call

MAX_SO_FAR = 3_000

MAX_NOTED = 8
"""Of so many transfers, each adds to the case what was said so far."""


def answer_transfer(turn: Turn, now: datetime) -> str:
    """The destination, with a line for the caller and one for the colleague; or a refusal."""
    service, state = turn.service, turn.state
    if state.direction == WEB:  # Vapi would drop the caller (docs/vendors.md V18)
        return json.dumps({"error": turn.say("transfer-no-phone")})
    rules, fallback = turn.agent.transfer, service.settings.calls.fallback_phone_number
    caller = caller_for_a_write(turn)
    # In a call that showed two numbers, no case is named.
    case_intent = last_case_of_call(
        [intent for intent in turn.intents if caller.identity.requested(intent)]
    )
    may_name_owner = may(turn, caller, Verb.IDENTIFY, "Account.Owner")
    owned_by = caller if may_name_owner else None
    who = _who(turn, caller)
    turn.store_decisions()
    number, whom = _destination(rules, fallback, owned_by, case_intent, now)
    if not number:
        return json.dumps({"error": turn.say("transfer-nobody")})
    turn.transferred()
    sentences = turn.agent.sentences
    _bring_up_to_date(turn, case_intent, whom, caller.identity.contact_id_to_write)
    message = turn.say("transfer-connecting", whom=whom)
    return json.dumps(
        {
            "destination": destination(rules, number, message, _header_values(turn, case_intent))
            | {
                "transferPlan": rules.plan(
                    _for_colleague(sentences, who, case_intent), turn.say("transfer-failed")
                )
            }
        }
    )


def destination(
    rules: Rules, number: str, message: str, values: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """A number or a SIP address, as Vapi reads it. values: what SIP headers may carry."""
    where: dict[str, Any]
    if is_sip(number):
        where = {"type": "sip", "sipUri": number}
        where |= {"sipHeaders": headers} if (headers := rules.headers(values)) else {}
    else:
        dialled, extension = number_and_extension(number)
        where = {"type": "number", "number": dialled}
        where |= {"extension": extension} if extension else {}
    # Vapi shows it to a SIP address only where it dials (docs/vendors.md V26).
    if rules.caller_id and (not is_sip(number) or rules.sip_verb == "dial"):
        where["callerId"] = CALLER_IDS.get(rules.caller_id, rules.caller_id)
    return where | {"message": message}


def _header_values(turn: Turn, case_intent: Intent | None) -> dict[str, str]:
    receipt = case_intent.receipt if case_intent else None
    return {
        "reference": case_intent.reference if case_intent else "",
        "caseNumber": (receipt.number or "") if receipt else "",
        "callId": turn.state.call_id,
    }


def answer_handoff(agent: Agent, parameters: Mapping[str, Any]) -> str:
    """Which assistant takes over. parameters: of the handoff tool. In the default language: nothing
    of the call is needed."""
    target = agent.transfer.handoff.target(parameters) if agent.transfer.handoff else None
    if target is None:
        sentences = agent.sentences
        return json.dumps({"error": sentences.say(sentences.default, "handover-refused")})
    return json.dumps({"destination": target.as_destination()})


def _destination(
    rules: Rules,
    fallback: str | None,
    owned_by: Caller | None,
    case_intent: Intent | None,
    now: datetime,
) -> tuple[str, str | Phrase]:
    """Number and whom it reaches; "" for nobody. owned_by: the caller whose account's owner may be
    named, None for nobody."""
    colleague = phrase("transfer-to-colleague")
    if rules.is_open(now):
        contact = owned_by.contact if owned_by else None
        if rules.owner and contact and contact.owner_phone:
            return contact.owner_phone, quoted(contact.owner_name, MAX_NAME) or phrase(
                "transfer-to-owner"
            )
        issue_type = _issue_type(case_intent)
        for name in (issue_type, "default"):
            if name in rules.queues:
                return rules.queues[name], colleague
    return fallback or "", colleague


def _who(turn: Turn, caller: Caller) -> Phrase:
    """Who is calling, as far as the policy lets the caller hear it: colleagues would take a name
    for a proof, and who holds the phone may hear what is said to them."""
    if not caller.contact or caller.is_old:  # the number may have changed hands
        return phrase("transfer-caller-unknown")
    return named(turn, caller, with_number=False) or phrase("transfer-caller-not-verified")


def _for_colleague(sentences: Sentences, who: Phrase, case_intent: Intent | None) -> str:
    """What the colleague is told before the caller is put through, in the default language."""
    if not case_intent:
        return sentences.for_staff("transfer-summary", who=who)
    number = case_intent.receipt.number if case_intent.receipt else None
    values: dict[str, Value] = {"who": who, "issueType": _issue_type(case_intent)}
    if number:
        return sentences.for_staff("transfer-summary-number", number=number, **values)
    reference = case_intent.reference
    return sentences.for_staff("transfer-summary-reference", reference=reference, **values)


def _issue_type(case_intent: Intent | None) -> str:
    case_draft = case_intent.draft_as(CaseDraft) if case_intent else None
    return case_draft.issue_type if case_draft else ""


def _bring_up_to_date(
    turn: Turn,
    case_intent: Intent | None,
    whom: str | Phrase,
    contact_id: str | None,
) -> None:
    """What is held goes to Salesforce at once, and the case gets what was said so far."""
    service, state, sentences = turn.service, turn.state, turn.agent.sentences
    service.notifier.notify(service.journal.release_holds(state.call_id))
    if not case_intent:
        return
    labels = TranscriptLabels.of_call(sentences, state.direction)
    secrets = SecretsSaid(service.settings.vapi.server_secrets[0].encode(), state.secrets_said)
    so_far = secrets.remove_from(service.calls.transcript(state.call_id, labels))[-MAX_SO_FAR:]
    key = "record-being-transferred" if so_far else "record-transferring"
    comment = CommentDraft(
        caller_number=state.number,
        contact_id=contact_id,
        case_intent=case_intent.id,
        text=f"{sentences.for_staff(key, whom=whom)}\n{so_far}".rstrip(),
    )
    # Asked for again with nothing new, it is the same transfer.
    said = hashlib.sha256(comment.text.encode(errors="surrogatepass")).hexdigest()[:16]
    fingerprint = f"transfer:{case_intent.id}"
    noted = [it for it in turn.intents if it.fingerprint.startswith(fingerprint)]
    if len(noted) >= MAX_NOTED:
        return
    fingerprint = f"{fingerprint}:{said}"
    service.notifier.notify(service.end_of_call.comment(state, comment, fingerprint))
