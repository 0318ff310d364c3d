"""What the journal itself counts, for /metrics.

The scripts count in the same atomic step that changes an intent, so no crash makes the counts
differ from the journal. They outlive the intents, which retention removes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import translated


@dataclass(frozen=True)
class KindFigures:
    """Of a kind, since its store began.

    again: attempts after which an intent had to wait for another one. replayed: parked intents that
    became due again. batches: leases that were settled.
    """

    accepted: int = 0
    delivered: int = 0
    cancelled: int = 0
    parked: int = 0
    replayed: int = 0
    again: int = 0
    batches: int = 0


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


def _read(row: Mapping[str, str]) -> KindFigures:
    return KindFigures(**{each.name: int(row.get(each.name, 0)) for each in fields(KindFigures)})
