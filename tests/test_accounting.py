"""The check that every test with a store ends with, and that it does find what is wrong."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import redis

from shared.domain.intent import Delivered
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.accounting import Running, unaccounted, unlisted
from tests.workers.delivering import BILLING, accept

SPOILED: dict[str, tuple[Callable[[Any, str], Any], str]] = {
    "lost": (lambda store, id_: store.zrem("vs:due:case_create", id_), "is in [], not in"),
    "in two places": (lambda store, id_: store.zadd("vs:parked", {id_: 1}), "'parked'"),
    "gone": (lambda store, id_: store.delete(f"vs:intent:{id_}"), "and nowhere else"),
    "no hash": (
        lambda store, id_: (store.delete(f"vs:intent:{id_}"), store.set(f"vs:intent:{id_}", 1)),
        "no hash",
    ),
    "a state of its own": (
        lambda store, id_: store.hset(f"vs:intent:{id_}", "state", "asleep"),
        "has a kind or a state of another version",
    ),
    "a lease left": (
        lambda store, id_: store.hset(f"vs:intent:{id_}", "lease", "a"),
        "has a lease",
    ),
    "waits for nobody": (
        lambda store, id_: store.hset(f"vs:intent:{id_}", mapping={"state": "held", "waiting": 1}),
        "waits for 1 intents, and 0 will release it",
    ),
    "not in the list": (lambda store, id_: store.zrem("vs:intents", id_), "list of all intents"),
    "no reference": (
        lambda store, id_: store.delete(*store.keys("vs:reference:*")),
        "is not found by its reference",
    ),
    "followed when settled": (
        lambda store, id_: store.sadd("vs:followers:settled-already", id_),
        "is followed and will release nobody",
    ),
}


@pytest.mark.breaks_rows("that is what is looked for")
@pytest.mark.parametrize("how", SPOILED)
def test_what_does_not_add_up_is_found(journal: Journal, store: redis.Redis, how: str) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    assert unaccounted(store) == []
    spoil, sentence = SPOILED[how]
    spoil(store, intent_id)
    assert any(sentence in wrong for wrong in unaccounted(store))


def test_each_state_of_a_life_adds_up(journal: Journal, store: redis.Redis) -> None:
    first = accept(journal, Kind.CASE_CREATE, BILLING, hold_ms=60_000)
    follower = accept(journal, Kind.CASE_CREATE, BILLING, "call-2", after=(first,))
    assert unaccounted(store) == []
    journal.release_holds("call-1")
    lease = journal.lease(Kind.CASE_CREATE, limit=10, max_bytes=10_000)
    assert [intent.id for intent in lease.intents] == [first]
    assert unaccounted(store) == []
    journal.settle(lease, [Delivered(first, "500000000000001AAA")])
    assert unaccounted(store) == []
    journal.cancel(follower, "taken back")
    assert unaccounted(store) == []


def test_a_key_that_the_schema_does_not_list_is_found() -> None:
    assert unlisted(["vs:due:case_create", "vs:calls", "vs:celery:deliver", "of:somebody"]) == []
    assert unlisted(["vs:new", "vs:due:case_create:new"]) == ["vs:due:case_create:new", "vs:new"]


def test_threads_and_processes_that_run_on_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.accounting.ENDS_WITHIN_S", 0.1)
    before = Running.now()
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="left behind")
    thread.start()
    with Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
        found = before.began_since()
        process.kill()
    over.set()
    thread.join()
    assert "thread left behind" in found
    if Path("/proc/self/task").exists():
        assert f"process {sys.executable} -c input()" in found
    assert before.began_since() == []
