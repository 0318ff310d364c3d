"""`make soak`: calls of three minutes, a thousand at a time, with the traffic of real calls.

Everything runs on this machine: store, local org (300 ms a request), web, worker, beat, and the
callers. In the end every promise has to be in the org exactly once. It also prints how much the
processes grew, and what the store holds before the calls, after them, and after retention. Then the
same calls go to a bare Flask view, which stores nothing, to compare how long answers take.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from demo.client import Client
from demo.contacts import MAX_CALLERS, make_callers, number
from demo.history.checker import Problem, Verdict, p99
from demo.history.recording import Recording, wait_settled
from demo.history.steps import LOOKUP, STATUS, WRITE
from demo.live import Events, LiveCall
from demo.processes import Process, free_port, wait_until
from demo.resources import STORE, resident_mb, store_mb
from demo.signals import end_in_order
from demo.stack import INSTALLED, READY_S, ROOT, SECRET, Stack, answers_at_all, procfile
from shared.journal.journal import Journal

CALLS = 1000
MINUTES = 10.0
CALL_S = 180.0
TURN_S = 10.0
"""A turn, in which the caller speaks and the agent answers: nine events."""
FIRST_LOOK_AT = 0.6
"""The share of the whole time after which the processes' memory is read for the first time."""
LATENCY_MS = 300
SETTLE_S = 600.0
RETIRE_S = 300.0
BARE_S = 90.0
SETTINGS = {"WEB_CONCURRENCY": "2"}
AT_ONCE = {
    "KEEP_PERSONAL_DATA_H": "0.0001",
    "KEEP_RECEIPTS_H": "0.0001",
    "REPEAT_WINDOW_H": "0",
}
"""Retention after the calls."""

CALLER_SAYS = (
    "Yes, good morning, I am calling about the invoice of last month. It shows the line twice, and "
    "I was charged for both of them, although we cancelled the second one in the spring."
)
AGENT_SAYS = (
    "Thank you, I see what you mean. Let me look at the invoice, and I will check what was charged "
    "for the second line since the spring. Is there anything else that I should note for you?"
)
PROMPT = "You are the agent on the phone of a company. Say only what the tools have answered. " * 90
"""As long as a real assistant's instructions, which each report has twice."""

RECORDED_IN = ROOT / ".run" / "soak.jsonl"
WEBHOOK = "/webhook/vapi"


async def _line(
    client: Client, recording: Recording, events: Events, nth: int, seed: int, ends_at: float
) -> None:
    """One line: a caller who calls again and again until the time is over."""
    chance = random.Random(f"{seed}/{nth}")
    while time.monotonic() < ends_at:
        call = LiveCall(client, recording, events, number(nth))
        await _call(call, chance, ends_at)


async def _call(call: LiveCall, chance: random.Random, ends_at: float) -> None:
    began = time.monotonic()
    await call.event(call.vapi.status("in-progress"))
    tools = _tools(chance)
    turns = int(CALL_S / TURN_S)
    for turn in range(turns):
        if time.monotonic() > ends_at:
            break
        for message, at_s in _turn(call):
            await asyncio.sleep(began + turn * TURN_S + at_s - time.monotonic())
            await call.event(message())
        for tool, sort, arguments in tools.get(turn, ()):
            await call.ask(tool, sort, arguments)
    await call.event(call.vapi.status("ended", endedReason="customer-ended-call"))
    messages = [{"role": "system", "message": PROMPT}, *call.vapi.messages]
    as_model = [
        {"role": row["role"], "content": row["message"]} for row in messages if "message" in row
    ]
    await call.end(CALLER_SAYS, messages=messages, messagesOpenAIFormatted=as_model)


def _turn(call: LiveCall) -> Iterator[tuple[Any, float]]:
    """The events of a turn, each with its second."""
    vapi = call.vapi
    third = len(CALLER_SAYS) // 3

    def speaks(role: str, status: str) -> Any:
        return lambda: vapi.envelope("speech-update", role=role, status=status)

    yield speaks("user", "started"), 0.5
    for nth in (1, 2, 3):
        yield lambda nth=nth: vapi.partial(CALLER_SAYS[: nth * third]), 0.5 + nth
    yield speaks("user", "stopped"), 4.4
    yield lambda: vapi.transcript("user", CALLER_SAYS), 4.5
    yield speaks("assistant", "started"), 5.0
    yield lambda: vapi.transcript("assistant", AGENT_SAYS), 9.3
    yield speaks("assistant", "stopped"), 9.4


