"""The store fails over under load: writes are saved again, none is lost or there twice, and no
process has to be restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bench.failover import play
from demo.failover import Pair
from demo.processes import wait_until
from demo.stack import Stack
from shared.settings import REDIS_PREFIX
from shared.wake_ups import DELIVER_QUEUE

FAILOVERS = 2


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def stack(pair: Pair, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("failover"), store=pair, programs=programs) as running:
        yield running


def test_after_a_failover_writes_are_saved_and_delivered_without_a_restart(
    stack: Stack, pair: Pair
) -> None:
    outcome = play(stack, pair, FAILOVERS, give_up_s=20)
    promised = outcome.verdict.total.promised
    print(f"saved again after {outcome.saved_after_s} s, {promised} promises")
    assert promised > FAILOVERS
    assert (outcome.verdict.findings, outcome.restarts) == ([], 0)
    with redis.Redis.from_url(stack.store.url) as client:
        wait_until(
            lambda: client.llen(f"{REDIS_PREFIX}celery:{DELIVER_QUEUE}") == 0,
            for_s=20,
            what="Celery's consumer at the new primary",
        )
