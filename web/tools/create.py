"""The write tools: each turns validated arguments into a wish, or says why it can't.

`web/wishes.py` makes an intent of it. None of them waits for Salesforce to write anything.
"""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from shared.calls.calls import CallState
from shared.domain.case_numbers import same_number
from shared.domain.drafts import (
    CallbackDraft,
    CaseDraft,
    CloseDraft,
    CommentDraft,
    ContactDraft,
    Draft,
)
from shared.domain.identifiers import same_identifier
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.salesforce.customers import CHANGEABLE, MAX_OPEN_CASES
from shared.salesforce.deadline import Deadline
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, refusal, result, trouble
from shared.vapi.tools import (
    AddCaseComment,
    CancelCase,
    CreateSalesforceCase,
    RequestCallback,
    UpdateContact,
)
from web.caller import Caller, caller_for_a_write, known_caller, open_cases
from web.lookups import RECENT_MS, described, last_case_of_call
from web.service import Service
from web.write_requests import BY_CALLER, CallIntents, WriteRequest

CASE_WAIT_S = 1.0
"""How long a write waits to see whose case it is when the snapshot does not show it."""


def create_case(
    service: Service, state: CallState, wanted: CreateSalesforceCase, _intents: CallIntents
) -> WriteRequest | Answer:
    caller = caller_for_a_write(service, state)
    dedup_keys = _dedup_keys(state, caller, wanted)
    earlier = service.journal.about(dedup_keys) if wanted.on_existing != "new" else None
    is_gone = earlier is not None and _is_gone(caller, earlier)
    if wanted.on_existing == "comment" and earlier:
        if is_gone or not caller.identity.requested(earlier):
            return refusal("I can't add to that case on this phone number. I can open a new one.")
        return _comment_on(service, state, earlier, wanted.description)
    case_draft = CaseDraft(
        caller_number=state.number,
        contact_id=caller.identity.contact_id_to_write,
        visible_to_contact_id=caller.identity.contact_id,
        issue_type=wanted.issue_type,
        description=wanted.description,
        priority=wanted.priority,
        account_number=_other_account_number(caller, wanted.account_number),
    )
    return WriteRequest(
        Kind.CASE_CREATE,
        case_draft,
        lambda reference: (
            f"The {wanted.issue_type} case is being opened. Its reference is {reference}."
        ),
        dedup_keys=dedup_keys,
        asks=partial(_question, caller) if wanted.on_existing == "ask" and not is_gone else None,
        amended=lambda earlier: _reworded(earlier, case_draft),
    )


def _is_gone(caller: Caller, opened: Intent) -> bool:
    """The org has shown the caller's open cases since that one was opened, and it is none of them:
    it was closed, or given to somebody else."""
    contact, receipt = caller.contact, opened.receipt
    if not contact or not receipt or not caller.identity.requested(opened):
        return False  # a colleague's case is not among the caller's own
    if (caller.as_of_ms or 0) <= receipt.at_ms:
        return False
    is_shown = any(case_.record_id == receipt.record_id for case_ in contact.cases)
    return not is_shown and len(contact.cases) < MAX_OPEN_CASES


def _reworded(earlier: Draft, case_draft: CaseDraft) -> CaseDraft:
    """The later wish wins; an account number that was given before is not given twice."""
    number = earlier.account_number if isinstance(earlier, CaseDraft) else None
    return replace(case_draft, account_number=case_draft.account_number or number)


def _other_account_number(caller: Caller, spoken: str | None) -> str | None:
    """A spoken account number that is not known to be the caller's own: text, and never a link."""
    contact = caller.contact
    if spoken and contact and same_identifier(spoken, contact.account_number):
        return None
    return spoken


def _dedup_keys(state: CallState, caller: Caller, wanted: CreateSalesforceCase) -> tuple[str, ...]:
    """What a case is about: its issue type, within the call and for the caller's own account.

    A spoken account number, or a phone number that is nobody's, is no subject: anybody could ask by
    it whether somebody else has a case.
    """
    dedup_keys = []
    if caller.contact and caller.contact.account_id:
        dedup_keys.append(f"account:{caller.contact.account_id}:{wanted.issue_type}")
    if state.call_id:
        dedup_keys.append(f"call:{state.call_id}:{wanted.issue_type}")
    return tuple(dedup_keys)


