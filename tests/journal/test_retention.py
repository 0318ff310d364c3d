"""Retention: what a settled intent leaves at first, and that nothing leads to it in the end."""

import json
from typing import Any

from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Delivered, NewIntent, Parked, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.tracing import in_trace

TRACE = "0123456789abcdef" * 2
DRAFT = CallbackDraft(phone="+14155550101", reason="personal")
HOUR_MS, LONG_MS = 3_600_000, 10**12


def accepted(journal: Journal, kind: Kind = Kind.CALLBACK, **others: Any) -> str:
    new = NewIntent(new_intent_id(), kind, DRAFT, **others)
    with in_trace(TRACE):
        journal.accept("call", [new], agent="agent")
    return new.id


def delivered(
    journal: Journal, kind: Kind = Kind.CALLBACK, also: tuple[NewIntent, ...] = ()
) -> str:
    intent_id = accepted(
        journal, tool="t", said="Noted.", reference="AAA 222", fingerprint="f", message="m",
        dedup_keys=("a",), requested_at_ms=5,
    )  # fmt: skip
    lease = journal.lease(Kind.CALLBACK, limit=9, max_bytes=9999)
    journal.settle(lease, [Delivered(intent_id, "500x", "001", also=also)])
    return intent_id


def test_a_delivered_intent_loses_all_but_what_a_later_question_needs(
    journal: Journal, store: Any
) -> None:
    intent_id = delivered(journal)
    settled = float(store.zscore("vs:settled", intent_id))
    assert journal.purge(data_after_ms=HOUR_MS, receipt_after_ms=HOUR_MS) == 0
    assert journal.purge(data_after_ms=-HOUR_MS, receipt_after_ms=LONG_MS) == 1
    left = store.hgetall(f"vs:intent:{intent_id}")
    assert json.loads(left.pop("receipt")) == {"record_id": "500x", "number": "001"}
    assert (float(left.pop("settled")), int(left.pop("accepted")) > 0) == (settled, True)
    assert left == {
        "kind": "callback", "state": "delivered", "schema": str(DRAFT.schema), "call": "call",
        "tool": "t", "reference": "AAA 222", "fingerprint": "f", "attempts": "1", "in_doubt": "0",
        "trace": TRACE, "payload": "{}",
    }  # fmt: skip
    assert store.zrange("vs:settled", 0, -1) == []
    assert store.zscore("vs:receipts", intent_id) == settled
    assert [it.id for it in journal.by_trace(TRACE, 9)] == [intent_id]
    assert journal.by_reference("AAA 222")


def test_in_the_end_nothing_leads_to_an_intent(journal: Journal, store: Any) -> None:
    delivered(journal)
    parked = accepted(journal)
    lease = journal.lease(Kind.CALLBACK, limit=9, max_bytes=9999)
    journal.settle(lease, [Parked(parked, "NO")])
    assert journal.purge(data_after_ms=-HOUR_MS, receipt_after_ms=LONG_MS) == 1
    assert journal.purge(data_after_ms=LONG_MS, receipt_after_ms=HOUR_MS) == 0
    assert journal.purge(data_after_ms=LONG_MS, receipt_after_ms=-HOUR_MS) == 1
    assert store.keys("vs:intent:*") == [f"vs:intent:{parked}"]
    assert store.zrange("vs:intents", 0, -1) == [parked]
    assert store.zrange(f"vs:trace:{TRACE}", 0, -1) == [parked]
    for gone in ("vs:receipts", "vs:settled", "vs:reference:AAA 222", "vs:case-number:001"):
        assert not store.exists(gone)


def test_one_step_of_retention_takes_so_many_of_each(journal: Journal, monkeypatch: Any) -> None:
    monkeypatch.setattr("shared.journal.journal.PURGE_LIMIT", 2)
    ids = [accepted(journal) for _ in range(3)]
    for id_ in ids:
        journal.cancel(id_, "caller")
    assert journal.purge(data_after_ms=-HOUR_MS, receipt_after_ms=LONG_MS) == 2
    assert journal.purge(data_after_ms=-HOUR_MS, receipt_after_ms=-HOUR_MS) == 3
    assert journal.purge(data_after_ms=-HOUR_MS, receipt_after_ms=-HOUR_MS) == 1


def test_what_follows_from_a_delivery_belongs_to_its_trace(journal: Journal) -> None:
    link = NewIntent(new_intent_id(), Kind.TASK_LINK, DRAFT)
    intent_id = delivered(journal, also=(link,))
    assert {it.id for it in journal.by_trace(TRACE, 9)} == {intent_id, link.id}
    found = journal.get(link.id)
    assert found
    assert (found.trace, found.call_id, found.agent) == (TRACE, "call", "agent")


def test_a_kind_of_a_teams_own_tools_is_swept_without_being_named(journal: Journal) -> None:
    kind = Kind.creating("Return__c")
    intent_id = accepted(journal, kind)
    journal.lease(kind, limit=0, max_bytes=1)  # its wake-up woke a worker that did nothing
    assert journal.sweep() == (kind,)
    assert journal.summary().kinds[kind].due == 1
    assert journal.discard([intent_id]) == 0
