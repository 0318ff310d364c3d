"""What the journal itself counts, for /metrics.

The scripts count in the same atomic step that changes an intent, so no crash makes the counts
differ from the journal. They outlive the intents, which retention removes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import translated

PROMISE_BOUNDS_S = (1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)
"""Bounds of the histogram of the time from a promise to its record. The commit window is 2.5 s."""


@dataclass(frozen=True)
class KindFigures:
    """Of a kind, since its store began.

    again: attempts after which an intent had to wait for another one. replayed: parked intents that
    became due again. batches: leases that were settled. promises: delivered intents that the agent
    had promised to a caller. promises_ms: how long all of them took together. within: how many took
    no longer than each bound.
    """

    accepted: int = 0
    delivered: int = 0
    cancelled: int = 0
    parked: int = 0
    replayed: int = 0
    again: int = 0
    batches: int = 0
    promises: int = 0
    promises_ms: int = 0
    within: Mapping[float, int] = field(default_factory=dict)


class JournalFigures:
    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def read(self, kinds: Iterable[str]) -> dict[str, KindFigures]:
        """By kind. Raises StoreUnavailableError."""
        names = list(kinds)
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for kind in names:
                pipe.hgetall(f"{self._prefix}figures:{kind}")
            rows = pipe.execute()
        return {kind: _read(row) for kind, row in zip(names, rows, strict=True)}


_COUNTS = tuple(item.name for item in fields(KindFigures) if item.name != "within")


def _read(row: Mapping[str, str]) -> KindFigures:
    within = {bound: int(row.get(f"within:{bound}", 0)) for bound in PROMISE_BOUNDS_S}
    return KindFigures(**{name: int(row.get(name, 0)) for name in _COUNTS}, within=within)
