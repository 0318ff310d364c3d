"""Rows that this version can't read: each parks alone, and affects no batch and no list."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
import redis

from shared.calls.calls import Calls
from shared.domain.drafts import CaseDraft
from shared.domain.intent import Delivered, NewIntent, Receipt, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError, read_json, read_record
from shared.journal.journal import Journal
from shared.salesforce.customers import CaseSummary, Customer
from shared.salesforce.token import Token
from shared.vapi.messages import Utterance
from tests.calling import LABELS
from tests.workers.delivering import BILLING, accept
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

CASE = CaseDraft(caller_number="+14155550101", issue_type="billing", description="x")


def spoil(store: redis.Redis, intent_id: str, field: str, value: str | None) -> None:
    key = f"vs:intent:{intent_id}"
    if value is None:
        store.hdel(key, field)
    else:
        store.hset(key, field, value)


ROWS: dict[str, Callable[[redis.Redis, str], Any]] = {
    "payload not JSON": lambda store, id_: spoil(store, id_, "payload", "{"),
    "payload a list": lambda store, id_: spoil(store, id_, "payload", "[1]"),
    "payload missing": lambda store, id_: spoil(store, id_, "payload", None),
    "payload without a field": lambda store, id_: spoil(
        store, id_, "payload", json.dumps({"issue_type": "billing"})
    ),
    "payload with a field of another type": lambda store, id_: spoil(
        store, id_, "payload", json.dumps(asdict(CASE) | {"description": {"en": "x"}})
    ),
    "kind unknown": lambda store, id_: spoil(store, id_, "kind", "appointment_create"),
    "kind missing": lambda store, id_: spoil(store, id_, "kind", None),
    "state unknown": lambda store, id_: spoil(store, id_, "state", "verifying"),
    "schema unknown": lambda store, id_: spoil(store, id_, "schema", "99"),
    "schema no number": lambda store, id_: spoil(store, id_, "schema", "two"),
    "attempts no number": lambda store, id_: spoil(store, id_, "attempts", "many"),
    "accepted no number": lambda store, id_: spoil(store, id_, "accepted", "today"),
    "leave_out not JSON": lambda store, id_: spoil(store, id_, "omit_fields", "x"),
    "receipt not JSON": lambda store, id_: spoil(store, id_, "receipt", "x"),
    "no hash": lambda store, id_: (
        store.delete(f"vs:intent:{id_}"),
        store.set(f"vs:intent:{id_}", "x"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_an_unreadable_row_parks_alone_and_is_seen(
    context: DeliveryContext, journal: Journal, store: redis.Redis, row: str
) -> None:
    sound = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(2)]
    bad = accept(journal, Kind.CASE_CREATE, BILLING)
    sound += [accept(journal, Kind.CASE_CREATE, BILLING)]
    follower = accept(journal, Kind.CALLBACK, BILLING, after=(bad,))
    ROWS[row](store, bad)
    store.delete("vs:wakeup:case_create")
    assert Kind.CASE_CREATE in journal.sweep()
    drain(context, Kind.CASE_CREATE)
    assert {intent.state for intent in journal.get_many(sound).values()} == {State.DELIVERED}
    (parked,) = journal.parked(10)
    assert parked.id == bad
    if row != "no hash":
        assert (parked.state, parked.reason[:11]) == (State.PARKED, "UNREADABLE_")
    assert bad in {intent.id for intent in journal.newest(10)}
    assert {intent.id for intent in journal.of_call("call-1")} >= set(sound)
    assert {intent.id for intent in journal.of_caller("+14155550101")} >= set(sound)
    assert journal.summary().parked == 1
    assert [
        intent.id for intent in journal.lease(Kind.CALLBACK, limit=9, max_bytes=999).intents
    ] == [follower]


@pytest.mark.parametrize("row", ["payload not JSON", "attempts no number", "state unknown"])
def test_what_was_unreadable_can_be_replayed_once_it_is_readable(
    context: DeliveryContext, journal: Journal, store: redis.Redis, row: str
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    payload = store.hget(f"vs:intent:{intent_id}", "payload")
    ROWS[row](store, intent_id)
    drain(context, Kind.CASE_CREATE)
    store.hset(f"vs:intent:{intent_id}", mapping={"payload": str(payload), "attempts": "1"})
    assert journal.replay([intent_id])[0] == 1
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}


@pytest.mark.parametrize("row", ["no hash", "kind missing"])
def test_what_can_not_be_delivered_at_all_can_be_discarded(
    context: DeliveryContext, journal: Journal, store: redis.Redis, row: str
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    ROWS[row](store, intent_id)
    drain(context, Kind.CASE_CREATE)
    journal.replay([intent_id])
    assert journal.discard([intent_id]) == 1
    assert not journal.parked(10)
    assert journal.summary().parked == 0


def test_a_follower_that_can_not_be_read_does_not_keep_a_batch_from_being_settled(
    journal: Journal, store: redis.Redis
) -> None:
    first = accept(journal, Kind.CASE_CREATE, BILLING)
    followers = [accept(journal, Kind.CALLBACK, BILLING, after=(first,)) for _ in range(2)]
    log = accept(journal, Kind.CALL_LOG, BILLING, after=(followers[0],))
    spoil(store, followers[0], "waiting", "some")
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999)
    assert journal.settle(lease, [Delivered(first, "500x")]).count == 1
    leased = journal.lease(Kind.CALLBACK, limit=9, max_bytes=9999).intents
    assert [item.id for item in leased] == followers[1:]
    assert [intent.id for intent in journal.parked(9)] == followers[:1]
    leased = journal.lease(Kind.CALL_LOG, limit=9, max_bytes=9999).intents
    assert [item.id for item in leased] == [log]


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "{}", '{"until": "soon"}', '{"new": 1}'])
def test_a_wait_that_can_not_be_read_is_none(
    journal: Journal, store: redis.Redis, text: str
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    store.hset("vs:waits", mapping={"org": text, "case_create": text})
    store.delete("vs:wakeup:case_create")
    assert journal.sweep() == (Kind.CASE_CREATE,)
    assert all(not wait.failures_in_a_row for wait in journal.waits().values())
    assert len(journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999).intents) == 1


def test_retention_goes_on_past_a_row_that_is_no_hash(journal: Journal, store: redis.Redis) -> None:
    for intent_id in ("a", "b"):
        store.zadd("vs:settled", {intent_id: 1})
        store.zadd("vs:receipts", {f"old-{intent_id}": 1})
    store.set("vs:intent:a", "x")
    store.set("vs:intent:old-a", "x")
    store.hset("vs:intent:b", mapping={"payload": "{}", "receipt": "{"})
    while journal.purge(data_after_ms=0, receipt_after_ms=0):
        pass
    assert store.keys("vs:intent:*") == []


def test_a_kind_that_a_newer_version_paused_is_listed(journal: Journal, store: redis.Redis) -> None:
    store.sadd("vs:paused", "appointment_create")
    assert journal.paused() == {"appointment_create"}


# -- records of other versions ---------------------------------------------------------------------

RECORDS: list[Any] = [
    Receipt("500x", "00001042", 1),
    Token("secret", "https://acme.my.salesforce.com", 1),
    Utterance("Caller", "hello", 1),
    CaseSummary(record_id="500x", number="00001042"),
    Customer(contact_id="003x", cases=[CaseSummary(record_id="500x")]),
    CASE,
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda item: type(item).__name__)
def test_a_field_that_a_newer_version_added_is_ignored(record: Any) -> None:
    text = json.dumps(asdict(record) | {"added": {"by": "the next version"}})
    assert read_json(type(record), text) == record


def test_records_within_records_are_read_alike() -> None:
    stored = {"contact_id": "003x", "cases": [{"record_id": "500x", "added": 1}]}
    assert read_record(Customer, stored).cases == [CaseSummary(record_id="500x")]


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "1", '{"record_id": 1}'])
def test_what_is_no_such_record_says_so(text: str) -> None:
    with pytest.raises(UnreadableError):
        read_json(Receipt, text)


def test_an_utterance_that_can_not_be_read_is_left_out_of_the_transcript(
    store: redis.Redis,
) -> None:
    said = {"speaker": "Caller", "text": "hello", "at_ms": 1, "added": 2}
    store.hset("vs:call:c:transcript", mapping={"1": "{", "2": json.dumps(said), "3": "[]"})
    assert Calls(store).transcript("c", LABELS) == "Caller: hello"


def test_a_kept_draft_keeps_what_this_version_does_not_know(journal: Journal) -> None:
    intent = NewIntent(id=new_intent_id(), kind=Kind.CASE_CREATE, draft=CASE)
    journal.accept("call", [intent])
    journal._store.hset(
        f"vs:intent:{intent.id}", "payload", json.dumps(asdict(CASE) | {"added": 1})
    )
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999)
    journal.settle(lease, [Delivered(intent.id, "500x")])
    found = journal.get(intent.id)
    assert found
    assert found.payload["added"] == 1