def _comment_on(service: Service, state: CallState, intent: Intent, text: str) -> WriteRequest:
    return WriteRequest(
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=state.number,
            contact_id=_contact_id(service, state),
            case_intent=intent.id,
            text=text,
        ),
        lambda reference: f"The comment is being added. Its reference is {reference}.",
        after=(intent.id,),
        target=intent.id,
        adds=True,
    )


def add_comment(
    service: Service, state: CallState, wanted: AddCaseComment, intents: CallIntents
) -> WriteRequest | Answer:
    target = _find_case(service, state, wanted.reference, wanted.case_number, intents)
    if isinstance(target, Answer):
        return target
    intent, case_number = target
    if intent and intent.state is State.CANCELLED:
        return refusal("That case was taken back, so nothing can be added to it.")
    if intent:
        return _comment_on(service, state, intent, wanted.comment)
    return WriteRequest(
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=state.number,
            contact_id=_contact_id(service, state),
            case_number=case_number,
            text=wanted.comment,
        ),
        lambda reference: f"The comment is being added. Its reference is {reference}.",
        target=case_number or "",
        adds=True,
    )


def update_contact(
    service: Service, state: CallState, wanted: UpdateContact, intents: CallIntents
) -> WriteRequest | Answer:
    caller = caller_for_a_write(service, state)
    if caller.customers is not None and not caller.contact:
        return refusal(
            "I can only change details for the one customer whose phone number this is, and I "
            "can't tell who that is. Nothing was changed."
        )
    if _is_another_contacts(service, caller, wanted):
        return refusal(
            "I can't put that phone number on file for this customer; a colleague has to look at "
            "it. Nothing was changed."
        )
    given = wanted.model_dump(exclude_unset=True, by_alias=True)
    changes = {name: given[name[0].lower() + name[1:]] for name in CHANGEABLE
               if name[0].lower() + name[1:] in given}  # fmt: skip
    earlier = [
        item
        for item in intents.all()
        if item.kind is Kind.CONTACT_UPDATE
        and item.state is not State.CANCELLED
        and item.fingerprint  # a field that Salesforce refused stands there as well
    ]
    seen = _seen(service, caller, changes, earlier)
    spoken = _listed([_SPOKEN_FIELDS[name] for name in changes])
    change = ContactDraft(
        caller_number=state.number,
        contact_id=caller.identity.contact_id_to_write,
        changes=changes,
        seen=seen,
        accepted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        earlier=[item.id for item in earlier],
    )
    return WriteRequest(
        Kind.CONTACT_UPDATE,
        change,
        lambda reference: (
            f"The new {spoken} will be on file in a moment. The reference is {reference}."
        ),
        after=tuple(item.id for item in earlier),
        target=_place_among(earlier, changes),
        amended=lambda before: _changes_of_both(before, before, change),
        joined=lambda after: _changes_of_both(after, change, after),
    )


def _is_another_contacts(service: Service, caller: Caller, wanted: UpdateContact) -> bool:
    """One of the numbers is somebody else's: both would be unknown from then on.

    As far as can be seen within a second; the worker looks again before it writes.
    """
    own = {caller.identity.contact_id}
    deadline = Deadline.after(CASE_WAIT_S)
    recently_ms = service.journal.now_ms() - RECENT_MS
    for number in filter(None, (wanted.phone, wanted.mobile_phone)):
        if number == caller.number:
            continue
        try:
            found = service.snapshots.since(number, recently_ms, deadline)
        except SalesforceError:
            return False
        if {customer.contact_id for customer in found.customers} - own:
            return True
    return False


def _changes_of_both(held: Draft, earlier: Draft, later: Draft) -> ContactDraft:
    """The held draft with the fields of both wishes; of a field that both name, the later value."""
    assert isinstance(held, ContactDraft)
    assert isinstance(earlier, ContactDraft)
    assert isinstance(later, ContactDraft)
    seen = None
    if earlier.seen is not None and later.seen is not None:
        seen = later.seen | earlier.seen
    return replace(held, changes=earlier.changes | later.changes, seen=seen)


