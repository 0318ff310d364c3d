"""Figures of the whole fleet for /metrics that are counted when something happens: by processes, by
the journal's scripts, and the alarms that are on. web/metrics.py has those that are measured when
somebody asks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from shared.journal.figures import JournalFigures, KindFigures
from shared.operators.alarms.board import AlarmBoard
from shared.operators.alarms.causes import Sort, sort_of
from shared.store import StoreUnavailableError
from web.service import Service


class CountedCollector(Collector):
    """Without the store it has only `vs_store_up`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        return []  # nothing is read at registration

    def collect(self) -> Iterator[Metric]:
        try:
            found = [*self._processes(), *self._journal(), *self._alarms()]
        except StoreUnavailableError:
            found = []
        yield from found
        yield GaugeMetricFamily("vs_store_up", "1 while the store answers", bool(found))

    def _processes(self) -> list[Metric]:
        self._service.counts.flush_if_possible()
        return self._service.counts.read()

    def _journal(self) -> Iterator[Metric]:
        service = self._service
        kinds = sorted(service.journal_summary().kinds)
        return of_kinds(JournalFigures(service.store).read(kinds))

    def _alarms(self) -> Iterator[Metric]:
        on = Counter(map(sort_of, AlarmBoard(self._service.store).on()))
        family = GaugeMetricFamily(
            "vs_alarms", "Alarms that are on, by their section of the runbook", labels=["alarm"]
        )
        for sort in Sort:
            family.add_metric([sort], on[sort])
        yield family


def of_kinds(figures: Mapping[str, KindFigures]) -> Iterator[Metric]:
    accepted = CounterMetricFamily(
        "vs_intents_accepted", "Intents that were accepted", labels=["kind"]
    )
    settled = CounterMetricFamily(
        "vs_intents_settled",
        "Intents that were delivered, cancelled or parked; a parked one may be settled again",
        labels=["kind", "outcome"],
    )
    replayed = CounterMetricFamily(
        "vs_intents_replayed", "Parked intents that became due again", labels=["kind"]
    )
    again = CounterMetricFamily(
        "vs_deliveries_repeated",
        "Deliveries after which an intent had to wait for another attempt",
        labels=["kind"],
    )
    batches = CounterMetricFamily(
        "vs_delivery_batches", "Batches of intents that were delivered together", labels=["kind"]
    )
    for kind, counts in figures.items():
        accepted.add_metric([kind], counts.accepted)
        for outcome in ("delivered", "cancelled", "parked"):
            settled.add_metric([kind, outcome], getattr(counts, outcome))
        replayed.add_metric([kind], counts.replayed)
        again.add_metric([kind], counts.again)
        batches.add_metric([kind], counts.batches)
    yield from (accepted, settled, replayed, again, batches)
