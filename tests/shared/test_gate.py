"""The account of API use: window, daily allowance, breaker. Two gates are two processes."""

import threading
from typing import Any

import pytest
import redis

from demo.stack import Org, Store
from shared.salesforce.client import SalesforceClient
from shared.salesforce.deadline import Deadline
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.gate import HOLD_MS, MOST_BAD, MOST_STUCK, Gate, NotNow, Room, Slot, Use
from shared.settings import Settings
from tests.conftest import make_settings

NO_DEADLINE = 60.0


@pytest.fixture
def windowed(store: redis.Redis, store_server: Store, org: Org) -> Settings:
    return make_settings(
        store_server.url, org.url, salesforce_window_requests=20, salesforce_window_seconds=20
    )


def ask(gate: Gate, use: Use, **options: Any) -> Slot | NotNow:
    return gate.ask(use, lasts_s=1, **options)


def slot_of(gate: Gate, use: Use = Use.LOOKUP) -> Slot:
    slot = ask(gate, use)
    assert isinstance(slot, Slot)
    return slot


def spent(store: redis.Redis, keys: str, use: Use, count: int) -> None:
    """So many requests count in the window, for the next minute."""
    seconds, _ = store.time()
    until = (seconds + 60) * 1000
    store.zadd(f"{keys}window:{use}", {f"earlier-{nth}": until for nth in range(count)})


def told(gate: Gate, used: int, limit: int) -> None:
    """An answer has told how much of the day is used."""
    gate.done(slot_of(gate), None, f"api-usage={used}/{limit}")


# -- the window ------------------------------------------------------------------------------------


def test_no_more_leave_than_the_window_has_whichever_process_asks(
    windowed: Settings, store: redis.Redis
) -> None:
    gates = Gate(windowed, store), Gate(windowed, store)
    granted = [ask(gates[nth % 2], Use.LOOKUP) for nth in range(30)]
    assert sum(isinstance(one, Slot) for one in granted) == 20
    assert all(one.why == "window" for one in granted if isinstance(one, NotNow))


def test_salesforce_never_counts_more_than_the_window_allows(
    store: redis.Redis, store_server: Store, org: Org
) -> None:
    """The org counts a request somewhere between its start and its end."""
    settings = make_settings(
        store_server.url, org.url, salesforce_window_requests=10, salesforce_window_seconds=1
    )
    org.fault(window={"requests": 10, "seconds": 1}, latency_ms=[5, 60])
    client = SalesforceClient(settings, store, Gate(settings, store), Use.LOOKUP)
    deadline = Deadline.after(NO_DEADLINE)

    def work() -> None:
        for _ in range(8):
            client.query("SELECT Id FROM Contact LIMIT 1", deadline)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = org.stats()
    assert stats["by_resource"]["query"] == 40
    assert "403" not in stats["by_status"]


def test_writes_leave_lookups_a_reserve(windowed: Settings, store: redis.Redis, keys: str) -> None:
    gate = Gate(windowed, store)
    spent(store, keys, Use.WRITE, 16)  # a fifth is left to lookups
    refused = ask(gate, Use.WRITE)
    assert isinstance(refused, NotNow)
    assert refused.why == "window"
    assert isinstance(ask(gate, Use.LOOKUP), Slot)


