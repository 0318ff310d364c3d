"""`python -m proof.failovers`: lose the primary store while it accepts writes; the replica takes
over. Counts the acknowledged writes that the replica never received.

Replication is asynchronous, so some may be lost unless replicas have to confirm each write
(--confirm 1): docs/proofs.md says which window remains.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from demo.failover import AT_ONCE, Forwarder
from demo.processes import wait_until
from demo.stack import READY_S, Store
from proof.writers import Writers, found

AFTER_S = (0.2, 0.8)
PARTITION_S = 4.0
"""How long clients still reach a primary that its replica can't reach."""

REPLICA_WANTED = (
    f"{AT_ONCE}\nmin-replicas-to-write 1\nmin-replicas-max-lag 1\nrepl-ping-replica-period 1"
)
"""The primary refuses writes once it has not heard of its replica for a second."""


@dataclass
class Counted:
    """most: the most writes lost in one round. confirming: REDIS_CONFIRM_REPLICAS."""

    sort: str
    confirming: int
    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    most: int = 0

    def __str__(self) -> str:
        return (
            f"failovers: {self.sort} confirm_replicas={self.confirming} rounds={self.rounds} "
            f"acknowledged={self.acknowledged} lost={self.lost} most_in_a_round={self.most}"
        )


class Pair:
    """A primary and its replica, which connects to it through a forwarder."""

    def __init__(self, folder: Path, config: str) -> None:
        self.primary = Store(folder / "primary", config=config)
        self.replica = Store(folder / "replica")
        self.link = Forwarder(folder / "link", self.primary.port)

    def start(self) -> None:
        for part in (self.primary, self.replica, self.link):
            part.start()
        with _client(self.replica) as client:
            client.replicaof("127.0.0.1", self.link.port)
            wait_until(lambda: _is_linked(client), for_s=READY_S, what="the replica")

    def stop(self) -> None:
        for part in (self.link, self.replica, self.primary):
            part.stop()

    def kill_primary(self) -> None:
        self.link.lead_to(0)  # the supervisor restarts it, and the replica must not find it again
        self.primary.process.kill()

    def freeze_primary(self) -> None:
        os.kill(self.primary.process.pid, signal.SIGSTOP)

    def cut_link(self) -> None:
        """Partition the two for PARTITION_S. Connections stay open, and carry nothing any more."""
        os.kill(self.link.process.pid, signal.SIGSTOP)
        time.sleep(PARTITION_S)


def _client(store: Store) -> redis.Redis:
    return redis.Redis(port=store.port, socket_timeout=5, decode_responses=True)


def _is_linked(client: redis.Redis) -> bool:
    found: dict[str, Any] = client.info("replication")
    return bool(found["master_link_status"] == "up")


SORTS: dict[str, tuple[Callable[[Pair], None], str]] = {
    "killed": (Pair.kill_primary, AT_ONCE),
    "frozen": (Pair.freeze_primary, AT_ONCE),
    "partitioned": (Pair.cut_link, AT_ONCE),
    "partitioned, min-replicas-to-write 1": (Pair.cut_link, REPLICA_WANTED),
}


def fail_over(counted: Counted, chance: random.Random) -> None:
    """Lose the primary of a new pair, promote its replica, and count what the replica has."""
    lose, config = SORTS[counted.sort]
    with TemporaryDirectory(prefix="failover-") as folder:
        pair = Pair(Path(folder), config)
        try:
            pair.start()
            with Writers(pair.primary.url, counted.confirming) as writers:
                time.sleep(chance.uniform(*AFTER_S))
                lose(pair)
            with _client(pair.replica) as client:
                client.replicaof("NO", "ONE")
                rows, half = found(client)
        finally:
            for process in (pair.link.process, pair.primary.process):
                process.kill()  # one that is frozen would not end by itself
            pair.stop()
    lost = set(writers.acknowledged) - rows
    assert not half, "a replica has all of a step or nothing"
    counted.rounds += 1
    counted.acknowledged += len(writers.acknowledged)
    counted.lost += len(lost)
    counted.most = max(counted.most, len(lost))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m proof.failovers", description="Lose a primary."
    )
    parser.add_argument("--rounds", type=int, default=50, help="of each kind (default: 50)")
    parser.add_argument("--only", choices=SORTS, help="one kind")
    parser.add_argument(
        "--confirm", type=int, default=0, help="REDIS_CONFIRM_REPLICAS (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance, lost = random.Random(given.seed), 0
    for sort in [given.only] if given.only else SORTS:
        counted = Counted(sort, given.confirm)
        for _ in range(given.rounds):
            fail_over(counted, chance)
        print(counted, flush=True)
        lost += counted.lost
    return 1 if given.confirm and lost else 0


if __name__ == "__main__":
    sys.exit(main())
