"""Counters of all processes, added up in one hash of the store.

A process counts with prometheus_client, in its own memory. Every FLUSH_EVERY_S it adds what it
counted since then to the fleet's hash, which `/metrics` shows. So each web process shows the counts
of all web processes and workers, on whichever hosts they run, and the counts outlive them. A
process that is killed loses what it counted in its last seconds. The journal's own counts
(shared/journal/figures.py) lose nothing.
"""

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import redis
from prometheus_client import REGISTRY
from prometheus_client.core import Metric
from prometheus_client.registry import CollectorRegistry

from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import StoreUnavailableError, translated

FLUSH_EVERY_S = 2.0

OURS = ("vapi_", "vs_")
"""How the names of our metrics begin. prometheus_client registers others about Python itself."""

MAX_SERIES = 5_000
"""In the store. Labels come from fixed lists, so that a service has some hundreds."""

STEP_MS = 3_600_000
"""How long the number of a process's last step is stored. One that can't reach the store for longer
may add its last step twice."""

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}

Series = tuple[str, ...]
"""The name of a sample, then the name and the value of each label."""


class FleetCounts:
    """The counts of this process and of the fleet. Safe to share between threads.

    What was counted before it was made is not added: it belongs to another store, or to a test.
    """

    def __init__(
        self,
        store: redis.Redis,
        prefix: str = REDIS_PREFIX,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._registry = registry
        self._add = load(store, "metrics", "add")
        self._process = secrets.token_hex(8)
        self._step = 0
        self._unconfirmed: list[str] = []
        self._added = dict(self._own_samples())
        self._lock = threading.Lock()

    def flush(self) -> None:
        """Add what was counted since the last time. Raises StoreUnavailableError; the next call
        then adds the same first, once."""
        with self._lock:
            if self._unconfirmed:
                self._send()
            self._unconfirmed = self._changes()
            if self._unconfirmed:
                self._step += 1
                self._send()

    def flush_if_possible(self) -> None:
        with suppress(StoreUnavailableError):
            self.flush()

    def read(self) -> list[Metric]:
        """Every family that this process declares, with the samples of the whole fleet. Raises
        StoreUnavailableError."""
        samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for series, value in self._stored().items():
            name, *labels = series
            named = dict(zip(labels[::2], labels[1::2], strict=True))
            samples.setdefault(name, []).append((named, value))
        return [_filled(family, samples) for family in self._own_families()]

    def total(self, sample: str) -> float:
        """The sum of a counter over all of its labels, such as "vapi_refused_total". Raises
        StoreUnavailableError."""
        return sum(value for series, value in self._stored().items() if series[0] == sample)

    def _send(self) -> None:
        arguments = [self._prefix, self._process, self._step, STEP_MS, MAX_SERIES]
        with translated():
            self._add(args=[*arguments, *self._unconfirmed])
        self._unconfirmed = []

    def _changes(self) -> list[str]:
        """Series and amounts. A new series is added although its amount may be 0, so that all
        buckets of a histogram appear together."""
        own = dict(self._own_samples())
        changed = [
            text
            for series, value in own.items()
            if value != self._added.get(series)
            for text in (json.dumps(series), repr(value - self._added.get(series, 0.0)))
        ]
        self._added = own
        return changed

    def _own_families(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            if family.name.startswith(OURS) and family.type in SUFFIXES:
                yield family

    def _own_samples(self) -> Iterator[tuple[Series, float]]:
        for family in self._own_families():
            for sample in family.samples:
                if sample.name.removeprefix(family.name) in SUFFIXES[family.type]:
                    labels = [text for label in sample.labels.items() for text in label]
                    yield (sample.name, *labels), float(sample.value)

    def _stored(self) -> Mapping[Series, float]:
        with translated():
            stored = self._store.hgetall(f"{self._prefix}metrics")
        return {tuple(json.loads(series)): float(value) for series, value in stored.items()}


def _filled(family: Metric, samples: Mapping[str, list[tuple[dict[str, str], float]]]) -> Metric:
    filled = Metric(family.name, family.documentation, family.type)
    for suffix in SUFFIXES[family.type]:
        name = f"{family.name}{suffix}"
        for labels, value in sorted(samples.get(name, ()), key=_order):
            filled.add_sample(name, labels, value)
    return filled


def _order(sample: tuple[dict[str, str], float]) -> tuple[list[tuple[str, str]], float]:
    """By labels, and the buckets of a histogram by their bounds."""
    labels = sample[0]
    others = sorted(item for item in labels.items() if item[0] != "le")
    return others, float(labels.get("le", "inf"))
