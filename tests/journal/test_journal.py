"""The journal's transitions, each on a real server."""

import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import redis

from demo.processes import wait_until
from shared.domain.drafts import CallbackDraft, CaseDraft
from shared.domain.intent import (
    Cancelled,
    Delivered,
    NewIntent,
    Parked,
    Scope,
    TryAgain,
    new_intent_id,
)
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.answers import Answers, Claim
from shared.journal.journal import CALL_TTL_MS, CALLER_LIMIT, Journal
from shared.journal.results import Accepted, AnsweredBefore, Repeated, StoredAnswer
from shared.store import StoreUnavailableError, connect
from tests import store_time

DRAFT = CaseDraft(issue_type="billing", description="x")


def intent(kind: Kind = Kind.CASE_CREATE, **others: Any) -> NewIntent:
    return NewIntent(**{"id": new_intent_id(), "kind": kind, "draft": DRAFT, **others})


def lease(journal: Journal, kind: Kind = Kind.CASE_CREATE, limit: int = 200) -> Any:
    return journal.lease(kind, limit=limit, max_bytes=4_000_000)


def expire_lease(store: redis.Redis, intent_id: str, kind: Kind = Kind.CASE_CREATE) -> None:
    store.zadd(f"vs:due:{kind}", {intent_id: 1})


def state(journal: Journal, intent_id: str) -> State:
    found = journal.get(intent_id)
    assert found
    return found.state


def test_what_is_accepted_is_kept_whole_and_wakes_once(journal: Journal) -> None:
    first, second = intent(reference="AAA 222", tool="t"), intent(reference="BBB 222")
    assert journal.accept("call", [first]) == Accepted((Kind.CASE_CREATE,))
    assert journal.accept("call", [second]) == Accepted(())  # a wake-up is on its way already
    stored = journal.by_reference("AAA 222")
    assert stored
    assert (stored.id, stored.state, stored.call_id, stored.tool) == (
        first.id,
        State.DUE,
        "call",
        "t",
    )
    assert stored.draft == DRAFT
    assert [item.id for item in journal.of_call("call")] == [first.id, second.id]


def test_a_redelivered_tool_call_gets_the_first_answer_and_records_nothing(
    journal: Journal,
) -> None:
    key = StoredAnswer("vs:answer:call:1", '{"first": 1}')
    assert isinstance(journal.accept("call", [intent()], key), Accepted)
    again = journal.accept("call", [intent()], StoredAnswer(key.key, '{"second": 2}'))
    assert again == AnsweredBefore('{"first": 1}')
    assert journal.counts()["accepted"] == 1


def test_the_same_request_of_a_call_is_one_intent_and_another_calls_is_another(
    journal: Journal,
) -> None:
    first = intent(fingerprint="f")
    journal.accept("call", [first])
    assert journal.accept("call", [intent(fingerprint="f")]) == Repeated(first.id)
    assert isinstance(journal.accept("other", [intent(fingerprint="f")]), Accepted)


def test_a_reference_that_is_taken_is_replaced_in_all_that_says_it(journal: Journal) -> None:
    first = intent(reference="AAA 222")
    journal.accept("call", [first])
    second = intent(reference="AAA 222", said="Noted as AAA 222.")
    answer = StoredAnswer("vs:answer:call:1", "It is AAA 222.")
    accepted = journal.accept("call", [second], answer)
    assert isinstance(accepted, Accepted)
    stored = journal.get(second.id)
    assert stored
    assert stored.reference != "AAA 222"
    assert stored.said == f"Noted as {stored.reference}."
    assert accepted.answer == f"It is {stored.reference}."
    found = [journal.by_reference(name) for name in (stored.reference, "AAA 222")]
    assert [intent and intent.id for intent in found] == [second.id, first.id]


