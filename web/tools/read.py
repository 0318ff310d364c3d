"""The lookup tools: sentences about customers and cases, true and no longer than they need be.

Each takes the call's state and its validated arguments and returns an Answer. They run on the pool
of lookups, may raise SalesforceError, and say 0, 1 and many apart. What is told from a snapshot of
before the call is told with its age.
"""

from shared.calls.calls import CallState
from shared.domain.case_numbers import same_number
from shared.domain.identifiers import same_identifier
from shared.domain.identity import Identity
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.salesforce.customers import MAX_OPEN_CASES, CaseSummary
from shared.salesforce.deadline import Deadline
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, result
from shared.vapi.tools import GetCaseStatus, LookupCustomer, RetrieveCustomerCase
from web.caller import ANSWER_S, Caller, known_caller, look_up_caller, open_cases
from web.service import Service

MAX_SPOKEN = 3
RECENT_MS = 60_000
"""How old a snapshot may be that shows whether a number is somebody's."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def lookup_customer(
    service: Service, state: CallState, wanted: LookupCustomer, deadline: Deadline
) -> Answer:
    caller = look_up_caller(service, state, deadline)
    if caller.contact:
        contact = caller.contact
        parts = [f"The caller is {contact.name}"]
        if contact.account_name:
            parts.append(f" of {contact.account_name}")
        if contact.account_number:
            parts.append(f", account number {contact.account_number}")
        more = "at least " if len(contact.cases) == MAX_OPEN_CASES else ""
        cases = _counted(len(open_cases(service, caller)), "open case")
        return _said(service, caller, f"{''.join(parts)}. They have {more}{cases}.")
    if caller.customers:
        first = f"{_number(len(caller.customers)).capitalize()} customers share this phone number."
    elif caller.number:
        first = "This phone number is not on file."
    else:
        first = "This call shows no phone number."
    found = _described_customer_exists(service, wanted, deadline)
    if found is None:
        return result(f"{first} So I can't tell who is calling.")
    if found:
        return result(
            f"{first} There is a customer with those details, but without their own phone number "
            "I can't share or change anything of theirs."
        )
    return result(f"{first} And I found no customer with those details.")


def _described_customer_exists(
    service: Service, wanted: LookupCustomer, deadline: Deadline
) -> bool | None:
    """None when nothing to look for was given."""
    if wanted.account_number or wanted.email or wanted.name:
        return service.ask(
            lambda until: service.customers.is_known(
                until,
                account_number=wanted.account_number,
                email=wanted.email,
                name=wanted.name,
            ),
            deadline,
        )
    if wanted.phone:
        number = service.normal_number(wanted.phone)
        recently_ms = service.journal.now_ms() - RECENT_MS
        return bool(number and service.snapshots.since(number, recently_ms, deadline).customers)
    return None


def get_case_status(
    service: Service, state: CallState, wanted: GetCaseStatus, deadline: Deadline
) -> Answer:
    if wanted.reference:
        intent = service.journal.by_reference(wanted.reference)
        if intent and not intent.is_purged:
            return _status_of_intent(service, state, intent, deadline)
        reference = wanted.reference
        found = service.ask(
            lambda until: service.customers.case_by_reference(reference, until), deadline
        )
        return _status_of_case(service, state, found, "reference", deadline)
    if wanted.case_number:
        caller = look_up_caller(service, state, deadline)
        if theirs := _case_of(service, caller, wanted.case_number):
            return _said(service, caller, case_sentence(theirs))
        found = _case_by_number(service, wanted.case_number, deadline)
        return _status_of_case(service, state, found, "number", deadline)
    if newest := last_case_of_call(service.journal.of_call(state.call_id)):
        return _status_of_intent(service, state, newest, deadline)
    caller = look_up_caller(service, state, deadline)
    if not caller.contact:
        return _nobody_known(caller)
    cases = open_cases(service, caller)
    if not cases:
        return _said(service, caller, "There is no open case for this customer.")
    return _said(service, caller, case_sentence(cases[0]))


def _case_of(service: Service, caller: Caller, number: str) -> CaseSummary | None:
    """One of the caller's open cases as their snapshot shows it."""
    same = [case_ for case_ in open_cases(service, caller) if same_number(number, case_.number)]
    return same[0] if len(same) == 1 else None


def _case_by_number(service: Service, number: str, deadline: Deadline) -> CaseSummary | None:
    return service.ask(lambda until: service.customers.case_by_number(number, until), deadline)


def last_case_of_call(intents: list[Intent]) -> Intent | None:
    """The case that was accepted last in this call and not taken back."""
    cases = [
        intent
        for intent in intents
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED
    ]
    return cases[-1] if cases else None


def _status_of_intent(
    service: Service, state: CallState, intent: Intent, deadline: Deadline
) -> Answer:
    identity = known_caller(service, state).identity
    of_this_call = bool(state.call_id) and intent.call_id == state.call_id
    if not identity.requested(intent) or (identity.is_old and not of_this_call):
        identity = look_up_caller(service, state, deadline).identity
    is_theirs = identity.requested(intent)
    if intent.kind is Kind.CASE_CREATE and intent.receipt and intent.receipt.number:
        return _status_of_delivered_case(
            service,
            identity,
            intent.receipt.number,
            deadline,
            is_theirs=is_theirs,
            is_certain=of_this_call or not identity.is_old,
        )
    if not is_theirs:
        return result(NOT_YOUR_REFERENCE)
    match intent.state, intent.kind:
        case State.DELIVERED, Kind.CASE_CREATE:
            return result("The case has been opened; its number is not known yet.")
        case State.DELIVERED, _:
            return result(f"The {_SPOKEN[intent.kind]} is done.")
        case State.PARKED, _:
            return result(f"The {_SPOKEN[intent.kind]} needs a colleague, who will look at it.")
        case State.CANCELLED, _:
            return result(f"The {_SPOKEN[intent.kind]} was taken back.")
        case _, Kind.CASE_CREATE:
            return result(
                f"The case is being opened and has no number yet. Its reference is "
                f"{intent.reference}."
            )
        case _:
            return result(f"The {_SPOKEN[intent.kind]} is on its way.")


