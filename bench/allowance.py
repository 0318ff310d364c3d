"""The daily API limit runs down to the reserve, then to zero, and recovers."""

import tempfile
import time
from pathlib import Path

import redis

from bench.figures import Figure
from bench.load import NOT_LOOKED, Load, make_callers, number, run
from bench.traffic import settle
from demo.history.recording import Recording
from demo.stack import Stack
from shared.journal.journal import Journal
from simulator.org.meters import DAILY_REQUESTS

RESERVE = DAILY_REQUESTS // 10
CALLS = 40


def measure(_seed: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
        redis.Redis.from_url(stack.store.url, decode_responses=True) as client,
    ):
        make_callers(stack.org, 3 * CALLS)
        journal, recording = Journal(client), Recording()
        run(stack.webhook, lambda load: _calls(load, 0), recording)
        settle(journal)

        stack.org.fault(daily_left=RESERVE + 5)
        run(stack.webhook, lambda load: _calls(load, CALLS, writes=False), recording)
        delivered = len(stack.org.records("Case"))
        short = run(stack.webhook, lambda load: _calls(load, CALLS), recording)
        time.sleep(6)
        late = len(stack.org.records("Case")) - delivered

        stack.org.fault(daily_left=0)
        run(stack.webhook, lambda load: _look(load, 2 * CALLS))  # the first lookup finds out
        nothing = run(stack.webhook, lambda load: _look(load, 2 * CALLS + 1, count=10))
        known = run(stack.webhook, lambda load: _look(load, 0, count=10))

        stack.org.fault()
        settle(journal)
        parked = len(journal.parked(1000))
        verdict = recording.verdict(stack)
    unknown = sum("Caller" not in answer.text for answer in known.answers)
    lookups = [answer for answer in short.answers if answer.is_lookup]
    return [
        Figure("at the reserve: lookups refused", sum(lookup.refused for lookup in lookups), 0),
        # One request every LOOK_AGAIN_MS finds out whether the limit has recovered.
        Figure("at the reserve: writes delivered", late, 1),
        Figure("at zero: lookups that did not apologise", _silent(nothing), 0),
        Figure("at zero: known callers not answered", unknown, 0),
        Figure("parked", parked, 0),
        Figure("findings of the history check", len(verdict.findings), 0),
    ]


def _silent(load: Load) -> int:
    return sum(not NOT_LOOKED.search(answer.text) for answer in load.answers)


async def _calls(load: Load, first: int, *, writes: bool = True) -> None:
    for nth in range(first, first + CALLS):
        call = load.call(number(nth))
        await call.tool("lookupCustomer")
        if writes:
            await call.tool("createSalesforceCase", issueType="account", description=f"It is {nth}")


async def _look(load: Load, first: int, count: int = 1) -> None:
    for nth in range(first, first + count):
        await load.call(number(nth)).tool("lookupCustomer")
