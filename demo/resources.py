"""What the processes of a stack take of the machine's memory, and what the store holds."""

from collections.abc import Iterator
from pathlib import Path

import redis

from demo.outage import children
from demo.processes import Process
from demo.stack import Stack

STORE = "store"


def resident_mb(stack: Stack) -> dict[str, float]:
    """The resident memory (RSS) of each process: "web" is gunicorn's master, "web 1" its first
    worker."""
    found: dict[str, float] = {}
    for name, process in (*stack.processes.items(), (STORE, stack.store.process)):
        for nth, pid in enumerate(_tree(process)):
            found[f"{name} {nth}" if nth else name] = _resident_kb(pid) / 1024
    return found


def _tree(process: Process) -> Iterator[int]:
    """The process, then its children."""
    if pid := process.pid:
        yield pid
        yield from children(pid)


def _resident_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0  # it ended meanwhile
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) for line in lines if line[0] == "VmRSS:"), 0)


def store_mb(stack: Stack) -> float:
    """What the store's data takes, as the store itself counts it."""
    with redis.Redis.from_url(stack.store.url) as client:
        return float(client.info("memory")["used_memory"]) / 1024 / 1024