def _status_of_delivered_case(
    service: Service,
    identity: Identity,
    number: str,
    deadline: Deadline,
    *,
    is_theirs: bool,
    is_certain: bool,
) -> Answer:
    """What the org says now decides whose case it is: staff may have given it to somebody since.

    is_certain: the number can't have changed hands since the case was asked for.
    """
    try:
        found = _case_by_number(service, number, deadline.earlier_by(ANSWER_S))
    except SalesforceError:
        if not is_theirs or not is_certain:
            raise
        return Answer(
            f"The case has been opened with number {number}. I can't see its status right now.",
            lasting=False,
        )
    if found is None:
        return result(f"The case has number {number}." if is_theirs else NOT_YOUR_REFERENCE)
    if not identity.may_discuss(found.contact_id, requested=is_theirs):
        return result(NOT_YOUR_REFERENCE)
    return result(case_sentence(found))


NOT_YOUR_REFERENCE = "I found that reference, but I can't discuss it on this phone number."


def described(intent: Intent) -> str:
    """What was asked for, to name it to its caller: "billing case", "call-back request"."""
    if intent.kind is Kind.CASE_CREATE and (issue_type := intent.payload.get("issue_type")):
        return f"{issue_type} case"
    return _SPOKEN[intent.kind]


_SPOKEN = {
    Kind.CASE_CREATE: "case",
    Kind.CASE_COMMENT: "comment",
    Kind.CASE_CLOSE: "closing of the case",
    Kind.CONTACT_UPDATE: "change of contact details",
    Kind.CALLBACK: "call-back request",
    Kind.CALL_LOG: "record of the call",
    Kind.TRANSCRIPT_FILE: "transcript",
}


def _status_of_case(
    service: Service, state: CallState, found: CaseSummary | None, by: str, deadline: Deadline
) -> Answer:
    if found is None:
        return result(f"I found no case with that {by}.")
    caller = look_up_caller(service, state, deadline)
    if not caller.identity.may_discuss(found.contact_id):
        return result("I found that case, but I can't discuss it on this phone number.")
    return result(case_sentence(found))


def retrieve_customer_case(
    service: Service, state: CallState, wanted: RetrieveCustomerCase, deadline: Deadline
) -> Answer:
    caller = look_up_caller(service, state, deadline)
    contact = caller.contact
    if not contact:
        return _nobody_known(caller)
    if wanted.account_number and not same_identifier(wanted.account_number, contact.account_number):
        return result("That account number is not the one of the customer who is calling.")
    cases = open_cases(service, caller)
    about = ""
    if wanted.issue_type:
        cases = [case_ for case_ in cases if case_.type.lower() == wanted.issue_type]
        about = f" about {wanted.issue_type} issues"
    if not cases:
        return _said(service, caller, f"There is no open case{about} for this customer.")
    spoken = " ".join(case_sentence(case_) for case_ in cases[:MAX_SPOKEN])
    more = " These are the newest three." if len(cases) > MAX_SPOKEN else ""
    count_phrase = f"There {'is' if len(cases) == 1 else 'are'} {_counted(len(cases), 'open case')}"
    return _said(service, caller, f"{count_phrase}{about}.{more} {spoken}")


def _said(service: Service, caller: Caller, sentence: str) -> Answer:
    """A sentence from a snapshot: with its age when it is from before the call."""
    if not caller.is_old or caller.as_of_ms is None:
        return result(sentence)
    age = _spoken_age(service.journal.now_ms() - caller.as_of_ms)
    return result(f"As last known {age} ago, nothing newer can be seen: {sentence}")


def _spoken_age(age_ms: int) -> str:
    minutes = max(1, round(age_ms / 60_000))
    if minutes < 90:
        return _counted(minutes, "minute")
    return _counted(round(minutes / 60), "hour")


def _nobody_known(caller: Caller) -> Answer:
    if caller.customers:
        return result(
            f"{_number(len(caller.customers)).capitalize()} customers share this phone number, "
            "so I can't tell whose cases to look at."
        )
    if caller.number:
        return result("This phone number is not on file, so I have no cases to tell about.")
    return result("This call shows no phone number, so I can't tell whose cases to look at.")


def case_sentence(found: CaseSummary) -> str:
    about = f", {_short(found.subject)}," if found.subject else ""
    if not found.number:
        return f"The case with reference {found.reference}{about} is {found.status}."
    return f"Case {found.number}{about} is {found.status or 'open'}."


def _short(subject: str) -> str:
    short = subject if len(subject) <= 60 else subject[:60].rsplit(" ", 1)[0]
    return short.rstrip(" .,;:!?")


def _counted(count: int, noun: str) -> str:
    return f"{_number(count)} {noun}{'' if count == 1 else 's'}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
