"""Erasing a call in one step: all of it or nothing, and nothing that is under way."""

import re
from pathlib import Path
from typing import Any

import pytest
import redis

from shared.calls.calls import Calls
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Delivered, NewIntent, Parked, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.erasure import Erased, Erasure
from shared.journal.journal import Journal
from shared.journal.results import CallErased
from shared.vapi.caller_id import CallerId
from shared.vapi.messages import Message
from tests.calling import KNOWN

DRAFT = CallbackDraft(caller_number=KNOWN, phone=KNOWN, reason="canary")


def new(**others: Any) -> NewIntent:
    given: dict[str, Any] = {
        "id": new_intent_id(), "kind": Kind.CALLBACK, "draft": DRAFT, "said": "Noted.",
        "reference": new_reference(), "dedup_keys": ("account:1:billing",),
    }  # fmt: skip
    return NewIntent(**given | others)


def accept(journal: Journal, call_id: str = "call-1", **others: Any) -> str:
    intent = new(**others)
    journal.accept(call_id, [intent])
    return intent.id


def deliver(journal: Journal) -> None:
    lease = journal.lease(Kind.CALLBACK, limit=10, max_bytes=10_000)
    journal.settle(lease, [Delivered(intent.id, "00T1") for intent in lease.intents])


def event(**others: Any) -> Message:
    call = {"id": "call-1", "type": "inboundPhoneCall"}
    return Message("status-update", {"call": call, "status": "in-progress", **others})


@pytest.fixture
def erasure(store: redis.Redis) -> Erasure:
    return Erasure(store)


@pytest.fixture
def calls(store: redis.Redis) -> Calls:
    return Calls(store)


def test_a_settled_call_is_erased_with_all_that_leads_to_its_intents(
    journal: Journal, erasure: Erasure, calls: Calls, store: redis.Redis
) -> None:
    calls.record_event(event(phoneCallProviderId="CA1"), CallerId(KNOWN, (KNOWN,)))
    calls.closed("call-1", "canary", reported=True)
    delivered, cancelled = accept(journal), accept(journal, hold_ms=60_000)
    deliver(journal)
    journal.cancel(cancelled, "BY_CALLER")
    result = erasure.call(
        "call-1", KNOWN, dedup_keys=["account:1:billing"], provider_ids=["CA1", "CA2"]
    )
    assert result == Erased(erased=(delivered, cancelled))
    left = set(store.scan_iter())
    passing = {"vs:succeeded", f"vs:figures:{Kind.CALLBACK}", f"vs:wakeup:{Kind.CALLBACK}"}
    writes = {key for key in left if key.startswith(("vs:writes:", "vs:minute:"))}
    figures = {key for key in left if key.startswith("vs:promises")}
    assert left - passing - writes - figures == {"vs:call:call-1"}
    assert erasure.call("call-1", KNOWN) == Erased()


SCHEMA = Path(__file__).parents[2] / "shared" / "journal" / "SCHEMA.md"
OF_A_CALL = re.findall(r"`vs:call:\{[a-z_]+\}:([a-z-]+)`", SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OF_A_CALL)
def test_every_key_of_a_call_is_erased(erasure: Erasure, store: redis.Redis, name: str) -> None:
    if name == "intents":
        return  # a list, which the tests above fill
    store.set(f"vs:call:call-1:{name}", "canary")
    erasure.call("call-1", KNOWN)
    assert [*store.scan_iter("vs:call:call-1:*")] == []


@pytest.mark.parametrize("state", [State.HELD, State.DUE, State.LEASED, State.PARKED])
def test_nothing_of_a_call_is_erased_while_one_intent_is_unsettled(
    journal: Journal, erasure: Erasure, store: redis.Redis, state: State
) -> None:
    accept(journal)
    deliver(journal)
    # No scan has found this one: it came a moment ago.
    open_ = accept(journal, hold_ms=60_000 if state is State.HELD else 0)
    if state in (State.LEASED, State.PARKED):
        lease = journal.lease(Kind.CALLBACK, limit=10, max_bytes=10_000)
        if state is State.PARKED:
            journal.settle(lease, [Parked(open_, "REFUSED")])
    before = set(store.scan_iter())
    assert erasure.call("call-1", KNOWN) == Erased(unsettled=(open_,))
    assert set(store.scan_iter()) == before
    assert [intent.state for intent in journal.of_call("call-1")] == [State.DELIVERED, state]


