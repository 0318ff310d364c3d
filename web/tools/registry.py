"""The registry: every tool of the agent, its verb and its handler.

Its arguments are a model of the same name in shared/vapi/tools.py. Vapi's JSON schema and the
sentences for wrong arguments come from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.deadline import Deadline
from shared.vapi.answers import Answer
from web.tools import call_back, close, comment, create, identify, read, update
from web.tools.request import WriteRequest
from web.tools.turn import Turn


class Verb(StrEnum):
    IDENTIFY = "identify"
    READ = "read"
    CREATE = "create"
    COMMENT = "comment"
    UPDATE = "update"
    CLOSE = "close"
    CALL_BACK = "call_back"


@dataclass(frozen=True)
class Lookup:
    """Answers from the snapshot or from Salesforce, before a deadline."""

    verb: Verb
    handle: Callable[[Turn, Any, Deadline], Answer]


@dataclass(frozen=True)
class Write:
    """Makes a write request of its arguments, or says why it can't."""

    verb: Verb
    handle: Callable[[Turn, Any], WriteRequest | Answer]


TOOLS: dict[str, Lookup | Write] = {
    "lookupCustomer": Lookup(Verb.IDENTIFY, identify.lookup_customer),
    "getCaseStatus": Lookup(Verb.READ, read.get_case_status),
    "retrieveCustomerCase": Lookup(Verb.READ, read.retrieve_customer_case),
    "createSalesforceCase": Write(Verb.CREATE, create.create_case),
    "addCaseComment": Write(Verb.COMMENT, comment.add_comment),
    "updateContact": Write(Verb.UPDATE, update.update_contact),
    "cancelCase": Write(Verb.CLOSE, close.cancel_case),
    "requestCallback": Write(Verb.CALL_BACK, call_back.request_callback),
}
