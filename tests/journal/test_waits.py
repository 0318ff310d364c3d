"""What has to wait when something fails as a whole, for how long, and what tests whether it works
again."""

import json
from typing import Any

import pytest
import redis

from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Delivered, NewIntent, Scope, TryAgain, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal.journal import MAX_TRIED, Journal
from shared.journal.results import Lease
from tests import store_time

DRAFT = CallbackDraft(phone="+14155550101")
MINUTE_MS = 60_000


def accepted(journal: Journal, kind: Kind = Kind.CALLBACK, count: int = 1, tool: str = "") -> Any:
    """The ids, or the id where only one intent is wanted."""
    new = [NewIntent(new_intent_id(), kind, DRAFT, tool=tool) for _ in range(count)]
    journal.accept("call", new, agent="agent")
    return [intent.id for intent in new] if count > 1 else new[0].id


def leased(journal: Journal, kind: Kind = Kind.CALLBACK, limit: int = 200) -> Lease:
    return journal.lease(kind, limit=limit, max_bytes=1_000_000)


def fails(journal: Journal, lease: Lease, scope: Scope, **others: Any) -> Any:
    again = [TryAgain(it.id, "AWAY", MINUTE_MS, scope, **others) for it in lease.intents]
    return journal.settle(lease, again)


def test_after_the_org_failed_one_batch_of_all_kinds_goes_first(
    journal: Journal, store: redis.Redis
) -> None:
    accepted(journal)
    accepted(journal, Kind.CASE_CLOSE)
    fails(journal, leased(journal), Scope.ORG)
    assert not leased(journal, Kind.CASE_CLOSE).intents
    store_time.next_attempt_is_allowed(store)
    probe = leased(journal)
    assert len(probe.intents) == 1
    assert not leased(journal, Kind.CASE_CLOSE).intents
    assert journal.extend(probe) == 1
    assert 0 < int(store.pttl("vs:probe")) <= 20_000
    fails(journal, probe, Scope.ORG)
    assert journal.waits()["org"].failures_in_a_row == 2
    store_time.next_attempt_is_allowed(store)
    assert len(leased(journal, Kind.CASE_CLOSE).intents) == 1  # the next probe


@pytest.mark.parametrize("tool", ["", "requestReturn"])
def test_after_a_kind_or_a_tool_failed_a_small_batch_goes_first(
    journal: Journal, store: redis.Redis, tool: str
) -> None:
    ids = accepted(journal, count=MAX_TRIED + 3, tool=tool)
    source = f"agent/{tool}" if tool else "callback"
    stopped = fails(journal, leased(journal, limit=2), Scope.SOURCE)
    assert stopped.stopped == (source,)
    assert not leased(journal).intents
    store_time.next_attempt_is_allowed(store)
    store_time.everything_is_due(store)
    small = leased(journal)
    assert len(small.intents) == MAX_TRIED
    if not tool:
        assert not leased(journal).intents  # not even the rest
    assert fails(journal, small, Scope.SOURCE).stopped == ()
    store_time.next_attempt_is_allowed(store)
    store_time.everything_is_due(store)
    again = leased(journal)
    journal.settle(again, [Delivered(it.id, "00T") for it in again.intents])
    assert not journal.waits()
    store_time.everything_is_due(store)
    assert len(leased(journal).intents) == len(ids) - MAX_TRIED


def test_a_tool_that_waits_or_is_paused_is_set_aside_and_its_kind_goes_on(
    journal: Journal, store: redis.Redis
) -> None:
    aside, slow = accepted(journal, tool="paused"), accepted(journal, tool="slow")
    stale = leased(journal)
    other = accepted(journal, tool="other")
    assert journal.pause("agent/paused")
    store.hset("vs:waits", "agent/slow", json.dumps({"until": 2**50, "failures_in_a_row": 1}))
    store_time.lease_runs_out(store, Kind.CALLBACK, aside, slow)
    assert {it.id for it in stale.intents} == {aside, slow}
    assert [it.id for it in leased(journal).intents] == [other]
    for id_ in (aside, slow):
        found = journal.get(id_)
        assert found
        assert (found.state, found.in_doubt) == (State.DUE, True)
        at = store.zscore("vs:due:callback", id_)
        assert 14_000 < float(str(at)) - journal.now_ms() <= 15_000
    assert journal.extend(stale) == 0
    assert journal.resume("agent/paused")
    store_time.everything_is_due(store)
    assert aside in {it.id for it in leased(journal).intents}


def test_what_is_set_aside_takes_no_place_in_the_batch(
    journal: Journal, store: redis.Redis
) -> None:
    aside, other = accepted(journal, count=3, tool="paused"), accepted(journal, tool="other")
    store_time.intents_are_due(store, *aside, kind=Kind.CALLBACK)
    journal.pause("agent/paused")
    assert [it.id for it in leased(journal, limit=1).intents] == [other]


