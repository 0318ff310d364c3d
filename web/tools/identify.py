"""identify: who is calling. A caller without a number of their own learns only "found" or not."""

from shared.agent.arguments import Given
from shared.agent.sentences import Phrase, phrase
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.salesforce.customers import MAX_OPEN_CASES, Customer
from shared.vapi.answers import Answer, result
from web.tools.caller import look_up_caller, open_cases
from web.tools.read import with_age
from web.tools.turn import Turn

RECENT_MS = 60_000
"""The age up to which a snapshot shows whether a number is on file."""


def lookup_customer(turn: Turn, _tool: Tool, given: Given, deadline: Deadline) -> Answer:
    caller = look_up_caller(turn, deadline)
    if caller.contact:
        contact, count = caller.contact, len(open_cases(turn, caller))
        who = _named(contact)
        if len(contact.cases) == MAX_OPEN_CASES:
            known = turn.say("caller-known-with-many-cases", who=who, count=count)
        else:
            known = turn.say("caller-known", who=who, count=count)
        return with_age(turn, caller, known)
    if caller.customers:
        first = phrase("number-shared", count=len(caller.customers))
    elif caller.number:
        first = phrase("number-not-on-file")
    else:
        first = phrase("number-not-shown")
    exists = _described_customer_exists(turn, given, deadline)
    if exists is None:
        return result(turn.say("caller-not-known", first=first))
    if exists:
        return result(turn.say("details-known", first=first))
    return result(turn.say("details-not-known", first=first))


def _named(contact: Customer) -> Phrase:
    name, account, number = contact.name, contact.account_name, contact.account_number
    match bool(account), bool(number):
        case True, True:
            key = "customer-of-account-with-number"
        case True, False:
            key = "customer-of-account"
        case False, True:
            key = "customer-with-number"
        case _:
            key = "customer"
    return phrase(key, name=name, account=account, number=number)


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
