"""280 unauthenticated connections send a byte every three seconds while calls go on."""

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.figures import Figure
from bench.load import Load, at_times, make_callers, number, percentile, run
from demo.stack import Stack

STRANGERS = 280
BYTE_EVERY_S = 3.0
PAIRS = 4
PHASE_S = 6.0
PER_S = 40
CALLERS = 100
HEAD = b"POST /webhook/vapi HTTP/1.1\r\nHost: voice.example.com\r\n"


def measure(_seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        make_callers(stack.org, CALLERS)
        run(stack.webhook, lambda load: _calls(load))  # warm up
        without, beside = [], []
        for _ in range(PAIRS):  # by turns, so that other load on the machine affects both
            without.append(run(stack.webhook, lambda load: _calls(load)))
            beside.append(run(stack.webhook, lambda load: _beside(load, stack.port)))
    alone_ms, beside_ms = (
        [answer.took_ms for load in loads for answer in load.answers] for loads in (without, beside)
    )
    p99, p99_beside = percentile(alone_ms, 99), percentile(beside_ms, 99)
    print(
        f"  {len(alone_ms)} and {len(beside_ms)} answers, p50 {percentile(alone_ms, 50):.1f} and "
        f"{percentile(beside_ms, 50):.1f} ms, p99 {p99:.1f} and {p99_beside:.1f} ms",
        flush=True,
    )
    missing = sum(
        load.unanswered + sum(answer.refused for answer in load.answers) for load in beside
    )
    return [
        Figure("signed requests' p99, with strangers : without", p99_beside / p99, 2.0),
        Figure("unanswered or refused", missing, 0),
    ]


async def _calls(load: Load) -> None:
    """Lookups and writes of known callers, by turns."""
    calls = [load.call(number(nth)) for nth in range(CALLERS)]

    async def caller(nth: int) -> None:
        call = calls[nth % CALLERS]
        if nth % 4:
            await call.tool("getCaseStatus")
        else:
            text = f"It does not work ({call.call.id})"
            await call.tool(
                "createSalesforceCase", issueType="billing", description=text, onExisting="new"
            )

    await at_times([nth / PER_S for nth in range(int(PER_S * PHASE_S))], caller)


async def _beside(load: Load, port: int) -> None:
    async with _strangers(port):
        await _calls(load)


@contextlib.asynccontextmanager
async def _strangers(port: int) -> AsyncIterator[None]:
    """Half of them stall in the head, half in the body; every tenth body has a forged signature."""
    stamp = int(time.time())
    forged = f"x-signature: {'ab' * 32}\r\nx-timestamp: {stamp}\r\n".encode()
    body = b"Content-Length: 1000\r\n"
    openings = itertools.cycle(
        [HEAD] * 10 + [HEAD + body + b"\r\n"] * 9 + [HEAD + forged + body + b"\r\n"]
    )
    running = [asyncio.create_task(_stranger(port, next(openings))) for _ in range(STRANGERS)]
    await asyncio.sleep(2)
    yield
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _stranger(port: int, opening: bytes) -> None:
    """Send one byte at a time, and reconnect when the server closes the connection."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            closed = asyncio.create_task(reader.read())  # until the server closes
            writer.write(opening)
            while not closed.done():
                await asyncio.wait([closed], timeout=BYTE_EVERY_S)
                writer.write(b"x")
            writer.close()
        await asyncio.sleep(BYTE_EVERY_S)