def test_what_is_set_aside_after_its_lease_ran_out_is_in_doubt(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = accepted(journal, tool="requestReturn")
    assert leased(journal).intents
    store_time.lease_runs_out(store, Kind.CALLBACK, intent_id)
    journal.pause("agent/requestReturn")
    assert not leased(journal).intents
    intent = journal.get(intent_id)
    assert intent
    assert (intent.state, intent.in_doubt) == (State.DUE, True)


def test_two_different_records_that_are_refused_put_the_blame_on_their_source(
    journal: Journal, store: redis.Redis
) -> None:
    """One record may be wrong itself; it parks after as many refusals as it may have."""
    first, second = accepted(journal, count=2)

    def refuse(id_: str, reason: str, target: str) -> Any:
        store_time.waits_end(store)
        store_time.intents_are_due(store, id_, kind=Kind.CALLBACK)
        store_time.lease_runs_out(store, Kind.CALLBACK)
        lease = leased(journal, limit=1)
        assert [it.id for it in lease.intents] == [id_]
        again = TryAgain(id_, reason, MINUTE_MS, Scope.RECORD, target=target, limit=2)
        return journal.settle(lease, [again])

    store_time.intent_is_not_due(store, second, Kind.CALLBACK)
    assert refuse(first, "DENIED", "one").stopped == ()
    assert "callback" not in journal.waits()
    store_time.intent_is_not_due(store, first, Kind.CALLBACK)
    assert refuse(second, "DENIED", "another").stopped == ("callback",)
    assert journal.waits()["callback"].reason == "DENIED"
    store_time.intent_is_not_due(store, second, Kind.CALLBACK)
    assert refuse(first, "ANOTHER", "one").states == {first: State.DUE}  # for each reason apart
    assert refuse(first, "DENIED", "one").states == {first: State.PARKED}
    assert store.smembers("vs:failing:callback") == {"one", "another"}
    assert 0 < int(store.pttl("vs:failing:callback")) <= 86_400_000
    stored: Any = store.hgetall(f"vs:intent:{first}")
    assert json.loads(stored["refused"]) == {"DENIED": 2, "ANOTHER": 1}
    assert stored["refusals"] == "3"
    store_time.waits_end(store)
    store_time.intents_are_due(store, second, kind=Kind.CALLBACK)
    lease = leased(journal)
    journal.settle(lease, [Delivered(second, "00T")])
    assert not store.exists("vs:failing:callback")


def test_what_is_replayed_may_be_refused_as_often_as_a_new_intent(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = accepted(journal)

    def refused() -> State:
        store_time.everything_is_due(store)
        again = TryAgain(
            intent_id, "DENIED", 0, Scope.RECORD, limit=2, target="t", omit_fields=("A__c",)
        )
        return journal.settle(leased(journal), [again]).states[intent_id]

    assert [refused(), refused()] == [State.DUE, State.PARKED]
    assert journal.replay([intent_id])[0] == 1
    of_delivery = {"settled", "refusals", "refused", "refused_at", "omit_fields"}
    assert not of_delivery & store.hgetall(f"vs:intent:{intent_id}").keys()
    assert [refused(), refused()] == [State.DUE, State.PARKED]


def test_a_refusal_before_the_source_last_succeeded_does_not_put_the_blame_on_it(
    journal: Journal, store: redis.Redis
) -> None:
    first, second, third = accepted(journal, count=3)
    refused = [
        TryAgain(id_, "DENIED", MINUTE_MS, Scope.RECORD, limit=9, target=id_)
        for id_ in (first, second)
    ]
    journal.settle(leased(journal), refused)
    store_time.intents_are_due(store, third, kind=Kind.CALLBACK)
    store_time.everything_is_due(store)
    store_time.waits_end(store)
    store_time.lease_runs_out(store, Kind.CALLBACK)
    journal.settle(leased(journal), [Delivered(third, "00T"), *refused])
    assert "callback" not in journal.waits()
    assert not store.exists("vs:failing:callback")


def test_when_ten_different_records_are_refused_none_of_them_parks(
    journal: Journal, store: redis.Redis
) -> None:
    ids = accepted(journal, count=11)
    outcomes = [
        TryAgain(id_, "DENIED", MINUTE_MS, Scope.RECORD, limit=1, target=id_) for id_ in ids
    ]
    states = journal.settle(leased(journal), outcomes).states
    assert [states[id_] for id_ in ids] == [State.PARKED] * 9 + [State.DUE] * 2
    assert store.scard("vs:failing:callback") == 10


def test_a_source_failure_counts_for_the_record_when_others_of_the_source_went_through(
    journal: Journal,
) -> None:
    done, wrong, org_waits = accepted(journal, count=3)
    lease = leased(journal)
    settled = journal.settle(
        lease,
        [
            TryAgain(wrong, "INVALID_FIELD", MINUTE_MS, Scope.SOURCE, limit=1),
            TryAgain(org_waits, "BUSY", MINUTE_MS, Scope.ORG, failures_in_a_row=0),
            Delivered(done, "00T"),
        ],
    )
    assert settled.states[wrong] is State.PARKED
    assert settled.stopped == ()
    assert set(journal.waits()) == {"org"}
    waiting = journal.get(org_waits)
    assert waiting
    assert waiting.attempts == 0  # a mere wait is no attempt


def test_an_intent_rests_after_a_lost_answer_and_keeps_its_turn_otherwise(
    journal: Journal, store: redis.Redis
) -> None:
    first, second = accepted(journal, count=2)
    was = {id_: store.hget(f"vs:intent:{id_}", "hold_until") for id_ in (first, second)}
    lease = leased(journal)
    journal.settle(
        lease,
        [
            TryAgain(first, "TIMEOUT", 1_000, Scope.ORG, in_doubt=True, rest_ms=MINUTE_MS),
            TryAgain(second, "AWAY", 1_000, Scope.ORG, omit_fields=("A__c",), missing=("A__c",)),
        ],
    )
    rests = float(str(store.zscore("vs:due:callback", first))) - journal.now_ms()
    assert MINUTE_MS - 5_000 < rests <= MINUTE_MS
    assert store.zscore("vs:due:callback", second) == float(str(was[second]))
    assert journal.missing_fields(Kind.CALLBACK) == {"A__c"}
    assert 0 < int(store.pttl("vs:missing:callback")) <= 600_000
    found = journal.get(second)
    assert found
    assert (found.omit_fields, found.in_doubt) == (("A__c",), False)
