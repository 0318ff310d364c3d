"""Runs a simulator as a process."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT


@contextmanager
def simulated(folder: Path, *words: str) -> Iterator[str]:
    """Run a simulator as a process. Yields its URL."""
    port = free_port()
    command = [sys.executable, "-m", "simulator", *words, "--port", str(port)]
    process = Process(words[0], command, os.environ, ROOT, folder / f"{words[0]}.log")
    process.start()
    wait_until(lambda: listens(port), for_s=20, what=words[0])
    yield f"http://127.0.0.1:{port}"
    process.stop()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
