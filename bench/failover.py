"""The store fails over under load, ten times. Its address follows half a second later."""

import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

from bench.figures import Figure
from bench.traffic import settle
from demo.drill import count, make_call
from demo.failover import Pair
from demo.processes import wait_until
from demo.stack import Stack
from shared.journal.journal import Journal

FAILOVERS = 10
POSTERS = 4
BETWEEN_S = 2.0
GIVE_UP_S = 60.0


@dataclass
class Outcome:
    """saved_after_s: from each failover until a write was saved. restarts: of processes."""

    saved_after_s: list[float] = field(default_factory=list)
    promised: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    restarts: int = 0


def play(
    stack: Stack,
    pair: Pair,
    failovers: int,
    *,
    between_s: float = 0.0,
    give_up_s: float = GIVE_UP_S,
) -> Outcome:
    """Fail over while writes are posted, wait until all are delivered, and count them in the org.

    Raises NotReadyError when no write is saved for give_up_s after a failover.
    """
    outcome = Outcome()
    over = threading.Event()
    posters = [
        threading.Thread(target=_post, args=(stack, nth, over, outcome)) for nth in range(POSTERS)
    ]
    for poster in posters:
        poster.start()
    try:
        for nth in range(failovers):
            over.wait(between_s)
            demoted = pair.swap()
            wait_until(
                lambda nth=nth: bool(
                    make_call(stack, f"probe-{nth}", time.time_ns(), deliveries=1)
                ),  # type: ignore[misc]
                for_s=give_up_s,
                what="a write after the failover",
            )
            outcome.saved_after_s.append(time.monotonic() - demoted)
    finally:
        over.set()
        for poster in posters:
            poster.join()
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        settle(Journal(client))
    outcome.lost, outcome.duplicated = count(stack, outcome.promised)
    outcome.restarts = sum(process.restarts for process in stack.processes.values())
    return outcome


def _post(stack: Stack, poster: int, over: threading.Event, outcome: Outcome) -> None:
    nth = 0
    while not over.is_set():
        nth += 1
        outcome.promised += make_call(stack, f"poster-{poster}", nth)


def measure(_seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder) / "pair")
        with Stack(Path(folder), store=pair) as stack:
            outcome = play(stack, pair, FAILOVERS, between_s=BETWEEN_S)
    seconds = ", ".join(f"{after_s:.1f}" for after_s in outcome.saved_after_s)
    print(f"  {len(outcome.promised)} promises, a write was saved after {seconds} s", flush=True)
    return [
        Figure("slowest of ten until a write is saved", max(outcome.saved_after_s), 10, "s"),
        Figure("writes lost", len(outcome.lost), 0),
        Figure("writes duplicated", len(outcome.duplicated), 0),
        Figure("processes restarted", outcome.restarts, 0),
    ]
