"""Lookups of new and of known callers, with Salesforce at 300 ms and hanging, beside a synchronous
webhook."""

import math
import tempfile
import time
from pathlib import Path

from bench.asking import ANSWER_WITHIN_S, ask, new_calls
from bench.figures import Figure
from bench.load import Load, make_callers, number, run
from bench.servers import FLASK, Server, serving
from demo.stack import Stack
from simulator.vapi.wire import Call

LATENCY_MS = 300
PER_S = 20
CALLS = 4 * PER_S
MAX_MS = {"new caller": 400, "again in the call": 15}


def measure(_seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        make_callers(stack.org, CALLS + 2)
        # A contact whose number has a spelling that the first query does not try.
        stack.org.create("Contact", [{"LastName": "Odd", "Phone": "(415)/556 - 7777 home"}])
        with serving(stack, FLASK) as (flask,):
            run(stack.webhook, _look)  # both get a token and warm up
            run(f"http://127.0.0.1:{flask.port}/webhook/vapi", _look, how=flask.how)
            stack.org.fault(latency_ms=LATENCY_MS)
            calls = new_calls(CALLS)
            figures = _pair(stack, flask, "new caller", calls)
            figures += _pair(stack, flask, "again in the call", calls, "getCaseStatus")
            most_requests = max(_requests(stack, nth) for nth in (CALLS, 8000, 7777))
            stack.org.fault(hang=True)
            figures += _pair(stack, flask, "known caller, hanging", new_calls(CALLS))
        with serving(stack, FLASK) as (flask,):  # the first one's threads are all taken
            figures += _pair(stack, flask, "new caller, hanging", new_calls(CALLS, first=9000))
    return [*figures, Figure("requests for any caller", most_requests, 3)]


def _pair(
    stack: Stack, flask: Server, state: str, calls: list[Call], tool: str = "lookupCustomer"
) -> list[Figure]:
    ours = ask(stack.port, "hmac", calls, PER_S, tool)
    beside = ask(flask.port, flask.how, calls, PER_S, tool)
    in_time = f"answered in {ANSWER_WITHIN_S:g} s"
    figures = [
        Figure(f"{state}: {in_time}", ours.answered, unit="%", beside=beside.answered, at_least=100)
    ]
    if ours.done:  # else nobody can be looked up
        at_most = MAX_MS.get(state, math.inf)
        figures += [
            Figure(f"{state}: found, p50", ours.took_ms(50), unit="ms", beside=beside.took_ms(50)),
            Figure(f"{state}: found, p99", ours.took_ms(99), at_most, "ms", beside.took_ms(99)),
        ]
    return figures


async def _look(load: Load) -> None:
    await load.call(number(CALLS + 1)).tool("lookupCustomer")


def _requests(stack: Stack, nth: int) -> int:
    """How many requests it costs to resolve the nth caller."""
    before = stack.org.stats()["requests"]

    async def look(load: Load) -> None:
        await load.call(number(nth)).tool("lookupCustomer")

    run(stack.webhook, look)
    time.sleep(0.5)
    spent: int = stack.org.stats()["requests"] - before
    return spent
