"""The team's time zone, for every date and time that is written or spoken.

It is `TIME_ZONE`, or else the org's own (Organization.TimeZoneSidKey), read once an hour and shared
through Redis; UTC until the org has answered for the first time.
"""

import json
import threading
import time
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import redis

from shared.deadline import Deadline
from shared.logs import log
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import SalesforceError
from shared.salesforce.namespace import keys_of
from shared.settings import SalesforceSettings
from shared.store import now_ms, translated

CAPACITY_S = 0.5
ASK_S = 5.0
"""How long to wait for a permit and for the answer. A delivery waits meanwhile."""
BELIEVED_S = 10.0
"""Each process reads the stored time zone this often, whatever it writes meanwhile."""
FRESH_MS = 3600 * 1000
TTL_S = 90 * 24 * 3600
"""The org's time zone is read again after FRESH_MS, and stays in use until it answers."""
AGAIN_S = 300
"""After a failure the org is asked again only after this time."""

STATEMENT = "SELECT TimeZoneSidKey FROM Organization"


class TimeZone:
    """Safe to share between threads. Every method raises StoreUnavailableError."""

    def __init__(
        self, settings: SalesforceSettings, store: redis.Redis, salesforce: SalesforceClient
    ) -> None:
        self._configured = find_zone(settings.time_zone or "")
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._salesforce = salesforce
        self._key = f"{keys_of(settings)}time-zone"
        self._believed: tuple[tzinfo, float] = (UTC, 0.0)
        self._ask_again_at = 0.0
        self._has_warned = False
        self._lock = threading.Lock()

    def day(self, at_ms: int) -> str:
        """The team's calendar day of a moment, such as 2026-11-22."""
        return self.local(at_ms).date().isoformat()

    def local(self, at_ms: int) -> datetime:
        """The moment by the team's clock."""
        return datetime.fromtimestamp(at_ms / 1000, self.zone())

    def zone(self) -> tzinfo:
        if self._configured:
            return self._configured
        believed, until = self._believed
        if time.monotonic() < until:
            return believed
        zone = self._read()
        self._believed = zone, time.monotonic() + BELIEVED_S
        return zone

    def _read(self) -> tzinfo:
        with translated():
            stored = json.loads(self._store.get(self._key) or "{}")
            at_ms = now_ms(self._store)
        if at_ms - stored.get("at_ms", 0) < FRESH_MS:
            return find_zone(stored.get("name", "")) or UTC
        return find_zone(self._ask(at_ms) or stored.get("name", "")) or UTC

    def _ask(self, at_ms: int) -> str:
        """The org's time zone, or "". One thread at a time, and not again right after a failure."""
        with self._lock:
            if time.monotonic() < self._ask_again_at:
                return ""
            try:
                permit = self._salesforce.permit(Deadline.after(CAPACITY_S), lasts_s=ASK_S)
                (row,) = self._salesforce.query(STATEMENT, Deadline.after(ASK_S), permit)
                name, why = str(row["TimeZoneSidKey"]), "unknown time zone"
            except (SalesforceError, ValueError, KeyError) as trouble:
                name, why = "", str(getattr(trouble, "code", type(trouble).__name__))
            if find_zone(name):
                stored = json.dumps({"name": name, "at_ms": at_ms})
                with translated():
                    self._store.set(self._key, stored, ex=TTL_S)
                return name
            self._ask_again_at = time.monotonic() + AGAIN_S
            if not self._has_warned:
                log.warning("time_zone_unknown", reason=why, setting="TIME_ZONE")
                self._has_warned = True
            return ""


def find_zone(name: str) -> ZoneInfo | None:
    """None unless the name is an IANA time zone."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
