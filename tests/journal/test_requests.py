"""Accepting: what bounds it, what is the same request, and what takes the place of another."""

import json
from dataclasses import replace
from typing import Any

import pytest
import redis

from shared.domain.drafts import CallbackDraft
from shared.domain.intent import (
    Cancelling,
    Delivered,
    NewIntent,
    Parked,
    Scope,
    TryAgain,
    new_intent_id,
)
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.journal.results import Accepted, CallErased, Existing, Limit, TooLate, TooMany
from tests import store_time

NUMBER = "+14155550101"
DRAFT = CallbackDraft(phone=NUMBER, caller_number=NUMBER)
HOUR_MS = 3_600_000


def intent(**others: Any) -> NewIntent:
    return NewIntent(**{"id": new_intent_id(), "kind": Kind.CALLBACK, "draft": DRAFT, **others})


def lease(journal: Journal) -> Any:
    return journal.lease(Kind.CALLBACK, limit=200, max_bytes=1_000_000)


def state(journal: Journal, intent_id: str) -> State:
    found = journal.get(intent_id)
    assert found
    return found.state


def test_what_is_stored_of_a_request_is_this(journal: Journal, store: Any) -> None:
    journal.org = "org.example"
    new = intent(
        reference="AAA 222", tool="t", fingerprint="f", message="m", requested_at_ms=7,
        said="Noted.", parts=("p",), dedup_keys=("account:1",), hold_ms=HOUR_MS,
    )  # fmt: skip
    assert journal.accept("call", [new], agent="agent") == Accepted(())
    row = store.hgetall(f"vs:intent:{new.id}")
    accepted, held = int(row.pop("accepted")), int(row.pop("hold_until"))
    assert held - accepted == HOUR_MS
    assert DRAFT.as_json() == json.loads(row.pop("payload"))
    row.pop("trace", "")
    assert row == {
        "kind": "callback", "state": "held", "schema": str(DRAFT.schema), "call": "call",
        "tool": "t", "reference": "AAA 222", "fingerprint": "f", "said": "Noted.",
        "requested_at": "7", "message": "m", "dedup_keys": '["org.example:account:1"]',
        "record": "", "waiting": "0",
        "attempts": "0", "in_doubt": "0", "org": "org.example", "agent": "agent", "parts": '["p"]',
    }  # fmt: skip
    assert dict(store.zrange("vs:held:callback", 0, -1, withscores=True)) == {new.id: held}
    assert dict(store.zrange("vs:due:callback", 0, -1, withscores=True)) == {new.id: held}
    day_ms = 24 * HOUR_MS
    for key, most_ms in {
        "vs:call:call:intents": 2 * day_ms, "vs:call:call:requests": 2 * day_ms,
        f"vs:caller:{NUMBER}:intents": day_ms, "vs:dedup:org.example:account:1": day_ms,
    }.items():  # fmt: skip
        assert most_ms - 60_000 < int(store.pttl(key)) <= most_ms


def test_so_many_requests_are_accepted_under_a_limit_and_no_more(
    journal: Journal, store: redis.Redis
) -> None:
    limits = (
        Limit("of_call", "call:call:writes", 3, HOUR_MS),
        Limit("of_all", "missed:", 5, 9_000),
    )
    two = [intent(tool="t"), intent(tool="t"), intent()]  # what comes along does not count
    assert isinstance(journal.accept("call", two, limits=limits), Accepted)
    assert isinstance(journal.accept("call", [intent(tool="t")], limits=limits), Accepted)
    refused = intent(tool="t", fingerprint="f")
    assert journal.accept("call", [refused], limits=limits) == TooMany("of_call")
    assert journal.get(refused.id) is None
    assert (store.get("vs:call:call:writes"), store.get("vs:missed:")) == ("3", "3")
    assert HOUR_MS - 60_000 < int(store.pttl("vs:call:call:writes")) <= HOUR_MS
    assert isinstance(journal.accept("call", [intent()], limits=limits), Accepted)


