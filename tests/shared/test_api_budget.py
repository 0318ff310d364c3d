"""The API budget: window, daily allowance, breaker. Two budgets stand for two processes."""

import threading
from typing import Any

import pytest
import redis

from demo.stack import Org, Store
from shared.deadline import Deadline
from shared.salesforce.api_budget import ApiBudget, Capacity, Denied, Permit, Use
from shared.salesforce.breaker import MAX_BAD, MAX_STUCK
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.window import HOLD_MS
from shared.settings import Settings
from tests.conftest import make_settings

NO_DEADLINE = 60.0


@pytest.fixture
def windowed(store: redis.Redis, store_server: Store, org: Org) -> Settings:
    return make_settings(
        store_server.url, org.url, salesforce_window_requests=20, salesforce_window_seconds=20
    )


def ask(api_budget: ApiBudget, use: Use, **options: Any) -> Permit | Denied:
    return api_budget.ask(use, lasts_s=1, **options)


def permit_of(api_budget: ApiBudget, use: Use = Use.LOOKUP) -> Permit:
    permit = ask(api_budget, use)
    assert isinstance(permit, Permit)
    return permit


def spent(store: redis.Redis, keys: str, use: Use, count: int) -> None:
    """Count this many requests in the window, for the next minute."""
    seconds, _ = store.time()
    until = (seconds + 60) * 1000
    store.zadd(f"{keys}window:{use}", {f"earlier-{nth}": until for nth in range(count)})


def said(api_budget: ApiBudget, used: int, limit: int) -> None:
    """Let an answer report how much of the daily allowance is used."""
    api_budget.done(permit_of(api_budget), None, f"api-usage={used}/{limit}")


# -- the window ------------------------------------------------------------------------------------


def test_no_more_permits_than_the_window_has_whichever_process_asks(
    windowed: Settings, store: redis.Redis
) -> None:
    budgets = ApiBudget(windowed.salesforce, store), ApiBudget(windowed.salesforce, store)
    granted = [ask(budgets[nth % 2], Use.LOOKUP) for nth in range(30)]
    assert sum(isinstance(item, Permit) for item in granted) == 20
    assert all(item.why == "window" for item in granted if isinstance(item, Denied))


def test_salesforce_never_counts_more_than_the_window_allows(
    store: redis.Redis, store_server: Store, org: Org
) -> None:
    """The org counts a request somewhere between its start and its end."""
    settings = make_settings(
        store_server.url, org.url, salesforce_window_requests=10, salesforce_window_seconds=1
    )
    org.fault(window={"requests": 10, "seconds": 1}, latency_ms=[5, 60])
    api_budget = ApiBudget(settings.salesforce, store)
    client = SalesforceClient(settings.salesforce, store, api_budget, Use.LOOKUP)
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
    api_budget = ApiBudget(windowed.salesforce, store)
    spent(store, keys, Use.WRITE, 16)  # a fifth is left to lookups
    refused = ask(api_budget, Use.WRITE)
    assert isinstance(refused, Denied)
    assert refused.why == "window"
    assert isinstance(ask(api_budget, Use.LOOKUP), Permit)


