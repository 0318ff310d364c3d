"""20,000 calls an hour for three minutes, in a window of 100 requests per 20 s.

A synchronous webhook answers a few calls beside it. Its requests per call show how many calls it
could answer in that window.
"""

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

import redis

from bench.figures import Figure
from bench.load import Load, OneCall, at_times, make_callers, number, percentile, poisson, run
from bench.servers import FLASK, serving
from demo.processes import wait_until
from demo.stack import Stack
from shared.domain.kinds import SETTLED
from shared.journal.journal import Journal

CALLS_PER_S = 20_000 / 3600
FOR_S = 180
UNKNOWN = 0.1
CALLS_BESIDE = 50
LATENCY_MS = 300
WINDOW = {"requests": 100, "seconds": 20}
SETTINGS = {"SALESFORCE_WINDOW_REQUESTS": "100", "SALESFORCE_WINDOW_SECONDS": "20"}
SETTLE_S = 120.0


def measure(seed: int) -> list[Figure]:
    chance = random.Random(seed)
    times = poisson(chance, CALLS_PER_S, FOR_S)
    seeds = [chance.random() for _ in times]
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), extra=SETTINGS) as stack:
        make_callers(stack.org, len(times))
        stack.org.fault(latency_ms=LATENCY_MS, window=WINDOW)
        before = stack.org.stats()

        async def calls(load: Load) -> None:
            await at_times(times, lambda nth: _call(load, nth, random.Random(seeds[nth])))

        load = run(stack.webhook, calls)
        with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
            settle(Journal(client))
        after = stack.org.stats()
        verdict = load.recording.verdict(stack)
        stack.org.fault()
        beside = _requests_beside(stack)
    spent = after["requests"] - before["requests"]
    lookups = [answer for answer in load.answers if answer.is_lookup]
    limited = after["by_status"].get("403", 0) - before["by_status"].get("403", 0)
    print(
        f"  {len(times)} calls, {len(lookups)} lookups, {verdict.total.promised} writes, "
        f"{spent} requests {_difference(before, after)}, lookup p50 "
        f"{percentile([lookup.took_ms for lookup in lookups], 50):.0f} ms",
        flush=True,
    )
    return [
        Figure(f"requests a call, beside a {FLASK}", spent / len(times), 0.9, beside=beside),
        Figure(
            f"calls an hour, beside what a {FLASK} could take",
            CALLS_PER_S * 3600,
            beside=3600 / WINDOW["seconds"] * WINDOW["requests"] / beside,
            ratio_at_least=3,
        ),
        Figure("lookup p99", percentile([lookup.took_ms for lookup in lookups], 99), 1000, "ms"),
        Figure("lookups refused", sum(lookup.refused for lookup in lookups), 0),
        Figure("unanswered", load.unanswered, 0),
        Figure("findings of the history check", len(verdict.findings), 0),
        Figure("calls that were not reported", len(times) - verdict.total.calls, 0),
        Figure("requests over Salesforce's window", limited, 0),
    ]


def _requests_beside(stack: Stack) -> float:
    """A synchronous webhook's requests for a call with a lookup, a case's status and a new case."""

    async def calls(load: Load) -> None:
        for nth in range(CALLS_BESIDE):
            call = load.call(number(nth))
            await call.tool("lookupCustomer")
            await call.tool("getCaseStatus")
            await call.tool("createSalesforceCase", issueType="billing", description="It is wrong")

    with serving(stack, FLASK) as (flask,):
        before = stack.org.stats()
        run(f"http://127.0.0.1:{flask.port}/webhook/vapi", calls, how=flask.how)
        spent = _difference(before, stack.org.stats())
    return sum(count for name, count in spent.items() if name != "token") / CALLS_BESIDE


async def _call(load: Load, nth: int, chance: random.Random) -> None:
    """A call with two lookups and 1.2 writes on average."""
    known = chance.random() >= UNKNOWN
    call = load.call(number(nth) if known else f"+1628555{nth:04d}")
    await call.begin()
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    await call.tool("lookupCustomer")
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    await call.tool(chance.choice(("getCaseStatus", "retrieveCustomerCase")))
    await asyncio.sleep(chance.uniform(0.5, 1.5))
    await _write_request(call, nth, chance)
    if chance.random() < 0.2:
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        await call.tool("requestCallback", reason="Wants to know the outcome")
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    await call.end()


async def _write_request(call: OneCall, nth: int, chance: random.Random) -> None:
    requested = chance.random()
    if requested < 0.7:
        kind = chance.choice(("billing", "technical", "account"))
        await call.tool(
            "createSalesforceCase", issueType=kind, description=f"Nothing works ({nth})"
        )
    elif requested < 0.85:
        await call.tool("requestCallback", reason="Wants to talk to a person")
    else:
        await call.tool("updateContact", mailingCity=f"changed {nth}")


def settle(journal: Journal, for_s: float = SETTLE_S) -> None:
    """Waits until every intent is settled."""

    def settled() -> bool:
        counts = journal.counts()
        if any(counts[name] for name in counts if name.startswith("open_")):
            return False
        return all(intent.state in SETTLED for intent in journal.newest(100_000))

    wait_until(settled, for_s=for_s, what="the journal")


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    resources = after["by_resource"]
    spent = {name: resources[name] - before["by_resource"].get(name, 0) for name in resources}
    return {name: count for name, count in sorted(spent.items()) if count}