def test_a_limit_of_one_is_one(journal: Journal) -> None:
    limits = (Limit("of_all", "missed:", 1, HOUR_MS),)
    assert isinstance(journal.accept("call", [intent(tool="t")], limits=limits), Accepted)
    assert journal.accept("call", [intent(tool="t")], limits=limits) == TooMany("of_all")


@pytest.mark.parametrize("was", ["due", "cancelled", "parked", "delivered", "purged"])
def test_a_request_that_asks_finds_what_another_call_asked_for(
    journal: Journal, store: redis.Redis, was: str
) -> None:
    first = intent(dedup_keys=("a", "b"), message="m")
    journal.accept("one", [first])
    if was == "cancelled":
        journal.cancel(first.id, "caller")
    elif was == "parked":
        journal.settle(lease(journal), [Parked(first.id, "NO")])
    elif was in {"delivered", "purged"}:
        journal.settle(lease(journal), [Delivered(first.id, "00T")])
    if was == "purged":
        store_time.intent_has(store, first.id)
        assert journal.purge(data_after_ms=-60_000, receipt_after_ms=10**12) == 1
    same_message = intent(dedup_keys=("b",), message="m", asks=True)
    assert isinstance(journal.accept("two", [same_message]), Accepted)
    store.set("vs:dedup:b", first.id)
    asks = intent(dedup_keys=("c", "b"), message="n", asks=True)
    found = journal.accept("two", [asks])
    if was in {"due", "delivered"}:
        assert found == Existing(first.id)
        assert isinstance(journal.accept("two", [replace(asks, asks=False)]), Accepted)
    else:
        assert isinstance(found, Accepted)
    assert store.get("vs:dedup:b") == asks.id


def test_an_amendment_replaces_all_of_a_held_request_and_holds_it_anew(
    journal: Journal, store: redis.Redis
) -> None:
    first = intent(
        fingerprint="f",
        reference="AAA 222",
        dedup_keys=("a",),
        hold_ms=60_000,
        said="x",
        message="1",
    )
    other = intent(fingerprint="o", dedup_keys=("o",))
    journal.accept("call", [first, other])
    store.set("vs:dedup:a2", other.id)
    words = replace(DRAFT, reason="Later")
    later = replace(
        first, draft=words, fingerprint="g", dedup_keys=("b",), hold_ms=HOUR_MS, said="y",
        message="2", requested_at_ms=9, amends=(first.id, "f"), parts=("p",), reference="ZZZ 222",
    )  # fmt: skip
    assert journal.accept("call", [later]) == Accepted(())
    found = journal.get(first.id)
    assert found
    assert (found.draft, found.fingerprint, found.said) == (words, "g", "y")
    assert (found.message, found.requested_at_ms, found.parts) == ("2", 9, ("p",))
    assert (found.reference, found.state) == ("AAA 222", State.HELD)
    assert found.amended_at_ms >= found.accepted_at_ms > 0
    assert store.hgetall("vs:call:call:requests") == {"g": first.id, "o": other.id}
    assert (store.get("vs:dedup:a"), store.get("vs:dedup:b")) == (None, first.id)
    assert 0 < int(store.pttl("vs:dedup:b")) <= 24 * HOUR_MS
    until = int(str(store.hget(f"vs:intent:{first.id}", "hold_until")))
    assert until == found.amended_at_ms + HOUR_MS
    assert store.zscore("vs:due:callback", first.id) == until
    assert store.zscore("vs:held:callback", first.id) == until
    assert journal.counts()["accepted"] == 2


def test_what_waits_for_another_waits_on_when_it_is_amended(
    journal: Journal, store: redis.Redis
) -> None:
    first = intent()
    waits = intent(fingerprint="f", hold_ms=60_000, after=(first.id,))
    journal.accept("call", [first, waits])
    later = replace(waits, fingerprint="g", hold_ms=HOUR_MS, amends=(waits.id, "f"))
    assert journal.accept("call", [later]) == Accepted(())
    until = int(str(store.hget(f"vs:intent:{waits.id}", "hold_until")))
    assert store.zscore("vs:waiting:callback", waits.id) == until
    assert store.zscore("vs:due:callback", waits.id) is None


