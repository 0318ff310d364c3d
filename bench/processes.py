"""What the processes of the service take: memory, and seconds until they answer."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from bench.figures import Figure
from bench.load import Load, make_callers, number, run
from bench.servers import FLASK, SERVICE, serving
from bench.traffic import settle
from demo.processes import Process
from demo.stack import Stack
from shared.journal.journal import Journal

CALLS = 200


def measure(_seed: int) -> list[Figure]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        all_ready_s = time.monotonic() - began
        make_callers(stack.org, CALLS)
        figures = []
        seconds: dict[str, float] = {}
        megabytes: dict[str, float] = {}
        for name in (SERVICE, FLASK):
            began = time.monotonic()
            with serving(stack, name) as (server,):
                seconds[name] = time.monotonic() - began
                run(f"http://127.0.0.1:{server.port}/webhook/vapi", _calls, how=server.how)
                megabytes[name] = memory_mb(server.process)
        with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
            settle(Journal(client))
        others = {name: memory_mb(stack.processes[name]) for name in ("worker", "beat")}
        others["store"] = memory_mb(stack.store.process)
    figures += [
        Figure("store, org, web, worker and beat ready after", all_ready_s, unit="s"),
        Figure(f"web answers after, beside a {FLASK}", seconds[SERVICE], unit="s",
               beside=seconds[FLASK]),
        Figure(f"memory of web's processes, beside a {FLASK}", megabytes[SERVICE], unit="MB",
               beside=megabytes[FLASK]),
    ]  # fmt: skip
    return [*figures, *(Figure(f"memory of {name}", mb, unit="MB") for name, mb in others.items())]


async def _calls(load: Load) -> None:
    for nth in range(CALLS):
        call = load.call(number(nth))
        await call.begin()
        await call.tool("lookupCustomer")
        await call.tool("createSalesforceCase", issueType="billing", description=f"It is {nth}")


def memory_mb(process: Process) -> float:
    """Of the process and its children. What they share counts once (Pss, see proc(5))."""
    kilobytes = 0
    for folder in _group(process):
        with contextlib.suppress(OSError):  # ended meanwhile
            kilobytes += _pss_kb((folder / "smaps_rollup").read_text())
    return kilobytes / 1024


def cpu_s(process: Process) -> float:
    """CPU time that the process and its children have taken."""
    ticks = 0
    for folder in _group(process):
        with contextlib.suppress(OSError):
            ticks += sum(map(int, _stat(folder)[11:13]))  # utime, stime
    return ticks / os.sysconf("SC_CLK_TCK")


def _group(process: Process) -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(_stat(folder)[2]) == process.pid:
                yield folder


def _stat(folder: Path) -> list[str]:
    """The fields of stat (proc(5)) after the name, which may have spaces in it."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _pss_kb(text: str) -> int:
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
