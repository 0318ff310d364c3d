"""Snapshots: the customers that have a number, as of a moment.

Single flight: the whole fleet sends one request at a time for a number, and every lookup of that
number waits for its answer. While the window is tight, waiting lookups share a request. The last
snapshot stays stored for times when Salesforce can't be asked.

The requests are counted. Their count, not their time, tells whether a snapshot was asked for after
a call began: the store's clock may have jumped back since.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis

from shared.deadline import Deadline
from shared.domain.reading import UnreadableError, read_json
from shared.logs import log
from shared.salesforce.api_budget import ApiBudget, Denied, Permit, Use
from shared.salesforce.customers import MAX_NUMBERS, Customer, Customers
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.new_numbers import NewNumbers
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import StoreUnavailableError, now_ms, translated

POLL_S = (0.005, 0.1)
POLL_SHARE = 0.05
"""A waiting lookup looks again after a twentieth of the time it has waited, within these bounds."""

FAILED_MS = 500
"""How long the lookups that waited for a request can see that it failed."""

WANTED_MS = 60_000
"""Longer than any lookup waits."""

COUNTER = f"{REDIS_PREFIX}snapshots"
"""How many requests for snapshots were sent, to all orgs."""


@dataclass(frozen=True)
class Snapshot:
    """customers: all who have the number. at_ms: when Salesforce was asked, epoch ms. nth: which
    request for snapshots it was.

    account_id, is_line: see `customers.Holders`.
    """

    customers: tuple[Customer, ...]
    at_ms: int
    account_id: str | None = None
    is_line: bool = False
    nth: int = 0


@dataclass(frozen=True)
class _Stored:
    """A snapshot as it lies in Redis."""

    at: int
    customers: list[Customer]
    account_id: str | None = None
    is_line: bool = False
    nth: int = 0


class Snapshots:
    """Safe to share between threads.

    run: starts a function on one of a few other threads; raises SalesforceError when none is free.
    lasts_s: how long a request may take; longer than any lookup waits, because a late answer still
    serves the next lookup. keys: the prefix of the keys (CallerRules.keys).
    """

    def __init__(
        self,
        store: redis.Redis,
        customers: Customers,
        new_numbers: NewNumbers,
        api_budget: ApiBudget,
        *,
        run: Callable[[Callable[[], None]], object],
        lasts_s: float,
        ttl_s: int,
        keys: str,
    ) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._customers = customers
        self._new_numbers = new_numbers
        self._api_budget = api_budget
        self._run = run
        self._lasts_s = lasts_s
        self._ttl_s = ttl_s
        self._keys = keys
        self._take = load(store, "salesforce", "take")

    def last(self, number: str) -> Snapshot | None:
        """The last snapshot, however old; None when none is stored. Does not ask Salesforce."""
        with translated():
            return _read(self._store.get(self._key("snapshot", number)))

    def queue_last(self, pipe: Any, number: str) -> None:
        """`last` as one command of a pipeline; `read_last` reads its reply."""
        pipe.get(self._key("snapshot", number))

    def read_last(self, stored: str | None) -> Snapshot | None:
        return _read(stored)

    def asked_ms_ago(self, number: str) -> int | None:
        """For how long a request for the number has been in flight; None when there is none."""
        with translated():
            asking = self._store.get(self._key("asking", number))
            if not asking or asking.startswith("failed:"):
                return None
            return now_ms(self._store) - int(asking)

    def since(self, number: str, asked_before: int, deadline: Deadline) -> Snapshot:
        """A snapshot of a later request than the first asked_before ones, or than those sent so
        far, if they are fewer; from Salesforce if need be.

        Raises SalesforceError when there is none by the deadline, or when it can't be had.
        """
        began = time.monotonic()
        newest: int | None = None
        held: Denied | None = None
        waits_for_another = False
        while True:
            with translated():
                stored, asking, count = self._store.mget(
                    self._key("snapshot", number), self._key("asking", number), COUNTER
                )
            snapshot = _read(stored)
            if newest is None:
                newest = min(asked_before, int(count or 0))
            if snapshot and snapshot.nth > newest:
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
                    self._send(number, permit, newest)
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

    def _send(self, number: str, permit: Permit, newest: int) -> None:
        """Sends a request for this number and all others that wait, on another thread. Not when the
        number has a snapshot of a later request than `newest` by now."""
        lasts_ms = int(self._lasts_s * 1000)
        try:
            with translated():
                at_ms, nth, *numbers = self._take(
                    args=[self._keys, number, MAX_NUMBERS, lasts_ms, lasts_ms, COUNTER, newest]
                )
        except StoreUnavailableError:
            numbers = []
        if not numbers:
            self._api_budget.give_back(permit)  # another process was faster
            return
        try:
            self._run(lambda: self._ask(numbers, int(at_ms), int(nth), permit))
        except SalesforceError as busy:
            self._api_budget.give_back(permit)
            self._failed(numbers, busy)

    def _ask(self, numbers: list[str], at_ms: int, nth: int, permit: Permit) -> None:
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
        # Read after the org has answered: a number that it shows because of us is noted by now.
        new = self._new_numbers.until_ms(found)
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for number, holders in found.items():
                until = new.get(number, {})
                customers = [
                    replace(customer, new_until_ms=until.get(customer.contact_id, 0))
                    for customer in holders.customers
                ]
                holders = replace(holders, customers=tuple(customers))
                stored = {"at": at_ms, "nth": nth, **asdict(holders)}
                pipe.set(self._key("snapshot", number), json.dumps(stored), ex=self._ttl_s)
                pipe.delete(self._key("asking", number))
            pipe.execute()

    def _failed(self, numbers: list[str], error: SalesforceError) -> None:
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for number in numbers:
                failure = f"failed:{error.failure}:{error.code}"
                pipe.set(self._key("asking", number), failure, px=FAILED_MS)
            pipe.execute()

    def _key(self, what: str, number: str) -> str:
        return f"{self._keys}{what}:{number}"


def _read(text: str | None) -> Snapshot | None:
    """None for a snapshot that this version can't read; then Salesforce is asked anew."""
    if not isinstance(text, str):
        return None
    try:
        stored = read_json(_Stored, text)
    except UnreadableError:
        return None
    return Snapshot(
        tuple(stored.customers), stored.at, stored.account_id, stored.is_line, stored.nth
    )


def _failure(text: str) -> SalesforceError:
    _, failure, code = text.split(":", 2)
    return SalesforceError(FailureClass(failure), code, whole=True)