def test_the_more_lookups_there_are_the_less_is_left_to_writes(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(windowed, store)
    spent(store, keys, Use.LOOKUP, 10)
    spent(store, keys, Use.WRITE, 8)
    assert isinstance(gate.room(), NotNow)
    store.zremrangebyrank(f"{keys}window:lookup", 0, 4)
    assert isinstance(gate.room(), Room)


def test_a_shared_lookup_is_held_while_the_window_is_tight_and_no_longer_than_told(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(windowed, store)
    assert isinstance(ask(gate, Use.LOOKUP, shared=True), Slot)  # plenty of room
    spent(store, keys, Use.LOOKUP, 15)
    assert isinstance(ask(gate, Use.LOOKUP, shared=True), NotNow)
    assert isinstance(ask(gate, Use.LOOKUP), Slot)  # alone in its request
    assert isinstance(ask(gate, Use.LOOKUP, shared=True, waited_s=HOLD_MS / 1000), Slot)


def test_what_was_given_back_does_not_count(windowed: Settings, store: redis.Redis) -> None:
    gate = Gate(windowed, store)
    for _ in range(30):
        gate.give_back(slot_of(gate))
    assert gate.figures().window[Use.LOOKUP] == 0
    assert gate.figures().in_flight[Use.LOOKUP] == 0


def test_pressure_grows_as_the_window_is_spent(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(windowed, store)
    before = gate.room()
    spent(store, keys, Use.LOOKUP, 8)
    after = gate.room()
    assert isinstance(before, Room)
    assert isinstance(after, Room)
    assert before.pressure == 0 < after.pressure < 1


# -- the daily allowance ---------------------------------------------------------------------------


def test_at_the_reserve_writes_wait_and_lookups_go_on(
    settings: Settings, store: redis.Redis
) -> None:
    gate = Gate(settings, store)
    told(gate, 89_000, 100_000)
    assert isinstance(gate.room(), Room)
    told(gate, 90_000, 100_000)
    refused = gate.room()
    assert isinstance(refused, NotNow)
    assert refused.why == "daily"
    assert isinstance(ask(gate, Use.LOOKUP), Slot)


def test_at_zero_nothing_leaves_but_one_a_while_to_see_whether_it_has_come_back(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(settings, store)
    told(gate, 100_000, 100_000)
    for use in Use:
        refused = ask(gate, use)
        assert isinstance(refused, NotNow)
        assert refused.why == "daily"
    store.hset(f"{keys}usage", "at", 0)  # long ago
    assert isinstance(ask(gate, Use.LOOKUP), Slot)
    assert isinstance(ask(gate, Use.LOOKUP), NotNow)  # the one that went has not come back yet
    told_again = Gate(settings, store)
    store.hset(f"{keys}usage", "asked", 0)
    gate.done(slot_of(told_again), None, "api-usage=99/100000")
    assert isinstance(ask(gate, Use.WRITE), Slot)


def test_a_refusal_without_figures_is_believed(settings: Settings, store: redis.Redis) -> None:
    gate = Gate(settings, store)
    error = SalesforceError(FailureClass.DAILY_LIMIT, "REQUEST_LIMIT_EXCEEDED")
    gate.done(slot_of(gate), error)
    assert isinstance(ask(gate, Use.LOOKUP), NotNow)


def test_from_half_of_the_day_on_writes_are_spread(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    """100 requests in 20 s would be 432,000 a day, more than most orgs have."""
    gate = Gate(settings, store)
    told(gate, 40_000, 100_000)
    assert all(isinstance(ask(gate, Use.WRITE), Slot) for _ in range(5))
    told(gate, 70_000, 100_000)
    granted = [ask(gate, Use.WRITE) for _ in range(5)]
    assert not any(isinstance(one, Slot) for one in granted)  # one left just now
    assert isinstance(ask(gate, Use.LOOKUP), Slot)
    store.delete(f"{keys}last_write")
    assert isinstance(ask(gate, Use.WRITE), Slot)


# -- the breaker -----------------------------------------------------------------------------------


def bad(gate: Gate, slot: Slot) -> None:
    gate.done(slot, away("HTTP_503", ambiguous=False))


def opened(gate: Gate) -> None:
    for slot in [slot_of(gate) for _ in range(MOST_BAD)]:
        bad(gate, slot)


def over(store: redis.Redis, keys: str) -> None:
    """The time that the breaker stays open is over."""
    store.hset(f"{keys}breaker", "until", 0)


def test_failures_open_the_breaker_for_lookups_alone_in_every_process(
    settings: Settings, store: redis.Redis
) -> None:
    gate, other = Gate(settings, store), Gate(settings, store)
    opened(gate)
    refused = ask(other, Use.LOOKUP)
    assert isinstance(refused, NotNow)
    assert refused.why == "breaker"
    assert (other.figures().breaker, other.figures().breaker_reason) == ("open", "HTTP_503")
    assert isinstance(ask(other, Use.WRITE), Slot)


def test_more_good_answers_than_bad_ones_keep_it_closed(
    settings: Settings, store: redis.Redis
) -> None:
    gate = Gate(settings, store)
    for _ in range(MOST_BAD + 1):
        gate.done(slot_of(gate), None)
    opened(gate)
    assert gate.figures().breaker == "closed"


def test_refusals_of_salesforce_are_answers(settings: Settings, store: redis.Redis) -> None:
    gate = Gate(settings, store)
    for _ in range(2 * MOST_BAD):
        gate.done(slot_of(gate), SalesforceError(FailureClass.MISCONFIGURED, "INVALID_FIELD"))
    assert gate.figures().breaker == "closed"


def test_one_probe_at_a_time_goes_through_and_a_good_one_closes_it(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    gate, other = Gate(settings, store), Gate(settings, store)
    opened(gate)
    over(store, keys)
    assert gate.figures().breaker == "half-open"
    probe = slot_of(gate)
    assert probe.probe
    assert all(isinstance(ask(one, Use.LOOKUP), NotNow) for one in (gate, other))
    gate.done(probe, None)
    assert isinstance(ask(other, Use.LOOKUP), Slot)


def test_a_probe_leaves_also_when_the_window_is_tight(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    """It is held like any lookup; being held does not use it up."""
    gate = Gate(windowed, store)
    opened(gate)
    over(store, keys)
    spent(store, keys, Use.WRITE, 12)
    held = ask(gate, Use.LOOKUP, shared=True)
    assert isinstance(held, NotNow)
    assert held.why == "window"
    slot = ask(gate, Use.LOOKUP, shared=True, waited_s=HOLD_MS / 1000)
    assert isinstance(slot, Slot)
    assert slot.probe


def test_the_repeat_of_a_request_waits_for_the_window_alone(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(windowed, store)
    opened(gate)
    assert isinstance(ask(gate, Use.LOOKUP, forced=True), Slot)
    spent(store, keys, Use.LOOKUP, 20)
    assert isinstance(ask(gate, Use.LOOKUP, forced=True), NotNow)


def test_a_bad_probe_opens_it_for_longer(settings: Settings, store: redis.Redis, keys: str) -> None:
    gate = Gate(settings, store)
    opened(gate)
    for strikes in (2, 3):
        over(store, keys)
        bad(gate, slot_of(gate))
        assert gate.figures().breaker == "open"
        assert store.hget(f"{keys}breaker", "strikes") == str(strikes)


def test_a_probe_that_never_left_makes_way_for_the_next(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(settings, store)
    opened(gate)
    over(store, keys)
    gate.give_back(slot_of(gate))
    assert slot_of(gate).probe


def test_lookups_that_hang_open_it_before_they_time_out(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    gate = Gate(settings, store)
    stuck = [slot_of(gate) for _ in range(MOST_STUCK)]
    assert isinstance(ask(gate, Use.LOOKUP), Slot)
    for slot in stuck:
        store.zincrby(f"{keys}flying:lookup", -2000, slot.id)
    refused = ask(gate, Use.LOOKUP)
    assert isinstance(refused, NotNow)
    assert gate.figures().breaker_reason == "HANGING"


def test_answers_that_take_too_long_open_it(settings: Settings, store: redis.Redis) -> None:
    gate = Gate(settings, store)
    for _ in range(MOST_BAD):
        slot = slot_of(gate)
        gate.done(Slot(slot.id, slot.use, slot.probe, slot.left_at - 2.0), None)
    assert gate.figures().breaker_reason == "SLOW"
