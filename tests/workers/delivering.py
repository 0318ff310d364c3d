"""What the tests of deliveries share: intents accepted, records looked up, waits ended."""

from typing import Any

import redis

from demo.stack import Org
from shared.domain.drafts import (
    CaseDraft,
    ContactDraft,
    Draft,
)
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from tests.calling import KNOWN
from tests.store_time import intents_are_due, waits_end
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

BILLING = CaseDraft(caller_number=KNOWN, issue_type="billing", description="Billed twice")
CALL: dict[str, Any] = {
    "caller_number": KNOWN, "call_id": "call-1", "direction": "Inbound",
    "started_at": "2026-11-22T10:00:00.000+00:00", "ended_at": "2026-11-22T10:02:00.000+00:00",
    "duration_s": 120, "ended_reason": "customer-ended-call", "summary": "Billed twice.",
    "transcript": "Caller: hello", "transcript_in_file": False,
    "recording_url": "https://api.vapi.ai/call/call-1/mono-recording",
}  # fmt: skip


def accept(
    journal: Journal, kind: Kind, draft: Draft, call_id: str = "call-1", **others: Any
) -> str:
    intent = NewIntent(
        **{
            "id": new_intent_id(),
            "kind": kind,
            "draft": draft,
            "reference": new_reference(),
            **others,
        }
    )
    journal.accept(call_id, [intent])
    return intent.id


def stored(journal: Journal, intent_id: str) -> Intent:
    found = journal.get(intent_id)
    assert found
    return found


def record(org: Org, sobject: str, intent_id: str) -> dict[str, Any]:
    (found,) = (record for record in org.records(sobject) if record["Call_Key__c"] == intent_id)
    return found


def contact(org: Org, name: str = "Jane Miller") -> dict[str, Any]:
    (found,) = (record for record in org.records("Contact") if record["Name"] == name)
    return found


def wait_no_more(store: redis.Redis, *intent_ids: str, kind: Kind = Kind.CASE_CREATE) -> None:
    """The wait is over, whatever it was for."""
    waits_end(store)
    intents_are_due(store, *intent_ids, kind=kind)


def open_case(context: DeliveryContext, journal: Journal, draft: CaseDraft) -> str:
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    return intent_id


def deliver(context: DeliveryContext, journal: Journal, kind: Kind, draft: Draft) -> str:
    intent_id = accept(journal, kind, draft)
    assert drain(context, kind).counts == {"delivered": 1}
    return intent_id


def change(org: Org, **others: Any) -> ContactDraft:
    jane = contact(org)
    return ContactDraft(
        **{
            "caller_number": KNOWN,
            "contact_id": jane["Id"],
            "changes": {"Email": "new@example.com", "MailingCity": "Oakland"},
            "seen": {"Email": [jane["Email"]], "MailingCity": [jane["MailingCity"]]},
            "accepted_at": "2026-11-22T10:00:00.000+00:00",
            **others,
        }
    )