def test_a_call_whose_end_is_not_recorded_is_erased_only_on_demand(
    erasure: Erasure, calls: Calls, store: redis.Redis
) -> None:
    calls.record_event(event(), CallerId(KNOWN, (KNOWN,)))
    assert erasure.call("call-1", KNOWN) == Erased(is_unclosed=True)
    assert calls.state("call-1").number == KNOWN
    assert erasure.call("call-1", KNOWN, unclosed=True) == Erased()
    assert calls.state("call-1").number == ""
    assert calls.quiet(0, 10) == []


def test_an_erased_call_takes_neither_events_nor_requests(
    journal: Journal, erasure: Erasure, calls: Calls, store: redis.Redis
) -> None:
    calls.record_event(event(), CallerId(KNOWN, (KNOWN,)))
    erasure.call("call-1", KNOWN, unclosed=True)
    before = set(store.scan_iter())
    state = calls.record_event(event(phoneCallProviderId="CA1"), CallerId(KNOWN, (KNOWN,)))
    assert (state.is_erased, state.is_over, state.is_first, state.number) == (True, True, False, "")
    assert isinstance(journal.accept("call-1", [new()]), CallErased)
    assert set(store.scan_iter()) == before
    assert 0 < store.pttl("vs:call:call-1") <= 15 * 24 * 3600 * 1000
    assert accept(journal, "call-2")


def test_a_dedup_key_that_leads_to_a_newer_intent_stays(
    journal: Journal, erasure: Erasure, store: redis.Redis
) -> None:
    accept(journal)
    newer = accept(journal, "call-2", draft=CallbackDraft(phone="+14155550108"))
    deliver(journal)
    erasure.call("call-1", KNOWN, dedup_keys=["account:1:billing"])
    assert store.get("vs:dedup:account:1:billing") == newer
    assert [intent.id for intent in journal.of_call("call-2")] == [newer]


def test_intents_of_no_call_are_erased_by_their_ids(journal: Journal, erasure: Erasure) -> None:
    intent_id, other = accept(journal, ""), accept(journal, "")
    deliver(journal)
    assert erasure.call("", KNOWN, intent_ids=[intent_id]) == Erased(erased=(intent_id,))
    assert journal.get(other)
    assert [intent.id for intent in journal.of_caller(KNOWN)] == [other]


@pytest.mark.breaks_rows("a row is no hash")
def test_a_row_that_is_no_hash_is_unsettled_while_it_is_parked(
    journal: Journal, erasure: Erasure, store: redis.Redis
) -> None:
    intent_id = accept(journal)
    store.delete(f"vs:intent:{intent_id}")
    store.set(f"vs:intent:{intent_id}", "spoiled")
    journal.lease(Kind.CALLBACK, limit=10, max_bytes=10_000)
    assert erasure.call("call-1", KNOWN) == Erased(unsettled=(intent_id,))
    assert journal.discard([intent_id]) == 1
    assert erasure.call("call-1", KNOWN) == Erased(erased=(intent_id,))


def test_single_intents_lose_their_words_only_when_they_are_settled(
    journal: Journal, erasure: Erasure, store: redis.Redis
) -> None:
    delivered = accept(journal)
    deliver(journal)
    open_ = accept(journal)
    assert erasure.texts([delivered, open_, "unknown"]) == 1
    assert erasure.texts([delivered, open_]) == erasure.texts([]) == 0
    purged, due = (journal.get_many([delivered, open_])[id_] for id_ in (delivered, open_))
    assert purged.is_purged
    assert purged.receipt
    assert purged.receipt.record_id == "00T1"
    assert (due.state, due.said) == (State.DUE, "Noted.")
