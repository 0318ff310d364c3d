"""Looks at everything that an alarm may be about: a few requests to the store."""

from contextlib import suppress

import redis

from shared.alive import Alive
from shared.journal.journal import Journal
from shared.journal.listing import Listing
from shared.metrics.fleet import FleetCounts
from shared.operators.alarms.causes import Seen
from shared.operators.alarms.refused import RefusedRequests
from shared.operators.rotation import Rotation, RotationStatus
from shared.salesforce.api_budget import ApiBudget
from shared.settings import REDIS_PREFIX, Settings
from shared.store import StoreUnavailableError, fitness


class Look:
    def __init__(
        self,
        settings: Settings,
        store: redis.Redis,
        counts: FleetCounts,
        prefix: str = REDIS_PREFIX,
    ) -> None:
        self._settings = settings
        self._store = store
        self._refused = RefusedRequests(store, counts, prefix)
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
            refused_per_min=self._refused.per_min(),
            rotation=self._rotation_status(),
        )

    def _rotation_status(self) -> RotationStatus | None:
        """None also on a full store, which is an alarm of its own."""
        with suppress(StoreUnavailableError):
            return self._rotation.status()
        return None
