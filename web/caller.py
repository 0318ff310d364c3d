"""Who is calling. Identity comes from the call's number, never from what the model says.

Until callers can be verified, personal data and changes are for the one contact who has the
caller's number. Nobody else hears more than found or not found.
"""

from dataclasses import dataclass

from shared.calls.calls import CallState
from shared.domain.drafts import FromCaller
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError
from shared.salesforce.customers import CaseSummary, Customer
from shared.salesforce.deadline import Deadline
from shared.salesforce.failures import SalesforceError
from web.metrics import CALLERS
from web.service import Service

IDENTITY_WAIT_S = 0.25
"""A write that needs the caller's identity waits so long for it; then the worker settles it."""

ANSWER_S = 0.25
"""What a lookup keeps of its deadline to say what is known when Salesforce did not answer; a busy
machine needs some of it."""


@dataclass(frozen=True)
class Caller:
    """number: E.164 or "". customers: everybody who has it; None when that could not be found.

    as_of_ms: when the org said so. is_old: before the call began.
    """

    call_id: str
    number: str
    customers: tuple[Customer, ...] | None
    as_of_ms: int | None = None
    is_old: bool = False

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
        try:
            draft = intent.draft
        except UnreadableError:
            return False  # another version's
        if not isinstance(draft, FromCaller) or not self.number:
            return False
        if draft.caller_number != self.number or self.customers is None or len(self.customers) > 1:
            return False
        # The number may be somebody else's by now.
        theirs = draft.contact_id or draft.told_to
        return theirs is None or self.contact is None or self.contact.contact_id == theirs

    def contact_id(self) -> str | None:
        """For a draft: the worker goes by the number when what is known is old."""
        return self.contact.contact_id if self.contact and not self.is_old else None


def known_caller(service: Service, state: CallState) -> Caller:
    """As known so far; asks nobody."""
    if not state.number:
        return Caller(state.call_id, "", ())
    last = service.snapshots.last(state.number)
    if last is None:
        return Caller(state.call_id, state.number, None)
    is_old = last.at_ms < state.since_ms
    return Caller(state.call_id, state.number, last.customers, last.at_ms, is_old)


def look_up_caller(service: Service, state: CallState, deadline: Deadline) -> Caller:
    """As the org has known them since the call began; as known before when it can't be asked.

    Raises SalesforceError when nothing at all is known.
    """
    known = known_caller(service, state)
    if known.customers is not None and not known.is_old:
        CALLERS.labels(source="kept").inc()
        return known
    try:
        found = service.snapshots.since(state.number, state.since_ms, deadline.earlier_by(ANSWER_S))
    except SalesforceError:
        CALLERS.labels(source="none" if known.customers is None else "old").inc()
        if known.customers is None:
            raise
        return known
    CALLERS.labels(source="asked").inc()
    return Caller(state.call_id, state.number, found.customers, found.at_ms)


def caller_for_a_write(service: Service, state: CallState) -> Caller:
    """As known, were it long ago, or found within a moment; else unknown: the worker settles it.

    The call's first sign has started the snapshot, and a breaker that is open answers at once: the
    moment is spent only by a write that is among the first signs itself, of somebody new.
    """
    known = known_caller(service, state)
    if known.customers is not None:
        return known
    if (service.snapshots.asked_ms_ago(state.number) or 0) > IDENTITY_WAIT_S * 1000:
        return known
    try:
        return look_up_caller(service, state, Deadline.after(IDENTITY_WAIT_S + ANSWER_S))
    except SalesforceError:
        return known


def open_cases(service: Service, caller: Caller) -> list[CaseSummary]:
    """The caller's open cases, newest first, with what was accepted from their number of late.

    What the snapshot can't show yet is on top of it: a case that is being opened, one that was
    opened or taken back since. Its number is "" while it has none.
    """
    contact = caller.contact
    if not contact:
        return []
    cases = list(contact.cases)
    for intent in service.journal.of_caller(caller.number):
        receipt = intent.receipt
        if intent.is_forgotten or (receipt and receipt.at_ms < (caller.as_of_ms or 0)):
            continue
        theirs = intent.payload.get("contact_id") or intent.payload.get("told_to")
        if intent.call_id != caller.call_id and theirs != contact.contact_id:
            continue  # the number was somebody else's, or nobody knew whose
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED:
            if not any(receipt and one.record_id == receipt.record_id for one in cases):
                cases.insert(0, _own_case(intent, contact.contact_id))
        elif intent.kind is Kind.CASE_CLOSE and intent.state not in (State.CANCELLED, State.PARKED):
            opened = service.journal.get(intent.payload.get("case_intent") or "")
            gone = {
                opened.reference if opened else "",
                opened.receipt.number if opened and opened.receipt else "",
                intent.payload.get("case_number") or "",
            } - {"", None}
            cases = [one for one in cases if not gone & {one.number, one.reference}]
    return cases


def _own_case(intent: Intent, contact_id: str) -> CaseSummary:
    states = {State.DELIVERED: "New", State.PARKED: "with a colleague"}
    issue_type = str(intent.payload.get("issue_type", ""))
    return CaseSummary(
        record_id=intent.receipt.record_id if intent.receipt else "",
        number=(intent.receipt.number or "") if intent.receipt else "",
        subject=f"{issue_type.capitalize()}: {intent.payload.get('description', '')}",
        status=states.get(intent.state, "being opened"),
        priority=str(intent.payload.get("priority") or ""),
        type=issue_type.capitalize(),
        is_closed=False,
        contact_id=contact_id,
        reference=intent.reference,
    )
