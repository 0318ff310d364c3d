"""A step counts once replicas have it, where a setting asks for it."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from demo.failover import Forwarder, Pair
from demo.processes import wait_until
from demo.stack import READY_S, Store
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal import replicas
from shared.journal.journal import Journal
from shared.journal.replicas import NotConfirmedError
from shared.journal.results import Accepted, AnsweredBefore, Repeated, StoredAnswer
from shared.store import connect, fitness

DRAFT = CallbackDraft(phone="+14155550101")
ANSWER = StoredAnswer("vs:answer:call:1", "It is noted.")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    started = Pair(tmp_path_factory.mktemp("pair"))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def client(pair: Pair) -> Iterator[redis.Redis]:
    client = connect(pair.url)
    client.flushall()
    yield client
    client.close()


@contextmanager
def silent(pair: Pair) -> Iterator[None]:
    """The replica does nothing for a while."""
    pid = pair.replica.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def intent(**others: Any) -> NewIntent:
    return NewIntent(new_intent_id(), Kind.CALLBACK, DRAFT, **others)


def test_what_a_replica_does_not_have_is_not_confirmed_and_confirmed_when_asked_again(
    pair: Pair, client: redis.Redis
) -> None:
    journal = Journal(client, confirm_replicas=1)
    assert isinstance(journal.accept("call", [intent(tool="t")]), Accepted)
    new = intent(fingerprint="f")
    with silent(pair), pytest.raises(NotConfirmedError):
        journal.accept("call", [new], ANSWER)
    assert not client.exists(ANSWER.key)  # nobody heard it
    assert journal.accept("call", [intent(fingerprint="f")], ANSWER) == Repeated(new.id)
    journal.accept("call", [intent()], ANSWER)
    # A repeated tool call writes nothing, and its answer has to be confirmed all the same.
    with silent(pair), pytest.raises(NotConfirmedError):
        journal.accept("call", [intent()], ANSWER)
    assert journal.accept("call", [intent()], ANSWER) == AnsweredBefore(ANSWER.text)


def test_a_lease_and_what_is_taken_back_are_confirmed_as_well(
    pair: Pair, client: redis.Redis
) -> None:
    journal = Journal(client, confirm_replicas=1)
    back, leased = intent(hold_ms=60_000), intent()
    journal.accept("call", [back, leased])
    with silent(pair):
        with pytest.raises(NotConfirmedError):
            journal.cancel(back.id, "caller")
        with pytest.raises(NotConfirmedError):
            journal.release_holds("call")
        with pytest.raises(NotConfirmedError):
            journal.lease(Kind.CALLBACK, limit=9, max_bytes=9999)
        assert not journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999).intents  # none: no wait
    assert journal.cancel(back.id, "caller")[0] == "cancelled"
    found = journal.get(leased.id)
    assert found
    assert found.state is State.LEASED  # until that lease runs out


def test_without_the_setting_nothing_waits_and_nothing_more_is_written(
    pair: Pair, client: redis.Redis
) -> None:
    with silent(pair):
        assert isinstance(Journal(client).accept("call", [intent()]), Accepted)
    assert not client.exists("vs:confirmed")


def test_a_store_with_fewer_replicas_than_have_to_confirm_says_so(client: redis.Redis) -> None:
    assert fitness(client, accept_everysec=False, confirm_replicas=1).warnings == ()
    (warning,) = fitness(client, accept_everysec=False, confirm_replicas=2).warnings
    assert warning.startswith("store: has 1 replicas, and REDIS_CONFIRM_REPLICAS=2")


def test_a_step_is_confirmed_only_by_the_primary_that_did_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first primary is on its own. While a step waits there, the address begins to lead to the
    new primary, which has a replica, and the first one closes its connections."""
    monkeypatch.setattr(replicas, "CONFIRM_MS", 20_000)
    alone, after = Store(tmp_path / "alone"), Pair(tmp_path / "after")
    address = Forwarder(tmp_path / "address", alone.port)
    parts = (alone, after, address)
    try:
        for part in parts:
            part.start()
        client = connect(f"redis://127.0.0.1:{address.port}/0", socket_timeout_s=30)
        journal, new = Journal(client, confirm_replicas=1), intent()
        with ThreadPoolExecutor() as pool, redis.Redis(port=alone.port) as operator:
            accepting = pool.submit(journal.accept, "call", [new])
            wait_until(
                lambda: operator.info("clients")["blocked_clients"] == 1,
                for_s=READY_S,
                what="the wait for replicas",
            )
            address.lead_to(after.primary.port)
            operator.client_kill_filter(_type="normal", skipme=True)
            assert isinstance(accepting.result(READY_S), Accepted)
        assert journal.get(new.id)  # on the new primary
        client.close()
    finally:
        for part in parts:
            part.stop()
