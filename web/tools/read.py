"""read: the caller's cases. Answers from before the call say how old they are.

Handlers run on the pool of lookups and may raise SalesforceError. Their sentences differ for 0, 1
and many cases.
"""

from shared.agent.arguments import Given
from shared.agent.policy import ACCOUNT_LINE
from shared.agent.tool_files import ReadFile, Verb, as_field_value
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.case_numbers import same_number
from shared.domain.identifiers import same_identifier
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.domain.record_mapping import FieldValue, filled
from shared.salesforce.customers import CaseSummary
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, result
from web.tools.caller import (
    ANSWER_S,
    Caller,
    known_caller,
    look_up_caller,
    may,
    may_discuss,
    open_cases,
    proof_needed,
)
from web.tools.records import read_records
from web.tools.sentences import case_sentence, kind_of
from web.tools.turn import Turn
from web.tools.which_case import last_case_of_call, not_found
from web.tools.written import send_reference

MAX_SPOKEN = 3
MAX_SPOKEN_MINUTES = 90


def read(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, ReadFile)
    if tool.file.object != "Case":
        return read_records(turn, tool, given, deadline)
    if tool.file.send_reference and given.get("sendReference"):
        return send_reference(turn, tool, given, deadline)
    if tool.file.show == "one":
        return get_case_status(turn, tool, given, deadline)
    return list_cases(turn, tool, given, deadline)


