"""How many events a second the service acknowledges, beside servers that store nothing.

All servers run with the same number of processes and are loaded in turns, on 64 connections. The
generator shares the cores with them. The service stores what it always stores of an event; no
worker runs.
"""

import itertools
import math
import random
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.generator import Result, as_request, at_rate, saturate
from bench.load import make_callers, number, percentile, wait_for_lookups
from bench.servers import BARE, FLASK, GRANIAN, NODE, PROCESSES, SERVICE, serving
from demo.stack import SECRET, Stack
from simulator.vapi.wire import Call, as_bytes

CONNECTIONS = 64
SIZES = {"2 kB": 2_000, "20 kB": 20_000}
FOR_S = 2.0
WARM_UP_S = 1.0
WARM_UP_BYTES, MAX_BYTES = 20_000_000, 300_000_000
"""Total size of the requests that are built before a run."""
CALLS = 200
BEGIN_PER_S = 200
LINE = "Yes, the invoice of last month shows the line twice, and I was charged for both of them."
RATIOS = {("2 kB", BARE): 1.4, ("2 kB", GRANIAN): 3.0}
"""How many times as many events as the bare view the service must acknowledge at least."""


class Talk:
    """The frequent events of calls: speech updates, partial and final transcripts.

    numbers: whether the calls have one.
    """

    def __init__(self, count: int, *, numbers: bool = True) -> None:
        now_ms = int(time.time() * 1000)
        self.calls = [
            Call(str(uuid.uuid4()), number(nth) if numbers else "", now_ms) for nth in range(count)
        ]

    def beginnings(self) -> Iterator[bytes]:
        for call in self.calls:
            yield as_bytes(call.status("in-progress"))

    def events(self, size: int) -> Iterator[bytes]:
        """Events of about `size` bytes, without end. Caller and agent speak by turns; of six events
        of a turn, three are partial transcripts and one is final. Each call is at another place of
        its turn. As Vapi's do, each event repeats what has been said before."""
        fill = _fill(size - len(as_bytes(self._of(self.calls[0], "partial", "assistant"))))
        order = ("started", "partial", "partial", "partial", "final", "stopped")
        turns = list(itertools.product(("user", "assistant"), order))
        for nth in itertools.count():
            for place, call in enumerate(self.calls, nth):
                role, kind = turns[place % len(turns)]
                yield as_bytes(self._of(call, kind, role)).removesuffix(b"}}") + fill

    def _of(self, call: Call, kind: str, role: str) -> dict[str, Any]:
        if kind in ("started", "stopped"):
            return call.speech(kind, role)
        event = call.partial(f"{LINE} {random.random()}", role)
        if kind == "final":
            event["message"]["transcriptType"] = "final"
        return event


def _fill(size: int) -> bytes:
    """The end of an event with what was said before: about `size` bytes."""
    said = as_bytes({"role": "bot", "message": LINE, "time": 0, "secondsFromStart": 1.5})
    messages = b", ".join([said] * round(size / len(said)))
    return b', "artifact": {"messages": [' + messages + b"]}}}"


@dataclass(frozen=True)
class Target:
    """A webhook under load, and the calls that it gets."""

    name: str
    port: int
    how: str
    talk: Talk = field(default_factory=lambda: Talk(CALLS))

    def begin(self, stack: Stack) -> None:
        at_rate(self.port, self._signed(self.talk.beginnings()), BEGIN_PER_S)
        wait_for_lookups(stack)

    def measure(self, size: int) -> Result:
        """Load it for FOR_S, after a warm-up that also shows how many events to build."""
        events = self.talk.events(size)
        warm_up = self._signed(itertools.islice(events, WARM_UP_BYTES // size))
        per_s = saturate(self.port, warm_up, CONNECTIONS, WARM_UP_S).per_s
        count = min(MAX_BYTES // size, int(1.5 * FOR_S * per_s))
        due = self._signed(itertools.islice(events, count))
        return saturate(self.port, due, CONNECTIONS, FOR_S)

    def _signed(self, bodies: Iterable[bytes]) -> list[bytes]:
        return [as_request(self.port, body, SECRET, self.how) for body in bodies]


def measure(seed: int) -> list[Figure]:
    """One round: every server with every size, in an order that turns with the round."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), ("web",), extra={"WEB_CONCURRENCY": str(PROCESSES)}) as stack,
        serving(stack, BARE, FLASK, NODE, GRANIAN) as servers,
    ):
        make_callers(stack.org, CALLS)
        targets = [Target(SERVICE, stack.port, "hmac")]
        targets += [Target(server.name, server.port, server.how) for server in servers]
        for target in targets:
            target.begin(stack)
        turn = seed % len(targets)
        found = {
            (target.name, size): target.measure(size_bytes)
            for size, size_bytes in SIZES.items()
            for target in targets[turn:] + targets[:turn]
        }
    return [figure for size in SIZES for figure in _figures(found, size)]


def _figures(found: dict[tuple[str, str], Result], size: str) -> Iterator[Figure]:
    ours = found[SERVICE, size]
    for name in (BARE, FLASK, NODE):
        if other := found.get((name, size)):
            yield _rate(f"events of {size}, beside a {name}", ours, other, RATIOS.get((size, name)))
    for share in (50, 99):
        for name in (BARE, FLASK, NODE):
            if other := found.get((name, size)):
                yield Figure(
                    f"events of {size}, p{share}, beside a {name}",
                    percentile(ours.took_ms, share),
                    unit="ms",
                    beside=percentile(other.took_ms, share),
                )
    if under_granian := found.get((GRANIAN, size)):
        goal = RATIOS.get((size, GRANIAN))
        name = f"events of {size} under granian, beside a {BARE}"
        yield _rate(name, under_granian, found[BARE, size], goal)
    yield Figure(f"events of {size} not answered with 200", ours.failed, 0)
    shares = [result.cpu_share for (_, of), result in found.items() if of == size]
    yield Figure(f"of one core, for the generator, at most ({size})", max(shares), 0.5)


def _rate(name: str, ours: Result, other: Result, at_least: float | None) -> Figure:
    goal = -math.inf if at_least is None else at_least
    return Figure(name, ours.per_s, unit="/s", beside=other.per_s, ratio_at_least=goal)
