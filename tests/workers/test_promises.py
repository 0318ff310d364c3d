"""The ledger of promises: what became of them, and who is called when one breaks."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.agent.agents import Agents
from shared.agent.folder import load_agent
from shared.calls.calls import Calls
from shared.calls.made_good import MAX_A_RUN, MadeGood
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import (
    BY_CALLER,
    Cancelled,
    Delivered,
    Intent,
    NewIntent,
    Outcome,
    Parked,
    new_intent_id,
)
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.erasure import Erasure
from shared.journal.journal import Journal
from shared.journal.promises import DAY_MIN, DAY_MS, Figures, Promises
from shared.settings import Settings
from shared.wake_ups import celery_app
from tests.calling import KNOWN, PREMIUM
from tests.conftest import change_settings
from tests.store_time import intent_was_accepted
from tests.workers.delivering import BILLING
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain
from workers.resources import Resources
from workers.tasks import Tasks

AGENTS = Agents((load_agent("agent"),))
SAID = "The case is being opened."


def promise(journal: Journal, call_id: str = "call-1", **others: Any) -> str:
    intent = NewIntent(
        **{
            "id": new_intent_id(),
            "kind": Kind.CASE_CREATE,
            "draft": BILLING,
            "tool": "createSalesforceCase",
            "reference": new_reference(),
            "said": SAID,
            **others,
        }
    )
    journal.accept(call_id, [intent])
    return intent.id


def settle(journal: Journal, *outcomes: Outcome) -> None:
    lease = journal.lease(Kind.CASE_CREATE, limit=50, max_bytes=10**6)
    journal.settle(lease, outcomes)


def park(journal: Journal, *intent_ids: str) -> None:
    settle(journal, *(Parked(id_, "REFUSED") for id_ in intent_ids))


def today(store: redis.Redis) -> Figures:
    promises = Promises(store)
    return promises.day(promises.now_ms() // DAY_MS)


def made_good(journal: Journal, store: redis.Redis, after_h: float = 24) -> MadeGood:
    return MadeGood(journal, Calls(store), AGENTS, after_h)


def hours_pass(store: redis.Redis, hours: float) -> None:
    """Since the promises broke."""
    raw: Any = store
    for id_, at_ms in raw.zrange("vs:promises:broken", 0, -1, withscores=True):
        if at_ms:
            raw.zincrby("vs:promises:broken", -hours * 3_600_000, id_)


def callbacks(journal: Journal) -> list[Intent]:
    return [each for each in journal.newest(1_000) if each.kind is Kind.CALLBACK]


def reason(intent: Intent) -> str:
    draft = intent.draft_as(CallbackDraft)
    assert draft
    return draft.reason


# -- the figures -----------------------------------------------------------------------------------


def test_what_becomes_of_promises_adds_up(journal: Journal, store: redis.Redis) -> None:
    delivered, parked, cancelled, gone = (promise(journal) for _ in range(4))
    open_ = promise(journal, hold_ms=60_000)
    promise(journal, said="", hold_ms=60_000)  # the service's own
    journal.cancel(gone, BY_CALLER)
    settle(
        journal,
        Delivered(delivered, "500A", "1008"),
        Parked(parked, "REFUSED"),
        Cancelled(cancelled, "NOT_THEIR_CASE"),
    )
    figures = today(store)
    assert (figures.promised, figures.delivered, figures.broken) == (5, 1, 2)
    assert (figures.taken_back, figures.open) == (1, 1)
    assert journal.get(open_)


def test_what_a_worker_cancels_with_what_the_caller_took_back_is_taken_back(
    journal: Journal, store: redis.Redis
) -> None:
    settle(journal, Cancelled(promise(journal), "CASE_CANCELLED"))
    assert (today(store).taken_back, today(store).broken) == (1, 0)


def test_a_request_that_amends_a_held_one_is_no_second_promise(
    journal: Journal, store: redis.Redis
) -> None:
    first = promise(journal, hold_ms=60_000, fingerprint="a")
    promise(journal, hold_ms=60_000, fingerprint="b", amends=(first, "a"))
    assert today(store).promised == 1
    amended = journal.get(first)
    assert amended
    assert amended.amended_at_ms


def test_a_replayed_promise_is_open_again_and_may_be_kept(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = promise(journal)
    park(journal, intent_id)
    assert (today(store).broken, today(store).open) == (1, 0)
    journal.replay([intent_id])
    assert (today(store).broken, today(store).reopened, today(store).open) == (1, 1, 1)
    settle(journal, Delivered(intent_id, "500A", "1008"))
    assert (today(store).delivered, today(store).open) == (1, 0)
    assert Promises(store).waiting() == 0


def test_a_parked_promise_that_the_caller_takes_back_is_broken_no_longer(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = promise(journal)
    park(journal, intent_id)
    journal.cancel(intent_id, BY_CALLER)
    assert (today(store).reopened, today(store).taken_back, today(store).open) == (1, 1, 0)
    assert Promises(store).waiting() == 0


def a_day_passes(store: redis.Redis) -> None:
    """Since all that was counted so far."""
    raw: Any = store
    keys = {key: int(key.rpartition(":")[2]) for key in raw.keys("vs:promises:at:*")}
    for key in sorted(keys, key=keys.__getitem__):
        raw.rename(key, f"vs:promises:at:{keys[key] - DAY_MIN}")


def test_each_thing_counts_on_the_day_on_which_it_happens(
    journal: Journal, store: redis.Redis
) -> None:
    first = promise(journal)
    second = promise(journal)
    a_day_passes(store)
    settle(journal, Delivered(first, "500A", "1008"), Parked(second, "REFUSED"))
    a_day_passes(store)
    journal.replay([second])
    promises = Promises(store)
    day = promises.now_ms() // DAY_MS
    made, ended, now = (promises.day(day - ago) for ago in (2, 1, 0))
    assert made == Figures(promised=2, open=2)
    assert (ended.promised, ended.delivered, ended.broken, ended.reopened, ended.open) == (
        0,
        1,
        1,
        0,
        0,
    )
    assert (now.delivered, now.broken, now.reopened, now.open) == (0, 0, 1, 1)
    assert promises.day(day - 40) == Figures(open=0)
    assert promises.day(day - 3) == Figures()


def test_a_day_without_anything_is_empty_and_has_what_was_open(
    journal: Journal, store: redis.Redis
) -> None:
    promise(journal)
    a_day_passes(store)
    a_day_passes(store)
    promises = Promises(store)
    day = promises.now_ms() // DAY_MS
    assert promises.day(day) == promises.day(day - 1) == Figures(open=1)
    assert promises.day(day - 2) == Figures(promised=1, open=1)


def test_the_last_hour_has_what_happened_in_it(journal: Journal, store: redis.Redis) -> None:
    raw: Any = store
    for _ in range(2):
        settle(journal, Delivered(promise(journal), "500A", None))
    for key in raw.keys("vs:promises:at:*"):  # two hours pass
        minute = int(key.rpartition(":")[2])
        if minute % DAY_MIN:
            raw.delete(key)
        elif raw.exists(key):
            raw.rename(key, f"vs:promises:at:{minute - DAY_MIN}")
    late = promise(journal)
    intent_was_accepted(store, late, ms_earlier=600_000)
    settle(journal, Delivered(late, "500A", None))
    hour = Promises(store).last_hour()
    assert (hour.promised, hour.delivered) == (1, 1)
    assert 600 <= (hour.seconds(0.5) or 0) == hour.seconds(0.99)
    assert Promises(store).ever().delivered == 3


def test_median_and_p99_are_those_of_the_times_until_delivery(
    journal: Journal, store: redis.Redis
) -> None:
    assert today(store).seconds(0.5) is None
    for _ in range(3):
        settle(journal, Delivered(promise(journal), "500A", None))
    assert today(store).steps.total() == 3
    figures = Figures(steps=Counter({60: 60, 80: 39, 100: 1}))
    assert figures.seconds(0.5) == 1
    assert figures.seconds(0.99) == 10
    assert figures.seconds(1) == 100
    assert [figures.within(step) for step in (59, 60, 99, 100)] == [0, 60, 99, 100]


@pytest.mark.parametrize("took_ms", [1, 999, 1_000, 5_000, 86_400_000])
def test_a_time_is_counted_within_an_eighth(
    journal: Journal, store: redis.Redis, took_ms: int
) -> None:
    intent_id = promise(journal)
    intent_was_accepted(store, intent_id, ms_earlier=took_ms)
    settle(journal, Delivered(intent_id, "500A", None))
    found = Promises(store).ever().seconds(0.5)
    assert found
    assert took_ms <= found * 1_000
    assert found * 1_000 <= (took_ms + 5_000) * 1.13  # the test itself takes a while


def test_the_copies_of_the_counts_expire(journal: Journal, store: redis.Redis) -> None:
    promise(journal)
    left = sorted(store.pttl(key) for key in store.keys("vs:promises:at:*"))
    assert left[-1] <= 35 * DAY_MS
    assert left[-1] > 34 * DAY_MS
    assert all(ms <= 7_200_000 for ms in left[:-1])


# -- broken promises -------------------------------------------------------------------------------


def test_a_promise_that_stays_parked_becomes_a_call_back_after_the_set_time_and_once(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = promise(journal)
    park(journal, intent_id)
    job = made_good(journal, store)
    assert job.run() == (0, ())
    hours_pass(store, 23)
    assert job.run() == (0, ())
    hours_pass(store, 2)
    assert job.run() == (1, (Kind.CALLBACK,))
    assert job.run() == (0, ())
    (call_back,) = callbacks(journal)
    parked = journal.get(intent_id)
    assert parked
    assert parked.reference in reason(call_back)
    assert today(store).made_good == 1


def test_promises_of_a_call_that_broke_together_are_one_call_back(
    journal: Journal, store: redis.Redis
) -> None:
    ids = [promise(journal), promise(journal), promise(journal, "call-2")]
    park(journal, *ids)
    hours_pass(store, 25)
    assert made_good(journal, store).run()[0] == 3
    assert sorted(each.call_id for each in callbacks(journal)) == ["call-1", "call-2"]
    assert today(store).made_good == 3


def test_a_run_that_died_before_it_noted_the_call_back_makes_no_second_one(
    journal: Journal, store: redis.Redis
) -> None:
    intent_id = promise(journal)
    park(journal, intent_id)
    hours_pass(store, 25)
    made_good(journal, store).run()
    raw: Any = store
    raw.zadd("vs:promises:broken", {intent_id: 1})
    made_good(journal, store).run()
    assert len(callbacks(journal)) == 1


def test_a_discarded_promise_becomes_a_call_back_at_once_unless_it_was_settled(
    journal: Journal, store: redis.Redis
) -> None:
    discarded, settled = promise(journal), promise(journal, "call-2")
    park(journal, discarded, settled)
    journal.discard([discarded])
    journal.discard([settled], is_kept_by_hand=True)
    assert made_good(journal, store).run()[0] == 1
    (call_back,) = callbacks(journal)
    assert call_back.call_id == "call-1"
    assert (today(store).broken, today(store).reopened, today(store).kept_by_hand) == (2, 1, 1)
    assert today(store).open == 0


def test_a_promise_that_the_service_cancelled_becomes_a_call_back_at_once(
    journal: Journal, store: redis.Redis
) -> None:
    settle(journal, Cancelled(promise(journal), "NOT_THEIR_CASE"))
    assert made_good(journal, store).run()[0] == 1


def test_nobody_is_called_when_the_team_does_not_want_it(
    journal: Journal, store: redis.Redis
) -> None:
    park(journal, promise(journal))
    hours_pass(store, 1_000)
    assert made_good(journal, store, after_h=0).run() == (0, ())
    assert callbacks(journal) == []


@pytest.mark.parametrize("number", ["", PREMIUM])
def test_a_promise_to_nobody_who_may_be_called_is_counted_and_tried_once(
    journal: Journal, store: redis.Redis, number: str
) -> None:
    park(journal, promise(journal, draft=replace(BILLING, caller_number=number)))
    hours_pass(store, 25)
    assert made_good(journal, store).run() == (0, ())
    assert (today(store).unreachable, today(store).made_good) == (1, 0)
    assert Promises(store).waiting() == 0


def test_a_run_takes_so_many_and_the_next_goes_on(journal: Journal, store: redis.Redis) -> None:
    ids = [promise(journal, f"call-{nth}") for nth in range(MAX_A_RUN + 5)]
    while (lease := journal.lease(Kind.CASE_CREATE, limit=200, max_bytes=10**7)).intents:
        journal.settle(lease, [Parked(each.id, "REFUSED") for each in lease.intents])
    hours_pass(store, 25)
    job = made_good(journal, store)
    assert [job.run()[0] for _ in range(3)] == [MAX_A_RUN, 5, 0]
    assert len(callbacks(journal)) == len(ids)


def test_an_erased_call_is_not_called_back(journal: Journal, store: redis.Redis) -> None:
    intent_id = promise(journal)
    park(journal, intent_id)
    journal.discard([intent_id])
    assert Erasure(store).call("call-1", KNOWN).erased
    assert made_good(journal, store).run() == (0, ())
    assert callbacks(journal) == []


def test_the_task_makes_promises_good_and_the_call_back_reaches_the_org(
    journal: Journal, store: redis.Redis, settings: Settings, context: DeliveryContext, org: Org
) -> None:
    park(journal, promise(journal))
    hours_pass(store, 25)
    tasks = Tasks(celery_app(settings.store), Resources(settings))
    assert tasks.make_good() == "made good 1"
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 1}
    (task,) = (each for each in org.records("Task") if each["Subject"] == f"Call back {KNOWN}")
    assert "It could not be saved." in task["Description"]
    off = change_settings(settings, broken_promise_h=0)
    assert Tasks(celery_app(off.store), Resources(off)).make_good() == "made good 0"
