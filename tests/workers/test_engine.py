"""The engine: what failures become, what waits, and whose a lease is."""

import threading
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import (
    CallbackDraft,
    CaseDraft,
)
from shared.domain.intent import TryAgain
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN
from tests.conftest import change_settings
from tests.store_time import intent_has, nobody_has_the_number
from tests.workers.delivering import (
    BILLING,
    accept,
    change,
    open_case,
    record,
    stored,
    wait_no_more,
)
from workers.delivery.cases import open_cases
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain
from workers.delivery.reporting import Drained


def test_a_salesforce_that_is_down_costs_one_request_and_all_wait(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(450)]
    drain(context, Kind.CALLBACK)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", resources=["composite", "query"])
    before = org.stats()["requests"]
    drained = drain(context, Kind.CASE_CREATE)
    assert drained.counts == {"again": 200}
    assert drained.waits_for.startswith("SERVER_UNAVAILABLE, next attempt ")
    assert drain(context, Kind.CASE_CREATE).counts == {}
    assert org.stats()["requests"] - before <= 2  # with the token
    assert {stored(journal, id_).state for id_ in ids} == {State.DUE}
    org.fault()
    wait_no_more(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 450}
    assert not journal.waits()


def test_a_full_first_batch_wakes_another_worker_for_the_backlog(
    context: DeliveryContext, journal: Journal
) -> None:
    for _ in range(450):
        accept(journal, Kind.CASE_CREATE, BILLING)
    woken: list[Kind] = []
    drained = drain(context, Kind.CASE_CREATE, wake_another=woken.append)
    assert drained.counts == {"delivered": 450}
    assert woken == [Kind.CASE_CREATE]
    accept(journal, Kind.CASE_CREATE, BILLING)
    drain(context, Kind.CASE_CREATE, wake_another=woken.append)
    assert len(woken) == 1


