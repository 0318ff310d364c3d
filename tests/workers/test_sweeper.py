"""The timer of every worker: wake-ups for what is due, and what it does when none can be sent."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import redis

from demo.processes import wait_until
from demo.stack import Org
from shared.domain.drafts import CommentDraft
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import REDIS_PREFIX, Settings
from shared.wake_ups import DELIVER_QUEUE, celery_app
from tests.calling import KNOWN
from tests.store_time import last_ran, wake_up_is_lost
from tests.workers.delivering import BILLING, accept, stored
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain
from workers.resources import Resources
from workers.sweeper import Sweeper
from workers.tasks import Tasks


def nothing() -> None:
    """For a test in which nothing is forgotten."""


@pytest.fixture
def sweeping(journal: Journal) -> Iterator[Callable[..., Sweeper]]:
    """Makes sweepers; they end with the test."""
    made: list[Sweeper] = []

    def make(
        due_kinds: Callable[[Iterable[Kind]], tuple[Kind, ...]],
        deliver: Callable[[Kind], tuple[Kind, ...]] = lambda _: (),
        purge: Callable[[], object] = nothing,
    ) -> Sweeper:
        made.append(Sweeper(lambda: journal, due_kinds, deliver, purge, 0.01))
        return made[-1]

    yield make
    for sweeper in made:
        if sweeper._thread.ident:
            sweeper.stop()


def test_it_sends_wakeups_and_delivers_nothing(
    journal: Journal, store: redis.Redis, sweeping: Callable[..., Sweeper]
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    wake_up_is_lost(store, Kind.CASE_CREATE)
    notified: list[Kind] = []
    delivered: list[Kind] = []

    def notify(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        notified.extend(kinds)
        return ()

    def deliver(kind: Kind) -> tuple[Kind, ...]:
        delivered.append(kind)
        return ()

    sweeping(notify, deliver).start()
    wait_until(lambda: notified == [Kind.CASE_CREATE], for_s=5, what="a wake-up")
    assert delivered == []


def test_what_no_wakeup_can_be_sent_for_is_delivered_with_all_that_follows(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    sweeping: Callable[..., Sweeper],
) -> None:
    case_id = accept(journal, Kind.CASE_CREATE, BILLING)
    comment = CommentDraft(
        caller_number=KNOWN, case_intent=case_id, text="And it was due last week"
    )
    comment_id = accept(journal, Kind.CASE_COMMENT, comment, after=(case_id,))
    wake_up_is_lost(store, Kind.CASE_CREATE)
    sweeping(tuple, lambda kind: tuple(drain(context, kind).due_kinds)).start()
    wait_until(
        lambda: stored(journal, comment_id).state is State.DELIVERED, for_s=10, what="the comment"
    )


def test_one_thing_at_a_time_is_delivered_without_a_wakeup(
    journal: Journal, store: redis.Redis, sweeping: Callable[..., Sweeper]
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    release, entered = threading.Event(), []

    def deliver(kind: Kind) -> tuple[Kind, ...]:
        entered.append(kind)
        release.wait(20)
        return ()

    sweeper = sweeping(tuple, deliver)
    for _ in range(5):
        wake_up_is_lost(store, Kind.CASE_CREATE)
        sweeper.sweep()
    wait_until(lambda: bool(entered), for_s=5, what="a delivery")
    assert entered == [Kind.CASE_CREATE]
    release.set()

    def again() -> bool:
        wake_up_is_lost(store, Kind.CASE_CREATE)
        sweeper.sweep()
        return len(entered) > 1

    wait_until(again, for_s=5, what="the next one")


@pytest.mark.parametrize("ago_ms", [None, 10_000, 3_600_000])
def test_it_purges_only_when_nobody_else_does(
    journal: Journal, store: redis.Redis, sweeping: Callable[..., Sweeper], ago_ms: int | None
) -> None:
    if ago_ms is not None:
        last_ran(store, "retention", ago_ms)
    purged = threading.Event()
    sweeping(tuple, purge=purged.set).sweep()
    assert purged.wait(0.2 if ago_ms == 10_000 else 5) is (ago_ms != 10_000)


def test_a_sweep_that_fails_is_not_the_last(
    journal: Journal, store: redis.Redis, sweeping: Callable[..., Sweeper]
) -> None:
    notifications: list[Any] = []

    def notify(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        notifications.append(tuple(kinds))
        raise KeyError("a defect")

    sweeping(notify).start()
    wait_until(lambda: len(notifications) > 3, for_s=5, what="further sweeps")


@pytest.fixture
def tasks(settings: Settings, org: Org) -> Iterator[Tasks]:
    """As a worker has them."""
    resources = Resources(settings)
    yield Tasks(celery_app(settings.store), resources)
    resources.store.close()


def test_a_backlog_wakes_another_worker(tasks: Tasks, journal: Journal, store: redis.Redis) -> None:
    queue = f"{REDIS_PREFIX}celery:{DELIVER_QUEUE}"
    accept(journal, Kind.CASE_CREATE, BILLING)
    tasks.deliver(Kind.CASE_CREATE)
    assert store.llen(queue) == 0
    for _ in range(200):
        accept(journal, Kind.CASE_CREATE, BILLING)
    tasks.deliver(Kind.CASE_CREATE)
    assert store.llen(queue) == 1


# -- retention -------------------------------------------------------------------------------------


def test_one_run_of_retention_purges_all_that_is_due_however_much_that_is(
    tasks: Tasks, journal: Journal, store: redis.Redis
) -> None:
    """An hour of the load that the bench makes, and more."""
    count = 60_000
    pipe = store.pipeline(transaction=False)
    for nth in range(count):
        pipe.zadd("vs:settled", {f"{nth}": 1})
        pipe.hset(f"vs:intent:{nth}", mapping={"kind": "callback", "payload": '{"phone": "+1"}'})
        if nth % 5000 == 0:
            pipe.execute()
    pipe.execute()
    assert journal.summary().retention_lag_ms > 0
    purged = tasks.purge()
    assert purged == f"purged {2 * count}"
    assert store.zcard("vs:settled") == store.zcard("vs:receipts") == 0
    assert journal.summary(data_after_ms=1, receipt_after_ms=1).retention_lag_ms == 0


@pytest.mark.breaks_rows("an id stands for a settled intent")
def test_how_far_retention_is_behind_is_shown(journal: Journal, store: redis.Redis) -> None:
    hour = 3_600_000
    store.zadd("vs:settled", {"a": journal.now_ms() - 5 * hour})
    found = journal.summary(data_after_ms=2 * hour, receipt_after_ms=9 * hour)
    assert 3 * hour <= found.retention_lag_ms < 3 * hour + 60_000
