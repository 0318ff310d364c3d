"""What happened in each of the last minutes, as the journal's scripts count it."""

from collections import Counter

import pytest
import redis

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.minutes import LIFE_S, Kept, Minute, Minutes, kept_of
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


def test_promises_count_with_the_time_from_acceptance_to_record_and_other_writes_do_not(
    minutes: Minutes, journal: Journal, context: DeliveryContext, store: redis.Redis
) -> None:
    promised, silent = accept(journal), accept(journal)
    store.hset(f"vs:intent:{silent}", "said", "")
    accepted = int(str(store.hget(f"vs:intent:{promised}", "accepted")))
    store.hset(f"vs:intent:{promised}", "accepted", accepted - 600_000)
    drain(context, Kind.CASE_CREATE)
    promises = kept_of(minutes.last(2))
    assert promises.count == 1
    assert 540_000 < promises.median_ms == promises.p99_ms < 670_000


def test_the_quantiles_are_right_to_a_tenth() -> None:
    def bucket(ms: int) -> int:
        return next(number for number in range(200) if ms <= 2 ** (number / 4))

    times = [100] * 50 + [2_500] * 48 + [90_000] * 2
    promises = kept_of([Minute(0, promises=Counter(map(bucket, times[:60]))),
                    Minute(60_000, promises=Counter(map(bucket, times[60:])))])  # fmt: skip
    assert promises.count == 100
    assert promises.median_ms == pytest.approx(100, rel=0.1)
    assert promises.p99_ms == pytest.approx(90_000, rel=0.1)
    assert kept_of([]) == Kept(0, 0, 0)


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
    minutes.count_refused(7)
    for key in store.scan_iter("vs:minute:*"):
        assert 0 < int(store.ttl(key)) <= LIFE_S
        store.hset(key, mapping={"of_later": "x", "kept:x": "1"})
    assert (total(minutes, "accepted"), total(minutes, "refused")) == (1, 7)