def test_fifty_web_threads_with_one_tool_call_make_one_intent(
    journal: Journal,
) -> None:
    key = StoredAnswer("vs:answer:call:1", '{"answer": 1}')
    answers: list[Any] = []

    def accept() -> None:
        answers.append(journal.accept("call", [intent(fingerprint="f")], key))

    threads = [threading.Thread(target=accept) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    assert journal.counts()["accepted"] == 1


def test_ten_racing_workers_lease_each_intent_once(journal: Journal) -> None:
    ids = {new_intent_id() for _ in range(300)}
    for id_ in ids:
        journal.accept("", [intent(id=id_)])
    leased: list[str] = []

    def work() -> None:
        while len(leased) < len(ids):
            taken = lease(journal, limit=7)
            leased.extend(item.id for item in taken.intents)
            journal.settle(taken, [Delivered(item.id, "500x") for item in taken.intents])

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(leased) == sorted(ids)


@pytest.mark.parametrize("max_leases", [1, 3])
def test_no_more_leases_of_a_kind_than_set(store: redis.Redis, max_leases: int) -> None:
    journal = Journal(store, max_leases=max_leases)
    for _ in range(max_leases + 1):
        journal.accept("", [intent()])
    taken = [lease(journal, limit=1).intents for _ in range(max_leases + 1)]
    assert [len(intents) for intents in taken] == [1] * max_leases + [0]


def test_a_lease_takes_the_oldest_first_and_no_more_than_its_bytes(journal: Journal) -> None:
    ids = []
    for _ in range(5):
        new = intent(draft=CaseDraft(issue_type="billing", description="x" * 1000))
        journal.accept("call", [new])
        ids.append(new.id)
    size = int(str(journal._store.hstrlen(f"vs:intent:{ids[0]}", "payload")))
    found = journal.lease(Kind.CASE_CREATE, limit=200, max_bytes=2 * size).intents
    assert [row.id for row in found] == ids[:2]
    assert len(journal.lease(Kind.CASE_CREATE, limit=200, max_bytes=1).intents) == 1


def test_what_is_held_is_not_leased_before_its_window_is_over(
    journal: Journal, store: redis.Redis
) -> None:
    new = intent(hold_ms=60_000)
    assert journal.accept("call", [new]) == Accepted(())
    assert state(journal, new.id) is State.HELD
    assert not lease(journal).intents
    store.zadd("vs:due:case_create", {new.id: 1})
    assert journal.sweep() == (Kind.CASE_CREATE,)
    assert state(journal, new.id) is State.DUE
    assert len(lease(journal).intents) == 1


def test_the_shortest_window_holds_as_well(journal: Journal) -> None:
    new = intent(hold_ms=1)
    assert journal.accept("call", [new]) == Accepted(())
    assert state(journal, new.id) is State.HELD


def test_what_speech_holds_back_takes_no_place_of_others_in_the_next_sweep(
    journal: Journal, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.journal.journal.SWEEP_LIMIT", 1)
    held_back, other = intent(hold_ms=60_000), intent(hold_ms=60_000)
    journal.accept("call", [held_back])
    journal.accept("another", [other])
    store_time.caller_speaks_on(store, "call")
    store.zadd("vs:due:case_create", {held_back.id: 1, other.id: 2})
    assert journal.sweep() == ()
    assert journal.sweep() == (Kind.CASE_CREATE,)
    assert (state(journal, held_back.id), state(journal, other.id)) == (State.HELD, State.DUE)


def test_what_does_not_exist_is_looked_for_once(journal: Journal, store: redis.Redis) -> None:
    store.zadd("vs:due:case_create", {"nobody": 1})
    assert not lease(journal).intents
    assert journal.sweep() == ()


def test_a_worker_whose_lease_ran_out_can_not_settle_for_another(
    journal: Journal, store: redis.Redis
) -> None:
    new = intent()
    journal.accept("call", [new])
    slow = lease(journal)
    assert not slow.intents[0].in_doubt
    expire_lease(store, new.id)
    quick = lease(journal)
    assert quick.intents[0].in_doubt  # the slow worker may have written it
    assert journal.extend(slow) == 0
    assert journal.extend(quick) == 1
    assert journal.settle(slow, [Parked(new.id, "LATE")]).count == 0
    assert journal.settle(quick, [Delivered(new.id, "500x", "00001042")]).count == 1
    stored = journal.get(new.id)
    assert stored
    assert stored.state is State.DELIVERED
    assert stored.receipt
    assert (stored.receipt.record_id, stored.receipt.number) == ("500x", "00001042")


def test_a_record_that_has_to_wait_waits_alone(journal: Journal) -> None:
    first, second = intent(), intent()
    journal.accept("call", [first, second])
    taken = lease(journal)
    journal.settle(
        taken,
        [
            TryAgain(first.id, "UNABLE_TO_LOCK_ROW", 60_000, Scope.RECORD, in_doubt=True),
            Delivered(second.id, "500x"),
        ],
    )
    assert not lease(journal).intents
    stored = journal.get(first.id)
    assert stored
    assert (stored.state, stored.reason, stored.in_doubt) == (State.DUE, "UNABLE_TO_LOCK_ROW", True)


@pytest.mark.parametrize(("scope", "others_wait"), [(Scope.ORG, True), (Scope.SOURCE, False)])
def test_an_org_or_a_kind_that_has_to_wait_leases_nothing_and_wakes_nobody(
    journal: Journal, store: redis.Redis, scope: Scope, others_wait: bool
) -> None:
    first, second = intent(), intent()
    callback = intent(Kind.CALLBACK, draft=CallbackDraft(phone="+1"))
    journal.accept("call", [first, second, callback])
    taken = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000)
    journal.settle(taken, [TryAgain(first.id, "AWAY", 60_000, scope)])
    assert not lease(journal).intents
    assert bool(lease(journal, Kind.CALLBACK).intents) is not others_wait
    store.delete("vs:wakeup:case_create", "vs:wakeup:callback")
    assert Kind.CASE_CREATE not in journal.sweep()
    waits = journal.waits()
    assert next(iter(waits.values())).failures_in_a_row == 1


def test_one_delivery_ends_the_waiting(journal: Journal) -> None:
    first, callback = intent(), intent(Kind.CALLBACK, draft=CallbackDraft(phone="+1"))
    journal.accept("call", [first, callback])
    cases, callbacks = lease(journal), lease(journal, Kind.CALLBACK)
    journal.settle(cases, [TryAgain(first.id, "AWAY", 60_000, Scope.ORG)])
    journal.settle(callbacks, [Delivered(callback.id, "00Tx")])
    assert not journal.waits()
    assert len(lease(journal).intents) == 1


@pytest.mark.parametrize("fate", ["delivered", "parked", "cancelled", "taken back"])
def test_a_follower_waits_until_what_it_follows_is_settled_whatever_becomes_of_it(
    journal: Journal, fate: str
) -> None:
    first = intent()
    journal.accept("call", [first])
    comment = intent(Kind.CASE_COMMENT, after=(first.id,))
    log = intent(Kind.CALL_LOG, after_call=True)
    journal.accept("call", [comment])
    journal.accept("call", [log])
    assert state(journal, comment.id) is State.HELD
    assert not lease(journal, Kind.CASE_COMMENT).intents
    outcomes: dict[str, Any] = {
        "delivered": Delivered(first.id, "500x"),
        "parked": Parked(first.id, "NO"),
        "cancelled": Cancelled(first.id, "NO"),
    }
    if fate == "taken back":
        became, due_kinds = journal.cancel(first.id, "caller")
        assert became == "cancelled"
    else:
        due_kinds = journal.settle(lease(journal), [outcomes[fate]]).due_kinds
    assert due_kinds == (Kind.CASE_COMMENT,)
    taken = lease(journal, Kind.CASE_COMMENT)
    assert [item.id for item in taken.intents] == [comment.id]
    assert not lease(journal, Kind.CALL_LOG).intents
    journal.settle(taken, [Delivered(comment.id, "00ax")])
    assert [item.id for item in lease(journal, Kind.CALL_LOG).intents] == [log.id]


@pytest.mark.parametrize("earlier", [State.HELD, State.DUE, State.LEASED])
def test_what_a_delivery_makes_due_waits_for_what_it_follows(
    journal: Journal, earlier: State
) -> None:
    first = intent(hold_ms=60_000 if earlier is State.HELD else 0)
    other, also = intent(Kind.CASE_CLOSE), intent(Kind.CALLBACK, after=(first.id,))
    journal.accept("call", [first])
    journal.accept("another", [other])
    taken = lease(journal) if earlier is State.LEASED else None
    journal.settle(lease(journal, Kind.CASE_CLOSE), [Delivered(other.id, "500x", also=(also,))])
    assert state(journal, also.id) is State.HELD
    assert journal.summary().kinds[Kind.CALLBACK].waiting == 1
    if earlier is State.HELD:
        journal.cancel(first.id, "caller")
    else:
        journal.settle(taken or lease(journal), [Delivered(first.id, "500y")])
    assert [item.id for item in lease(journal, Kind.CALLBACK).intents] == [also.id]
    assert journal.summary().kinds[Kind.CALLBACK].waiting == 0


def test_what_a_caller_takes_back_is_a_new_request_when_asked_for_again(journal: Journal) -> None:
    first = intent(fingerprint="f", hold_ms=60_000)
    journal.accept("call", [first])
    assert journal.cancel(first.id, "caller")[0] == "cancelled"
    assert journal.cancel(first.id, "caller")[0] == "cancelled"
    assert isinstance(journal.accept("call", [intent(fingerprint="f")]), Accepted)
    assert state(journal, first.id) is State.CANCELLED


def test_what_a_worker_has_or_may_have_written_can_not_be_taken_back(
    journal: Journal,
) -> None:
    new = intent()
    journal.accept("call", [new])
    taken = lease(journal)
    assert journal.cancel(new.id, "caller")[0] == "leased"
    journal.settle(taken, [TryAgain(new.id, "TIMEOUT", 0, Scope.RECORD, in_doubt=True)])
    assert journal.cancel(new.id, "caller")[0] == "in_doubt"
    assert journal.cancel("nobody", "caller")[0] == ""


def test_an_intent_of_the_first_schema_is_read(journal: Journal, store: redis.Redis) -> None:
    """An intent as version 1 stored it in Redis. A new schema keeps this test and adds its own."""
    store.hset(
        "vs:intent:0123456789abcdef0123456789abcdef",
        mapping={
            "kind": "case_create", "state": "due", "schema": "1", "call": "call-1",
            "tool": "createSalesforceCase", "reference": "K7M 2QX", "fingerprint": "f",
            "payload": json.dumps({
                "caller_number": "+14155550101", "contact_id": None, "issue_type": "billing",
                "description": "Billed twice", "priority": "High", "account_number": None,
            }),
            "accepted": "1763800000000", "hold_until": "1763800002500", "waiting": "0",
            "attempts": "0", "in_doubt": "0",
        },
    )  # fmt: skip
    stored = journal.get("0123456789abcdef0123456789abcdef")
    assert stored
    assert stored.draft == CaseDraft(
        caller_number="+14155550101",
        issue_type="billing",
        description="Billed twice",
        priority="High",
    )


def test_a_second_delivery_waits_for_the_answer_that_the_first_is_working_on(
    store: redis.Redis,
) -> None:
    answers = Answers(store)
    key = answers.key_of("call", "1")
    claim = answers.claim(key, work_ms=5_000)
    assert isinstance(claim, Claim)
    received: list[Claim | str] = []
    second = threading.Thread(target=lambda: received.append(answers.claim(key, work_ms=5_000)))
    second.start()
    assert answers.settle(claim, '{"a": 1}') == '{"a": 1}'
    second.join()
    assert received == ['{"a": 1}']


def test_a_worker_that_died_is_replaced_by_the_next_delivery(store: redis.Redis) -> None:
    answers = Answers(store)
    key = answers.key_of("call", "1")
    first = answers.claim(key, work_ms=50)
    second = answers.claim(key, work_ms=50)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert answers.settle(second, '{"second": 1}') == '{"second": 1}'
    # The first worker comes back: it gets the stored answer, and can't remove it.
    assert answers.settle(first, '{"first": 1}') == '{"second": 1}'
    assert answers.settle(first, "", lasting=False) == '{"second": 1}'
    assert answers.claim(key, work_ms=50) == '{"second": 1}'


def test_a_store_that_is_away_is_one_error() -> None:
    away = Journal(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailableError):
        away.accept("call", [intent()])
    with pytest.raises(StoreUnavailableError):
        away.get("x")


def test_what_is_settled_loses_its_draft_and_later_its_receipt(
    journal: Journal, store: redis.Redis
) -> None:
    done, back, stays = (intent(reference=f"AA{n} 222", said="Noted.") for n in "BCD")
    journal.accept("call", [done, back, stays])
    assert journal.cancel(back.id, "caller")[0] == "cancelled"
    taken = lease(journal)
    journal.settle(taken, [Delivered(done.id, "500x", "00001042"), Parked(stays.id, "NO")])
    hour = 3_600_000
    assert journal.purge(data_after_ms=hour, receipt_after_ms=hour) == 0
    for id_ in (done.id, back.id):
        store.zadd("vs:settled", {id_: 1})
    assert journal.purge(data_after_ms=hour, receipt_after_ms=10**15) == 2
    stored = journal.get(done.id)
    assert stored
    assert stored.is_purged
    assert stored.said == ""
    assert stored.receipt
    assert stored.receipt.number == "00001042"
    assert journal.purge(data_after_ms=hour, receipt_after_ms=hour) == 2
    assert journal.get(done.id) is None
    assert journal.by_reference("AAB 222") is None
    parked = journal.get(stays.id)
    assert parked
    assert parked.draft == DRAFT  # a person needs it


def test_only_what_is_parked_can_be_replayed_or_discarded(journal: Journal) -> None:
    new, other = intent(), intent()
    journal.accept("call", [new, other])
    assert journal.replay([new.id]) == (0, ())
    assert journal.discard([new.id]) == 0
    journal.settle(lease(journal), [Parked(new.id, "NO"), Parked(other.id, "NO")])
    assert journal.discard([other.id]) == 1
    assert journal.replay([new.id, other.id])[0] == 1
    again = lease(journal)
    assert [found.id for found in again.intents] == [new.id]
    assert again.intents[0].in_doubt  # it may have been written before it parked


def test_a_replay_moves_an_intent_to_the_org_of_the_operator(store: redis.Redis) -> None:
    before, now = Journal(store, org="sandbox"), Journal(store, org="production")
    intent_id = new_intent_id()
    before.accept("call", [NewIntent(intent_id, Kind.CASE_CREATE, DRAFT)])
    lease = before.lease(Kind.CASE_CREATE, limit=1, max_bytes=10_000)
    before.settle(lease, [Parked(intent_id, "REFUSED")])
    before.lease(Kind.CASE_CREATE, limit=1, max_bytes=10_000)  # it answers the last wake-up
    assert now.replay([intent_id]) == (1, (Kind.CASE_CREATE,))
    replayed = now.get(intent_id)
    assert replayed
    assert replayed.org == "production"


def test_what_a_delivery_makes_due_is_for_the_same_org_and_agent(store: redis.Redis) -> None:
    journal = Journal(store, org="sandbox")
    also = NewIntent(new_intent_id(), Kind.CALLBACK, CallbackDraft(phone="+14155550101"))
    first = NewIntent(new_intent_id(), Kind.CASE_CREATE, DRAFT)
    journal.accept("call", [first], agent="team")
    lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=10_000)
    journal.settle(lease, [Delivered(first.id, "500A", also=(also,))])
    made = journal.get(also.id)
    assert made
    assert (made.org, made.agent, made.call_id) == ("sandbox", "team", "call")


