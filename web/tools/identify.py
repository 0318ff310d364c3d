"""identify: who is calling. A caller without a number of their own learns only "found" or not."""

from shared.agent.arguments import Given
from shared.agent.policy import ACCOUNT_LINE
from shared.agent.sentences import Phrase, Quoted, phrase, quoted
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.salesforce.caller_query import MAX_OPEN_CASES
from shared.vapi.answers import Answer, result
from web.tools.caller import Caller, look_up_caller, may, open_cases
from web.tools.read import with_age
from web.tools.turn import Turn

MAX_NAME = 80

NAME, ACCOUNT, ACCOUNT_NUMBER = "Contact.Name", "Account.Name", "Account.AccountNumber"
"""As policy.toml names them."""


def lookup_customer(turn: Turn, tool: Tool, _given: Given, deadline: Deadline) -> Answer:
    """Nobody is searched by what the caller says: that would show who is a customer."""
    caller = look_up_caller(turn, deadline)
    if caller.contact:
        who = named(turn, caller, tool)
        if who is None:
            return result(turn.say("caller-on-file"))
        if not may(turn, caller, Verb.READ):
            return with_age(turn, caller, turn.say("caller-is", who=who))
        contact, count = caller.contact, len(open_cases(turn, caller))
        if len(contact.cases) == MAX_OPEN_CASES:
            known = turn.say("caller-known-with-many-cases", who=who, count=count)
        else:
            known = turn.say("caller-known", who=who, count=count)
        return with_age(turn, caller, known)
    if caller.identity.account_of_line and may(turn, caller, Verb.IDENTIFY, ACCOUNT_LINE):
        first = phrase("number-of-account")
    elif caller.number and not caller.identity.attested.counts:
        first = phrase("number-not-attested")
    elif caller.customers and not caller.identity.is_line:
        first = phrase("number-shared", count=len(caller.customers))
    elif caller.number:
        first = phrase("number-not-on-file")
    else:
        first = phrase("number-not-shown")
    return result(turn.say("caller-not-known", first=first))


def named(
    turn: Turn, caller: Caller, tool: Tool | None = None, *, with_number: bool = True
) -> Phrase | None:
    """What the policy lets the caller hear of who they are; None when that is not even a name.

    with_number: also their account number.
    """
    contact = caller.contact
    if contact is None or not may(turn, caller, Verb.IDENTIFY, NAME, tool=tool):
        return None
    account = contact.account_name if may(turn, caller, Verb.IDENTIFY, ACCOUNT, tool=tool) else ""
    with_number = with_number and may(turn, caller, Verb.IDENTIFY, ACCOUNT_NUMBER, tool=tool)
    return _named(
        quoted(contact.name, MAX_NAME),
        quoted(account, MAX_NAME),
        quoted(contact.account_number if with_number else "", MAX_NAME),
    )


def _named(name: Quoted, account: Quoted, number: Quoted) -> Phrase:
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
