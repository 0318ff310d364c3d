"""The counts of several processes in one store: added up, and each of them once."""

import json
from typing import Any

import pytest
import redis
from prometheus_client import CollectorRegistry, Counter, Histogram

from shared.metrics import fleet
from shared.metrics.fleet import FleetCounts
from shared.store import StoreUnavailableError


class Counting:
    """A process that counts, as far as the store knows."""

    def __init__(self, store: redis.Redis) -> None:
        registry = CollectorRegistry()
        self.calls = Counter("vs_test_calls", "Calls", ["kind"], registry=registry)
        self.seconds = Histogram(
            "vs_test_seconds", "Seconds", ["kind"], buckets=(0.1, 1), registry=registry
        )
        self.others = Counter("python_others", "Of somebody else", registry=registry)
        self.counts = FleetCounts(store, registry=registry)

    def shown(self) -> dict[str, float]:
        """Each sample of the fleet as `name{values}`, in the order of the page."""
        return {
            f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
            for family in self.counts.read()
            for sample in family.samples
        }


def test_counts_of_two_processes_are_added_up_and_either_shows_them(store: redis.Redis) -> None:
    first, second = Counting(store), Counting(store)
    first.calls.labels(kind="a").inc()
    second.calls.labels(kind="a").inc(2)
    second.calls.labels(kind="b").inc()
    first.counts.flush()
    second.counts.flush()
    expected = {"vs_test_calls_total{a}": 3.0, "vs_test_calls_total{b}": 1.0}
    assert first.shown() == second.shown() == expected


def test_what_was_added_is_not_added_again(store: redis.Redis) -> None:
    process = Counting(store)
    process.calls.labels(kind="a").inc()
    process.counts.flush()
    process.counts.flush()
    process.calls.labels(kind="a").inc()
    process.counts.flush()
    assert process.counts.total("vs_test_calls_total") == 2


def test_a_process_that_ends_leaves_its_counts(store: redis.Redis) -> None:
    ended = Counting(store)
    ended.calls.labels(kind="a").inc()
    ended.counts.flush()
    del ended
    assert Counting(store).shown() == {"vs_test_calls_total{a}": 1.0}


def test_a_histogram_shows_all_of_its_buckets_in_order(store: redis.Redis) -> None:
    first, second = Counting(store), Counting(store)
    first.seconds.labels(kind="a").observe(0.5)
    second.seconds.labels(kind="a").observe(0.5)
    second.seconds.labels(kind="a").observe(7)
    first.counts.flush()
    second.counts.flush()
    assert list(first.shown().items()) == [
        ("vs_test_seconds_bucket{a,0.1}", 0.0),
        ("vs_test_seconds_bucket{a,1.0}", 2.0),
        ("vs_test_seconds_bucket{a,+Inf}", 3.0),
        ("vs_test_seconds_count{a}", 3.0),
        ("vs_test_seconds_sum{a}", 8.0),
    ]


@pytest.mark.parametrize("arrives", [True, False])
def test_a_step_whose_reply_is_lost_is_added_once(store: redis.Redis, arrives: bool) -> None:
    process = Counting(store)
    add = process.counts._add

    def lost(**arguments: Any) -> None:
        if arrives:
            add(**arguments)
        raise redis.TimeoutError

    process.calls.labels(kind="a").inc()
    process.counts._add = lost
    with pytest.raises(StoreUnavailableError):
        process.counts.flush()
    process.calls.labels(kind="a").inc()
    process.counts._add = add
    process.counts.flush()
    assert process.counts.total("vs_test_calls_total") == 2


def test_what_was_counted_before_a_store_was_there_is_not_added(store: redis.Redis) -> None:
    process = Counting(store)
    process.calls.labels(kind="a").inc()
    later = FleetCounts(store, registry=process.counts._registry)
    later.flush()
    assert later.total("vs_test_calls_total") == 0


def test_metrics_of_others_and_times_of_creation_are_not_stored(store: Any) -> None:
    process = Counting(store)
    process.others.inc()
    process.calls.labels(kind="a").inc()
    process.counts.flush()
    assert [json.loads(series)[0] for series in store.hkeys("vs:metrics")] == [
        "vs_test_calls_total"
    ]


def test_labels_without_end_do_not_fill_the_store(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "MAX_SERIES", 3)
    process = Counting(store)
    for nth in range(5):
        process.calls.labels(kind=str(nth)).inc()
    process.counts.flush()
    assert store.hlen("vs:metrics") == 3
    process.calls.labels(kind="0").inc()
    process.counts.flush()
    assert process.shown()["vs_test_calls_total{0}"] == 2
