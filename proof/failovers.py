"""`python -m proof.failovers`: lose the primary store while it accepts writes; Sentinel promotes
the replica, and the former primary comes back. Counts the acknowledged writes that are gone.

Replication is asynchronous, so some may be lost unless replicas have to confirm each write
(--confirm 1): docs/proofs.md says which window remains.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from demo.processes import wait_until
from demo.stack import READY_S, Store
from proof.sentinels import QUICK, Watched, client
from proof.writers import Writers, found

WRITES_FOR_S = (0.2, 0.8)
"""How long writes are accepted before and after a failover."""

WRITES_A_SECOND = 200

REPLICA_WANTED = "min-replicas-to-write 1\nmin-replicas-max-lag 1\nrepl-ping-replica-period 1"
"""A primary refuses writes once it has not heard of its replica for a second."""

Step = Callable[[Watched], None]

SORTS: dict[str, tuple[Step, Step, str]] = {
    "killed": (Watched.kill, Watched.restart, ""),
    "killed, and its successor frozen": (Watched.kill, Watched.restart_and_fail_again, ""),
    "frozen": (Watched.freeze, Watched.thaw, ""),
    "partitioned": (Watched.cut, Watched.heal, ""),
    "frozen, min-replicas-to-write 1": (Watched.freeze, Watched.thaw, REPLICA_WANTED),
    "partitioned, min-replicas-to-write 1": (Watched.cut, Watched.heal, REPLICA_WANTED),
}
"""What happens to the primary, how it comes back, and the lines of both stores' configuration."""


@dataclass
class Counted:
    """confirming: REDIS_CONFIRM_REPLICAS. lost: acknowledged writes that are gone; most: in one
    round; window_s: the longest time of one round in which they were acknowledged. pause_s: the
    longest time of one round without an acknowledged write. twice: rounds in which Sentinel took
    the new primary for dead as well, and promoted the former one again."""

    sort: str
    confirming: int
    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    most: int = 0
    window_s: float = 0.0
    pause_s: float = 0.0
    twice: int = 0

    def add(self, acknowledged: dict[str, float], left: set[str]) -> None:
        """One round. acknowledged: as in Writers. left: the ids of what is still there."""
        lost = {intent: at for intent, at in acknowledged.items() if intent not in left}
        self.rounds += 1
        self.acknowledged += len(acknowledged)
        self.lost += len(lost)
        self.most = max(self.most, len(lost))
        self.window_s = max(self.window_s, max(lost.values()) - min(lost.values()) if lost else 0.0)
        self.pause_s = max(self.pause_s, _longest_pause(acknowledged.values()))

    def __str__(self) -> str:
        return (
            f"failovers: {self.sort} confirm_replicas={self.confirming} rounds={self.rounds} "
            f"acknowledged={self.acknowledged} lost={self.lost} most_in_a_round={self.most} "
            f"window_s={self.window_s:.3f} pause_s={self.pause_s:.1f} twice={self.twice}"
        )


def _longest_pause(times: Iterable[float]) -> float:
    return max((after - before for before, after in pairwise(sorted(times))), default=0.0)


def fail_over(counted: Counted, chance: random.Random, debug: Sequence[Any] = ()) -> None:
    """Lose the primary of a new pair, let it come back, and count what is left.

    debug: arguments of SENTINEL DEBUG.
    """
    lose, come_back, config = SORTS[counted.sort]
    with TemporaryDirectory(prefix="failover-") as folder:
        watched = Watched(Path(folder), config, debug)
        try:
            watched.start()
            with Writers(watched.url, counted.confirming, WRITES_A_SECOND) as writers:
                time.sleep(chance.uniform(*WRITES_FOR_S))
                with writers.one_idle():
                    lose(watched)
                    watched.wait_for_failover()
                    come_back(watched)
                watched.wait_for_return()
                before = len(writers.acknowledged)
                wait_until(
                    lambda: len(writers.acknowledged) > before, for_s=READY_S, what="a write"
                )
                time.sleep(chance.uniform(*WRITES_FOR_S))
            primary, replica = watched.wait_for_return()
            with client(primary.port) as asked:
                left, half = found(asked)
            _wait_for_the_same(replica, left)
        finally:
            watched.stop()
    assert not half, "a replica has all of a step or nothing"
    counted.add(writers.acknowledged, left)
    counted.twice += primary is watched.primary


def _wait_for_the_same(replica: Store, ids: set[str]) -> None:
    """Wait until the replica has what the primary has, and nothing else."""
    with client(replica.port) as asked:
        wait_until(lambda: found(asked)[0] == ids, for_s=READY_S, what="the replica's copy")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m proof.failovers", description="Lose a primary."
    )
    parser.add_argument("--rounds", type=int, default=50, help="of each kind (default: 50)")
    parser.add_argument("--only", choices=SORTS, help="one kind")
    parser.add_argument(
        "--confirm", type=int, default=0, help="REDIS_CONFIRM_REPLICAS (default: 0)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="Sentinel demotes a former primary in 2 s, not 10"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance, lost = random.Random(given.seed), 0
    for sort in [given.only] if given.only else SORTS:
        counted = Counted(sort, given.confirm)
        for _ in range(given.rounds):
            fail_over(counted, chance, QUICK if given.quick else ())
        print(counted, flush=True)
        lost += counted.lost
    return 1 if given.confirm and lost else 0


if __name__ == "__main__":
    sys.exit(main())
