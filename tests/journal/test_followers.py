"""Intents that parked with another: what proof/ and the model found (docs/proofs.md)."""

import pytest
import redis

from shared.domain.drafts import CaseDraft, CommentDraft
from shared.domain.intent import Delivered, NewIntent, Parked, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal


def accepted(journal: Journal, kind: Kind, **others: object) -> str:
    draft = (
        CaseDraft(issue_type="billing", description="x")
        if kind is Kind.CASE_CREATE
        else CommentDraft(case_number="00001001", text="x")
    )
    intent = NewIntent(id=new_intent_id(), kind=kind, draft=draft, **others)  # type: ignore[arg-type]
    journal.accept("call", [intent])
    return intent.id


def parks(journal: Journal, kind: Kind, intent_id: str, follows: str = "") -> None:
    lease = journal.lease(kind, limit=9, max_bytes=9999)
    journal.settle(lease, [Parked(intent_id, "NO", follows=follows)])


def test_what_a_person_replayed_alone_no_longer_follows_what_it_parked_with(
    journal: Journal, store: redis.Redis
) -> None:
    case = accepted(journal, Kind.CASE_CREATE)
    comment = accepted(journal, Kind.CASE_COMMENT, after=(case,))
    parks(journal, Kind.CASE_CREATE, case)
    parks(journal, Kind.CASE_COMMENT, comment, follows=case)
    assert journal.replay([comment])[0] == 1
    assert not store.exists(f"vs:followers:{case}")
    # Now Salesforce refuses the comment itself. A person decides on it, not the case's delivery.
    parks(journal, Kind.CASE_COMMENT, comment)
    journal.replay([case])
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999)
    journal.settle(lease, [Delivered(case, "500x")])
    assert [intent.id for intent in journal.parked(9)] == [comment]


def test_what_parked_with_another_is_due_once_that_is_delivered(journal: Journal) -> None:
    case = accepted(journal, Kind.CASE_CREATE)
    comment = accepted(journal, Kind.CASE_COMMENT, after=(case,))
    parks(journal, Kind.CASE_CREATE, case)
    parks(journal, Kind.CASE_COMMENT, comment, follows=case)
    journal.replay([case])
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999)
    journal.settle(lease, [Delivered(case, "500x")])
    found = journal.get(comment)
    assert found
    assert found.state is State.DUE


def test_what_becomes_due_when_another_is_discarded_wakes_a_worker_at_the_next_sweep(
    journal: Journal,
) -> None:
    """Nobody notifies for a discarded intent, so nobody may count on a wake-up of that step."""
    case = accepted(journal, Kind.CASE_CREATE)
    comment = accepted(journal, Kind.CASE_COMMENT, after=(case,))
    parks(journal, Kind.CASE_CREATE, case)
    parks(journal, Kind.CASE_COMMENT, comment, follows=case)
    assert journal.discard([case]) == 1
    assert journal.sweep() == (Kind.CASE_COMMENT,)


@pytest.mark.breaks_rows("a row is no hash")
def test_what_parked_with_another_is_due_when_that_is_unreadable_and_discarded(
    journal: Journal, store: redis.Redis
) -> None:
    case = accepted(journal, Kind.CASE_CREATE)
    comment = accepted(journal, Kind.CASE_COMMENT, after=(case,))
    parks(journal, Kind.CASE_CREATE, case)
    parks(journal, Kind.CASE_COMMENT, comment, follows=case)
    store.delete(f"vs:intent:{case}")
    store.set(f"vs:intent:{case}", "spoiled")
    assert journal.discard([case]) == 1
    assert journal.sweep() == (Kind.CASE_COMMENT,)
