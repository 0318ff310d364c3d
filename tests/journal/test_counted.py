"""What the scripts count in the step in which something happens: figures, minutes, promises."""

import math
from collections import Counter
from typing import Any

import redis

from shared.domain.drafts import CallbackDraft
from shared.domain.intent import (
    Cancelled,
    Delivered,
    NewIntent,
    Parked,
    PartRefused,
    Scope,
    TryAgain,
    new_intent_id,
)
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.journal.promises import Figures
from tests import store_time

DRAFT = CallbackDraft(phone="+14155550101")
HOUR_MS = 3_600_000


def accepted(journal: Journal, **others: Any) -> str:
    new = NewIntent(new_intent_id(), Kind.CALLBACK, DRAFT, **others)
    journal.accept("call", [new])
    return new.id


def lease(journal: Journal) -> Any:
    return journal.lease(Kind.CALLBACK, limit=200, max_bytes=1_000_000)


def counted(store: Any, keys: str) -> Counter[str]:
    """What the hashes of this name say together, as a minute or a day may end during the test."""
    found: Counter[str] = Counter()
    for key in store.scan_iter(keys):
        if store.type(key) == "hash":
            found.update({name: int(value) for name, value in store.hgetall(key).items()})
            found.pop("oldest_ms", None)
    return +found


def test_each_transition_is_counted_once_and_the_promises_apart(
    journal: Journal, store: Any
) -> None:
    delivered, silent, again, back = (accepted(journal, said=said) for said in ("x", "", "x", "x"))
    parked, replayed, by_hand, gone = (accepted(journal, said="x") for _ in range(4))
    obsolete, follows = accepted(journal, said="x"), accepted(journal, said="x")
    assert journal.promises.ever() == Figures(promised=9, open=9)
    assert journal.cancel(back, "caller")[0] == "cancelled"
    store_time.intent_was_accepted(store, delivered, 5_500)
    number = NewIntent(new_intent_id(), Kind.TASK_LINK, DRAFT, said="")
    journal.settle(
        lease(journal),
        [
            Delivered(delivered, "00T", also=(number,)),
            Delivered(silent, "00T"),
            TryAgain(again, "LOCKED", HOUR_MS, Scope.RECORD),
            *(Parked(id_, "NO") for id_ in (parked, replayed, by_hand, gone)),
            Cancelled(obsolete, "NOT_OURS"),
            Cancelled(follows, "CASE_CANCELLED"),
        ],
    )
    assert journal.replay([replayed])[0] == 1
    assert journal.discard([by_hand], is_kept_by_hand=True) == 1
    assert journal.discard([gone]) == 1
    assert counted(store, "vs:figures:callback") == Counter(
        accepted=10, delivered=2, cancelled=5, parked=4, replayed=1, again=1, batches=1
    )
    assert counted(store, "vs:figures:task_link") == {"accepted": 1}
    assert counted(store, "vs:minute:*") == {"accepted": 11, "delivered": 2, "parked": 4}
    figures = journal.promises.ever()
    assert 5_500 <= figures.took_ms < 10_000
    step = math.ceil(20 * math.log10(figures.took_ms))
    assert figures == Figures(
        promised=9, delivered=1, took_ms=figures.took_ms, steps=Counter({step: 1}), taken_back=2,
        kept_by_hand=1, broken=5, reopened=2, open=2,
    )  # fmt: skip
    broken = dict(store.zrange("vs:promises:broken", 0, -1, withscores=True))
    assert set(broken) == {parked, gone, obsolete}
    assert (broken[gone], broken[obsolete]) == (0, 0)  # at once
    assert broken[parked] == store.zscore("vs:parked", parked)
    assert (
        set(store.zrange("vs:parked:said", 0, -1)) == set(store.hkeys("vs:parked:live")) == {parked}
    )
    for key in store.scan_iter("vs:minute:*"):
        assert 2 * HOUR_MS - 60_000 < int(store.pttl(key)) <= 2 * HOUR_MS


def test_a_refused_part_parks_with_its_reason_and_the_rest_is_tried_again(
    journal: Journal, store: redis.Redis
) -> None:
    journal.org = "org.example"
    whole = NewIntent(
        new_intent_id(), Kind.CALLBACK, DRAFT, tool="t", said="x", reference="AAA 222"
    )
    journal.accept("call", [whole], agent="agent")
    part = NewIntent(new_intent_id(), Kind.CASE_COMMENT, DRAFT, tool="t", said="y")
    rest = CallbackDraft(phone="+14155550102")
    refused = PartRefused(whole.id, "NO", rest, part, HOUR_MS, in_doubt=True, detail="because")
    assert journal.settle(lease(journal), [refused]).states == {whole.id: State.DUE}
    found = journal.get_many([whole.id, part.id])
    assert (found[whole.id].draft, found[whole.id].in_doubt) == (rest, True)
    due_in = float(str(store.zscore("vs:due:callback", whole.id))) - journal.now_ms()
    assert HOUR_MS - 60_000 < due_in <= HOUR_MS
    assert (found[part.id].state, found[part.id].reason) == (State.PARKED, "NO")
    assert (found[part.id].detail, found[part.id].said) == ("because", "y")
    assert (found[part.id].org, found[part.id].agent) == ("org.example", "agent")
    assert [it.id for it in journal.of_call("call")] == [whole.id, part.id]


def test_what_follows_from_a_delivery_waits_for_what_is_open(
    journal: Journal, store: redis.Redis
) -> None:
    first, second = accepted(journal), accepted(journal)
    link = NewIntent(new_intent_id(), Kind.TASK_LINK, DRAFT, after=(second, first))
    at_once = NewIntent(new_intent_id(), Kind.CASE_CLOSE, DRAFT)
    taken = lease(journal)
    store.delete("vs:call:call:intents")  # it expired
    found = journal.settle(
        taken, [Delivered(first, "00T", "001", also=(link, at_once)), Delivered(second, "00T")]
    )
    assert 48 * HOUR_MS - 60_000 < int(store.pttl("vs:call:call:intents")) <= 48 * HOUR_MS
    assert found.due_kinds == (Kind.CASE_CLOSE, Kind.TASK_LINK)
    numbered = journal.by_case_number("001")
    assert numbered
    assert numbered.id == first
    assert journal.get_many([link.id, at_once.id])[link.id].state is State.HELD
    leased = journal.lease(Kind.TASK_LINK, limit=9, max_bytes=9999)
    assert [it.id for it in leased.intents] == [link.id]


def test_a_delivered_intent_keeps_its_receipt_and_nothing_of_its_delivery(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = accepted(journal, said="x")
    lost = TryAgain(intent_id, "NO", 0, Scope.RECORD, limit=9, target="t", detail="words")
    journal.settle(lease(journal), [lost])
    journal.settle(lease(journal), [Delivered(intent_id, "00T")])
    left = store.hgetall(f"vs:intent:{intent_id}")
    gone = {"hold_until", "waiting", "record", "dedup_keys", "omit_fields", "refused", "refused_at"}
    assert not (gone | {"detail", "lease"}) & set(left)
    assert (left["attempts"], left["state"], left["reason"]) == ("2", "delivered", "")
