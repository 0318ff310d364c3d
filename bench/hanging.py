"""Salesforce hangs while 50 callers look up and write in a closed loop."""

import asyncio
import random
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import requests

from bench.figures import Figure
from bench.load import Load, ToolAnswer, make_callers, number, percentile, run
from demo.stack import OPERATOR, Stack

CALLERS = 50
PHASE_S = 10.0
THINK_S = (0.2, 0.8)
"""The pause between an answer and the next request. Without it the machine itself is the limit."""
DEADLINE_MS = 3000


def measure(seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        make_callers(stack.org, 2 * CALLERS)
        run(stack.webhook, lambda load: _callers(load, 2.0, seed))  # warm up
        healthy = run(stack.webhook, lambda load: _callers(load, PHASE_S, seed))
        stack.org.fault(hang=True)
        watch = Watch(stack)
        hanging = run(stack.webhook, lambda load: watch.beside(_callers(load, PHASE_S, seed)))
        stack.org.fault()
    lookups = [answer for answer in hanging.answers if answer.is_lookup]
    after = [lookup.took_ms for lookup in lookups if lookup.at > watch.opened_at]
    before = percentile(_writes(healthy.answers), 99)
    during = percentile(_writes(hanging.answers), 99)
    print(
        f"  healthy: {len(healthy.answers)} answers, write p99 {before:.0f} ms; hanging: "
        f"{len(hanging.answers)} answers, write p99 {during:.0f} ms, breaker open after "
        f"{watch.opened_at - watch.began_at:.1f} s",
        flush=True,
    )
    return [
        Figure("write p99, hanging : healthy", during / before, 3.0),
        Figure(
            "slowest lookup", max(lookup.took_ms for lookup in lookups), DEADLINE_MS + 100, "ms"
        ),
        Figure("lookup p50 once the breaker is open", percentile(after, 50), 20, "ms"),
        Figure("unanswered", healthy.unanswered + hanging.unanswered, 0),
    ]


def _writes(answers: list[ToolAnswer]) -> list[float]:
    return [answer.took_ms for answer in answers if not answer.is_lookup]


async def _callers(load: Load, for_s: float, seed: int) -> None:
    until = time.monotonic() + for_s
    chance = random.Random(seed)

    async def think() -> None:
        await asyncio.sleep(chance.uniform(*THINK_S))

    async def caller(nth: int) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            # By turns a known caller, a first-time caller and a caller without a contact.
            who = (nth, CALLERS + nth, 5000 + nth)[turn % 3]
            call = load.call(number(who))
            await call.begin()
            await think()
            await call.tool("lookupCustomer")
            await think()
            text = f"The invoice is wrong ({seed}/{nth}/{turn})"
            await call.tool(
                "createSalesforceCase", issueType="billing", description=text, onExisting="new"
            )
            await think()
            await call.tool("getCaseStatus")
            await think()
            await call.tool("addCaseComment", comment="And it was due last week")
            await think()

    await asyncio.gather(*(caller(nth) for nth in range(CALLERS)))


class Watch:
    """Records when the breaker first opens."""

    def __init__(self, stack: Stack) -> None:
        self._health = f"{stack.url}/health"
        self.began_at = time.monotonic()
        self.opened_at = float("inf")

    async def beside(self, work: Coroutine[Any, Any, None]) -> None:
        watching = asyncio.create_task(asyncio.to_thread(self._watch))
        await work
        await watching

    def _watch(self) -> None:
        while time.monotonic() < self.began_at + PHASE_S:
            state = requests.get(self._health, headers=OPERATOR, timeout=5).json()["breaker"][
                "state"
            ]
            if state == "open":
                self.opened_at = time.monotonic()
                return
            time.sleep(0.1)
