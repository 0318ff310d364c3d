"""`python -m bench.scaling`: what the measured costs say about up to 100,000 live calls.

It reads .run/bench.json (`make bench BENCH="traffic footprint growth drain"`), prints Markdown, and
says what is used up first. It is a calculation: nothing is measured at these sizes.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from bench import report
from bench.servers import FLASK
from demo.stack import ROOT

LIVE_CALLS = (100, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000)
EVENTS_PER_S = 1.5
"""Of a live call: speech updates, partial and final transcripts."""

CALL_S = 180
BUSY_HOURS = 8
"""A day has as many calls as so many hours at this load."""

MAX_BUSY = 0.7
"""The share of a core that is planned with. Beyond it, the time of answers grows."""

CORES = 2
STORE_GB = 8
WINDOW_S, WINDOW_REQUESTS = 20, 100
DAILY_REQUESTS = 1_000_000

KEEP_PERSONAL_DATA_H, KEEP_RECEIPTS_H = 48, 168
"""The defaults of .env.example."""

KB_PER_GB = 1024**2

DOCUMENT = ROOT / "docs" / "scaling.md"
BEGIN, END = "<!-- python -m bench.scaling --write -->", "<!-- end -->"


@dataclass(frozen=True)
class Costs:
    """What was measured: CPU times in µs, memory in KB. A call lasts about CALL_S."""

    event_web: float
    event_store: float
    write_web: float
    write_store: float
    record_worker: float
    record_store: float
    records_per_s: float
    requests_per_call: float
    live_kb: float
    hour_kb: float
    day_kb: float
    receipts_kb: float

    @classmethod
    def read(cls, read: dict[str, Any]) -> Self:
        """Raises KeyError with the name of a figure that was not measured."""
        values = {
            f"{name}/{figure['name']}": figure["ours"]
            for name, bench in read.get("benches", {}).items()
            for figure in bench["figures"]
        }
        return cls(**{field: values[figure] for field, figure in FIGURES.items()})


FIGURES = {
    "event_web": "growth/1,000 live calls: CPU of web",
    "event_store": "growth/1,000 live calls: CPU of store",
    "write_web": "growth/write: CPU of web",
    "write_store": "growth/write: CPU of store",
    "record_worker": "drain/record: CPU of worker",
    "record_store": "drain/record: CPU of store",
    "records_per_s": "drain/4 workers: records",
    "requests_per_call": f"traffic/requests a call, beside a {FLASK}",
    "live_kb": "footprint/a call of ten minutes, during the call",
    "hour_kb": "footprint/after an hour",
    "day_kb": "footprint/after a day",
    "receipts_kb": "footprint/receipts alone",
}
"""Where each cost is in the report."""

TOOL_CALLS, RECORDS = 4, 3
"""Of a call: two lookups and two writes, each counted as a write; two writes and the call's log."""


@dataclass(frozen=True)
class Resource:
    """per_call: what a live call needs. available: what a first installation has. more: how to get
    more."""

    name: str
    unit: str
    per_call: float
    available: float
    more: str

    def needed(self, live_calls: int) -> float:
        return self.per_call * live_calls

    @property
    def lasts_until(self) -> int:
        """The number of live calls that uses up what is available."""
        return int(self.available / self.per_call)


def resources(costs: Costs) -> list[Resource]:
    """What live calls use up, per live call."""
    calls_per_s = 1 / CALL_S
    records_per_s = RECORDS * calls_per_s
    tools_per_s = TOOL_CALLS * calls_per_s
    web = (EVENTS_PER_S * costs.event_web + tools_per_s * costs.write_web) / 1e6
    store = (
        EVENTS_PER_S * costs.event_store
        + tools_per_s * costs.write_store
        + records_per_s * costs.record_store
    ) / 1e6
    worker = records_per_s * costs.record_worker / 1e6
    requests_per_s = costs.requests_per_call * calls_per_s
    return [
        Resource("all processes on one machine", "cores", web + store + worker,
                 MAX_BUSY * CORES, "web and workers on machines of their own"),
        Resource("the store's only thread", "cores", store,
                 MAX_BUSY, "a faster core; then partitions"),
        Resource("the store's memory", "GB", _stored_kb(costs) / KB_PER_GB,
                 STORE_GB, "more memory, or shorter retention"),
        Resource("one kind's batches at a time", "records/s", records_per_s,
                 costs.records_per_s, "a higher MAX_LEASES, and more workers"),
        Resource("requests in a window", f"per {WINDOW_S} s", requests_per_s * WINDOW_S,
                 WINDOW_REQUESTS, "a wider window, if the org has none"),
        Resource("the org's requests of a day", "per day",
                 requests_per_s * BUSY_HOURS * 3600, DAILY_REQUESTS, "a larger allowance"),
    ]  # fmt: skip


def _stored_kb(costs: Costs) -> float:
    """Memory of the store for each live call, if the days before were as busy."""
    per_hour = 3600 / CALL_S
    per_day = per_hour * BUSY_HOURS
    receipt_days = (KEEP_RECEIPTS_H - KEEP_PERSONAL_DATA_H) / 24
    return (
        costs.live_kb
        + per_hour * costs.hour_kb
        + per_day * KEEP_PERSONAL_DATA_H / 24 * costs.day_kb
        + per_day * receipt_days * costs.receipts_kb
    )


def as_markdown(found: list[Resource]) -> Iterator[str]:
    ranked = sorted(found, key=lambda resource: resource.lasts_until)
    yield "| live calls | " + " | ".join(f"{it.name} ({it.unit})" for it in ranked) + " |"
    yield "|---" * (len(ranked) + 1) + "|"
    for live_calls in LIVE_CALLS:
        cells = []
        for resource in ranked:
            needed = resource.needed(live_calls)
            text = _short(needed)
            cells.append(f"**{text}**" if needed > resource.available else text)
        yield f"| {live_calls:,} | " + " | ".join(cells) + " |"
    yield ""
    for resource in ranked:
        yield (
            f"* {resource.name}: {_short(resource.available)} {resource.unit} last until "
            f"{resource.lasts_until:,} live calls; then {resource.more}"
        )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def inserted(text: str, table: str) -> str:
    """The document with this table instead of the one between its two comments."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/scaling.md")
    options = parser.parse_args()
    read = report.read()
    try:
        costs = Costs.read(read)
    except KeyError as missing:
        sys.exit(f"not measured: {missing}. Run `make bench` first.")
    machine = read["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, commit {read['commit']}:",
        "",
        *as_markdown(resources(costs)),
    ]
    if options.write:
        DOCUMENT.write_text(inserted(DOCUMENT.read_text(), "\n".join(lines)))
    else:
        print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
