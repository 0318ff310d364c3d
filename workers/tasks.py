"""The tasks: deliver a kind, end quiet calls, purge.

None carries data; each may run twice or never.
"""

import time
from collections.abc import Iterable
from functools import cache

import redis

from shared.calls.call_updates import CallUpdates
from shared.calls.calls import Calls
from shared.calls.end_of_call import EndOfCallWriter
from shared.dispatch import END_QUIET_CALLS, PURGE, Notifier, deliver_task
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.logs import log
from shared.settings import load_settings
from shared.store import StoreUnavailableError, connect
from workers.app import app
from workers.call_updates import updates_of
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import Drained, drain
from workers.sweeper import Sweeper, in_every_worker

WORKER_SOCKET_TIMEOUT_S = 5.0
"""Nobody is on the line here: a slow store is waited for."""

PURGE_FOR_S = 20.0
"""What retention does not finish in this time, the next run does."""


@cache
def store() -> redis.Redis:
    settings = load_settings()
    return connect(
        settings.redis_url,
        socket_timeout_s=WORKER_SOCKET_TIMEOUT_S,
        max_connections=settings.redis_max_connections,
    )


@cache
def context() -> DeliveryContext:
    return DeliveryContext.from_settings(load_settings(), store())


@cache
def calls() -> Calls:
    return Calls(store())


@cache
def call_updates() -> CallUpdates:
    return CallUpdates(calls(), load_settings())


@cache
def end_of_call() -> EndOfCallWriter:
    return EndOfCallWriter(calls(), context().journal, load_settings())


def _register_delivery(kind: Kind) -> None:
    @app.task(name=deliver_task(kind))
    def deliver() -> str:
        """Delivers what is due of the kind. Returns what became of it, for Flower."""
        try:
            return str(_drain(kind)[0])
        except StoreUnavailableError as trouble:
            log.error("store_unavailable", kind=kind, reason=str(trouble))
            return f"store unavailable ({trouble}); leases run out and a sweep finds them"


for _kind in Kind:
    _register_delivery(_kind)


def _drain(kind: Kind) -> tuple[Drained, tuple[Kind, ...]]:
    """What was delivered, and the kinds that it made due and that no wake-up could be sent for."""
    drained = drain(
        context(),
        kind,
        lambda lease, outcomes: call_updates().notify_agent(updates_of(lease, outcomes)),
    )
    return drained, notify(sorted(drained.due_kinds))


def notify(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Sends wake-ups; returns the kinds for which none could be sent."""
    return Notifier(app).notify(kinds)


@app.task(name=END_QUIET_CALLS)
def end_quiet_calls() -> str:
    """Ends calls without events for IDLE_CALL_MIN that no report has ended."""
    try:
        count, kinds = end_of_call().end_quiet_calls(int(load_settings().idle_call_min * 60_000))
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble})"
    notify(sorted(kinds))
    return f"closed {count}"


@app.task(name=PURGE)
def purge() -> str:
    """Retention: personal data of what was delivered or cancelled, later the receipts."""
    settings = load_settings()
    purged, until = 0, time.monotonic() + PURGE_FOR_S
    try:
        while time.monotonic() < until:
            some = context().journal.purge(
                data_after_ms=int(settings.keep_personal_data_h * 3_600_000),
                receipt_after_ms=int(settings.keep_receipts_h * 3_600_000),
            )
            purged += some
            if not some:
                break
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble}) after {purged}"
    return f"forgot {purged}"


def _journal() -> Journal:
    return context().journal


def sweeper() -> Sweeper:
    """This process's."""
    return Sweeper(
        _journal, notify, lambda kind: _drain(kind)[1], purge, load_settings().sweep_interval_s
    )


in_every_worker(app, sweeper)
