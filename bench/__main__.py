"""`make bench`: measure the service on this machine, beside what a team would otherwise run.

It runs real processes: store, local org, gunicorn, worker, beat. Load generator and servers share
the cores. Each figure is the median of the rounds; .run/bench.json has all of them.
"""

import argparse
import sys
import time
from dataclasses import dataclass

from bench import (
    allowance,
    backlog,
    console,
    conversation,
    drain,
    events,
    failover,
    footprint,
    growth,
    hanging,
    lookups,
    processes,
    report,
    servers,
    strangers,
    traffic,
    writes,
)
from bench.figures import Bench, Measured, as_table
from demo.signals import end_in_order


@dataclass(frozen=True)
class Entry:
    """rounds: how many by default. Each starts all processes anew and measures the servers in turn.

    is_extra: runs only by name, or with "all".
    """

    title: str
    measure: Bench
    rounds: int = 1
    is_extra: bool = False


BENCHES = {
    "events": Entry("Events acknowledged, beside other webhooks", events.measure, 5),
    "writes": Entry("300 writes a second, beside a synchronous webhook", writes.measure, 5),
    "lookups": Entry("Lookups, Salesforce at 300 ms and hanging", lookups.measure, 5),
    "traffic": Entry("20,000 calls an hour in 100 requests per 20 s", traffic.measure),
    "processes": Entry("Memory and start-up", processes.measure, 3),
    "footprint": Entry("What a call costs in the store", footprint.measure),
    "growth": Entry("Costs as calls and intents grow", growth.measure),
    "drain": Entry("Workers deliver a backlog, Salesforce at 300 ms", drain.measure),
    "hanging": Entry("Salesforce hangs under 50 callers", hanging.measure, is_extra=True),
    "backlog": Entry(
        "10,000 writes after an outage, in 100 requests per 20 s", backlog.measure, is_extra=True
    ),
    "conversation": Entry("What a call waits for", conversation.measure, is_extra=True),
    "failover": Entry(
        "The store's primary is demoted under load, ten times", failover.measure, is_extra=True
    ),
    "strangers": Entry("280 strangers send a byte every 3 s", strangers.measure, is_extra=True),
    "console": Entry("The console beside 100,000 writes", console.measure, is_extra=True),
    "allowance": Entry(
        "The daily limit runs down to the reserve, and to zero", allowance.measure, is_extra=True
    ),
}


def main() -> int:
    """Exit code 0 when every figure is as promised."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := set(options.benches) - {*BENCHES, "all"}:
        parser.error(f"unknown bench: {', '.join(sorted(unknown))}")
    end_in_order()
    chosen = _chosen(options.benches)
    if "events" in chosen:
        for name, why in servers.missing().items():
            print(f"not measured: {name} ({why})", flush=True)
    ok = True
    for name in chosen:
        entry = BENCHES[name]
        measured = Measured(entry.title)
        began = time.monotonic()
        for nth in range(options.rounds or entry.rounds):
            measured.rounds.append(entry.measure(nth))
        took_s = time.monotonic() - began
        print(f"{name}: {as_table(measured)}\n  took {took_s:.0f} s", flush=True)
        report.add(name, measured, took_s)
        ok &= all(median.holds for median in measured.medians())
    return 0 if ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    by_default, extra = ", ".join(_chosen([])), ", ".join(sorted(set(BENCHES) - set(_chosen([]))))
    parser.add_argument(
        "benches",
        nargs="*",
        metavar="BENCH",
        help=f"any of {by_default} (default: all of these), {extra}; or `all`",
    )
    parser.add_argument("--rounds", type=int, help="how many rounds (default: each bench's own)")
    return parser


def _chosen(names: list[str]) -> list[str]:
    if "all" in names:
        return list(BENCHES)
    return names or [name for name, entry in BENCHES.items() if not entry.is_extra]


if __name__ == "__main__":
    sys.exit(main())
