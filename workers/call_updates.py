"""What became of a batch, as sentences for the agents of the calls that still last."""

import re
from collections.abc import Iterator

from shared.agent.sentences import Phrase, phrase
from shared.calls.call_updates import CallUpdate
from shared.domain.drafts import ContactDraft
from shared.domain.intent import Delivered, Outcome, Parked, PartRefused
from shared.domain.kinds import Kind
from shared.journal.results import Lease

MAX_PARKED = 5
"""A batch that parks more has met something larger than a call."""


def updates_of(lease: Lease, outcomes: list[Outcome]) -> Iterator[CallUpdate]:
    """For each promise that was delivered, or that is parked."""
    intents = {item.id: item for item in lease.intents}
    parked = 0
    for outcome in outcomes:
        intent = intents[outcome.intent_id]
        call_id, reference = intent.call_id, intent.reference
        if not reference or not call_id:
            continue
        if isinstance(outcome, Delivered) and lease.kind is Kind.CASE_CREATE and outcome.number:
            opened = phrase("case-open-now", reference=reference, number=outcome.number)
            yield CallUpdate(call_id, opened)
        elif isinstance(outcome, Parked) and parked < MAX_PARKED:
            parked += 1
            yield CallUpdate(call_id, phrase("write-not-saved", reference=reference))
        elif isinstance(outcome, PartRefused) and parked < MAX_PARKED:
            parked += 1
            draft = outcome.part.draft
            assert isinstance(draft, ContactDraft)
            fields = [_spoken(name) for name in draft.changes]
            refused = phrase("fields-not-saved", reference=reference, fields=fields)
            yield CallUpdate(call_id, refused)


def _spoken(field: str) -> Phrase:
    """A field without a name of its own is spoken as it is spelled: Delivery_Note__c, delivery
    note."""
    bare = field.removesuffix("__c").replace("_", " ")
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare).lower()
    return phrase(f"the-field-{field}", "the-field", name=name)