def _seen(
    service: Service, caller: Caller, changes: dict[str, str], earlier: list[Intent]
) -> dict[str, list[str | None]] | None:
    """What each field may be without anybody else's edit: as found, or as the caller made it.

    None when nobody saw the record of late.
    """
    if not caller.contact or caller.is_old:
        return None
    values = caller.contact.values
    before = [
        item
        for item in service.journal.of_caller(caller.number)
        if item.kind is Kind.CONTACT_UPDATE and item.state is not State.CANCELLED
    ]
    requested = [
        value.payload.get("changes", {}) for value in {x.id: x for x in before + earlier}.values()
    ]
    return {
        name: [values.get(name), *(item[name] for item in requested if name in item)]
        for name in changes
    }


def _place_among(earlier: list[Intent], changes: dict[str, str]) -> str:
    """The call's last change asked for once more is the same wish; one in between makes it anew."""
    again = bool(earlier) and earlier[-1].payload.get("changes") == changes
    return str(len(earlier) - 1 if again else len(earlier))


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


def request_callback(
    service: Service, state: CallState, wanted: RequestCallback, _intents: CallIntents
) -> WriteRequest | Answer:
    phone = wanted.phone or state.number
    if not phone:
        return refusal("I still need the phone number to call back.")
    callback = CallbackDraft(
        caller_number=state.number,
        contact_id=_contact_id(service, state),
        phone=phone,
        when=wanted.when or "",
        reason=wanted.reason or "",
    )
    return WriteRequest(
        Kind.CALLBACK,
        callback,
        lambda reference: f"Somebody will call back. The reference is {reference}.",
        amended=lambda earlier: _again(earlier, callback, wanted),
    )


def _again(earlier: Draft, callback: CallbackDraft, wanted: RequestCallback) -> CallbackDraft:
    """The later wish wins where it says something."""
    assert isinstance(earlier, CallbackDraft)
    return replace(
        callback,
        phone=wanted.phone or earlier.phone,
        when=callback.when or earlier.when,
        reason=callback.reason or earlier.reason,
    )


def cancel_case(
    service: Service, state: CallState, wanted: CancelCase, intents: CallIntents
) -> WriteRequest | Answer:
    identity = caller_for_a_write(service, state).identity
    if wanted.reference:
        target = _find_case(service, state, wanted.reference, None, intents)
        if isinstance(target, Answer):
            return target
        intent, case_number = target
    else:
        # The last one, also when it was taken back already: asking twice must not take two back.
        cases = [
            item
            for item in intents.all()
            if item.kind is Kind.CASE_CREATE and identity.requested(item)
        ]
        intent, case_number = (cases[-1] if cases else None), None
        if not intent:
            return refusal("No case was opened in this call, so there is none to take back.")
        target = _own_case(service, state, intent)
        if isinstance(target, Answer):
            return target
    if intent:
        became, due_kinds = service.journal.cancel(intent.id, BY_CALLER)
        service.notifier.notify(due_kinds)
        intents.changed(intent.id)
        if became == State.CANCELLED:
            return result("The case was taken back. It will not be opened.")
        if became == State.PARKED:
            return result("A colleague has that case and will see that it is not wanted.")
    close = CloseDraft(
        caller_number=state.number,
        contact_id=identity.contact_id_to_write,
        visible_to_contact_id=identity.contact_id,
        case_intent=intent.id if intent else None,
        case_number=case_number,
    )
    close_id = new_intent_id()
    return WriteRequest(
        Kind.CASE_CLOSE,
        close,
        lambda reference: (
            f"The case was opened already, so it is being closed. The reference is {reference}."
        ),
        after=(intent.id,) if intent else (),
        target=intent.id if intent else case_number or "",
        also=_why(close, wanted.reason, close_id),
        id=close_id,
    )


