"""How many requests of Vapi and Twilio are refused, in all and by the minute."""

from typing import Any

import redis

from shared.metrics.fleet import FleetCounts
from shared.settings import REDIS_PREFIX
from shared.store import allowed_when_full, now_ms, translated

EVERY_MS = 60_000
KEEP_MS = 3_600_000


class RefusedRequests:
    """Reads the fleet's counter, so that a refused request itself writes nothing to the store.

    Every method raises StoreUnavailableError.
    """

    def __init__(self, store: redis.Redis, counts: FleetCounts, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._counts = counts
        self._prefix = prefix

    def ever(self) -> int:
        """Since the store began. The processes add their counts every few seconds."""
        return int(self._counts.total("vapi_refused_total"))

    def per_min(self) -> float:
        """The rate over the last full minute, until the next is over. 0 in the first minute."""
        key = f"{self._prefix}alarms:refused"
        with translated():
            before = self._store.hgetall(key)
            at_ms = now_ms(self._store)
        age_ms = at_ms - int(before.get("at", 0))
        if before and age_ms < EVERY_MS:
            return float(before["per_min"])
        total = float(self.ever())
        grew = max(0.0, total - float(before.get("total", total)))
        per_min = grew * 60_000 / age_ms if before else 0.0
        with translated():
            allowed_when_full(
                self._store,
                "HSET",
                key,
                "at",
                at_ms,
                "total",
                repr(total),
                "per_min",
                repr(per_min),
            )
            self._store.pexpire(key, KEEP_MS)
        return per_min
