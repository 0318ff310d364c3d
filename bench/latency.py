"""Salesforce takes 300 ms for each request, and callers ask five times a second."""

import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.load import Load, at_times, make_callers, number, percentile, run
from demo.stack import Stack

LATENCY_MS = 300
PER_S = 5
FOR_S = 20


def measure(_seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        make_callers(stack.org, PER_S * FOR_S + 1)
        # A contact whose number has a spelling that the first query does not try.
        stack.org.create("Contact", [{"LastName": "Odd", "Phone": "(415)/556 - 7777 home"}])
        run(stack.webhook, lambda load: _look(load, PER_S * FOR_S))  # get a token and warm up
        stack.org.fault(latency_ms=LATENCY_MS)
        first: list[float] = []
        again: list[float] = []

        async def callers(load: Load) -> None:
            async def caller(nth: int) -> None:
                call = load.call(number(nth))
                if answer := await call.tool("lookupCustomer"):
                    first.append(answer.took_ms)
                if answer := await call.tool("getCaseStatus"):
                    again.append(answer.took_ms)

            await at_times([nth / PER_S for nth in range(PER_S * FOR_S)], caller)

        load = run(stack.webhook, callers)
        most_requests = max(_requests(stack, number(nth)) for nth in (3, 8000, 7777))
    refused = sum(answer.refused for answer in load.answers)
    return [
        Figure("caller found by the first query, p99", percentile(first, 99), 400, "ms"),
        Figure("from the snapshot, p99", percentile(again, 99), 15, "ms"),
        Figure("requests for any caller", most_requests, 3),
        Figure("refused or unanswered", refused + load.unanswered, 0),
    ]


async def _look(load: Load, who: int) -> None:
    await load.call(number(who)).tool("lookupCustomer")


def _requests(stack: Stack, caller: str) -> int:
    """How many requests it costs to resolve a caller with this number."""
    before = stack.org.stats()["requests"]

    async def look(load: Load) -> None:
        await load.call(caller).tool("lookupCustomer")

    run(stack.webhook, look)
    time.sleep(0.5)
    spent: int = stack.org.stats()["requests"] - before
    return spent