def test_a_lease_answers_the_wake_up_so_that_later_work_wakes_again(journal: Journal) -> None:
    assert journal.accept("a", [intent()]) == Accepted((Kind.CASE_CREATE,))
    assert journal.accept("b", [intent()]) == Accepted(())
    lease(journal)
    assert journal.accept("c", [intent()]) == Accepted((Kind.CASE_CREATE,))


def test_a_wake_up_that_woke_nobody_is_sent_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.journal.journal.WAKE_UP_MS", 30)
    assert journal.accept("a", [intent()]) == Accepted((Kind.CASE_CREATE,))
    wait_until(lambda: journal.sweep() == (Kind.CASE_CREATE,), for_s=5, what="another wake-up")


def test_at_most_two_batches_of_a_kind_are_at_work(journal: Journal) -> None:
    for _ in range(3):
        journal.accept("call", [intent()])
    first, second = lease(journal, limit=1), lease(journal, limit=1)
    assert len(first.intents) == len(second.intents) == 1
    assert not lease(journal, limit=1).intents
    journal.settle(first, [Delivered(first.intents[0].id, "500x")])
    assert len(lease(journal, limit=1).intents) == 1


def test_a_slow_worker_that_still_holds_a_part_of_its_batch_counts_as_at_work(
    journal: Journal, store: redis.Redis
) -> None:
    """Found by tests/journal/test_against_a_model.py."""
    ids = [intent().id for _ in range(4)]
    for id_ in ids:
        journal.accept("call", [intent(id=id_)])
    slow = lease(journal, limit=2)
    store_time.lease_runs_out(store, Kind.CASE_CREATE, *(item.id for item in slow.intents))
    quick = lease(journal, limit=1)
    assert quick.intents[0].in_doubt
    assert journal.extend(slow) == 1
    assert len(lease(journal, limit=1).intents) == 0  # two are at work
    assert journal.summary().kinds[Kind.CASE_CREATE].leased == 2
    assert journal.settle(quick, [Parked(quick.intents[0].id, "NO")]).count == 1
    assert len(lease(journal, limit=1).intents) == 1