def _tools(chance: random.Random) -> dict[int, list[tuple[str, str, dict[str, Any]]]]:
    """The tool calls after some of the turns: two lookups, and one or two writes."""
    text = f"The invoice is wrong ({chance.getrandbits(40):010x})"
    kind = chance.choice(("billing", "technical", "account"))
    case = {"issueType": kind, "description": text, "onExisting": "new"}
    tools: dict[int, list[tuple[str, str, dict[str, Any]]]] = {
        0: [("lookupCustomer", LOOKUP, {})],
        4: [("createSalesforceCase", WRITE, case)],
        7: [("getCaseStatus", STATUS, {})],
    }
    if chance.random() < 0.5:
        second = ("addCaseComment", WRITE, {"comment": text})
        tools[10] = [chance.choice((second, ("requestCallback", WRITE, {"reason": text})))]
    return tools


@dataclass
class Seen:
    """Memory of the processes and of the store, in MB. first: by process, at FIRST_LOOK_AT; last:
    at the end. store_mb: by the moment at which it was read. bare_ms: how long a bare view took for
    each tool call."""

    first: dict[str, float]
    last: dict[str, float]
    store_mb: dict[str, float]
    bare_ms: list[float]

    @property
    def growth(self) -> float:
        """The largest ratio of last to first, but for the store, which has to keep what is new."""
        return max(
            self.last.get(name, 0.0) / mb for name, mb in self.first.items() if mb and name != STORE
        )

    def table(self) -> str:
        rows = [
            f"  {name:<10} {mb:6.1f} MB {self.last.get(name, 0.0):6.1f} MB"
            for name, mb in self.first.items()
        ]
        return "\n".join(["  resident    then      at the end", *rows])


