"""Fill a journal as the service does, through its own scripts."""

from collections.abc import Iterator

from bench.load import number
from shared.domain.drafts import CaseDraft
from shared.domain.intent import Delivered, NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.journal import Journal

CALLERS = 2_000
AT_ONCE = 200
TEXT = "The invoice of last month shows the line twice, and nobody could explain it. "


def accept_cases(journal: Journal, count: int) -> None:
    """Due at once, of CALLERS callers. One request in a call."""
    for start in range(0, count, AT_ONCE):
        journal.accept("", [new_case(nth) for nth in range(start, min(start + AT_ONCE, count))])


def new_case(nth: int) -> NewIntent:
    draft = CaseDraft(
        caller_number=number(nth % CALLERS), issue_type="billing", description=f"{TEXT}({nth})"
    )
    reference = new_reference()
    return NewIntent(
        id=new_intent_id(), kind=Kind.CASE_CREATE, draft=draft, reference=reference,
        tool="createSalesforceCase", said=f"Your reference is {reference}.",
    )  # fmt: skip


def deliver(journal: Journal, count: int) -> Iterator[int]:
    """Settle the oldest as delivered, without Salesforce. Yields how many, batch by batch."""
    done = 0
    while done < count:
        limit = min(AT_ONCE, count - done)
        lease = journal.lease(Kind.CASE_CREATE, limit=limit, max_bytes=10_000_000)
        if not lease.intents:
            return
        journal.settle(
            lease,
            [
                Delivered(intent.id, f"500{done + nth:012d}AAA", f"{done + nth:08d}")
                for nth, intent in enumerate(lease.intents)
            ],
        )
        done += len(lease.intents)
        yield len(lease.intents)
