"""What an event, a write and the journal's steps cost as the number of calls and intents grows.

Live calls: the CPU time that the web processes and the store take for an event, at the same rate.
More calls then have fewer events each, of which fewer repeat what was recorded a moment ago.
Journals: the time of each step, with half of the intents delivered. Each value stands beside that
of the smallest size.
"""

import itertools
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import redis

from bench.asking import begin, new_calls
from bench.events import Talk
from bench.figures import Figure
from bench.generator import Result, as_request, at_rate
from bench.journals import TEXT, accept_cases, deliver, new_case
from bench.load import make_callers, percentile
from bench.processes import cpu_s
from demo.stack import SECRET, Stack, Store
from shared.journal.journal import Journal
from simulator.vapi.wire import as_bytes

LIVE_CALLS = (10, 100, 1_000, 5_000)
BEGIN_PER_S = 500
PER_S = 300
EVENTS = 3 * PER_S
WRITES_PER_S = 100
WRITES = 3 * WRITES_PER_S
INTENTS = (10, 10_000)
MANY_INTENTS = 1_000_000
"""Measured as well if BENCH_MANY=1: filling the journal takes minutes and gigabytes."""
TIMES = 50
EVENT_BYTES = 2_000
ARGUMENTS = {"issueType": "billing", "description": TEXT}
RATIOS = {"CPU of web": 1.5, "CPU of store": 3.0}
"""How many times as much it may take with more calls."""
UNITS = {"CPU of web": "µs", "CPU of store": "µs", "p99": "ms"}


def measure(_seed: int) -> list[Figure]:
    return [*_live_calls(), *_journals()]


# -- live calls ------------------------------------------------------------------------------------


def _live_calls() -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        smallest: dict[str, float] = {}
        alive = 0
        _post(stack, itertools.islice(Talk(10).events(EVENT_BYTES), EVENTS), PER_S)  # warm up
        for count in LIVE_CALLS:
            talk = Talk(count - alive, numbers=False)  # so that Salesforce has no part in it
            _post(stack, talk.beginnings(), BEGIN_PER_S)
            alive = count
            events = list(itertools.islice(talk.events(EVENT_BYTES), EVENTS))
            costs = _costs(stack, events, PER_S)
            smallest = smallest or costs
            figures += [
                Figure(
                    f"{count:,} live calls: {name}",
                    value,
                    unit=UNITS[name],
                    beside=beside,
                    ratio_at_most=RATIOS.get(name, math.inf),
                )
                for (name, value), beside in zip(costs.items(), smallest.values(), strict=True)
            ]
        make_callers(stack.org, WRITES)
        calls = new_calls(WRITES)
        begin(stack, calls, WRITES_PER_S)
        writes = [
            as_bytes(call.tool_calls((f"call_{call.id}", "createSalesforceCase", ARGUMENTS)))
            for call in calls
        ]
        figures += [
            Figure(f"write: {name}", value, unit=UNITS[name])
            for name, value in _costs(stack, writes, WRITES_PER_S).items()
        ]
    return figures


def _costs(stack: Stack, bodies: list[bytes], per_s: float) -> dict[str, float]:
    """CPU time of web and of the store for each, in µs, and p99 in ms."""
    processes = {"web": stack.processes["web"], "store": stack.store.process}
    before = {name: cpu_s(process) for name, process in processes.items()}
    result = _post(stack, bodies, per_s)
    return {
        f"CPU of {name}": (cpu_s(process) - before[name]) / len(bodies) * 1e6
        for name, process in processes.items()
    } | {"p99": percentile(result.took_ms, 99)}


def _post(stack: Stack, bodies: Iterable[bytes], per_s: float) -> Result:
    due = [as_request(stack.port, body, SECRET, "hmac") for body in bodies]
    return at_rate(stack.port, due, per_s)


# -- journals --------------------------------------------------------------------------------------


def _journals() -> list[Figure]:
    sizes = (*INTENTS, MANY_INTENTS) if os.environ.get("BENCH_MANY") == "1" else INTENTS
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.start()
        try:
            with redis.Redis.from_url(store.url, decode_responses=True) as client:
                journal = Journal(client)
                smallest: dict[str, float] = {}
                held = 0
                for size in sizes:
                    _fill(journal, size - held)
                    held = size
                    took = _steps(journal)
                    smallest = smallest or took
                    figures += [
                        Figure(
                            f"{size:,} intents: {name}", took_ms, unit="ms", beside=smallest[name]
                        )
                        for name, took_ms in took.items()
                    ]
        finally:
            store.stop()
    return figures


def _fill(journal: Journal, count: int) -> None:
    """Half of them delivered."""
    accept_cases(journal, count)
    for _ in deliver(journal, count // 2):
        pass


def _steps(journal: Journal) -> dict[str, float]:
    """The median time of each step, in ms."""
    return {
        "accept a case": _median_ms(lambda: journal.accept("", [new_case(0)])),
        "lease and settle a case": _median_ms(lambda: next(deliver(journal, 1))),
        "sweep": _median_ms(journal.sweep),
        "summary": _median_ms(journal.summary),
        "the newest 50": _median_ms(lambda: journal.newest(50)),
    }


def _median_ms(step: Callable[[], object]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        step()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000
