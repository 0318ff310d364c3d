"""Snapshots: what we know of whoever has a number, and since when.

One request at a time for a number, in the whole fleet: whoever else wants it waits for that one's
answer. While the window is tight, those who wait share a request. The last snapshot is kept for
when Salesforce can't be asked.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from shared.deadline import Deadline
from shared.domain.reading import UnreadableError, read_json
from shared.logs import log
from shared.salesforce.api_budget import ApiBudget, Denied, Permit, Use
from shared.salesforce.customers import MAX_NUMBERS, Customer, Customers
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.store import StoreUnavailableError, now_ms, translated

POLL_S = (0.005, 0.1)
POLL_SHARE = 0.05
"""Whoever waits looks again after a twentieth of the time they have waited, within these bounds."""

FAILED_MS = 500
"""How long those who waited for a request can see that it failed."""

WANTED_MS = 60_000
"""Longer than anybody waits."""

_SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Snapshot:
    """customers: everybody who has the number. at_ms: when Salesforce was asked, epoch ms."""

    customers: tuple[Customer, ...]
    at_ms: int


@dataclass(frozen=True)
class _Stored:
    """A snapshot as it lies in Redis."""

    at: int
    customers: list[Customer]


class Snapshots:
    """Safe to share between threads.

    run: starts a function on another thread, of which there are few; raises SalesforceError when
    none is free. lasts_s: how long a request may take, longer than anybody waits for it: a late
    answer still serves the next one who asks. keys: what the names of what is kept begin with
    (namespace.keys_of).
    """

    def __init__(
        self,
        store: redis.Redis,
        customers: Customers,
        api_budget: ApiBudget,
        *,
        run: Callable[[Callable[[], None]], object],
        lasts_s: float,
        ttl_s: int,
        keys: str,
    ) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._customers = customers
        self._api_budget = api_budget
        self._run = run
        self._lasts_s = lasts_s
        self._ttl_s = ttl_s
        self._keys = keys
        scripts = [(_SCRIPTS / name).read_text() for name in ("_common.lua", "take.lua")]
        self._take = self._store.register_script("".join(scripts))

    def last(self, number: str) -> Snapshot | None:
        """The last one, however old; None when there is none (any more). Asks nobody."""
        with translated():
            return _read(self._store.get(self._key("snapshot", number)))

    def queue_last(self, pipe: Any, number: str) -> None:
        """`last` as one command of a pipeline; `read_last` reads its reply."""
        pipe.get(self._key("snapshot", number))

    def read_last(self, stored: str | None) -> Snapshot | None:
        return _read(stored)

    def asked_ms_ago(self, number: str) -> int | None:
        """How long a request for it has been in flight; None when there is none."""
        with translated():
            asking = self._store.get(self._key("asking", number))
            if not asking or asking.startswith("failed:"):
                return None
            return now_ms(self._store) - int(asking)

    def since(self, number: str, not_before_ms: int, deadline: Deadline) -> Snapshot:
        """One that is no older than that; from Salesforce if need be.

        Raises SalesforceError when there is none by the deadline, or can't be.
        """
        began = time.monotonic()
        held: Denied | None = None
        waits_for_another = False
        while True:
            with translated():
                stored, asking = self._store.mget(
                    self._key("snapshot", number), self._key("asking", number)
                )
            snapshot = _read(stored)
            if snapshot and snapshot.at_ms >= not_before_ms:
                return snapshot
            in_flight = bool(asking) and not asking.startswith("failed:")
            if in_flight:
                waits_for_another = True
            elif asking and waits_for_another:
                raise _failure(asking)
            if deadline.left_s <= 0:
                raise held.as_error() if held else away("DEADLINE", ambiguous=False)
            if not in_flight:
                waited_s = time.monotonic() - began
                permit = self._api_budget.ask(
                    Use.LOOKUP, lasts_s=self._lasts_s, waited_s=waited_s, shared=True
                )
                if isinstance(permit, Permit):
                    self._permit(number, permit)
                    waits_for_another = True
                elif permit.why != "window":
                    raise permit.as_error()
                elif not held:
                    held = permit
                    self._want(number)
            pause_s = min(max(POLL_S[0], POLL_SHARE * (time.monotonic() - began)), POLL_S[1])
            time.sleep(min(pause_s, max(0.0, deadline.left_s)))

    def _want(self, number: str) -> None:
        with translated():
            wanted = {number: now_ms(self._store)}
            self._store.zadd(f"{self._keys}wanted", wanted, nx=True)
            self._store.pexpire(f"{self._keys}wanted", WANTED_MS)

    def _permit(self, number: str, permit: Permit) -> None:
        """A request for this number and all others that wait leaves on another thread."""
        lasts_ms = int(self._lasts_s * 1000)
        try:
            with translated():
                at_ms, *numbers = self._take(
                    args=[self._keys, number, MAX_NUMBERS, lasts_ms, lasts_ms]
                )
        except StoreUnavailableError:
            numbers = []
        if not numbers:
            self._api_budget.give_back(permit)  # somebody else was faster
            return
        try:
            self._run(lambda: self._ask(numbers, int(at_ms), permit))
        except SalesforceError as busy:
            self._api_budget.give_back(permit)
            self._failed(numbers, busy)

    def _ask(self, numbers: list[str], at_ms: int, permit: Permit) -> None:
        try:
            found = self._customers.by_phones(numbers, Deadline.after(self._lasts_s), permit)
        except SalesforceError as error:
            log.warning("snapshot_failed", code=error.code, failure=error.failure)
            self._failed(numbers, error)
            return
        except Exception:
            log.exception("snapshot_failed", code="UNFORESEEN")
            self._failed(numbers, away("UNFORESEEN", ambiguous=False))
            return
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for number, customers in found.items():
                stored = {"at": at_ms, "customers": [customer.as_json() for customer in customers]}
                pipe.set(self._key("snapshot", number), json.dumps(stored), ex=self._ttl_s)
                pipe.delete(self._key("asking", number))
            pipe.execute()

    def _failed(self, numbers: list[str], error: SalesforceError) -> None:
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for number in numbers:
                said = f"failed:{error.failure}:{error.code}"
                pipe.set(self._key("asking", number), said, px=FAILED_MS)
            pipe.execute()

    def _key(self, what: str, number: str) -> str:
        return f"{self._keys}{what}:{number}"


def _read(text: str | None) -> Snapshot | None:
    """None for one that this version can't read: Salesforce is asked anew."""
    if not isinstance(text, str):
        return None
    try:
        stored = read_json(_Stored, text)
    except UnreadableError:
        return None
    return Snapshot(tuple(stored.customers), stored.at)


def _failure(said: str) -> SalesforceError:
    _, failure, code = said.split(":", 2)
    return SalesforceError(FailureClass(failure), code, whole=True)
