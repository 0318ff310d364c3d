"""Looks at everything that an alarm may be about: a few requests to the store."""

from contextlib import suppress
from typing import Any

import redis

from shared.alive import Alive
from shared.journal.journal import Journal
from shared.journal.listing import Listing
from shared.metrics.fleet import FleetCounts
from shared.operators.alarms.causes import Seen
from shared.operators.rotation import Rotation, RotationStatus
from shared.salesforce.api_budget import ApiBudget
from shared.settings import REDIS_PREFIX, Settings
from shared.store import StoreUnavailableError, allowed_when_full, fitness, now_ms, translated

REFUSED_EVERY_MS = 60_000
KEEP_REFUSED_MS = 3_600_000


class Look:
    def __init__(
        self,
        settings: Settings,
        store: redis.Redis,
        counts: FleetCounts,
        prefix: str = REDIS_PREFIX,
    ) -> None:
        self._settings = settings
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._counts = counts
        self._journal = Journal(store, prefix)
        self._listing = Listing(store, self._journal, prefix)
        self._alive = Alive(store, prefix)
        self._api_budget = ApiBudget(settings.salesforce, store)
        self._rotation = Rotation(store, settings.vapi, prefix)

    def __call__(self) -> Seen:
        """Raises StoreUnavailableError."""
        of_store = self._settings.store
        fit = fitness(
            self._store, accept_everysec=of_store.accept_everysec, vouched=of_store.vouched
        )
        summary = self._journal.summary()
        breaker = self._api_budget.figures().breaker
        return Seen(
            summary=summary,
            waits=self._journal.waits(),
            breaker=breaker.reason if breaker.state == "open" else "",
            beats=len(self._alive.of("beat")),
            store=(*fit.problems, *fit.warnings),
            groups=tuple(self._listing.groups()) if summary.parked else (),
            refused_per_min=self._refused_per_min(),
            rotation=self._rotation_status(),
        )

    def _refused_per_min(self) -> float:
        """In the last full minute and what came since. 0 in the first one."""
        key = f"{self._prefix}alarms:refused"
        with translated():
            before = self._store.hgetall(key)
            at_ms = now_ms(self._store)
        age_ms = at_ms - int(before.get("at", 0))
        if before and age_ms < REFUSED_EVERY_MS:
            return float(before["per_min"])
        total = self._counts.total("vapi_refused_total")
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
            self._store.pexpire(key, KEEP_REFUSED_MS)
        return per_min

    def _rotation_status(self) -> RotationStatus | None:
        """None also on a full store, which is an alarm of its own."""
        with suppress(StoreUnavailableError):
            return self._rotation.status()
        return None
