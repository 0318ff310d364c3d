"""Delivery and the account of API use: probes, pauses, capacity, and shared requests."""

import threading
from dataclasses import replace
from typing import Any

import pytest
import redis
import structlog

from demo.processes import wait_until
from demo.stack import Org, Store
from shared.domain.drafts import CallbackDraft, CallDraft
from shared.domain.kinds import Kind, State
from shared.journal.journal import MAX_TRIED, Journal
from shared.salesforce.api_budget import Capacity, Use
from shared.salesforce.namespace import keys_of
from tests.api_use import report_usage, spend_window
from tests.conftest import make_settings
from tests.store_time import next_attempt_is_allowed, window_ends
from tests.workers.delivering import BILLING, CALL, accept, change, stored, wait_no_more
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

DOWN: dict[str, Any] = {"status": 503, "error_code": "SERVER_UNAVAILABLE"}


@pytest.fixture
def tight(store: redis.Redis, store_server: Store, org: Org) -> DeliveryContext:
    """A context with a window of which most is spent."""
    settings = make_settings(
        store_server.url, org.url, salesforce_window_requests=100, salesforce_window_seconds=20
    )
    context = DeliveryContext.from_settings(settings, store)
    context.records.probe()  # there is a token now
    spend_window(store, keys_of(settings.salesforce), Use.LOOKUP, 30)
    spend_window(store, keys_of(settings.salesforce), Use.WRITE, 25)
    return context


# -- an org that was away --------------------------------------------------------------------------


def test_a_light_request_finds_out_whether_the_org_is_back(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(3)]
    context.records.probe()
    org.fault(**DOWN)
    drain(context, Kind.CASE_CREATE)
    next_attempt_is_allowed(store)
    before = org.stats()["by_resource"]
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 3}
    after = org.stats()["by_resource"]
    assert after.get("composite", 0) == before.get("composite", 0)
    assert after["query"] == before["query"] + 1
    org.fault()
    next_attempt_is_allowed(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 3}
    assert {stored(journal, id_).state for id_ in ids} == {State.DELIVERED}


@pytest.mark.breaks_rows("a batch of which nothing is settled is leased until the lease ends")
def test_one_batch_of_all_kinds_tries_whether_the_org_is_back(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    accept(journal, Kind.CALLBACK, CallbackDraft(phone="+14155550101"))
    org.fault(**DOWN)
    drain(context, Kind.CASE_CREATE)
    next_attempt_is_allowed(store)
    first = journal.lease(Kind.CASE_CREATE, limit=10, max_bytes=1000)
    assert len(first.intents) == 1
    assert not journal.lease(Kind.CALLBACK, limit=10, max_bytes=1000).intents
    org.fault()
    journal.settle(first, [])
    assert len(journal.lease(Kind.CALLBACK, limit=10, max_bytes=1000).intents) == 1


# -- a kind that fails as a whole ------------------------------------------------------------------


def test_a_failing_kind_raises_one_alarm_is_tried_in_small_and_goes_on_by_itself(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(25):
        accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(hide_fields=["Case.Voice_Reference__c"])
    captured = structlog.testing.LogCapture()
    log = structlog.wrap_logger(None, processors=[captured])
    monkeypatch.setattr("workers.delivery.reporting.log", log)
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 25}
    next_attempt_is_allowed(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"again": MAX_TRIED}
    (alarm,) = (line for line in captured.entries if line["event"] == "kind_paused")
    assert (alarm["log_level"], alarm["kind"]) == ("error", "case_create")
    assert alarm["reason"].startswith("INVALID_FIELD")
    accept(journal, Kind.CASE_CREATE, BILLING)  # accepted all the same
    org.fault()
    next_attempt_is_allowed(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 26}
    assert not journal.waits()


def test_a_paused_kind_is_accepted_and_kept_until_a_person_resumes_it(
    context: DeliveryContext, journal: Journal
) -> None:
    assert journal.pause(Kind.CASE_CREATE)
    assert not journal.pause(Kind.CASE_CREATE)
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    assert drain(context, Kind.CASE_CREATE).counts == {}
    assert journal.sweep() == ()
    assert journal.resume(Kind.CASE_CREATE)
    assert not journal.resume(Kind.CASE_CREATE)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert stored(journal, intent_id).attempts == 1


# -- capacity --------------------------------------------------------------------------------------


def test_at_the_reserve_nothing_is_leased_and_nothing_counts_as_a_failure(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    report_usage(context.api_budget, 95_000, 100_000)
    before = org.stats()["requests"]
    drained = drain(context, Kind.CASE_CREATE)
    assert drained.counts == {}
    assert drained.waits_for.startswith("daily, room in ")
    assert org.stats()["requests"] == before
    assert stored(journal, intent_id).attempts == 0
    report_usage(context.api_budget, 5, 100_000)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}


def test_a_window_that_is_spent_in_the_midst_of_a_batch_is_no_failure(
    tight: DeliveryContext,
    journal: Journal,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    keys: str,
) -> None:
    monkeypatch.setattr("shared.salesforce.composite.PERMIT_WITHIN_S", 0.0)
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    monkeypatch.setattr(DeliveryContext, "capacity", lambda _: Capacity(1.0))
    spend_window(store, keys, Use.LOOKUP, 100)
    assert drain(tight, Kind.CASE_CREATE).counts == {"again": 1}
    assert stored(journal, intent_id).reason == "WINDOW_SPENT"
    assert stored(journal, intent_id).attempts == 0
    assert journal.waits()["org"].failures_in_a_row == 0
    monkeypatch.undo()
    window_ends(store, keys, Use.LOOKUP)
    wait_no_more(store)
    assert drain(tight, Kind.CASE_CREATE).counts == {"delivered": 1}


def test_a_tight_window_makes_larger_batches(
    tight: DeliveryContext, journal: Journal, org: Org
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(700)]
    before = org.stats()
    assert drain(tight, Kind.CASE_CREATE).counts == {"delivered": 700}
    after = org.stats()
    # Who the callers are, and all of the cases.
    assert after["by_resource"]["composite"] - before["by_resource"].get("composite", 0) == 2
    assert after["records"]["created"] - before["records"]["created"] == 700
    numbers = {receipt.number for id_ in ids if (receipt := stored(journal, id_).receipt)}
    assert len(numbers - {None}) == 700


def test_kinds_that_wait_for_capacity_share_a_request(
    tight: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    keys: str,
) -> None:
    jane = change(org).contact_id
    case_id = accept(journal, Kind.CASE_CREATE, replace(BILLING, contact_id=jane))
    log_id = accept(journal, Kind.CALL_LOG, CallDraft(**CALL | {"contact_id": jane}))
    tight.org_setup.get()
    before = org.stats()["by_resource"].get("composite", 0)
    spend_window(store, keys, Use.WRITE, 80)  # nothing leaves now
    monkeypatch.setattr(DeliveryContext, "capacity", lambda _: Capacity(1.0))
    threads = [
        threading.Thread(target=drain, args=(tight, kind))
        for kind in (Kind.CASE_CREATE, Kind.CALL_LOG)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: _boarded(tight) == 4, for_s=10, what="two kinds on board")
    window_ends(store, keys, Use.WRITE)
    for thread in threads:
        thread.join()
    assert org.stats()["by_resource"]["composite"] - before == 1
    assert {stored(journal, id_).state for id_ in (case_id, log_id)} == {State.DELIVERED}


def _boarded(context: DeliveryContext) -> int:
    load = context.records._composite._boarding
    return len(load.subrequests) if load else 0
