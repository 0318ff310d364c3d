"""What became of a batch, as sentences for the agents of the calls that still last."""

import re
from collections.abc import Iterator

from shared.domain.drafts import ContactDraft
from shared.domain.intent import Delivered, Outcome, Parked, PartRefused
from shared.domain.kinds import Kind
from shared.journal.results import Lease

MAX_PARKED = 5
"""A batch that parks more has met something larger than a call."""


def updates_of(lease: Lease, outcomes: list[Outcome]) -> Iterator[tuple[str, str]]:
    """(call id, sentence) for each promise that was delivered, or that is parked."""
    intents = {item.id: item for item in lease.intents}
    parked = 0
    for outcome in outcomes:
        intent = intents[outcome.intent_id]
        if not intent.reference or not intent.call_id:
            continue
        if isinstance(outcome, Delivered) and lease.kind is Kind.CASE_CREATE and outcome.number:
            yield (
                intent.call_id,
                f"The case with reference {intent.reference} is open now. Its number is "
                f"{outcome.number}. Tell the caller when it fits.",
            )
        elif isinstance(outcome, Parked) and parked < MAX_PARKED:
            parked += 1
            yield (
                intent.call_id,
                f"What was noted with reference {intent.reference} could not be saved. Tell the "
                "caller that a colleague will look at it.",
            )
        elif isinstance(outcome, PartRefused) and parked < MAX_PARKED:
            parked += 1
            draft = outcome.part.draft
            assert isinstance(draft, ContactDraft)
            yield (
                intent.call_id,
                f"Of what was noted with reference {intent.reference}, the "
                f"{' and the '.join(_spoken(name) for name in draft.changes)} could not be saved. "
                "The rest is being saved. Tell the caller that a colleague will look at it.",
            )


def _spoken(field: str) -> str:
    """MailingPostalCode: postal code."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", field.removeprefix("Mailing")).lower()
