"""identify: who is calling. A caller without a number of their own learns only "found" or not."""

from shared.agent.arguments import Given
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.salesforce.customers import MAX_OPEN_CASES
from shared.vapi.answers import Answer, result
from web.tools.caller import look_up_caller, open_cases
from web.tools.read import with_age
from web.tools.sentences import counted, number_word
from web.tools.turn import Turn

RECENT_MS = 60_000
"""The age up to which a snapshot shows whether a number is on file."""


def lookup_customer(turn: Turn, _tool: Tool, given: Given, deadline: Deadline) -> Answer:
    caller = look_up_caller(turn, deadline)
    if caller.contact:
        contact = caller.contact
        parts = [f"The caller is {contact.name}"]
        if contact.account_name:
            parts.append(f" of {contact.account_name}")
        if contact.account_number:
            parts.append(f", account number {contact.account_number}")
        more = "at least " if len(contact.cases) == MAX_OPEN_CASES else ""
        cases = counted(len(open_cases(turn, caller)), "open case")
        return with_age(turn, caller, f"{''.join(parts)}. They have {more}{cases}.")
    if caller.customers:
        number = number_word(len(caller.customers)).capitalize()
        first = f"{number} customers share this phone number."
    elif caller.number:
        first = "This phone number is not on file."
    else:
        first = "This call shows no phone number."
    exists = _described_customer_exists(turn, given, deadline)
    if exists is None:
        return result(f"{first} So I can't tell who is calling.")
    if exists:
        return result(
            f"{first} There is a customer with those details, but without their own phone number "
            "I can't share or change anything of theirs."
        )
    return result(f"{first} And I found no customer with those details.")


def _described_customer_exists(turn: Turn, given: Given, deadline: Deadline) -> bool | None:
    """None when the caller gave no details."""
    service = turn.service
    account_number, email, name = map(given.get, ("accountNumber", "email", "name"))
    if account_number or email or name:
        return service.ask(
            lambda until: service.customers.is_known(
                until,
                account_number=account_number,
                email=email,
                name=name,
            ),
            deadline,
        )
    if phone := given.get("phone"):
        number = service.normal_number(phone)
        recently_ms = service.journal.now_ms() - RECENT_MS
        return bool(number and service.snapshots.since(number, recently_ms, deadline).customers)
    return None
