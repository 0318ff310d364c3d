"""300 write requests a second, of calls in progress, beside a synchronous webhook.

Salesforce takes 300 ms, then hangs, then refuses. Both are asked for the same: open a case. The
service's worker and beat run all the time.
"""

import math
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from bench.asking import ANSWER_WITHIN_S, Answers, ask, begin, new_calls
from bench.figures import Figure
from bench.load import Load, make_callers, run
from bench.servers import FLASK, serving
from bench.traffic import settle
from demo.processes import wait_until
from demo.stack import Stack
from shared.journal.journal import Journal
from simulator.vapi.wire import Call

PER_S = 300
CALLS = 3 * PER_S
WARM_UP = 100
BEGIN_PER_S = 150
"""So that web looks up every caller: lookups beyond its threads are refused."""

STATES: dict[str, dict[str, Any]] = {
    "takes 300 ms": {"latency_ms": 300},
    "hangs": {"hang": True},
    "refuses": {"status": 503, "error_code": "SERVER_UNAVAILABLE"},
}
RATIO_AT_MOST = {("takes 300 ms", 99): 1 / 15}


def measure(_seed: int) -> list[Figure]:
    promised: list[str] = []
    figures: list[Figure] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
        redis.Redis.from_url(stack.store.url, decode_responses=True) as client,
    ):
        make_callers(stack.org, len(STATES) * CALLS + WARM_UP)
        _write(stack.port, "hmac", new_calls(WARM_UP, first=len(STATES) * CALLS))
        for nth, (state, faults) in enumerate(STATES.items()):
            wait_until(lambda: _is_healthy(stack), for_s=60, what="the circuit breaker")
            calls = new_calls(CALLS, first=nth * CALLS)  # who have no other case
            begin(stack, calls, BEGIN_PER_S)
            stack.org.fault(**faults)
            ours = _write(stack.port, "hmac", calls)
            promised += ours.references
            if "latency_ms" in faults:
                settle(Journal(client))  # else deliveries would compete with the other webhook
            with serving(stack, FLASK) as (other,):
                beside = _write(other.port, other.how, new_calls(CALLS, first=nth * CALLS))
            stack.org.fault()
            figures += _figures(state, ours, beside)
            settle(Journal(client))
        found = Counter(case_["Voice_Reference__c"] for case_ in stack.org.records("Case"))
    wrong = sum(found[reference] != 1 for reference in promised)
    return [*figures, Figure("writes lost or duplicated", wrong, 0)]


def _is_healthy(stack: Stack) -> bool:
    """After an outage it takes a lookup to find out that it is over."""
    run(stack.webhook, _look)
    return bool(stack.health()["breaker"]["state"] == "closed")


async def _look(load: Load) -> None:
    await load.call(f"+1628555{time.time_ns() % 10_000:04d}").tool("lookupCustomer")


def _write(port: int, how: str, calls: list[Call]) -> Answers:
    text = "The invoice is wrong ({nth})"
    return ask(
        port, how, calls, PER_S, "createSalesforceCase", issueType="billing", description=text
    )


def _figures(state: str, ours: Answers, beside: Answers) -> Iterator[Figure]:
    about = f"Salesforce {state}: write"
    yield Figure(
        f"{about} accepted in {ANSWER_WITHIN_S:g} s",
        ours.done,
        unit="%",
        beside=beside.done,
        at_least=100,
    )
    for share in (50, 99):
        yield Figure(
            f"{about}, p{share}",
            ours.took_ms(share),
            unit="ms",
            beside=beside.took_ms(share),
            ratio_at_most=RATIO_AT_MOST.get((state, share), math.inf),
        )