def test_the_more_lookups_there_are_the_less_is_left_to_writes(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(windowed.salesforce, store)
    spent(store, keys, Use.LOOKUP, 10)
    spent(store, keys, Use.WRITE, 8)
    assert isinstance(api_budget.capacity(), Denied)
    store.zremrangebyrank(f"{keys}window:lookup", 0, 4)
    assert isinstance(api_budget.capacity(), Capacity)


def test_a_shared_lookup_is_held_while_the_window_is_tight_and_no_longer_than_said(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(windowed.salesforce, store)
    assert isinstance(ask(api_budget, Use.LOOKUP, shared=True), Permit)  # plenty of capacity
    spent(store, keys, Use.LOOKUP, 15)
    assert isinstance(ask(api_budget, Use.LOOKUP, shared=True), Denied)
    assert isinstance(ask(api_budget, Use.LOOKUP), Permit)  # alone in its request
    assert isinstance(ask(api_budget, Use.LOOKUP, shared=True, waited_s=HOLD_MS / 1000), Permit)


def test_what_was_given_back_does_not_count(windowed: Settings, store: redis.Redis) -> None:
    api_budget = ApiBudget(windowed.salesforce, store)
    for _ in range(30):
        api_budget.give_back(permit_of(api_budget))
    assert api_budget.figures().window[Use.LOOKUP] == 0
    assert api_budget.figures().in_flight[Use.LOOKUP] == 0


def test_pressure_grows_as_the_window_is_spent(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(windowed.salesforce, store)
    before = api_budget.capacity()
    spent(store, keys, Use.LOOKUP, 8)
    after = api_budget.capacity()
    assert isinstance(before, Capacity)
    assert isinstance(after, Capacity)
    assert before.pressure == 0 < after.pressure < 1


# -- the daily allowance ---------------------------------------------------------------------------


def test_at_the_reserve_writes_wait_and_lookups_go_on(
    settings: Settings, store: redis.Redis
) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    said(api_budget, 89_000, 100_000)
    assert isinstance(api_budget.capacity(), Capacity)
    said(api_budget, 90_000, 100_000)
    refused = api_budget.capacity()
    assert isinstance(refused, Denied)
    assert refused.why == "daily"
    assert isinstance(ask(api_budget, Use.LOOKUP), Permit)


def test_at_zero_nothing_leaves_but_one_a_while_to_see_whether_it_has_come_back(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    said(api_budget, 100_000, 100_000)
    for use in Use:
        refused = ask(api_budget, use)
        assert isinstance(refused, Denied)
        assert refused.why == "daily"
    store.hset(f"{keys}usage", "at", 0)  # long ago
    assert isinstance(ask(api_budget, Use.LOOKUP), Permit)
    assert isinstance(ask(api_budget, Use.LOOKUP), Denied)  # one is still out
    other = ApiBudget(settings.salesforce, store)
    store.hset(f"{keys}usage", "asked", 0)
    api_budget.done(permit_of(other), None, "api-usage=99/100000")
    assert isinstance(ask(api_budget, Use.WRITE), Permit)


def test_a_refusal_without_figures_is_believed(settings: Settings, store: redis.Redis) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    error = SalesforceError(FailureClass.DAILY_LIMIT, "REQUEST_LIMIT_EXCEEDED")
    api_budget.done(permit_of(api_budget), error)
    assert isinstance(ask(api_budget, Use.LOOKUP), Denied)


def test_from_half_of_the_day_on_writes_are_spread(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    """100 requests in 20 s would be 432,000 a day, more than most orgs have."""
    api_budget = ApiBudget(settings.salesforce, store)
    said(api_budget, 40_000, 100_000)
    assert all(isinstance(ask(api_budget, Use.WRITE), Permit) for _ in range(5))
    said(api_budget, 70_000, 100_000)
    granted = [ask(api_budget, Use.WRITE) for _ in range(5)]
    assert not any(isinstance(item, Permit) for item in granted)  # one left just now
    assert isinstance(ask(api_budget, Use.LOOKUP), Permit)
    store.delete(f"{keys}last_write")
    assert isinstance(ask(api_budget, Use.WRITE), Permit)


# -- the breaker -----------------------------------------------------------------------------------


def bad(api_budget: ApiBudget, permit: Permit) -> None:
    api_budget.done(permit, away("HTTP_503", ambiguous=False))


def opened(api_budget: ApiBudget) -> None:
    for permit in [permit_of(api_budget) for _ in range(MAX_BAD)]:
        bad(api_budget, permit)


def over(store: redis.Redis, keys: str) -> None:
    """End the time for which the breaker stays open."""
    store.hset(f"{keys}breaker", "until", 0)


def test_failures_open_the_breaker_for_lookups_alone_in_every_process(
    settings: Settings, store: redis.Redis
) -> None:
    api_budget, other = ApiBudget(settings.salesforce, store), ApiBudget(settings.salesforce, store)
    opened(api_budget)
    refused = ask(other, Use.LOOKUP)
    assert isinstance(refused, Denied)
    assert refused.why == "breaker"
    assert (other.figures().breaker.state, other.figures().breaker.reason) == ("open", "HTTP_503")
    assert isinstance(ask(other, Use.WRITE), Permit)


def test_more_good_answers_than_bad_ones_keep_it_closed(
    settings: Settings, store: redis.Redis
) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    for _ in range(MAX_BAD + 1):
        api_budget.done(permit_of(api_budget), None)
    opened(api_budget)
    assert api_budget.figures().breaker.state == "closed"


def test_refusals_of_salesforce_are_answers(settings: Settings, store: redis.Redis) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    for _ in range(2 * MAX_BAD):
        api_budget.done(
            permit_of(api_budget), SalesforceError(FailureClass.MISCONFIGURED, "INVALID_FIELD")
        )
    assert api_budget.figures().breaker.state == "closed"


def test_one_probe_at_a_time_goes_through_and_a_good_one_closes_it(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget, other = ApiBudget(settings.salesforce, store), ApiBudget(settings.salesforce, store)
    opened(api_budget)
    over(store, keys)
    assert api_budget.figures().breaker.state == "half-open"
    probe = permit_of(api_budget)
    assert probe.probe
    assert all(isinstance(ask(item, Use.LOOKUP), Denied) for item in (api_budget, other))
    api_budget.done(probe, None)
    assert isinstance(ask(other, Use.LOOKUP), Permit)


def test_a_probe_leaves_also_when_the_window_is_tight(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    """The probe is held back like any lookup, and being held back does not use it up."""
    api_budget = ApiBudget(windowed.salesforce, store)
    opened(api_budget)
    over(store, keys)
    spent(store, keys, Use.WRITE, 12)
    held = ask(api_budget, Use.LOOKUP, shared=True)
    assert isinstance(held, Denied)
    assert held.why == "window"
    permit = ask(api_budget, Use.LOOKUP, shared=True, waited_s=HOLD_MS / 1000)
    assert isinstance(permit, Permit)
    assert permit.probe


def test_the_repeat_of_a_request_waits_for_the_window_alone(
    windowed: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(windowed.salesforce, store)
    opened(api_budget)
    assert isinstance(ask(api_budget, Use.LOOKUP, forced=True), Permit)
    spent(store, keys, Use.LOOKUP, 20)
    assert isinstance(ask(api_budget, Use.LOOKUP, forced=True), Denied)


def test_a_bad_probe_opens_it_for_longer(settings: Settings, store: redis.Redis, keys: str) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    opened(api_budget)
    for failures_in_a_row in (2, 3):
        over(store, keys)
        bad(api_budget, permit_of(api_budget))
        assert api_budget.figures().breaker.state == "open"
        assert store.hget(f"{keys}breaker", "failures_in_a_row") == str(failures_in_a_row)


def test_a_probe_that_never_left_makes_way_for_the_next(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    opened(api_budget)
    over(store, keys)
    api_budget.give_back(permit_of(api_budget))
    assert permit_of(api_budget).probe


def test_lookups_that_hang_open_it_before_they_time_out(
    settings: Settings, store: redis.Redis, keys: str
) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    stuck = [permit_of(api_budget) for _ in range(MAX_STUCK)]
    assert isinstance(ask(api_budget, Use.LOOKUP), Permit)
    for permit in stuck:
        store.zincrby(f"{keys}flying:lookup", -2000, permit.id)
    refused = ask(api_budget, Use.LOOKUP)
    assert isinstance(refused, Denied)
    assert api_budget.figures().breaker.reason == "HANGING"


def test_answers_that_take_too_long_open_it(settings: Settings, store: redis.Redis) -> None:
    api_budget = ApiBudget(settings.salesforce, store)
    for _ in range(MAX_BAD):
        permit = permit_of(api_budget)
        api_budget.done(Permit(permit.id, permit.use, permit.probe, permit.left_at - 2.0), None)
    assert api_budget.figures().breaker.reason == "SLOW"