def get_case_status(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    if reference := given.get("reference"):
        intent = turn.service.journal.by_reference(reference)
        if intent and _is_theirs(turn, intent, deadline):
            return _status_of_intent(turn, tool, intent, deadline)
        return _status_in_org(turn, tool, "reference", reference, deadline)
    if case_number := given.get("caseNumber"):
        return _status_in_org(turn, tool, "number", case_number, deadline)
    if newest := last_case_of_call(turn.intents):
        return _status_of_intent(turn, tool, newest, deadline)
    caller = look_up_caller(turn, deadline)
    if not caller.contact:
        return _nobody_known(turn, caller)
    if not may(turn, caller, Verb.READ, tool=tool):
        return result(proof_needed(turn))
    cases = open_cases(turn, caller)
    if not cases:
        return with_age(turn, caller, turn.say("no-open-case"))
    return with_age(turn, caller, case_sentence(turn, caller, cases[0]))


def _status_in_org(turn: Turn, tool: Tool, by: str, value: str, deadline: Deadline) -> Answer:
    """A case that is not there and a case of somebody else get the same sentence. For a caller who
    is unknown nothing is searched.

    by: "number" or "reference".
    """
    caller = look_up_caller(turn, deadline)
    if not caller.contact:
        return result(not_found(turn, by))
    if not may(turn, caller, Verb.READ, tool=tool):
        return result(proof_needed(turn))
    if by == "number" and (theirs := _case_of(turn, caller, value)):
        return with_age(turn, caller, case_sentence(turn, caller, theirs))
    customers = turn.service.customers
    find = customers.case_by_number if by == "number" else customers.case_by_reference
    found = turn.ask(lambda until: find(value, until), deadline)
    if found is None or not may_discuss(turn, caller, tool, found.contact_id):
        return result(not_found(turn, by))
    return result(case_sentence(turn, caller, found))


def _case_of(turn: Turn, caller: Caller, number: str) -> CaseSummary | None:
    """One of the caller's open cases as their snapshot shows it."""
    same = [case_ for case_ in open_cases(turn, caller) if same_number(number, case_.number)]
    return same[0] if len(same) == 1 else None


def _case_by_number(turn: Turn, number: str, deadline: Deadline) -> CaseSummary | None:
    customers = turn.service.customers
    return turn.ask(lambda until: customers.case_by_number(number, until), deadline)


def _is_theirs(turn: Turn, intent: Intent, deadline: Deadline) -> bool:
    """Raises SalesforceError, as the search for a reference of nothing does."""
    if known_caller(turn).identity.requested(intent):
        return True
    return look_up_caller(turn, deadline).identity.requested(intent)


def _status_of_intent(turn: Turn, tool: Tool, intent: Intent, deadline: Deadline) -> Answer:
    caller = known_caller(turn)
    of_this_call = bool(turn.state.call_id) and intent.call_id == turn.state.call_id
    is_enough = caller.identity.is_settled and (of_this_call or not caller.is_old)
    if not is_enough or not caller.identity.requested(intent):
        try:
            caller = look_up_caller(turn, deadline)
        except SalesforceError:
            if not of_this_call or not caller.identity.requested(intent):
                raise
    is_theirs = caller.identity.requested(intent)
    if not of_this_call and not may(turn, caller, Verb.READ, tool=tool):
        return result(proof_needed(turn) if caller.contact else not_found(turn, "reference"))
    if intent.kind is Kind.CASE_CREATE and intent.receipt and intent.receipt.number:
        return _status_of_delivered_case(
            turn,
            tool,
            caller,
            intent.receipt.number,
            deadline,
            is_theirs=is_theirs,
            is_certain=of_this_call or not caller.is_old,
        )
    if not is_theirs:
        return result(not_found(turn, "reference"))
    kind = kind_of(intent.kind)
    match intent.state, intent.kind:
        case State.DELIVERED, Kind.CASE_CREATE:
            return result(turn.say("case-opened-number-unknown"))
        case State.DELIVERED, _:
            return result(turn.say("request-done", kind=kind))
        case State.PARKED, _:
            return result(turn.say("request-with-colleague", kind=kind))
        case State.CANCELLED, _:
            return result(turn.say("request-taken-back", kind=kind))
        case _, Kind.CASE_CREATE:
            return result(turn.say("case-being-opened", reference=intent.reference))
        case _:
            return result(turn.say("request-on-its-way", kind=kind))


def _status_of_delivered_case(
    turn: Turn,
    tool: Tool,
    caller: Caller,
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
        found = _case_by_number(turn, number, deadline.earlier_by(ANSWER_S))
    except SalesforceError:
        if not is_theirs or not is_certain:
            raise
        return Answer(turn.say("case-opened-state-unknown", number=number), lasting=False)
    if found is None and is_theirs:
        return result(turn.say("case-has-number", number=number))
    if found is None or not may_discuss(turn, caller, tool, found.contact_id, requested=is_theirs):
        return result(not_found(turn, "reference"))
    return result(case_sentence(turn, caller, found))


def list_cases(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, ReadFile)
    caller = look_up_caller(turn, deadline)
    contact = caller.contact
    if not contact:
        return _nobody_known(turn, caller)
    if not may(turn, caller, Verb.READ, tool=tool):
        return result(proof_needed(turn))
    account_number = given.get("accountNumber")
    if account_number and not same_identifier(account_number, contact.account_number):
        return result(turn.say("account-number-differs"))
    wanted = _wanted(tool.file, given)
    known = {
        field: value
        for field, value in wanted.items()
        if may(turn, caller, Verb.READ, f"Case.{field}", tool=tool)
    }
    cases = [case_ for case_ in open_cases(turn, caller) if _is_wanted(case_, known)]
    # Which cases are left, and whether any are, would say what the caller may not hear.
    issue_type = given.get("issueType") if known == wanted else None
    if not cases and issue_type:
        return with_age(turn, caller, turn.say("no-open-case-about", issueType=issue_type))
    if not cases:
        return with_age(turn, caller, turn.say("no-open-case"))
    newest = [turn.say("newest-three")] if len(cases) > MAX_SPOKEN else []
    listed = [case_sentence(turn, caller, case_) for case_ in cases[:MAX_SPOKEN]]
    spoken = " ".join([*newest, *listed])
    count = len(cases)
    if issue_type:
        said = turn.say("cases-listed-about", count=count, issueType=issue_type, cases=spoken)
    else:
        said = turn.say("cases-listed", count=count, cases=spoken)
    return with_age(turn, caller, said)


OF_A_CASE = {"Type": "type", "Priority": "priority", "Status": "status"}
"""The fields of a case that `where` can name: those that are known without another request."""


def _wanted(file: ReadFile, given: Given) -> dict[str, str]:
    """Field → the value that a case has to have."""
    stored = given.stored()
    values = {
        field: filled(FieldValue(*as_field_value(entry)), stored)
        for field, entry in file.where.items()
    }
    return {field: str(value) for field, value in values.items() if value}


def _is_wanted(case_: CaseSummary, wanted: dict[str, str]) -> bool:
    return all(
        str(getattr(case_, OF_A_CASE[field])).lower() == value.lower()
        for field, value in wanted.items()
    )


def with_age(turn: Turn, caller: Caller, sentence: str) -> Answer:
    """A sentence from a snapshot: with its age when it is from before the call."""
    if not caller.is_old or caller.as_of_ms is None:
        return result(sentence)
    minutes = max(1, round((turn.service.journal.now_ms() - caller.as_of_ms) / 60_000))
    if minutes < MAX_SPOKEN_MINUTES:
        return result(turn.say("known-minutes-ago", count=minutes, sentence=sentence))
    return result(turn.say("known-hours-ago", count=round(minutes / 60), sentence=sentence))


def _nobody_known(turn: Turn, caller: Caller) -> Answer:
    if caller.identity.account_of_line and may(turn, caller, Verb.IDENTIFY, ACCOUNT_LINE):
        return result(turn.say("nobody-known-account-line"))
    if caller.number and not caller.identity.attested.counts:
        return result(turn.say("nobody-known-not-attested"))
    if caller.customers and not caller.identity.is_line:
        return result(turn.say("nobody-known-shared-number", count=len(caller.customers)))
    if caller.number:
        return result(turn.say("nobody-known-new-number"))
    return result(turn.say("nobody-known-no-number"))
