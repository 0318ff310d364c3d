"""The API budget: whether a request may go to Salesforce now, decided for the whole fleet.

It holds the daily allowance, with a reserve for lookups, and the requests in flight. Each permit
also passes the rate limit (window.py) and, for a lookup, the circuit breaker (breaker.py). All of
it is in Redis. Each step is one script in `scripts/`, and so one request to Redis.
"""

import json
import random
import re
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import redis

from shared.deadline import Deadline
from shared.salesforce import breaker, window
from shared.salesforce.breaker import Breaker
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.namespace import keys_of
from shared.scripts import load
from shared.settings import SalesforceSettings
from shared.store import now_ms, translated

LOOK_AGAIN_MS = 30_000
"""How long "the daily allowance is spent" is believed; then one request reads the figure anew."""

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


class Use(StrEnum):
    LOOKUP = "lookup"
    """A caller on the line waits for it."""
    WRITE = "write"
    CHECK = "check"
    """An operator's diagnosis: neither the breaker nor the reserve stops it."""


@dataclass(frozen=True)
class Permit:
    """Permission to send one request.

    probe: the request goes through an open breaker. left_at: time.monotonic() when granted.
    """

    id: str
    use: Use
    probe: bool
    left_at: float


@dataclass(frozen=True)
class Denied:
    """Why no request may go now, and in how many ms to ask again."""

    why: Literal["breaker", "daily", "window"]
    wait_ms: int

    def as_error(self) -> SalesforceError:
        """The error of the request that was denied. Nothing was sent."""
        if self.why == "breaker":
            return away("BREAKER_OPEN", ambiguous=False)
        code = "DAILY_ALLOWANCE" if self.why == "daily" else "WINDOW_SPENT"
        retry_after_s = self.wait_ms / 1000
        return SalesforceError(FailureClass.BUDGET, code, retry_after_s=retry_after_s, whole=True)


@dataclass(frozen=True)
class Capacity:
    """A write may go. pressure: from 0 (plenty left) to 1 (writes should share requests)."""

    pressure: float


@dataclass(frozen=True)
class Figures:
    """The budget as operators see it.

    window: the requests that count now, by use. window_limit: None without a window. daily_used,
    daily_limit: None until an answer of Salesforce has named them.
    """

    breaker: Breaker
    in_flight: dict[Use, int]
    window: dict[Use, int]
    window_limit: int | None
    daily_used: int | None
    daily_limit: int | None
    counts: dict[str, int]


class ApiBudget:
    """Safe to share between threads. Every method raises StoreUnavailableError."""

    def __init__(self, settings: SalesforceSettings, store: redis.Redis) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._keys = keys_of(settings)
        self._window_limit = settings.window_requests
        self._account: dict[str, Any] = {
            "prefix": self._keys,
            "reserve": settings.daily_reserve_percent / 100,
            "look_again_ms": LOOK_AGAIN_MS,
            **breaker.arguments(settings.lookup_deadline_ms),
            **window.arguments(self._window_limit, settings.window_seconds),
        }
        self._admit = load(store, "salesforce", "admit")
        self._done = load(store, "salesforce", "done")

    def ask(
        self,
        use: Use,
        *,
        lasts_s: float,
        waited_s: float = 0.0,
        shared: bool = False,
        forced: bool = False,
    ) -> Permit | Denied:
        """A permit for one request, now, or the reason against it. lasts_s: its longest duration.

        shared: the request may be held back for up to window.HOLD_MS so that others join it.
        waited_s: for how long it was.
        """
        permit_id = secrets.token_hex(8)
        reply = self._asked(
            use=use,
            id=permit_id,
            lasts_ms=int(max(0.0, lasts_s) * 1000),
            waited_ms=int(waited_s * 1000),
            hold_ms=window.HOLD_MS if shared else 0,
            forced=forced,
        )
        if reply[0] != "go":
            return Denied(reply[0], int(reply[1]))
        return Permit(permit_id, use, bool(reply[1]), time.monotonic())

    def wait(self, use: Use, until: Deadline, *, lasts_s: float, forced: bool = False) -> Permit:
        """A permit for one request, as soon as the window allows it.

        Raises SalesforceError when the breaker is open, the daily allowance is spent, or the window
        stays full until the deadline.
        """
        while True:
            permit = self.ask(use, lasts_s=lasts_s, forced=forced)
            if isinstance(permit, Permit):
                return permit
            if permit.why != "window" or until.left_s <= 0:
                raise permit.as_error()
            time.sleep(max(0.005, min(permit.wait_ms / 1000, until.left_s, 0.25)))

    def capacity(self) -> Capacity | Denied:
        """Whether a write might go now. Takes no permit."""
        reply = self._asked(
            use=Use.WRITE, id="", lasts_ms=0, waited_ms=0, hold_ms=0, forced=False, peek=True
        )
        if reply[0] != "go":
            return Denied(reply[0], int(reply[1]))
        return Capacity(int(reply[2]) / 1000)

    def _asked(self, **want: Any) -> Any:
        with translated():
            return self._admit(args=[json.dumps(self._account | want | {"dice": random.random()})])

    def done(self, permit: Permit, error: SalesforceError | None, usage: str = "") -> None:
        """Report that the request is over. usage: the header Sforce-Limit-Info, "" without one."""
        used_of_limit = _USAGE.search(usage)
        figures = [int(used_of_limit[1]), int(used_of_limit[2])] if used_of_limit else None
        if figures is None and error and error.failure is FailureClass.DAILY_LIMIT:
            figures = [1, 1]  # spent; the real figures are unknown
        outcome = "ok"
        if error:
            outcome = "bad" if error.failure is FailureClass.AWAY else "other"
        self._enter(permit, outcome, error=error, usage=figures)

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used: nothing was sent."""
        self._enter(permit, "unused")

    def _enter(
        self,
        permit: Permit,
        outcome: str,
        *,
        error: SalesforceError | None = None,
        usage: list[int] | None = None,
    ) -> None:
        result = self._account | {
            "use": permit.use,
            "id": permit.id,
            "outcome": outcome,
            "code": error.code if error else "",
            "took_ms": int((time.monotonic() - permit.left_at) * 1000),
            "probe": permit.probe,
            "dice": random.random(),
        }
        if error and error.retry_after_s:
            result["retry_after_ms"] = int(error.retry_after_s * 1000)
        if usage:
            result["usage"] = usage
        with translated():
            self._done(args=[json.dumps(result)])

    def figures(self) -> Figures:
        p = self._keys
        with translated():
            at_ms = now_ms(self._store)
            pipe = self._store.pipeline(transaction=False)
            pipe.hgetall(breaker.key(p))
            pipe.hgetall(f"{p}usage")
            pipe.hgetall(f"{p}counts")
            for use in Use:
                pipe.zcard(f"{p}flying:{use}")
                pipe.zcount(window.key(p, use), at_ms, "+inf")
            of_breaker, usage, counts, *sizes = pipe.execute()
        return Figures(
            breaker=breaker.read(of_breaker, at_ms),
            in_flight=dict(zip(Use, sizes[0::2], strict=True)),
            window=dict(zip(Use, sizes[1::2], strict=True)),
            window_limit=self._window_limit,
            daily_used=int(usage["used"]) if usage else None,
            daily_limit=int(usage["limit"]) if usage else None,
            counts={name: int(count) for name, count in counts.items()},
        )