@pytest.mark.parametrize("why", ["settled", "window over", "changed", "another kind"])
def test_an_amendment_that_comes_too_late_changes_nothing(
    journal: Journal, store: redis.Redis, why: str
) -> None:
    first = intent(fingerprint="f", hold_ms=HOUR_MS)
    journal.accept("call", [first])
    amends = (first.id, "another" if why == "changed" else "f")
    kind = Kind.CASE_CLOSE if why == "another kind" else first.kind
    if why == "settled":
        journal.cancel(first.id, "caller")
    if why == "window over":
        store_time.intent_has(store, first.id, hold_until=1)
    before = store.hgetall(f"vs:intent:{first.id}")
    later = replace(first, kind=kind, fingerprint="g", amends=amends)
    assert journal.accept("call", [later]) == TooLate()
    assert store.hgetall(f"vs:intent:{first.id}") == before


def test_what_is_taken_back_takes_its_parts_along_and_leaves_what_may_be_written(
    journal: Journal,
) -> None:
    parts = [intent(), intent(), intent()]
    whole = intent(parts=tuple(part.id for part in parts), hold_ms=HOUR_MS)
    journal.accept("call", [*parts, whole])
    taken = lease(journal)
    assert len(taken.intents) == 3
    lost = TryAgain(parts[0].id, "TIMEOUT", 0, Scope.RECORD, in_doubt=True)
    fine = TryAgain(parts[1].id, "BUSY", 0, Scope.RECORD)
    journal.settle(taken, [lost, fine, Delivered(parts[2].id, "00T")])
    assert journal.cancel(whole.id, "caller")[0] == "cancelled"
    assert [state(journal, part.id) for part in parts] == [
        State.DUE, State.CANCELLED, State.DELIVERED,
    ]  # fmt: skip
    found = journal.get(parts[1].id)
    assert found
    assert found.reason == "caller"


def test_a_parked_request_that_may_be_written_is_marked_when_the_caller_takes_it_back(
    journal: Journal, store: redis.Redis
) -> None:
    parked, doubtful = intent(said="Noted."), intent(said="Noted.")
    journal.accept("call", [parked, doubtful])
    journal.settle(lease(journal), [Parked(parked.id, "NO"), Parked(doubtful.id, "NO")])
    store_time.intent_has(store, doubtful.id, in_doubt=1)
    assert journal.cancel(parked.id, "caller")[0] == "cancelled"
    assert journal.cancel(doubtful.id, "caller")[0] == "parked"
    found = journal.get(doubtful.id)
    assert found
    assert found.reason == "NOT_WANTED"
    assert [it.id for it in journal.parked(9)] == [doubtful.id]


def test_a_replacement_cancels_the_other_or_changes_nothing(journal: Journal) -> None:
    first, second = intent(fingerprint="f"), intent(fingerprint="g")
    journal.accept("call", [first])
    too_late = [Cancelling(first.id, is_open=False, reason="REPLACED")]
    assert journal.accept("call", [second], cancels=too_late) == TooLate()
    assert journal.get(second.id) is None
    in_time = [Cancelling(first.id, is_open=True, reason="REPLACED")]
    assert isinstance(journal.accept("call", [second], cancels=in_time), Accepted)
    assert state(journal, first.id) is State.CANCELLED
    assert journal.accept("call", [intent()], cancels=in_time) == TooLate()
    assert isinstance(journal.accept("call", [intent(fingerprint="f")]), Accepted)


def test_nothing_is_accepted_of_a_call_that_was_erased(
    journal: Journal, store: redis.Redis
) -> None:
    store_time.call_has(store, "call", erased=1)
    assert journal.accept("call", [intent()]) == CallErased()
    assert isinstance(journal.accept("other", [intent()]), Accepted)
