"""What is said of a delivery: log lines and spans, and the outcome that Flower shows.

A delivery is a batch and has an id of its own. Each of its writes has the trace of the request that
it was accepted with.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.domain.intent import (
    Cancelled,
    Delivered,
    Intent,
    Outcome,
    Parked,
    PartRefused,
    Scope,
    TryAgain,
)
from shared.domain.kinds import Kind
from shared.domain.trace import new_trace
from shared.journal.results import Lease, Settled
from shared.logs import log
from shared.tracing import Attributes, in_trace, note_span, span

MAX_LINKS = 128
"""Of a span, to the traces of its writes: as many as OpenTelemetry sends by default."""


@dataclass
class Drained:
    """What a drain did: intents by outcome, what it waits for, the kinds to send wake-ups for."""

    counts: Counter[str] = field(default_factory=Counter)
    waits_for: str = ""
    due_kinds: set[Kind] = field(default_factory=set)

    @property
    def has_parked(self) -> bool:
        """Whether a person has to decide on something of it."""
        return bool(self.counts["parked"] or self.counts["part_refused"])

    def __str__(self) -> str:
        """The outcome as operators read it in Flower: no ids, no names."""
        said = [f"{name} {count}" for name, count in sorted(self.counts.items())]
        return ", ".join(said + ([self.waits_for] if self.waits_for else [])) or "nothing due"


@dataclass(frozen=True)
class Delivery:
    """A batch at work. began_ns: by time.time_ns."""

    id: str
    lease: Lease
    began_ns: int


@contextmanager
def delivering(lease: Lease) -> Iterator[Delivery]:
    """Log lines and requests inside belong to this delivery; if all writes of the batch are of one
    trace, they belong to that as well."""
    delivery = Delivery(new_trace(), lease, time.time_ns())
    traces = list(dict.fromkeys(intent.trace for intent in lease.intents))
    trace = traces[0] if len(traces) == 1 else ""
    links = [] if trace else [other for other in traces if other][:MAX_LINKS]
    about: Attributes = {
        "kind": str(lease.kind),
        "count": len(lease.intents),
        "delivery_id": delivery.id,
    }
    with (
        in_trace(trace, delivery_id=delivery.id),
        span(f"deliver {lease.kind}", about, links=links),
    ):
        yield delivery


def report(drained: Drained, delivery: Delivery, outcomes: list[Outcome], settled: Settled) -> None:
    """Counts what became of the batch, and says it in the log."""
    lease = delivery.lease
    drained.counts.update(_NAMES[type(item)] for item in outcomes)
    again = [item for item in outcomes if isinstance(item, TryAgain)]
    if again:
        soonest = min(again, key=lambda item: item.delay_ms)
        at = datetime.now(UTC) + timedelta(milliseconds=soonest.delay_ms)
        drained.waits_for = f"{soonest.reason}, next attempt {at:%H:%M:%S} UTC"
    _alarm(lease, again, settled.stopped)
    if missing := sorted({name for item in again for name in item.missing}):
        log.warning("field_missing", kind=lease.kind, reason=", ".join(missing))
    intents = {intent.id: intent for intent in lease.intents}
    for outcome in outcomes:
        _settled(delivery, intents[outcome.intent_id], outcome)
    log.info(
        "delivery",
        kind=lease.kind,
        count=len(lease.intents),
        delivered=drained.counts["delivered"],
        parked=drained.counts["parked"],
        unsettled=len(lease.intents) - settled.count,
        reason=drained.waits_for,
    )


def _settled(delivery: Delivery, intent: Intent, outcome: Outcome) -> None:
    """A line in the trace of the write, once nothing more happens to it by itself."""
    line = log.bind(
        kind=intent.kind, intent_id=intent.id, call_id=intent.call_id, trace_id=intent.trace
    )
    match outcome:
        case Delivered(_, record_id):
            line.info("intent_delivered", record_id=record_id)
        case Parked(_, reason):
            line.error("intent_parked", reason=reason)
        case PartRefused(_, reason):
            line.error("intent_parked", intent_id=outcome.part.id, reason=reason)
        case Cancelled(_, reason):
            line.info("intent_cancelled", reason=reason)
    name = _NAMES[type(outcome)]
    about = {"kind": str(intent.kind), "outcome": name, "delivery_id": delivery.id}
    note_span(f"delivery of {intent.kind}", intent.trace, delivery.began_ns, about)


def _alarm(lease: Lease, again: list[TryAgain], stopped: Iterable[str]) -> None:
    """For an alarm: the names of the events do not change."""
    sources = {intent.id: intent.source for intent in lease.intents}
    for source in stopped:
        reasons = {
            item.reason
            for item in again
            if sources.get(item.intent_id) == source and (item.scope is Scope.SOURCE or item.target)
        }
        reason = ", ".join(sorted(reasons))
        if source == lease.kind:
            log.error("kind_paused", kind=lease.kind, reason=reason)
        else:
            log.error("tool_paused", tool=source, kind=lease.kind, reason=reason)


_NAMES: dict[type, str] = {
    Delivered: "delivered",
    TryAgain: "again",
    Parked: "parked",
    PartRefused: "part_refused",
    Cancelled: "cancelled",
}
