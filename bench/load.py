"""Load for the bench: many concurrent calls as Vapi sends them, with the time of each answer."""

import asyncio
import random
import re
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from demo.contacts import make_callers as make_callers
from demo.contacts import number as number
from demo.history.recording import Recording
from demo.history.steps import LOOKUP, REPORT, STATUS, WRITE
from demo.processes import NotReadyError
from demo.stack import SECRET, Stack
from simulator.vapi.wire import Call, as_bytes, proof

TIMEOUT_S = 20.0
LOOKS = {"lookupCustomer": LOOKUP, "getCaseStatus": STATUS, "retrieveCustomerCase": LOOKUP}
NOT_LOOKED = re.compile(r"can't look")


@dataclass(frozen=True)
class ToolAnswer:
    """An answer. at: time.monotonic() of the request. refused: nothing was looked up, or saved."""

    tool: str
    at: float
    took_ms: float
    text: str
    refused: bool

    @property
    def is_lookup(self) -> bool:
        return self.tool in LOOKS


@dataclass
class Load:
    """Posts to a webhook and stores the answers. unanswered: requests without a result.

    how: the way to authenticate (`simulator.vapi.wire.proof`).
    """

    url: str
    session: aiohttp.ClientSession
    recording: Recording = field(default_factory=Recording)
    how: str = "hmac"
    answers: list[ToolAnswer] = field(default_factory=list)
    unanswered: int = 0

    def call(self, number: str) -> "OneCall":
        now_ms = int(time.time() * 1000)
        return OneCall(self, Call(str(uuid.uuid4()), number, now_ms))

    async def post(self, message: dict[str, Any]) -> Any:
        body = as_bytes(message)
        headers = {"Content-Type": "application/json", **proof(body, SECRET, self.how)}
        async with self.session.post(self.url, data=body, headers=headers) as answer:
            return await answer.json(content_type=None)


@dataclass
class OneCall:
    load: Load
    call: Call
    asked: int = 0

    async def begin(self) -> None:
        await self.load.post(self.call.status("in-progress"))

    async def end(self) -> None:
        request = f"{self.call.id}/report"
        self.load.recording.asked(request, self.call.id, self.call.caller, "", REPORT)
        await self.load.post(self.call.report("customer-ended-call", "The caller got an answer."))
        self.load.recording.answered(request, REPORT, "")

    async def tool(self, name: str, **arguments: Any) -> ToolAnswer | None:
        self.asked += 1
        id_ = f"{self.call.id}/{self.asked}"
        sort = LOOKS.get(name, WRITE)
        self.load.recording.asked(id_, self.call.id, self.call.caller, name, sort, arguments)
        began = time.monotonic()
        try:
            body = await self.load.post(self.call.tool_calls((id_, name, arguments)))
            (result,) = body["results"]
        except (TimeoutError, aiohttp.ClientError, KeyError, ValueError, TypeError):
            self.load.unanswered += 1
            return None
        text = result.get("result") or result.get("error") or ""
        refused = "error" in result if name not in LOOKS else bool(NOT_LOOKED.search(text))
        self.load.recording.answered(id_, sort, text, is_error="error" in result)
        answer = ToolAnswer(name, began, (time.monotonic() - began) * 1000, text, refused)
        self.load.answers.append(answer)
        return answer


def run(
    url: str,
    work: Callable[[Load], Coroutine[Any, Any, None]],
    recording: Recording | None = None,
    how: str = "hmac",
) -> Load:
    """Runs work with a new load until it ends. recording: one that goes on, new by default."""

    async def inside() -> Load:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            load = Load(url, session, recording or Recording(), how)
            await work(load)
            return load

    return asyncio.run(inside())


async def at_times(
    times: Sequence[float], begin: Callable[[int], Coroutine[Any, Any, None]]
) -> None:
    """Calls begin(n) at times[n] seconds from now, and waits for all of them."""
    start = time.monotonic()
    running = []
    for nth, at in enumerate(times):
        await asyncio.sleep(max(0.0, start + at - time.monotonic()))
        running.append(asyncio.create_task(begin(nth)))
    await asyncio.gather(*running)


def poisson(chance: random.Random, per_s: float, for_s: float) -> list[float]:
    """Random arrival times in seconds."""
    times, at = [], chance.expovariate(per_s)
    while at < for_s:
        times.append(at)
        at += chance.expovariate(per_s)
    return times


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` per cent of the values do not exceed; nan without values."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share / 100 * len(ranked) + 0.5) - 1))]


def wait_for_lookups(stack: Stack) -> None:
    """Wait until the org gets no more requests: the service looks callers up when a call begins."""
    last = -1
    for _ in range(60):
        requests = stack.org.stats()["requests"]
        if requests == last:
            return
        last = requests
        time.sleep(0.5)
    raise NotReadyError("the org still gets requests")
