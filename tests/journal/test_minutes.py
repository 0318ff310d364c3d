"""What happened in each of the last minutes, as the journal's scripts count it."""

import pytest
import redis

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.minutes import LIFE_S, Minutes
from tests.console.writing import accept, parked
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


@pytest.fixture
def minutes(store: redis.Redis) -> Minutes:
    return Minutes(store)


def total(minutes: Minutes, what: str) -> int:
    """Of two minutes, because one may end during the test."""
    return sum(getattr(minute, what) for minute in minutes.last(2))


def test_every_write_is_counted_when_it_is_accepted_delivered_and_parked(
    minutes: Minutes, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    parked(journal, context, org, 2)
    for _ in range(3):
        accept(journal)
    drain(context, Kind.CASE_CREATE)
    counted = [total(minutes, what) for what in ("accepted", "delivered", "parked")]
    assert counted == [5, 3, 2]


def test_a_write_that_is_replayed_is_not_accepted_twice(
    minutes: Minutes, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (intent_id,) = parked(journal, context, org)
    journal.replay([intent_id])
    drain(context, Kind.CASE_CREATE)
    assert (total(minutes, "accepted"), total(minutes, "delivered")) == (1, 1)


def test_a_sweep_remembers_how_old_the_oldest_due_write_was(
    minutes: Minutes, journal: Journal, context: DeliveryContext, store: redis.Redis
) -> None:
    assert [minute.oldest_ms for minute in minutes.last(2)] == [None, None]
    intent_id = accept(journal)
    store.zincrby(f"vs:due:{Kind.CASE_CREATE}", -30_000, intent_id)
    journal.sweep()
    drain(context, Kind.CASE_CREATE)
    journal.sweep()
    oldest = max(minute.oldest_ms or 0 for minute in minutes.last(2))
    assert 30_000 <= oldest < 90_000, "a later sweep that finds nothing does not hide it"


def test_what_is_counted_expires_and_other_fields_spoil_nothing(
    minutes: Minutes, journal: Journal, store: redis.Redis
) -> None:
    accept(journal)
    for key in store.scan_iter("vs:minute:*"):
        assert 0 < int(store.ttl(key)) <= LIFE_S
        store.hset(key, mapping={"of_later": "x", "another": "1"})
    assert total(minutes, "accepted") == 1
