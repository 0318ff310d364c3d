"""What the journal counts is what happened to its intents, whatever ways they take."""

import redis

from shared.domain.drafts import ContactDraft
from shared.domain.intent import (
    Cancelled,
    Delivered,
    NewIntent,
    Outcome,
    Parked,
    PartRefused,
    Scope,
    TryAgain,
    new_intent_id,
)
from shared.domain.kinds import Kind
from shared.journal.figures import JournalFigures, KindFigures
from shared.journal.journal import Journal
from tests.calling import KNOWN
from tests.store_time import everything_is_due
from tests.workers.delivering import BILLING, accept

CASE = Kind.CASE_CREATE


def figures(store: redis.Redis, kind: Kind = CASE) -> KindFigures:
    return JournalFigures(store).read([kind])[kind]


def settle(journal: Journal, *outcomes: Outcome, kind: Kind = CASE) -> None:
    lease = journal.lease(kind, limit=99, max_bytes=99_999)
    assert {intent.id for intent in lease.intents} == {item.intent_id for item in outcomes}
    journal.settle(lease, outcomes)


def test_each_end_is_counted_by_its_kind(journal: Journal, store: redis.Redis) -> None:
    delivered, parked, cancelled, again = (accept(journal, CASE, BILLING) for _ in range(4))
    settle(
        journal,
        Delivered(delivered, "500x"),
        Parked(parked, "CASE_GONE"),
        Cancelled(cancelled, "NOT_THEIR_CASE"),
        TryAgain(again, "UNABLE_TO_LOCK_ROW", 0, Scope.RECORD),
    )
    found = figures(store)
    assert (found.accepted, found.delivered, found.parked, found.cancelled) == (4, 1, 1, 1)
    assert (found.again, found.batches) == (1, 1)
    assert figures(store, Kind.CALLBACK) == KindFigures()
    everything_is_due(store)
    settle(journal, Delivered(again, "500y"))
    found = figures(store)
    assert (found.accepted, found.delivered, found.again, found.batches) == (4, 2, 1, 2)


def test_what_the_caller_takes_back_is_counted(journal: Journal, store: redis.Redis) -> None:
    journal.cancel(accept(journal, CASE, BILLING, hold_ms=60_000), "caller")
    assert (figures(store).accepted, figures(store).cancelled) == (1, 1)


def test_what_operators_do_is_counted(journal: Journal, store: redis.Redis) -> None:
    replayed, discarded = accept(journal, CASE, BILLING), accept(journal, CASE, BILLING)
    settle(journal, Parked(replayed, "NO"), Parked(discarded, "NO"))
    journal.replay([replayed])
    journal.discard([discarded])
    found = figures(store)
    assert (found.parked, found.replayed, found.cancelled) == (2, 1, 1)
    journal.replay([replayed])  # it is not parked any more
    journal.discard([discarded])
    assert figures(store) == found


def test_a_part_that_salesforce_refuses_is_an_intent_of_its_own(
    journal: Journal, store: redis.Redis
) -> None:
    draft = ContactDraft(
        caller_number=KNOWN,
        contact_id="003000000000001AAA",
        changes={"Email": "a"},
        accepted_at="2026-11-22T10:00:00.000+00:00",
    )
    whole = accept(journal, Kind.CONTACT_UPDATE, draft)
    part = NewIntent(id=new_intent_id(), kind=Kind.CONTACT_UPDATE, draft=draft)
    settle(
        journal,
        PartRefused(whole, "INVALID_EMAIL_ADDRESS", rest=draft, part=part, delay_ms=0),
        kind=Kind.CONTACT_UPDATE,
    )
    found = figures(store, Kind.CONTACT_UPDATE)
    assert (found.accepted, found.parked, found.again) == (2, 1, 1)


def test_a_lease_that_another_worker_took_over_counts_once(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal, CASE, BILLING)
    late = journal.lease(CASE, limit=9, max_bytes=9_999)
    everything_is_due(store)
    settle(journal, Delivered(intent_id, "500x"))
    journal.settle(late, [Delivered(intent_id, "500x")])
    assert figures(store).delivered == 1


def test_counts_outlive_the_intents(journal: Journal, store: redis.Redis) -> None:
    settle(journal, Delivered(accept(journal, CASE, BILLING), "500x"))
    before = figures(store)
    while journal.purge(data_after_ms=-1, receipt_after_ms=-1):
        continue
    assert journal.summary().accepted == 0
    assert figures(store) == before


def test_a_row_that_nobody_can_read_is_parked_and_counted(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal, CASE, BILLING)
    store.hset(f"vs:intent:{intent_id}", "state", "of another version")
    assert journal.lease(CASE, limit=9, max_bytes=9_999).intents == ()
    assert figures(store).parked == 1
    journal.discard([intent_id])
