"""Who is calling. Identity comes from the call's number, never from what the model says.

Until callers can be verified, personal data and changes are for the one contact who has the
caller's number. Nobody else hears more than found or not found.
"""

from dataclasses import dataclass

from shared.calls.calls import CallState
from shared.domain.drafts import FromCaller
from shared.domain.intent import Intent
from shared.salesforce.client import Deadline
from shared.salesforce.customers import CaseSummary, Customer
from shared.salesforce.failures import SalesforceError
from web.service import Service

IDENTITY_WAIT_S = 1.0
"""A write that needs the caller's identity waits so long for it; then the worker settles it."""


@dataclass(frozen=True)
class Caller:
    """number: E.164 or "". customers: everybody who has it; None when that could not be found."""

    call_id: str
    number: str
    customers: tuple[Customer, ...] | None

    @property
    def contact(self) -> Customer | None:
        """The one contact who has this number."""
        return self.customers[0] if self.customers and len(self.customers) == 1 else None

    def may_hear_of(self, case_summary: CaseSummary) -> bool:
        """The case is the one contact's. A telephone number that somebody typed proves nothing."""
        return self.contact is not None and case_summary.contact_id == self.contact.contact_id

    def wished_for(self, intent: Intent) -> bool:
        """The intent was accepted in this call, or in an earlier one from this number."""
        if self.call_id and intent.call_id == self.call_id:
            return True
        draft = intent.draft
        return (
            isinstance(draft, FromCaller)
            and bool(self.number)
            and draft.caller_number == self.number
            and self.customers is not None
            and len(self.customers) <= 1
        )


def known_caller(state: CallState) -> Caller:
    """As known so far; asks nobody."""
    if not state.number:
        return Caller(state.call_id, "", ())
    if state.customers is None:
        return Caller(state.call_id, state.number, None)
    found = tuple(Customer.from_json(kept) for kept in state.customers)
    return Caller(state.call_id, state.number, found)


def look_up_caller(service: Service, state: CallState, deadline: Deadline) -> Caller:
    """As the org knows them now; kept for the rest of the call. Raises SalesforceError."""
    if not state.number:
        return Caller(state.call_id, "", ())
    found = service.customers.by_phone(state.number, deadline)
    service.calls.keep_customers(
        state.call_id, state.number, [customer.as_json() for customer in found]
    )
    return Caller(state.call_id, state.number, tuple(found))


def caller_for_a_write(
    service: Service, state: CallState, deadline: Deadline | None = None
) -> Caller:
    """As known, or found within a moment; else unknown, and the worker settles who it is.

    Asked at most once in a while of a Salesforce that does not answer, so that writes don't wait.
    deadline: what is left of the moment, where some of it was spent already.
    """
    caller = known_caller(state)
    if caller.customers is not None or service.pool.in_trouble:
        return caller
    until = deadline or Deadline.after(IDENTITY_WAIT_S)
    looking = service.pool.start(lambda: look_up_caller(service, state, until))
    try:
        return looking.result(until)
    except SalesforceError:
        return caller