def _why(close: CloseDraft, reason: str | None, close_id: str) -> tuple[NewIntent, ...]:
    """The reason of a closing, as a comment on the case once it is closed."""
    if not reason:
        return ()
    comment = CommentDraft(
        caller_number=close.caller_number,
        contact_id=close.contact_id,
        case_intent=close.case_intent,
        case_number=close.case_number,
        only_after=close_id,
        text=f"Taken back by the caller: {reason}",
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


# -- which case ------------------------------------------------------------------------------------


def _find_case(
    service: Service,
    state: CallState,
    reference: str | None,
    case_number: str | None,
    intents: CallIntents,
) -> tuple[Intent | None, str | None] | Answer:
    """The case meant: an intent of ours, or a case number; or the sentence why there is none."""
    if reference:
        intent = service.journal.by_reference(reference)
        if intent and intent.is_purged:
            intent = None  # the org still knows the case by this reference
        if intent and intent.kind is not Kind.CASE_CREATE:
            return refusal("That reference is not one of a case.")
        if intent:
            return _own_case(service, state, intent)
        return _case_in_org(service, state, "reference", reference)
    if case_number:
        return _case_in_org(service, state, "number", case_number)
    if intent := last_case_of_call(intents.all()):
        return _own_case(service, state, intent)
    return refusal("I don't know which case. I need its case number or its reference.")


def _own_case(
    service: Service, state: CallState, intent: Intent
) -> tuple[Intent | None, str | None] | Answer:
    """A case that was opened here. Once it is in the org, the org decides whose it is."""
    identity = caller_for_a_write(service, state).identity
    is_theirs = identity.requested(intent)
    number = intent.receipt.number if intent.receipt else None
    if is_theirs and (identity.contact_id or not number):
        return intent, None
    if not number:
        if not identity.is_settled:
            return trouble("I can't check that reference right now. Nothing was saved.")
        return refusal(NOT_YOURS_TO_CHANGE)
    try:
        found = service.ask(
            lambda until: service.customers.case_by_number(number, until),
            Deadline.after(CASE_WAIT_S),
        )
    except SalesforceError:
        if is_theirs:
            return intent, None  # the worker looks before it writes
        return trouble("I can't check that reference right now. Nothing was saved.")
    if found and identity.may_discuss(found.contact_id, requested=is_theirs):
        return intent, None
    return refusal(NOT_YOURS_TO_CHANGE)


NOT_YOURS_TO_CHANGE = "I found that reference, but I can't change its case on this number."


def _case_in_org(
    service: Service, state: CallState, by: str, value: str
) -> tuple[Intent | None, str | None] | Answer:
    """Whose case it is: as the snapshot shows it, else Salesforce is asked for a moment.

    A case number is then left to the worker to check. An open breaker answers at once.
    """
    caller = caller_for_a_write(service, state)
    if by == "number":
        same = [case_ for case_ in open_cases(service, caller) if same_number(value, case_.number)]
        if len(same) == 1:
            return None, same[0].number
    find = (
        service.customers.case_by_number if by == "number" else service.customers.case_by_reference
    )
    try:
        found = service.ask(lambda until: find(value, until), Deadline.after(CASE_WAIT_S))
    except SalesforceError:
        if by == "number":
            return None, value
        return trouble("I can't find that reference right now. Nothing was saved.")
    if found is None:
        return refusal(f"I found no case with that {by}. Nothing was saved.")
    if caller.identity.is_settled and not caller.identity.may_discuss(found.contact_id):
        return refusal("I found that case, but I can't change it on this phone number.")
    return None, found.number


def _contact_id(service: Service, state: CallState) -> str | None:
    return known_caller(service, state).identity.contact_id_to_write


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _question(caller: Caller, earlier: Intent | None) -> Answer:
    """Names the case only to whoever it was opened for; others of the account hear of one.

    Nor is one of an earlier call named while the org has not said whose the number is now.
    """
    if not earlier or not caller.identity.requested(earlier):
        return result(
            "There is a case of the last day for this account, but I can't add to it on this phone "
            "number. Nothing was saved yet. Shall I open a new one?"
        )
    number = earlier.receipt.number if earlier.receipt else None
    named = f"number {number}" if number else f"reference {earlier.reference}"
    if earlier.call_id and earlier.call_id == caller.identity.call_id:
        return result(
            f"There is a {described(earlier)} of this call already, {named}. Nothing more was "
            "saved. Shall I correct that one, add to it, or open another one?"
        )
    case = "a case of the last day for this" + ("" if caller.is_old else f", {named}")
    return result(
        f"There is already {case}. Nothing was saved yet. "
        "Shall I add to that case, or open a new one?"
    )