def test_a_longer_wait_is_not_cut_short_and_a_batch_may_end_one_and_begin_another(
    journal: Journal,
) -> None:
    first, second = intent(), intent()
    journal.accept("call", [first, second])
    new, other = lease(journal, limit=1), lease(journal, limit=1)
    journal.settle(new, [TryAgain(first.id, "DAILY", 600_000, Scope.ORG)])
    journal.settle(other, [TryAgain(second.id, "AWAY", 500, Scope.ORG)])
    wait = journal.waits()["org"]
    assert wait.reason == "DAILY"
    assert wait.until_ms - journal.now_ms() > 500_000

    done, held_up = intent(Kind.CALLBACK), intent(Kind.CALLBACK)
    journal.accept("call", [done, held_up])
    # The org waits. Without its wait, a lease is as if taken before the org failed.
    journal._store.delete("vs:waits")
    both = lease(journal, Kind.CALLBACK)
    journal.settle(
        both,
        [TryAgain(held_up.id, "INVALID_FIELD", 60_000, Scope.SOURCE), Delivered(done.id, "00T")],
    )
    assert set(journal.waits()) == {"callback"}


def test_of_a_backlog_a_quarter_of_each_batch_are_the_newest(journal: Journal) -> None:
    """Their callers may still be on the line. The oldest get the rest of the batch."""
    ids = []
    for _ in range(20):
        new = intent()
        journal.accept("call", [new])
        ids.append(new.id)
        time.sleep(0.002)  # they are told apart by their milliseconds
    taken = journal.lease(Kind.CASE_CREATE, limit=8, max_bytes=100_000).intents
    assert {item.id for item in taken} == {*ids[:6], *ids[-2:]}
    rest = [journal.lease(Kind.CASE_CREATE, limit=20, max_bytes=100_000).intents]
    assert {item.id for item in rest[0]} == set(ids) - {item.id for item in taken}


