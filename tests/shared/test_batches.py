"""Concurrent runs of scripts share round trips, and each gets its own reply or error."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from demo.processes import wait_until
from demo.stack import ROOT, Store
from shared.batches import FULL, MAX_AT_ONCE, MAX_BATCH, Batches

COUNT = 200

COUNT_RUN = "return redis.call('HINCRBY', 'runs', ARGV[1], 1)"


class Counted:
    """A store whose pipelines are counted, and can be held back or made to fail."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self.sizes: list[int] = []
        self.before_each: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def pipeline(self, transaction: bool) -> Any:
        pipe: Any = self._store.pipeline(transaction=transaction)
        execute = pipe.execute

        def counted(**options: Any) -> Any:
            self.sizes.append(len(pipe.command_stack))
            self.before_each()
            return execute(**options)

        pipe.execute = counted
        return pipe


@pytest.fixture
def counted(store: redis.Redis) -> Counted:
    return Counted(store)


@pytest.fixture
def batched(counted: Counted) -> Batches:
    return Batches(counted)  # type: ignore[arg-type]


SCRIPT, SAME = (redis.Redis().register_script(text) for text in (COUNT_RUN, f"{COUNT_RUN} "))


def run(batched: Batches, name: str) -> Any:
    return batched.run(SCRIPT if name < "o" else SAME, [name])


def run_all(batched: Batches, names: list[str]) -> dict[str, Any]:
    """Each name's reply or error, all asked for at the same time."""
    found: dict[str, Any] = {}

    def run_and_note(name: str) -> None:
        try:
            found[name] = run(batched, name)
        except redis.RedisError as trouble:
            found[name] = trouble
        except Stopped:
            return

    threads = [threading.Thread(target=run_and_note, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def hold_first(
    counted: Counted, batched: Batches, others: int, error: BaseException | None = None
) -> None:
    """The next batch waits until so many others wait behind it. Then it goes on, or fails."""

    def wait() -> None:
        counted.before_each = lambda: None
        wait_until(lambda: len(batched._waiting) == others, for_s=10, what="the others")
        if error:
            raise error

    counted.before_each = wait


class Stopped(BaseException):
    """As GreenletExit is."""


def test_every_concurrent_run_happens_once_and_gets_its_own_reply(
    batched: Batches, store: redis.Redis
) -> None:
    names = [f"n{i}" for i in range(COUNT)]
    assert run_all(batched, names) == dict.fromkeys(names, 1)
    assert store.hlen("runs") == COUNT
    assert run_all(batched, names) == dict.fromkeys(names, 2)


def test_runs_that_wait_share_round_trips(batched: Batches, counted: Counted) -> None:
    run(batched, "warm")
    counted.sizes.clear()
    hold_first(counted, batched, FULL - 1)
    run_all(batched, [f"n{i}" for i in range(FULL)])
    assert counted.sizes == [1, FULL - 1]


def test_full_batches_do_not_wait_for_the_one_ahead(batched: Batches, counted: Counted) -> None:
    run(batched, "warm")
    counted.sizes.clear()

    def wait_for_all() -> None:
        wait_until(
            lambda: sum(counted.sizes) + len(batched._waiting) == COUNT,
            for_s=10,
            what="the others",
        )

    counted.before_each = wait_for_all
    run_all(batched, [f"n{i}" for i in range(COUNT)])
    at_once, after = counted.sizes[:MAX_AT_ONCE], counted.sizes[MAX_AT_ONCE:]
    assert at_once == [1] + [FULL] * (MAX_AT_ONCE - 1)
    assert sum(counted.sizes) == COUNT
    assert max(after) == MAX_BATCH


def test_a_run_that_meets_nobody_is_sent_at_once(batched: Batches, counted: Counted) -> None:
    run(batched, "warm")
    counted.sizes.clear()
    for _ in range(3):
        run(batched, "alone")
    assert counted.sizes == [1, 1, 1]


def test_an_error_of_one_run_is_that_runs_alone(
    batched: Batches, counted: Counted, store: redis.Redis
) -> None:
    store.hset("runs", "bad", "no number")
    hold_first(counted, batched, 2)
    found = run_all(batched, ["good", "bad", "fine"])
    assert (found["good"], found["fine"]) == (1, 1)
    assert isinstance(found["bad"], redis.ResponseError)


def test_scripts_that_redis_forgot_are_loaded_again(
    batched: Batches, counted: Counted, store: redis.Redis
) -> None:
    assert run(batched, "n") == 1
    store.script_flush()
    hold_first(counted, batched, 2)
    assert run_all(batched, ["n", "m", "o"]) == {"n": 2, "m": 1, "o": 1}


def test_whoever_waits_behind_a_lost_batch_gets_its_error_at_once(
    batched: Batches, counted: Counted
) -> None:
    run(batched, "warm")
    counted.sizes.clear()

    hold_first(counted, batched, 9, redis.TimeoutError())
    found = run_all(batched, [f"n{i}" for i in range(10)])
    assert [type(error) for error in found.values()] == [redis.TimeoutError] * 10
    assert counted.sizes == [1]
    assert run(batched, "warm") == 2


def test_a_sender_that_is_stopped_leaves_nobody_waiting(batched: Batches, counted: Counted) -> None:
    run(batched, "warm")

    hold_first(counted, batched, 2, Stopped())
    found = run_all(batched, ["n0", "n1", "n2"])
    assert len(found) == 2
    assert all(isinstance(error, redis.ConnectionError) for error in found.values())
    assert run(batched, "after") == 1


KILLED = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent, redis
from shared.batches import Batches

store = redis.Redis.from_url(sys.argv[1], decode_responses=True)
script = store.register_script("return redis.call('HINCRBY', 'runs', ARGV[1], 1)")
batches = Batches(store)
batches.run(script, ["warm"])

def begin(*names):
    return [gevent.spawn(batches.run, script, [name]) for name in names]

sender = begin("sender")
while batches._waiting or not batches._sending:
    gevent.sleep(0)
killed, *others = begin("killed", "n0", "n1")
gevent.sleep(0)
assert len(batches._waiting) == 3
killed.kill()
gevent.joinall(sender + others, timeout=10)
print(*(greenlet.value for greenlet in sender + others))
"""


def test_a_greenlet_that_is_killed_where_it_waits_stops_no_other(
    store: redis.Redis, store_server: Store
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, store_server.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.split() == ["1", "1", "1"]
    assert set(store.hkeys("runs")) == {"warm", "sender", "n0", "n1"}


def test_no_run_waits_for_ever_whatever_fails(batched: Batches, counted: Counted) -> None:
    chance = random.Random(17)

    def fail_now_and_then() -> None:
        time.sleep(chance.uniform(0, 0.002))
        if chance.random() < 0.1:
            raise chance.choice([redis.TimeoutError(), Stopped()])

    counted.before_each = fail_now_and_then
    for _ in range(20):
        run_all(batched, [f"n{i}" for i in range(COUNT)])
        assert (len(batched._waiting), batched._sending, batched._next) == (0, 0, None)
    counted.before_each = lambda: None
    assert run(batched, "after") == 1