async def _play(
    stack: Stack, recording: Recording, events: Events, calls: int, lasts_s: float, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """The calls, which begin one after the other. Returns the memory of the processes twice."""
    client = Client(stack.port, WEBHOOK, SECRET)
    began = time.monotonic()
    lines = await _begin(client, recording, events, calls, lasts_s, seed)
    await asyncio.sleep(began + FIRST_LOOK_AT * lasts_s - time.monotonic())
    first = await asyncio.to_thread(resident_mb, stack)
    await asyncio.sleep(began + lasts_s - time.monotonic())
    last = await asyncio.to_thread(resident_mb, stack)
    await asyncio.gather(*lines)
    await client.close()
    return first, last


async def _begin(
    client: Client, recording: Recording, events: Events, calls: int, lasts_s: float, seed: int
) -> list[asyncio.Task[None]]:
    """Begin the lines one after the other. Returns them, each of which ends after lasts_s."""
    began = time.monotonic()
    begin_s = min(CALL_S, 0.3 * lasts_s)
    lines = []
    for nth in range(calls):
        await asyncio.sleep(began + nth / calls * begin_s - time.monotonic())
        line = _line(client, recording, events, nth, seed, began + lasts_s)
        lines.append(asyncio.create_task(line))
    return lines


class _Timed(Client):
    """Notes how long each tool call took."""

    def __init__(self, port: int) -> None:
        super().__init__(port, WEBHOOK, SECRET)
        self.took_ms: list[float] = []

    async def post(self, message: dict[str, Any]) -> tuple[int, Any]:
        began = time.perf_counter()
        answer = await super().post(message)
        if message["message"]["type"] == "tool-calls":
            self.took_ms.append((time.perf_counter() - began) * 1000)
        return answer


def _bare_ms(stack: Stack, folder: Path, calls: int, seed: int) -> list[float]:
    """How long a bare view takes for each tool call, under the same load."""
    port = free_port()
    baseline = ROOT / "bench" / "baseline"
    command = [str(INSTALLED / "gunicorn"), "--config", str(baseline / "gunicorn.py")]
    env = stack.env_at(port)
    bare = Process("bare", [*command, "bench.baseline.bare:app"], env, ROOT, folder / "bare.log")
    bare.start()

    async def play() -> list[float]:
        client = _Timed(port)
        await asyncio.gather(*await _begin(client, Recording(), Events(), calls, BARE_S, seed))
        await client.close()
        return client.took_ms

    try:
        url = f"http://127.0.0.1:{port}/"
        wait_until(lambda: answers_at_all(url), for_s=READY_S, what="the view", starting=[bare])
        return asyncio.run(play())
    finally:
        bare.stop()


def _retire(stack: Stack, folder: Path) -> None:
    """Set retention to end at once, and wait until only parked intents are left."""
    stack.processes["worker"].stop()
    command, env = procfile()["worker"], stack.env | AT_ONCE
    retiring = Process("worker", command, env, ROOT, folder / "retention.log")
    stack.processes["worker"] = retiring
    retiring.start()
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        journal = Journal(client)

        def is_over() -> bool:
            counts = journal.counts()
            return counts["accepted"] == counts["parked"]

        wait_until(is_over, for_s=RETIRE_S, what="retention")


def _expire(stack: Stack) -> None:
    """Delete what expires by itself, as two days would."""
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        keys = [key for key in client.scan_iter("vs:*", count=1000) if client.pttl(key) > 0]
        for start in range(0, len(keys), 1000):
            client.unlink(*keys[start : start + 1000])


def summary(verdict: Verdict, events: Events, seen: Seen) -> str:
    total = verdict.total
    held = ">".join(f"{mb:.1f}" for mb in seen.store_mb.values())
    return (
        f"calls={total.calls} events={len(events.took_ms)} promised={total.promised} "
        f"kept={total.fulfilled} parked={total.parked} lost={total.lost + total.unrecorded} "
        f"duplicated={len(verdict.of(Problem.DOUBLED))} "
        f"unanswered={total.unanswered + events.unanswered} ack_p99_ms={p99(verdict.ack_ms):.0f} "
        f"bare_p99_ms={p99(seen.bare_ms):.0f} "
        f"lookup_p99_ms={p99(verdict.lookup_ms):.0f} event_p99_ms={p99(events.took_ms):.0f} "
        f"growth={seen.growth:.2f} store_mb={held}"
    )


def main() -> int:
    """Exit code 0 when the history of all calls is right and each request got an answer."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help=f"at a time (default: {CALLS})")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help=f"how long (default: {MINUTES:g})"
    )
    parser.add_argument("--seed", type=int, default=1, help="repeat a soak")
    options = parser.parse_args()
    if not 0 < options.calls <= MAX_CALLERS:
        parser.error(f"--calls must be from 1 to {MAX_CALLERS}")
    end_in_order()
    recording, events = Recording(), Events()
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as name,
        Stack(Path(name), extra=SETTINGS) as stack,
    ):
        make_callers(stack.org, options.calls)
        stack.org.fault(latency_ms=LATENCY_MS)
        held = {"base": store_mb(stack)}
        first, last = asyncio.run(
            _play(stack, recording, events, options.calls, options.minutes * 60, options.seed)
        )
        cpu_s = time.process_time()
        held["end"] = store_mb(stack)
        wait_settled(stack, SETTLE_S)
        RECORDED_IN.parent.mkdir(exist_ok=True)
        verdict = recording.verdict(stack, RECORDED_IN)
        bare_ms = _bare_ms(stack, Path(name), options.calls, options.seed)
        _retire(stack, Path(name))
        held["retention"] = store_mb(stack)
        _expire(stack)
        held["expired"] = store_mb(stack)
    for finding in verdict.findings:
        print(finding)
    seen = Seen(first, last, held, bare_ms)
    share = cpu_s / options.minutes / 60
    print(f"{seen.table()}\n  the callers took {share:.0%} of a core; recorded in {RECORDED_IN}")
    print("soak: store_mb is that of base, end, after retention, after what expires in two days")
    print(f"soak: {summary(verdict, events, seen)}", flush=True)
    unanswered = verdict.total.unanswered + events.unanswered
    return 1 if verdict.findings or unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
