"""How fast workers deliver a backlog, and how soon it goes on after a fault.

Salesforce takes 300 ms for each request and limits none. The rate depends on MAX_LEASES, not on the
number of workers.
"""

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import redis

from bench.figures import Figure
from bench.journals import CALLERS, accept_cases
from bench.load import make_callers
from bench.processes import cpu_s
from demo.processes import Process, wait_until
from demo.stack import ROOT, Stack, procfile
from shared.alive import Alive
from shared.domain.kinds import Kind
from shared.errors import ServiceError
from shared.journal.journal import Journal

LATENCY_MS = 300
WORKERS = (1, 2, 4)
CASES = 10_000
MAX_LEASES = 8
AT_LEAST_PER_S = {2: 1_500}
FAULTY_CASES = 2_000
MAX_S = 120.0


def measure(_seed: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), ("web",)) as stack,
        redis.Redis.from_url(stack.store.url, decode_responses=True) as client,
    ):
        make_callers(stack.org, CALLERS)
        stack.org.fault(latency_ms=LATENCY_MS)
        journal = Journal(client)
        return [*_rates(stack, journal), *_faults(stack, journal)]


def _rates(stack: Stack, journal: Journal) -> Iterator[Figure]:
    """The rates with MAX_LEASES batches of a kind at a time, beside that with the default."""
    beside, _ = _drained(stack, journal, 2)
    for count in WORKERS:
        per_s, cpu_us = _drained(stack, journal, count, MAX_LEASES=str(MAX_LEASES))
        yield Figure(
            f"{count} workers: records", per_s, unit="/s", beside=beside,
            at_least=AT_LEAST_PER_S.get(count, -math.inf),
        )  # fmt: skip
        if count in AT_LEAST_PER_S:
            for name, cpu in cpu_us.items():
                yield Figure(f"record: CPU of {name}", cpu, unit="µs")


def _drained(
    stack: Stack, journal: Journal, count: int, **settings: str
) -> tuple[float, dict[str, float]]:
    """Records a second, and the CPU time of each in µs. All workers run when delivery begins."""
    journal.pause(Kind.CASE_CREATE)
    accept_cases(journal, CASES)
    with _workers(stack, count, **settings) as workers:
        _wait_alive(stack, workers)
        before = _taken(stack, workers)
        command = [sys.executable, "-m", "cli", "resume", Kind.CASE_CREATE, "--yes"]
        with subprocess.Popen(command, env=stack.env, cwd=ROOT, stdout=subprocess.DEVNULL):
            wait_until(lambda: not journal.paused(), for_s=MAX_S, what="the resumption")
            began = time.monotonic()
        _wait_below(journal, 1)
        per_s = CASES / (time.monotonic() - began)
        after = _taken(stack, workers)
    return per_s, {name: (after[name] - before[name]) / CASES * 1e6 for name in after}


def _wait_alive(stack: Stack, workers: list[Process]) -> None:
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        alive = Alive(client)
        pids = {worker.pid for worker in workers}
        wait_until(
            lambda: pids <= {peer.pid for peer in alive.of("worker")},
            for_s=MAX_S,
            what="the workers",
        )


def _taken(stack: Stack, workers: list[Process]) -> dict[str, float]:
    """CPU time so far, in s."""
    return {"worker": sum(map(cpu_s, workers)), "store": cpu_s(stack.store.process)}


def _faults(stack: Stack, journal: Journal) -> Iterator[Figure]:
    """Faults in the middle of a drain: seconds until the next record is delivered, and until all
    are. There is a single worker, so that the killed worker is the one with the leases."""
    for name in ("the worker is killed", "the store is killed", "its connections are closed"):
        accept_cases(journal, FAULTY_CASES)
        with _workers(stack, 1) as (worker,):
            _wait_below(journal, FAULTY_CASES * 3 // 4)
            if name == "the worker is killed":
                worker.kill()
            elif name == "the store is killed":
                stack.store.process.kill()
            else:
                _close_connections(stack)
            began = time.monotonic()
            wait_until(lambda: _answers(journal), for_s=MAX_S, what="the store")
            _wait_below(journal, _open(journal))
            yield Figure(f"{name}: next record after", time.monotonic() - began, unit="s")
            _wait_below(journal, 1)
            yield Figure(f"{name}: all delivered after", time.monotonic() - began, unit="s")
            parked = journal.counts()["parked"]
        yield Figure(f"{name}: parked", parked, 0)


def _close_connections(stack: Stack) -> None:
    with redis.Redis.from_url(stack.store.url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


@contextmanager
def _workers(stack: Stack, count: int, **settings: str) -> Iterator[list[Process]]:
    workers = [
        Process(
            "worker",
            [*procfile()["worker"], "--hostname", f"bench{nth}@%h"],
            stack.env | settings,
            ROOT,
            stack.folder / f"worker-{nth}.log",
        )
        for nth in range(count)
    ]
    try:
        for worker in workers:
            worker.start()
        yield workers
    finally:
        with ThreadPoolExecutor() as pool:  # each takes seconds to end
            list(pool.map(Process.stop, workers))


def _open(journal: Journal) -> int:
    """How many intents are not settled."""
    counts = journal.counts()
    return sum(value for name, value in counts.items() if name.startswith("open_"))


def _answers(journal: Journal) -> bool:
    try:
        journal.counts()
    except ServiceError:
        return False
    return True


def _wait_below(journal: Journal, count: int) -> None:
    wait_until(lambda: _open(journal) < count, for_s=MAX_S, what=f"fewer than {count} open intents")
