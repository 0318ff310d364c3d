"""The store runs out of memory: accepting stops and says so; delivering and forgetting go on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from demo.processes import wait_until
from demo.stack import Stack, answers
from tests.journeys.test_survival import accept, create_case, journal_of, post, references

WRITES = 20
SETTINGS = {
    "COMMIT_WINDOW_MS": "0",
    "REPEAT_WINDOW_H": "0",
    "KEEP_PERSONAL_DATA_H": "0.0001",
    "KEEP_RECEIPTS_H": "0.0001",
}
"""What is delivered is to be forgotten within the test."""


@pytest.fixture
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("full"), extra=SETTINGS, programs=programs) as running:
        yield running


@pytest.fixture
def memory(stack: Stack) -> Iterator[redis.Redis]:
    """A client of the store, whose limit is lifted in the end."""
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        yield client
        client.config_set("maxmemory", 0)


def test_what_was_accepted_is_delivered_and_purged_without_more_memory(
    stack: Stack, memory: redis.Redis
) -> None:
    stack.org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    worker = stack.processes["worker"].pid
    os.kill(worker, signal.SIGSTOP)
    try:
        spoken = accept(stack, WRITES)
        memory.config_set("maxmemory", memory.info("memory")["used_memory"] // 2)
    finally:
        os.kill(worker, signal.SIGCONT)  # it finds a wake-up, and no memory to take it with
    connections = memory.info("clients")["connected_clients"]

    refused: list[bool] = []

    def is_refused() -> bool:
        result = post(stack.webhook, create_case(1000 + len(refused))).json()["results"][0]
        refused.append("was saved" in result.get("error", ""))
        return refused[-1]

    wait_until(is_refused, for_s=20, what="a refusal")
    assert all(is_refused() for _ in range(3))

    def full_processes() -> list[bool]:
        ready = [requests.get(f"{stack.url}/health/ready", timeout=10) for _ in range(8)]
        return [
            asked.status_code == 503 and "full" in asked.json()["problems"][0] for asked in ready
        ]

    # Each process repeats its last answer for a second.
    wait_until(lambda: all(full_processes()), for_s=20, what="every process")
    assert any("full" in problem for problem in stack.health()["problems"])

    stack.org.fault()
    journal = journal_of(stack)
    wait_until(
        lambda: journal.summary().accepted == 0, for_s=100, what="all delivered and forgotten"
    )
    existing = references(stack)
    assert set(spoken) <= set(existing)
    assert set(existing.values()) == {1}
    assert stack.processes["worker"].restarts == 0
    assert memory.info("clients")["connected_clients"] < connections + 20

    memory.config_set("maxmemory", 0)
    wait_until(lambda: answers(f"{stack.url}/health/ready"), for_s=20, what="web")
    (again,) = accept(stack, 1)
    wait_until(lambda: references(stack)[again] == 1, for_s=60, what="a delivery as ever")
