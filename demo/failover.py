"""Two stores behind one address, like a hosted Redis: a primary and a replica that can swap."""

import argparse
import asyncio
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from demo.processes import Process, free_port, wait_until
from demo.stack import READY_S, ROOT, Store

CATCH_UP_MS = 10_000
AT_ONCE = "repl-diskless-sync-delay 0"
"""A replica need not wait for others to join it."""


class Forwarder:
    """A port that forwards to another port, in a process that runs this module.

    Open connections stay with their target, as behind a DNS name that changes.

    certificate: a PEM file with its key. With it the port accepts TLS only, and forwards plain TCP.
    delay_s: how long data is under way, in each direction.
    """

    def __init__(
        self, folder: Path, target: int, certificate: Path | None = None, delay_s: float = 0.0
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._target = folder / "target"
        self.lead_to(target)
        command = [sys.executable, "-m", __name__, str(self.port), str(self._target)]
        command += ["--certificate", str(certificate)] if certificate else []
        command += ["--delay-s", str(delay_s)]
        self.process = Process("address", command, os.environ, ROOT, folder / "address.log")

    def start(self) -> None:
        """Returns when the port listens."""
        self.process.start()
        wait_until(self._listens, for_s=READY_S, what="the address")

    def stop(self) -> None:
        self.process.stop()

    def lead_to(self, target: int) -> None:
        """Forward new connections to the port `target`."""
        written = self._target.with_suffix(".new")
        written.write_text(str(target))
        written.replace(self._target)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Pair:
    """A store with a replica behind one address. A Stack can use it as its store."""

    def __init__(self, folder: Path) -> None:
        self._stores = [Store(folder / name, config=AT_ONCE) for name in ("first", "second")]
        self._address = Forwarder(folder, self.primary.port)
        self.url = f"redis://127.0.0.1:{self._address.port}/0"

    @property
    def primary(self) -> Store:
        return self._stores[0]

    @property
    def process(self) -> Process:
        return self.primary.process

    @property
    def replica(self) -> Store:
        return self._stores[1]

    def start(self) -> None:
        for store in self._stores:
            store.start()
        _ask(self.replica, "REPLICAOF", "127.0.0.1", self.primary.port)
        self._wait_for_replica()
        self._address.start()

    def stop(self) -> None:
        self._address.stop()
        for store in self._stores:
            store.stop()

    def swap(self, *, address_after_s: float = 0.5) -> float:
        """Make the replica the primary once it has caught up. The address follows later.

        Connections to the old primary stay open. Returns the time.monotonic() of its demotion.
        """
        old = self.primary
        self._wait_for_replica()  # a primary that was killed a moment ago is being copied again
        _ask(old, "FAILOVER", "TO", "127.0.0.1", self.replica.port, "TIMEOUT", CATCH_UP_MS)
        self._wait(lambda: _replication(old)["role"] == "slave", "the demotion")
        demoted = time.monotonic()
        time.sleep(address_after_s)
        self._stores.reverse()
        self._address.lead_to(self.primary.port)
        self._wait_for_replica()
        return demoted

    def _wait_for_replica(self) -> None:
        self._wait(lambda: _replication(self.replica)["master_link_status"] == "up", "the replica")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, for_s=READY_S, what=what)


def _ask(store: Store, *command: Any) -> Any:
    with redis.Redis(port=store.port, socket_timeout=5, decode_responses=True) as client:
        return client.execute_command(*command)


def _replication(store: Store) -> dict[str, Any]:
    with redis.Redis(port=store.port, socket_timeout=5, decode_responses=True) as client:
        found: dict[str, Any] = client.info("replication")
        return found


async def _serve(port: int, target: Path, tls: ssl.SSLContext | None, delay_s: float) -> None:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_target, to_target = await asyncio.open_connection(
                "127.0.0.1", int(target.read_text())
            )
            await asyncio.gather(
                _copy(reader, to_target, delay_s), _copy(from_target, writer, delay_s)
            )
        except OSError:
            return  # either side disconnected
        finally:
            writer.close()

    server = await asyncio.start_server(forward, "127.0.0.1", port, ssl=tls)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    try:
        while chunk := await reader.read(65536):
            if delay_s:
                asyncio.get_running_loop().call_later(delay_s, writer.write, chunk)
            else:
                writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.failover")
    parser.add_argument("port", type=int)
    parser.add_argument("target", type=Path, help="a file that holds the target's port")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--delay-s", type=float, default=0.0)
    given = parser.parse_args()
    tls = None
    if given.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(given.certificate)
    asyncio.run(_serve(given.port, given.target, tls, given.delay_s))


if __name__ == "__main__":
    main()
