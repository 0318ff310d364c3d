"""`make bench`: measure speed and API use on this machine, and compare them with the promises.

It runs real processes: store, local org, gunicorn, worker, beat. Each figure is the median of the
rounds.
"""

import argparse
import sys
import time

from bench import (
    allowance,
    backlog,
    console,
    conversation,
    events,
    failover,
    footprint,
    hanging,
    latency,
    servers,
    strangers,
    traffic,
)
from bench.figures import Bench, Measured, as_table
from demo.signals import end_in_order

BENCHES: dict[str, tuple[str, Bench]] = {
    "events": ("Events acknowledged, beside other webhooks", events.measure),
    "hanging": ("Salesforce hangs under 50 callers", hanging.measure),
    "latency": ("Salesforce takes 300 ms, 5 lookups a second", latency.measure),
    "traffic": ("20,000 calls an hour in 100 requests per 20 s", traffic.measure),
    "backlog": ("10,000 writes after an outage, in 100 requests per 20 s", backlog.measure),
    "conversation": ("What a call waits for", conversation.measure),
    "failover": ("The store's primary is demoted under load, ten times", failover.measure),
    "strangers": ("280 strangers send a byte every 3 s", strangers.measure),
    "console": ("The console beside 100,000 writes", console.measure),
    "footprint": ("What a call costs in the store", footprint.measure),
    "allowance": ("The daily limit runs down to the reserve, and to zero", allowance.measure),
}


def main() -> int:
    """Exit code 0 when no figure exceeds its limit."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "benches", nargs="*", metavar="BENCH", help=f"any of {', '.join(BENCHES)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds (default: 3)")
    options = parser.parse_args()
    if unknown := set(options.benches) - set(BENCHES):
        parser.error(f"unknown bench: {', '.join(sorted(unknown))}")
    end_in_order()
    for name, why in servers.missing().items():
        print(f"not measured: {name} ({why})", flush=True)
    holds = True
    for name in options.benches or BENCHES:
        title, measure = BENCHES[name]
        measured = Measured(f"{name}: {title}")
        began = time.monotonic()
        for nth in range(options.rounds):
            measured.rounds.append(measure(nth))
        print(f"{as_table(measured)}\n  took {time.monotonic() - began:.0f} s", flush=True)
        holds &= all(median.holds for median in measured.medians())
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
