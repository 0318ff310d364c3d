"""The store fails over under load, ten times. Its address follows half a second later."""

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure
from demo.agents import Request, script_of
from demo.client import Client
from demo.contacts import make_callers, number
from demo.drill import DELIVERIES
from demo.failover import Pair
from demo.history.checker import Verdict
from demo.history.recording import Recording, wait_settled
from demo.live import Events, LiveCall
from demo.processes import NotReadyError
from demo.stack import SECRET, Stack
from simulator.vapi.player import REFERENCE

FAILOVERS = 10
POSTERS = 4
BETWEEN_S = 2.0
GIVE_UP_S = 60.0
SETTLE_S = 120.0


@dataclass
class Outcome:
    """saved_after_s: from each failover until a write was saved. restarts: of processes."""

    verdict: Verdict
    saved_after_s: list[float] = field(default_factory=list)
    restarts: int = 0


class _Callers:
    """Calls with two writes each, one after the other."""

    def __init__(self, stack: Stack, recording: Recording) -> None:
        self._client = Client(stack.port, "/webhook/vapi", SECRET)
        self._recording = recording
        self._script = script_of(stack.agent)

    async def keep_calling(self, poster: int, over: asyncio.Event) -> None:
        nth = 0
        while not over.is_set():
            nth += 1
            call = self._call(poster, DELIVERIES)
            for write in self._script.writes_of(nth):
                await _ask(call, write, nth, f"{poster} {nth}")
                await asyncio.sleep(0.25)

    async def is_saved(self, nth: int) -> bool:
        """Whether a write is saved now."""
        first, *_ = self._script.writes
        return bool(REFERENCE.search(await _ask(self._call(POSTERS, 1), first, nth, str(nth))))

    async def close(self) -> None:
        await self._client.close()

    def _call(self, caller: int, deliveries: int) -> LiveCall:
        return LiveCall(self._client, self._recording, Events(), number(caller), deliveries)


async def _ask(call: LiveCall, write: Request, nth: int, text: str) -> str:
    return await call.ask(write.tool, write.sort, write.filled(nth, text))


def play(
    stack: Stack,
    pair: Pair,
    failovers: int,
    *,
    between_s: float = 0.0,
    give_up_s: float = GIVE_UP_S,
) -> Outcome:
    """Fail over while writes are posted, wait until all are delivered, and check the history.

    Raises NotReadyError when no write is saved for give_up_s after a failover.
    """
    recording = Recording()
    make_callers(stack.org, POSTERS + 1)
    saved_after_s = asyncio.run(_play(stack, recording, pair, failovers, between_s, give_up_s))
    wait_settled(stack, SETTLE_S)
    restarts = sum(process.restarts for process in stack.processes.values())
    return Outcome(recording.verdict(stack), saved_after_s, restarts)


async def _play(
    stack: Stack,
    recording: Recording,
    pair: Pair,
    failovers: int,
    between_s: float,
    give_up_s: float,
) -> list[float]:
    callers, over = _Callers(stack, recording), asyncio.Event()
    posters = [asyncio.create_task(callers.keep_calling(poster, over)) for poster in range(POSTERS)]
    saved_after_s: list[float] = []
    try:
        for nth in range(failovers):
            await asyncio.sleep(between_s)
            demoted = await asyncio.to_thread(pair.swap)
            while not await callers.is_saved(time.time_ns()):
                if time.monotonic() > demoted + give_up_s:
                    raise NotReadyError(f"no write was saved after failover {nth + 1}")
                await asyncio.sleep(0.05)
            saved_after_s.append(time.monotonic() - demoted)
    finally:
        over.set()
        await asyncio.gather(*posters)
        await callers.close()
    return saved_after_s


def measure(_seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder) / "pair")
        with Stack(Path(folder), store=pair) as stack:
            outcome = play(stack, pair, FAILOVERS, between_s=BETWEEN_S)
    seconds = ", ".join(f"{after_s:.1f}" for after_s in outcome.saved_after_s)
    promised = outcome.verdict.total.promised
    print(f"  {promised} promises, a write was saved after {seconds} s", flush=True)
    return [
        Figure("slowest of ten until a write is saved", max(outcome.saved_after_s), 10, "s"),
        Figure("findings of the history check", len(outcome.verdict.findings), 0),
        Figure("processes restarted", outcome.restarts, 0),
    ]
