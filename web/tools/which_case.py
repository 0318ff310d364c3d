"""Which case a write tool means, and whether this caller may change it."""

from dataclasses import dataclass

from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.case_numbers import same_number
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.salesforce.failures import SalesforceError
from shared.vapi.answers import Answer, refusal, trouble
from web.tools.caller import (
    Caller,
    caller_for_a_write,
    may,
    may_discuss,
    open_cases,
    proof_needed,
)
from web.tools.sentences import nothing_saved
from web.tools.turn import Turn

CASE_WAIT_S = 1.0
"""How long a write waits to see whose case it is when the snapshot does not show it."""


@dataclass(frozen=True)
class Target:
    """A case: the intent that opens it, or its number in the org."""

    opened_by: Intent | None = None
    number: str | None = None


def last_case_of_call(intents: list[Intent]) -> Intent | None:
    """The case that was accepted last in this call and not taken back."""
    cases = [
        intent
        for intent in intents
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED
    ]
    return cases[-1] if cases else None


def find_case(
    turn: Turn, tool: Tool, reference: str | None, case_number: str | None
) -> Target | Answer:
    """The case with this reference or number, else the call's last case; or why there is none, or
    none that this caller may change."""
    if reference:
        intent = turn.service.journal.by_reference(reference)
        # Whatever another caller asked for gets what a reference of nothing gets. The org still
        # knows the cases by it that the journal has no data of any more.
        if intent and caller_for_a_write(turn).identity.requested(intent):
            return case_opened_by(turn, tool, intent)
        return _case_in_org(turn, tool, "reference", reference)
    if case_number:
        return _case_in_org(turn, tool, "number", case_number)
    if intent := last_case_of_call(turn.intents):
        return case_opened_by(turn, tool, intent)
    return refusal(turn.say("which-case"))


def case_opened_by(turn: Turn, tool: Tool, intent: Intent) -> Target | Answer:
    """The case that this intent opens. Once it is in the org, the org decides whose it is."""
    caller = caller_for_a_write(turn)
    identity = caller.identity
    of_this_call = bool(turn.state.call_id) and intent.call_id == turn.state.call_id
    if not of_this_call and not may(turn, caller, tool.verb, tool=tool, pending=True):
        return refusal(_not_yours(turn, caller, "reference"))
    if intent.kind is not Kind.CASE_CREATE:
        return refusal(turn.say("reference-of-no-case"))
    is_theirs = identity.requested(intent)
    number = intent.receipt.number if intent.receipt else None
    if is_theirs and (identity.contact_id or not number or not identity.is_settled):
        return Target(opened_by=intent)  # the worker checks before it writes
    if not number:
        if identity.is_settled:
            return refusal(nothing_saved(turn, not_found(turn, "reference")))
        return trouble(turn.say("reference-not-checked"))
    try:
        found = turn.ask(
            lambda until: turn.service.customers.case_by_number(number, until),
            Deadline.after(CASE_WAIT_S),
        )
    except SalesforceError:
        if is_theirs:
            return Target(opened_by=intent)  # the worker checks before it writes
        return trouble(turn.say("reference-not-checked"))
    if found and may_discuss(turn, caller, tool, found.contact_id, requested=is_theirs):
        return Target(opened_by=intent)
    return refusal(nothing_saved(turn, not_found(turn, "reference")))


def _not_yours(turn: Turn, caller: Caller, by: str) -> str:
    """Somebody who is unknown learns only that nothing was found."""
    if caller.identity.contact_id:
        return proof_needed(turn)
    return nothing_saved(turn, not_found(turn, by))


def _case_in_org(turn: Turn, tool: Tool, by: str, value: str) -> Target | Answer:
    """Whose case it is: as the snapshot shows it, else as Salesforce answers within CASE_WAIT_S.

    If Salesforce does not answer, the worker checks a case number. With the breaker open this does
    not wait.
    """
    caller = caller_for_a_write(turn)
    if not may(turn, caller, tool.verb, tool=tool, pending=True):
        return refusal(_not_yours(turn, caller, by))
    if by == "number":
        same = [case_ for case_ in open_cases(turn, caller) if same_number(value, case_.number)]
        if len(same) == 1:
            return Target(number=same[0].number)
    customers = turn.service.customers
    find = customers.case_by_number if by == "number" else customers.case_by_reference
    try:
        found = turn.ask(lambda until: find(value, until), Deadline.after(CASE_WAIT_S))
    except SalesforceError:
        if by == "number":
            return Target(number=value)
        return trouble(turn.say("reference-not-looked-up"))
    identity = caller.identity
    if found is None and by == "reference" and not identity.is_settled:
        return trouble(turn.say("reference-not-looked-up"))  # it may be of a request of theirs
    if found is None or (
        identity.is_settled and not may_discuss(turn, caller, tool, found.contact_id)
    ):
        return refusal(nothing_saved(turn, not_found(turn, by)))
    return Target(number=found.number)


def not_found(turn: Turn, by: str) -> str:
    """by: "number" or "reference"."""
    if by == "number":
        return turn.say("case-not-found-by-number")
    return turn.say("case-not-found-by-reference")
