"""Writes for the console's tests, parked by the local org as in real life."""

from demo.stack import Org
from shared.domain.drafts import CaseDraft, ContactDraft, Draft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NUMBER = "+14155550101"
WORDS = "very private words"
RULE = "Billing cases need an order number."
REFUSED = {"validation_rules": [{"object": "Case", "when": "Type = 'Billing'", "message": RULE}]}


def accept(
    journal: Journal,
    kind: Kind = Kind.CASE_CREATE,
    draft: Draft | None = None,
    call_id: str = "call-1",
    tool: str = "createSalesforceCase",
    hold_ms: int = 0,
) -> str:
    made = draft or CaseDraft(caller_number=NUMBER, issue_type="billing", description=WORDS)
    intent_id = new_intent_id()
    new = NewIntent(
        id=intent_id, kind=kind, draft=made, tool=tool, reference=new_reference(),
        said=f"I have noted {WORDS}.", hold_ms=hold_ms,
    )  # fmt: skip
    journal.accept(call_id, [new])
    return intent_id


def parked(
    journal: Journal, context: DeliveryContext, org: Org, count: int = 1, call_id: str = "call-1"
) -> list[str]:
    """Cases that a validation rule refuses. The rule is gone afterwards."""
    ids = [accept(journal, call_id=call_id) for _ in range(count)]
    org.fault(**REFUSED)
    assert drain(context, Kind.CASE_CREATE).counts["parked"] == count
    org.fault()
    return ids


def edited_since(journal: Journal, context: DeliveryContext, contact_id: str) -> str:
    """A contact update whose field a person has changed meanwhile."""
    draft = ContactDraft(
        caller_number=NUMBER,
        contact_id=contact_id,
        changes={"Phone": "+14155550777"},
        seen={"Phone": ["+14155550000"]},
        accepted_at="2026-11-27T10:00:00.000+00:00",
    )
    intent_id = accept(journal, Kind.CONTACT_UPDATE, draft, tool="updateContact")
    drain(context, Kind.CONTACT_UPDATE)
    assert state_of(journal, intent_id) is State.PARKED
    return intent_id


def state_of(journal: Journal, intent_id: str) -> State:
    found = journal.get_many([intent_id])[intent_id]
    return found.state


def reference_of(journal: Journal, intent_id: str) -> str:
    return journal.get_many([intent_id])[intent_id].reference