def test_a_missing_field_makes_the_kind_wait_and_parks_nothing(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(hide_fields=["Case.Voice_Reference__c"])
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 1}
    assert set(journal.waits()) == {"case_create"}
    org.fault()
    wait_no_more(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert stored(journal, intent_id).attempts == 2


def test_one_record_that_is_refused_for_good_parks_and_the_others_go(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    good = accept(journal, Kind.CASE_CREATE, BILLING)
    bad = accept(
        journal,
        Kind.CASE_CREATE,
        CaseDraft(issue_type="billing", description="refuse me"),
    )
    rule = {"object": "Case", "when": "Subject LIKE '%refuse me'", "message": "No."}
    org.fault(validation_rules=[rule])
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1, "parked": 1}
    assert stored(journal, good).state is State.DELIVERED
    parked = stored(journal, bad)
    assert parked.state is State.PARKED
    assert parked.reason


def test_a_token_that_expired_is_replaced_once_and_nothing_fails(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    open_case(context, journal, BILLING)
    org.fault(expire_tokens=True)
    open_case(context, journal, BILLING)
    assert org.stats()["by_resource"]["token"] == 2


def test_what_nobody_foresaw_parks_alone(
    context: DeliveryContext, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(3)]
    bad = accept(journal, Kind.CASE_CREATE, CaseDraft(issue_type="billing", description="boom"))
    create = context.records.create

    def create_or_fail(sobject: str, records: Any, *others: Any, **options: Any) -> Any:
        if any(fields["Description"] == "boom" for _, fields in records):
            raise KeyError("compositeResponse")
        return create(sobject, records, *others, **options)

    monkeypatch.setattr(context.records, "create", create_or_fail)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 3, "parked": 1}
    assert stored(journal, bad).reason == "UNFORESEEN_KeyError"
    assert {stored(journal, id_).state for id_ in good} == {State.DELIVERED}


def test_a_draft_of_another_version_parks_under_its_schema(
    context: DeliveryContext, journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    intent_has(store, intent_id, schema=99)
    assert drain(context, Kind.CASE_CREATE).counts == {"parked": 1}
    assert stored(journal, intent_id).reason == "UNREADABLE_SCHEMA_99"


def test_a_worker_that_writes_after_its_lease_ran_out_undoes_no_edit(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """The slow one had built its request; the quick one delivered and a person edited meanwhile."""
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    slow = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000)
    wait_no_more(store, intent_id)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    org.edit("Case", record(org, "Case", intent_id)["Id"], Status="Working", Priority="High")
    (outcome,) = open_cases(context, list(slow.intents))
    assert isinstance(outcome, TryAgain)
    assert journal.settle(slow, [outcome]).count == 0
    after = record(org, "Case", intent_id)
    assert (after["Status"], after["Priority"]) == ("Working", "High")


def test_a_key_that_is_never_free_parks_in_the_end(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """Another unique field of the org refuses the record: no reading by our key will find it."""
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(status=400, error_code="DUPLICATE_VALUE", resources=["composite"])
    for _ in range(10):
        wait_no_more(store, intent_id)
        drain(context, Kind.CASE_CREATE)
        if stored(journal, intent_id).state is State.PARKED:
            break
    assert stored(journal, intent_id).state is State.PARKED


@pytest.mark.parametrize("kind", [Kind.CASE_CREATE, Kind.CALLBACK])
def test_without_our_fields_the_key_lies_in_a_standard_one_and_is_found_there(
    settings: Settings, journal: Journal, org: Org, store: redis.Redis, kind: Kind
) -> None:
    unkeyed = DeliveryContext.from_settings(
        change_settings(settings, salesforce_key_fields=False), store
    )
    draft = BILLING if kind is Kind.CASE_CREATE else CallbackDraft(phone="+14155550199")
    sobject, marker = ("Case", "SuppliedCompany") if draft is BILLING else ("Task", "CallObject")
    org.fault(hide_fields=["Case.Call_Key__c", "Case.Voice_Reference__c", "Task.Call_Key__c"])
    sure = accept(journal, kind, draft)
    unkeyed.contacts.resolve({KNOWN: 0})
    assert drain(unkeyed, kind).counts == {"delivered": 1}
    org.fault(lose_answer=1.0, hide_fields=["Case.Call_Key__c", "Case.Voice_Reference__c",
                                            "Task.Call_Key__c"])  # fmt: skip
    doubtful = accept(journal, kind, draft)
    nobody_has_the_number(store, unkeyed.contacts._keys, KNOWN)
    assert drain(unkeyed, kind).counts == {"again": 1}
    org.fault(hide_fields=["Case.Call_Key__c", "Case.Voice_Reference__c", "Task.Call_Key__c"])
    wait_no_more(store)
    assert drain(unkeyed, kind).counts == {}  # it rests, since only reading can tell
    wait_no_more(store, doubtful, kind=kind)
    assert drain(unkeyed, kind).counts == {"delivered": 1}
    marks = [record[marker] for record in org.records(sobject)]
    assert marks.count(f"voice:{sure}") == marks.count(f"voice:{doubtful}") == 1
    if kind is Kind.CASE_CREATE:
        receipt = stored(journal, doubtful).receipt
        assert receipt
        assert receipt.number


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
@pytest.mark.parametrize("kind", [Kind.CASE_CREATE, Kind.CONTACT_UPDATE])
def test_a_request_refused_as_a_whole_makes_the_kind_wait_and_parks_nothing(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    status: int,
    kind: Kind,
) -> None:
    draft = BILLING if kind is Kind.CASE_CREATE else change(org)
    ids = [accept(journal, kind, draft) for _ in range(3 if kind is Kind.CASE_CREATE else 1)]
    org.fault(status=status, body="html", resources=["composite"])
    assert set(drain(context, kind).counts) == {"again"}
    assert set(journal.waits()) <= {kind, "org"}
    org.fault()
    wait_no_more(store, *ids, kind=kind)
    assert drain(context, kind).counts == {"delivered": len(ids)}


def test_a_right_that_was_taken_makes_the_kind_wait(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(deny=["Case.create"])
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 1}
    assert set(journal.waits()) == {"case_create"}


def test_a_lease_is_extended_while_its_work_goes_on(
    context: DeliveryContext, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else gets the batch, though the work takes several times as long as a lease."""
    monkeypatch.setattr("shared.journal.journal.LEASE_MS", 400)
    monkeypatch.setattr("workers.delivery.engine.LEASE_MS", 400)
    accept(journal, Kind.CASE_CREATE, BILLING)
    context.contacts.resolve({KNOWN: 0})
    org.fault(latency_ms=1500, resources=["composite"])
    drained: list[Drained] = []
    worker = threading.Thread(target=lambda: drained.append(drain(context, Kind.CASE_CREATE)))
    worker.start()
    stolen = 0
    while worker.is_alive():
        if stored(journal, journal.of_call("call-1")[0].id).state is State.LEASED:
            stolen += len(journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000).intents)
        worker.join(0.05)
    assert stolen == 0
    assert drained[0].counts == {"delivered": 1}


def test_an_answer_that_nobody_can_read_is_followed_by_reading(
    context: DeliveryContext, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch was written before something unforeseen happened: nothing is written again."""
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(3)]
    create = context.records.create

    def create_and_fail(*others: Any, **options: Any) -> Any:
        create(*others, **options)
        raise KeyError("compositeResponse")

    monkeypatch.setattr(context.records, "create", create_and_fail)
    before = org.stats()["records"]["created"]
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 3}
    assert org.stats()["records"]["created"] - before == 3
    assert all(stored(journal, id_).receipt for id_ in ids)
