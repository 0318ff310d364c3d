"""The write tools: each turns validated arguments into a wish, or says why it can't.

A wish becomes an intent in one atomic step of the journal (`accept` below), together with the
answer that the agent hears. None of them waits for Salesforce to write anything.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.calls.calls import CallState
from shared.domain.drafts import (
    CallbackDraft,
    CaseDraft,
    CloseDraft,
    CommentDraft,
    ContactDraft,
    Draft,
)
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.journal import Accepted, AnsweredBefore, AnswerSlot, Existing, Repeated
from shared.salesforce.client import Deadline
from shared.salesforce.customers import CHANGEABLE, CaseSummary
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, as_entry, refusal, result, trouble
from shared.vapi.messages import ToolCall
from shared.vapi.tools import (
    AddCaseComment,
    Arguments,
    CancelCase,
    CreateSalesforceCase,
    RequestCallback,
    UpdateContact,
)
from web.caller import IDENTITY_WAIT_S, Caller, caller_for_a_write, known_caller
from web.lookups import last_case_of_call
from web.service import Service

REFERENCE_TRIES = 5


@dataclass(frozen=True)
class Wish:
    """What is to be accepted.

    said: the sentence for the agent, given the reference. subjects: what it is about, across calls;
    asks: when a case about the same was accepted of late in another call, ask before opening one.
    """

    kind: Kind
    draft: Draft
    said: Callable[[str], str]
    after: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    asks: bool = False


def create_case(service: Service, state: CallState, wanted: CreateSalesforceCase) -> Wish | Answer:
    caller = caller_for_a_write(service, state)
    contact = caller.contact
    subjects = _subjects(caller, wanted)
    if wanted.on_existing == "comment" and (earlier := service.journal.about(subjects)):
        return _comment_on(state, earlier, wanted.description)
    return Wish(
        Kind.CASE_CREATE,
        CaseDraft(
            caller_number=state.number,
            contact_id=contact.contact_id if contact else None,
            issue_type=wanted.issue_type,
            description=wanted.description,
            priority=wanted.priority,
            account_number=wanted.account_number,
        ),
        lambda reference: (
            f"The {wanted.issue_type} case is being opened. Its reference is {reference}."
        ),
        subjects=subjects,
        asks=wanted.on_existing == "ask",
    )


def _subjects(caller: Caller, wanted: CreateSalesforceCase) -> tuple[str, ...]:
    """Account and issue type: of the caller's own account, or of a number given from this phone.

    An account number alone is no subject: anybody could ask by it whether an account has a case.
    """
    contact = caller.contact
    subjects = []
    if contact and contact.account_id:
        subjects.append(f"account:{contact.account_id}:{wanted.issue_type}")
    number = wanted.account_number or (contact.account_number if contact else "")
    if number and caller.number:
        subjects.append(f"number:{number.lower()}:{caller.number}:{wanted.issue_type}")
    return tuple(subjects)


def _comment_on(state: CallState, intent: Intent, text: str) -> Wish:
    return Wish(
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=state.number,
            contact_id=_contact_id(state),
            case_intent=intent.id,
            text=text,
        ),
        lambda reference: f"The comment is being added. Its reference is {reference}.",
        after=(intent.id,),
    )


def add_comment(service: Service, state: CallState, wanted: AddCaseComment) -> Wish | Answer:
    target = _find_case(service, state, wanted.reference, wanted.case_number)
    if isinstance(target, Answer):
        return target
    intent, case_number = target
    if intent and intent.state is State.CANCELLED:
        return refusal("That case was taken back, so nothing can be added to it.")
    if intent:
        return _comment_on(state, intent, wanted.comment)
    return Wish(
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=state.number,
            contact_id=_contact_id(state),
            case_number=case_number,
            text=wanted.comment,
        ),
        lambda reference: f"The comment is being added. Its reference is {reference}.",
    )


def update_contact(service: Service, state: CallState, wanted: UpdateContact) -> Wish | Answer:
    caller = caller_for_a_write(service, state)
    if caller.customers is not None and not caller.contact:
        return refusal(
            "I can only change details for the one customer whose phone number this is, and I "
            "can't tell who that is. Nothing was changed."
        )
    given = wanted.model_dump(exclude_unset=True, by_alias=True)
    changes = {name: given[name[0].lower() + name[1:]] for name in CHANGEABLE
               if name[0].lower() + name[1:] in given}  # fmt: skip
    seen = {name: caller.contact.values.get(name) for name in changes} if caller.contact else None
    spoken = _listed([_SPOKEN_FIELDS[name] for name in changes])
    return Wish(
        Kind.CONTACT_UPDATE,
        ContactDraft(
            caller_number=state.number,
            contact_id=caller.contact.contact_id if caller.contact else None,
            changes=changes,
            seen=seen,
            accepted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        ),
        lambda reference: (
            f"The new {spoken} will be on file in a moment. The reference is {reference}."
        ),
    )


_SPOKEN_FIELDS = {
    "Phone": "phone number",
    "MobilePhone": "mobile number",
    "Email": "email address",
    "MailingStreet": "street",
    "MailingCity": "city",
    "MailingState": "state",
    "MailingPostalCode": "postal code",
    "MailingCountry": "country",
}


def request_callback(service: Service, state: CallState, wanted: RequestCallback) -> Wish | Answer:
    phone = wanted.phone or state.number
    if not phone:
        return refusal("I still need the phone number to call back.")
    return Wish(
        Kind.CALLBACK,
        CallbackDraft(
            caller_number=state.number,
            contact_id=_contact_id(state),
            phone=phone,
            when=wanted.when or "",
            reason=wanted.reason or "",
        ),
        lambda reference: f"Somebody will call back. The reference is {reference}.",
    )


def cancel_case(service: Service, state: CallState, wanted: CancelCase) -> Wish | Answer:
    if wanted.reference:
        target = _find_case(service, state, wanted.reference, None)
        if isinstance(target, Answer):
            return target
        intent, case_number = target
    else:
        of_call = service.journal.of_call(state.call_id)
        cases = [one for one in of_call if one.kind is Kind.CASE_CREATE]
        intent, case_number = (last_case_of_call(of_call) or (cases[-1] if cases else None)), None
        if not intent:
            return refusal("No case was opened in this call, so there is none to take back.")
    if intent:
        became, ring = service.journal.cancel(intent.id, "caller")
        service.doorbell.ring(ring)
        if became == State.CANCELLED:
            return result("The case was taken back. It will not be opened.")
        if became == State.PARKED:
            return result("The case was not opened; a colleague will see that it is not wanted.")
    return Wish(
        Kind.CASE_CLOSE,
        CloseDraft(
            caller_number=state.number,
            contact_id=_contact_id(state),
            case_intent=intent.id if intent else None,
            case_number=case_number,
            reason=wanted.reason or "",
        ),
        lambda reference: (
            f"The case was opened already, so it is being closed. The reference is {reference}."
        ),
        after=(intent.id,) if intent else (),
    )


# -- which case ------------------------------------------------------------------------------------


def _find_case(
    service: Service, state: CallState, reference: str | None, case_number: str | None
) -> tuple[Intent | None, str | None] | Answer:
    """The case meant: an intent of ours, or a case number; or the sentence why there is none."""
    if reference:
        intent = service.journal.by_reference(reference)
        if intent and intent.is_forgotten:
            intent = None  # the org still knows the case by this reference
        if intent and intent.kind is not Kind.CASE_CREATE:
            return refusal("That reference is not one of a case.")
        if intent:
            if caller_for_a_write(service, state).wished_for(intent):
                return intent, None
            return refusal("I found that reference, but I can't change its case on this number.")
        return _case_in_org(service, state, "reference", reference)
    if case_number:
        return _case_in_org(service, state, "number", case_number)
    if intent := last_case_of_call(service.journal.of_call(state.call_id)):
        return intent, None
    return refusal("I don't know which case. I need its case number or its reference.")


def _case_in_org(
    service: Service, state: CallState, by: str, value: str
) -> tuple[Intent | None, str | None] | Answer:
    """Waits a moment to see whose case it is; a case number is then left to the worker to check."""
    deadline = Deadline.after(IDENTITY_WAIT_S)
    find = (
        service.customers.case_by_number if by == "number" else service.customers.case_by_reference
    )

    def look() -> CaseSummary | None:
        return find(value, deadline)

    try:
        found = service.pool.start(look).result(deadline)
    except SalesforceError:
        if by == "number":
            return None, value
        return trouble("I can't find that reference right now. Nothing was saved.")
    if found is None:
        return refusal(f"I found no case with that {by}. Nothing was saved.")
    caller = caller_for_a_write(service, state)
    if caller.customers is not None and not caller.may_hear_of(
        found, service.settings.phone_region
    ):
        return refusal("I found that case, but I can't change it on this phone number.")
    return None, found.number


def _contact_id(state: CallState) -> str | None:
    contact = known_caller(state).contact
    return contact.contact_id if contact else None


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# -- accepting -------------------------------------------------------------------------------------


def fingerprint(tool: str, arguments: Arguments, nth: int) -> str:
    """What makes two wishes of a call the same one: tool, normalised arguments, place among equals.

    nth counts equal calls within one message, so that two calls listed together stay two wishes.
    """
    content = json.dumps([tool, arguments.model_dump(by_alias=True), nth], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def accept(
    service: Service, state: CallState, call: ToolCall, slot_key: str, mark: str, wish: Wish
) -> str:
    """Record the wish and its answer in one step; returns the entry the agent is to hear.

    slot_key is "" for a call that can't be told from another one: its answer is not kept.
    """
    for _ in range(REFERENCE_TRIES):
        reference = new_reference()
        said = wish.said(reference)
        entry = as_entry(call, result(said))
        intent = NewIntent(
            id=new_intent_id(),
            kind=wish.kind,
            draft=wish.draft,
            tool=call.name,
            reference=reference,
            fingerprint=mark,
            hold_ms=service.settings.commit_window_ms,
            after=wish.after,
            said=said,
            subjects=wish.subjects,
            asks=wish.asks,
        )
        slot = AnswerSlot(slot_key, entry) if slot_key else None
        match service.journal.accept(state.call_id, [intent], slot):
            case Accepted(ring):
                service.doorbell.ring(ring)
                return entry
            case AnsweredBefore(kept):
                return kept
            case Repeated(intent_id):
                answer = _repeated(service.journal.get(intent_id), wish)
                return _kept(service, call, slot_key, answer)
            case Existing(intent_id):
                answer = _question(service.journal.get(intent_id))
                return _kept(service, call, slot_key, answer)
    return as_entry(call, trouble("I could not save that. Please try once more."))


def _kept(service: Service, call: ToolCall, slot_key: str, answer: Answer) -> str:
    entry = as_entry(call, answer)
    if slot_key:
        service.answers.keep(AnswerSlot(slot_key, entry))
    return entry


def _question(earlier: Intent | None) -> Answer:
    named = ""
    if earlier and earlier.receipt and earlier.receipt.number:
        named = f", number {earlier.receipt.number}"
    elif earlier:
        named = f", reference {earlier.reference}"
    return result(
        f"There is already a case of the last day for this{named}. Nothing was saved yet. Shall I "
        "add to that case, or open a new one?"
    )


def _repeated(earlier: Intent | None, wish: Wish) -> Answer:
    if earlier and earlier.state is State.PARKED:
        return result("That was asked for already and needs a colleague, who will look at it.")
    return result(wish.said(earlier.reference if earlier else ""))
