"""`make drill`: take live calls through an outage, and count in the org what they were promised.

The calls are live when Salesforce begins to hang, refuse, limit, lose answers and revoke tokens,
one after the other. Meanwhile worker, web, beat and store are killed, and the store fails over.
Then the faults end, the calls end, and every promise has to be in the org exactly once.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.agents import STANDARD, Script, script_of
from demo.client import Client
from demo.contacts import MAX_CALLERS, make_callers, number
from demo.failover import Pair
from demo.history.checker import Problem, Verdict, p99
from demo.history.recording import Recording, wait_settled
from demo.live import Events, LiveCall
from demo.outage import Stage, outage, play
from demo.signals import end_in_order
from demo.stack import ROOT, SECRET, Stack

CALLS = 200
DELIVERIES = 60
BEGIN_S = 3.0
"""Time before the outage, in which the calls begin and look up who is calling."""
LOOKS = 3
"""How often a call repeats each lookup."""
SPEAKS_S = 4.0
SETTLE_S = 420.0
SETTINGS = {"WEB_CONCURRENCY": "2"} | dict.fromkeys(
    ("MAX_WRITES_PER_NUMBER_AND_HOUR", "MAX_WRITES_PER_NUMBER_AND_DAY"), "1000000"
)
"""A script may have all calls come from one number."""

RECORDED_IN = ROOT / ".run" / "drill.jsonl"


@dataclass(frozen=True)
class Round:
    """stages: the outage. drained_s: from the end of the outage until everything was settled."""

    seed: int
    stages: Sequence[Stage]
    drained_s: float

    def __str__(self) -> str:
        stages = " ".join(map(str, self.stages))
        return f"seed={self.seed} drained_s={self.drained_s:.1f} {stages}"


def play_round(
    stack: Stack,
    recording: Recording,
    seed: int,
    calls: int,
    stages: Sequence[Stage],
    settle_s: float = SETTLE_S,
) -> Round:
    """Play the calls while the stages happen, and wait until everything is settled. Raises
    NotReadyError when it is not, settle_s after the calls."""
    return asyncio.run(_play_round(stack, recording, seed, calls, stages, settle_s))


async def _play_round(
    stack: Stack,
    recording: Recording,
    seed: int,
    calls: int,
    stages: Sequence[Stage],
    settle_s: float,
) -> Round:
    client = Client(stack.port, "/webhook/vapi", SECRET)
    script, chance, over = script_of(stack.agent), random.Random(seed), asyncio.Event()
    lasts_s = sum(stage.lasts_s for stage in stages)
    events = Events()
    playing = []
    for nth in range(calls):
        caller = script.caller or number(nth % MAX_CALLERS)
        call = LiveCall(client, recording, events, caller, DELIVERIES)
        line = random.Random(chance.random())
        playing.append(asyncio.create_task(_call(call, script, nth, seed, line, lasts_s, over)))
    await asyncio.sleep(BEGIN_S)
    await play(stack, stages)
    ended = time.monotonic()
    over.set()
    await asyncio.gather(*playing)
    await client.close()
    await asyncio.to_thread(wait_settled, stack, settle_s)
    return Round(seed, stages, time.monotonic() - ended)


async def _call(
    call: LiveCall,
    script: Script,
    nth: int,
    seed: int,
    chance: random.Random,
    lasts_s: float,
    over: asyncio.Event,
) -> None:
    """Make the requests of the script at random times, while caller and agent talk."""
    await asyncio.sleep(chance.uniform(0, BEGIN_S / 2))
    await call.event(call.vapi.status("in-progress"))
    talking = asyncio.create_task(_talk(call, chance, over))
    for lookup in script.lookups:
        await call.ask(lookup.tool, lookup.sort, lookup.filled(nth, ""))
    began = time.monotonic()
    lookups = script.lookups * LOOKS
    wanted = [(chance.uniform(0, lasts_s), lookup, "") for lookup in lookups]
    writes = [
        (write, f"{seed} {nth} {again}")
        for write in script.writes_of(nth)
        for again in range(write.times)
    ]
    times = sorted(chance.uniform(0, lasts_s) for _ in writes)
    wanted += [(at, write, text) for at, (write, text) in zip(times, writes, strict=True)]
    for at, request, text in sorted(wanted, key=lambda item: item[0]):
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        await call.ask(request.tool, request.sort, request.filled(nth, text))
    await over.wait()
    await talking
    await asyncio.sleep(chance.uniform(0, 2.0))
    await call.end("The caller got an answer.")


async def _talk(call: LiveCall, chance: random.Random, over: asyncio.Event) -> None:
    while not over.is_set():
        await call.event(call.vapi.speech("started"))
        await call.event(call.vapi.transcript("user", "The invoice of last month is wrong."))
        await asyncio.sleep(chance.uniform(0.5, 1.5) * SPEAKS_S)


def summary(verdict: Verdict, drained_s: float) -> str:
    total = verdict.total
    return (
        f"calls={total.calls} promised={total.promised} kept={total.fulfilled} "
        f"parked={total.parked} lost={total.lost + total.unrecorded} "
        f"duplicated={len(verdict.of(Problem.DOUBLED))} "
        f"ack_p99_ms={p99(verdict.ack_ms):.0f} lookup_p99_ms={p99(verdict.lookup_ms):.0f} "
        f"drained_s={drained_s:.1f}"
    )


def main() -> int:
    """Exit code 0 when the history of all calls is right and each got an answer."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help=f"live calls (default: {CALLS})")
    parser.add_argument("--rounds", type=int, default=1, help="outages, each with new calls")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat a drill")
    parser.add_argument("--agent", type=Path, default=STANDARD, help="the agent folder")
    options = parser.parse_args()
    end_in_order()
    recording = Recording()
    drained_s = 0.0
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        folder = Path(name)
        agent = options.agent.resolve()
        pair = Pair(folder / "pair")
        with Stack(folder, extra=SETTINGS, store=pair, agent=agent) as stack:
            make_callers(stack.org, min(options.calls, MAX_CALLERS))
            for seed in range(options.seed, options.seed + options.rounds):
                stages = outage(random.Random(seed), fails_over=True)
                played = play_round(stack, recording, seed, options.calls, stages)
                print(f"round: {played}", flush=True)
                drained_s = max(drained_s, played.drained_s)
            RECORDED_IN.parent.mkdir(exist_ok=True)
            verdict = recording.verdict(stack, RECORDED_IN)
    for finding in verdict.findings:
        print(finding)
    unanswered = verdict.total.unanswered
    print(
        f"drill: refused={verdict.total.refused} unanswered={unanswered} recorded in {RECORDED_IN}"
    )
    print(f"drill: {summary(verdict, drained_s)}", flush=True)
    return 1 if verdict.findings or unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
