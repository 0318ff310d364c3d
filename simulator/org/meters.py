"""Counts of requests and record changes for /_org/stats, and the API limits.

A request counts once, when it is answered or will never be; each part of a batch counts instead of
the batch. The limits count admitted API requests; token and version requests are free.
"""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from simulator.org.errors import request_limit
from simulator.org.faults import Faults

# A full sandbox's limit in a rolling 24 hours: large, so that no bench reaches it by chance.
DAILY_REQUESTS = 5_000_000
DAY_S = 86_400
# The key of unanswered requests in by_status.
NO_ANSWER = "none"


@dataclass(slots=True)
class Stats:
    """Counts since start or since DELETE /_org."""

    by_resource: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    created: int = 0
    updated: int = 0
    rejected: int = 0

    def received(self, resource: str) -> None:
        self.by_resource[resource] += 1

    def answered(self, status: int | str) -> None:
        self.by_status[str(status)] += 1

    def effects(self) -> tuple[int, int]:
        """The record counts so far, for take_back."""
        return self.created, self.updated

    def take_back(self, effects: tuple[int, int]) -> None:
        """Count the changes since then as rejected, because they were rolled back."""
        undone = self.created + self.updated - sum(effects)
        self.created, self.updated = effects
        self.rejected += undone

    def snapshot(self) -> dict[str, Any]:
        return {
            "requests": self.by_resource.total(),
            "by_resource": dict(self.by_resource),
            "by_status": dict(self.by_status),
            "records": {
                "created": self.created,
                "updated": self.updated,
                "rejected": self.rejected,
            },
        }


class Limits:
    """The daily limit, the window and the requests in progress. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.used_at: deque[float] = deque()
        self.daily_left: int | None = None
        self.window: tuple[int, float] | None = None
        self.window_at: deque[float] = deque()
        self.concurrent: int | None = None
        self.at_work = 0

    def apply(self, faults: Faults) -> None:
        """Apply the limits of new faults. A new daily_left or window starts unused."""
        self.daily_left = faults.daily_left
        self.window = faults.window
        self.window_at.clear()
        self.concurrent = faults.concurrent

    @property
    def remaining(self) -> int:
        if self.daily_left is not None:
            return self.daily_left
        self._purge(self.used_at, DAY_S)
        return max(DAILY_REQUESTS - len(self.used_at), 0)

    @property
    def header(self) -> str:
        """`Sforce-Limit-Info`: used/limit of the rolling 24 hours."""
        return f"api-usage={DAILY_REQUESTS - self.remaining}/{DAILY_REQUESTS}"

    def check_concurrent(self) -> None:
        """Raises the concurrent REQUEST_LIMIT_EXCEEDED when too many requests are in progress."""
        if self.concurrent is not None and self.at_work > self.concurrent:
            raise request_limit("ConcurrentRequests (Concurrent API Requests)")

    def admit(self) -> None:
        """Count one API request. Raises 403 when the day's or the window's limit is exhausted."""
        if self.remaining <= 0:
            raise request_limit("TotalRequests")
        now = time.monotonic()
        if self.window is not None:
            requests, seconds = self.window
            self._purge(self.window_at, seconds)
            if len(self.window_at) >= requests:
                raise request_limit("TotalRequests")
            self.window_at.append(now)
        self.used_at.append(now)
        if self.daily_left is not None:
            self.daily_left -= 1

    def _purge(self, times: deque[float], age_s: float) -> None:
        oldest = time.monotonic() - age_s
        while times and times[0] <= oldest:
            times.popleft()


class RowLocks:
    """Rows that stay locked for a time after a write.

    Another request for such a row is refused at once. Salesforce first waits up to ten seconds;
    use latency_ms for that.
    """

    def __init__(self) -> None:
        self.held: dict[str, tuple[float, int]] = {}

    def take(self, record_ids: list[str], hold_s: float, request: int) -> str | None:
        """Lock the rows for the request; None, or the id of a row that another request locks."""
        now = time.monotonic()
        for record_id in record_ids:
            until, owner = self.held.get(record_id, (0.0, request))
            if until > now and owner != request:
                return record_id
        for record_id in record_ids:
            self.held[record_id] = (now + hold_s, request)
        return None