def test_an_amended_request_is_not_stored_for_ever(journal: Journal, store: redis.Redis) -> None:
    held = intent(fingerprint="before", hold_ms=60_000)
    journal.accept("call", [held])
    corrected = replace(held, fingerprint="after", amends=(held.id, "before"))
    assert isinstance(journal.accept("call", [corrected]), Accepted)
    assert store.hgetall("vs:call:call:requests") == {"after": held.id}
    assert 0 < int(store.pttl("vs:call:call:requests")) <= CALL_TTL_MS


# -- what was accepted from a number ---------------------------------------------------------------

NUMBER = "+14155550101"


def asked(journal: Journal, call_id: str, kind: Kind = Kind.CASE_CREATE, **own: Any) -> str:
    draft = (
        CallbackDraft(caller_number=NUMBER, phone=NUMBER)
        if kind is Kind.CALLBACK
        else replace(DRAFT, caller_number=NUMBER)
    )
    new = intent(kind, draft=draft, reference=new_reference())
    assert isinstance(journal.accept(call_id, [new], **own), Accepted)
    return new.id


def listed(journal: Journal) -> list[str]:
    return [found.id for found in journal.of_caller(NUMBER)]


def test_the_call_that_asked_for_most_pushes_out_its_own(journal: Journal) -> None:
    mine = [asked(journal, "mine") for _ in range(3)]
    for nth in range(100):
        asked(journal, f"evil-{nth % 2}")
    assert len(listed(journal)) == CALLER_LIMIT
    assert listed(journal)[:3] == mine


def test_what_no_later_call_shows_is_pushed_out_first(journal: Journal) -> None:
    back = asked(journal, "mine", Kind.CALLBACK)
    mine = asked(journal, "mine")
    for nth in range(CALLER_LIMIT - 1):
        asked(journal, f"other-{nth}")
    assert back not in listed(journal)
    assert mine in listed(journal)


def test_those_who_proved_who_they_are_have_a_list_of_their_own(journal: Journal) -> None:
    first = asked(journal, "mine", is_proven=True)
    for nth in range(2 * CALLER_LIMIT):
        asked(journal, f"other-{nth}")
    assert listed(journal)[0] == first
    assert len(listed(journal)) == CALLER_LIMIT + 1
