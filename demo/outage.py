"""What happens to the service in a drill: faults of Salesforce, killed processes, a failover."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.failover import Pair
from demo.processes import wait_until
from demo.stack import READY_S, Stack

FAULTS: dict[str, dict[str, Any]] = {
    "hangs": {"hang": True},
    "refuses": {"refuse": True},
    "is-unavailable": {"status": 503, "error_code": "SERVER_UNAVAILABLE"},
    "loses-answers": {"lose_answer": 0.5},
    "limits": {"window": {"requests": 5, "seconds": 20}},
    "has-no-requests-left": {"daily_left": 0},
    "revokes-tokens": {"expire_tokens": True},
}
"""What Salesforce does, by name, as faults of the local org."""

VICTIMS = ("worker", "web master", "web worker", "beat", "store")
FAILOVER = "failover"

FAULT_S = (5.0, 8.0)
BETWEEN_KILLS_S = (0.8, 2.0)


@dataclass(frozen=True)
class Stage:
    """A fault of Salesforce ("" for none) that lasts lasts_s, and what fails halfway through it: a
    victim that is killed, the store's primary (FAILOVER), or nothing ("")."""

    fault: str
    hits: str
    lasts_s: float

    def __str__(self) -> str:
        return "+".join(filter(None, (self.fault, self.hits.replace(" ", "-"))))

    def hit(self, stack: Stack) -> None:
        """Let fail what fails halfway."""
        if self.hits == FAILOVER:
            assert isinstance(stack.store, Pair)
            stack.store.swap()
        elif self.hits:
            _kill(stack, self.hits)


def outage(chance: random.Random, *, fails_over: bool) -> list[Stage]:
    """Every fault, every victim and, if fails_over, a failover, in random order."""
    faults = chance.sample(list(FAULTS), len(FAULTS))
    hits = [*VICTIMS, *([FAILOVER] if fails_over else [])]
    hits += [""] * (len(faults) - len(hits))
    chance.shuffle(hits)
    return [
        Stage(fault, hit, chance.uniform(*FAULT_S)) for fault, hit in zip(faults, hits, strict=True)
    ]


def kills(chance: random.Random) -> list[Stage]:
    """Every victim twice, in random order, while Salesforce is well."""
    order = [victim for _ in range(2) for victim in chance.sample(VICTIMS, len(VICTIMS))]
    return [Stage("", victim, chance.uniform(*BETWEEN_KILLS_S)) for victim in order]


async def play(stack: Stack, stages: Sequence[Stage]) -> None:
    """Cause all stages, one after the other. Then end the fault of Salesforce."""
    for stage in stages:
        await asyncio.to_thread(stack.org.fault, **FAULTS.get(stage.fault, {}))
        await asyncio.sleep(stage.lasts_s / 2)
        await asyncio.to_thread(stage.hit, stack)
        await asyncio.sleep(stage.lasts_s / 2)
    await asyncio.to_thread(stack.org.fault)


def _kill(stack: Stack, victim: str) -> None:
    """Send SIGKILL to a victim. If it is down, wait first until it is up again."""
    name, _, part = victim.partition(" ")
    process = stack.store.process if name == "store" else stack.processes[name]

    def pid() -> int:
        return next(children(process.pid), 0) if part == "worker" else process.pid

    wait_until(lambda: pid() > 0, for_s=READY_S, what=victim)
    if alive := pid():  # 0 if it has ended since; os.kill(0, ...) would kill our own process group
        with suppress(ProcessLookupError):
            os.kill(alive, signal.SIGKILL)


def children(pid: int) -> Iterator[int]:
    """The ids of a process's children; none when it is down."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    yield from map(int, listed)
