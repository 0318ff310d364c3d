"""The tasks: answer a wake-up, close quiet calls, forget.

None carries data; each may run twice or never.
"""

import time
from collections.abc import Iterable
from functools import cache

import redis

from shared.calls.calls import Calls
from shared.calls.closeout import CloseOut
from shared.calls.news import News
from shared.dispatch import CLOSE_QUIET, DELIVER, FORGET, Doorbell
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.logs import log
from shared.settings import load_settings
from shared.store import StoreUnavailableError, connect
from workers.app import app
from workers.delivery.desk import Desk
from workers.delivery.engine import Drained, drain
from workers.news import news_of
from workers.sweeper import Sweeper, in_every_worker

WORKER_SOCKET_TIMEOUT_S = 5.0
"""Nobody is on the line here: a slow store is waited for."""

FORGET_FOR_S = 20.0
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
def desk() -> Desk:
    return Desk.from_settings(load_settings(), store())


@cache
def calls() -> Calls:
    return Calls(store())


@cache
def news() -> News:
    return News(calls(), load_settings())


@cache
def closing() -> CloseOut:
    return CloseOut(calls(), desk().journal, load_settings())


@app.task(name=DELIVER)
def deliver(kind: str) -> str:
    """There is work of this kind. Returns what became of it, for Flower."""
    if not Kind(kind).is_known:
        return "a kind of another version"
    try:
        return str(_drain(Kind(kind))[0])
    except StoreUnavailableError as trouble:
        log.error("store_unavailable", kind=kind, reason=str(trouble))
        return f"store unavailable ({trouble}); leases run out and a sweep finds them"


def _drain(kind: Kind) -> tuple[Drained, tuple[Kind, ...]]:
    """What was delivered, and the kinds that it made due and that no wake-up could be sent for."""
    drained = drain(desk(), kind, lambda lease, outcomes: news().tell(news_of(lease, outcomes)))
    return drained, ring(sorted(drained.ring))


def ring(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Sends wake-ups; returns the kinds for which none could be sent."""
    return Doorbell(app).ring(kinds)


@app.task(name=CLOSE_QUIET)
def close_quiet() -> str:
    """Calls that nothing was heard of for long are closed without their report."""
    try:
        count, kinds = closing().close_quiet(int(load_settings().idle_call_min * 60_000))
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble})"
    ring(sorted(kinds))
    return f"closed {count}"


@app.task(name=FORGET)
def forget() -> str:
    """Retention: personal data of what was delivered or cancelled, later the receipts."""
    settings = load_settings()
    forgotten, until = 0, time.monotonic() + FORGET_FOR_S
    try:
        while time.monotonic() < until:
            some = desk().journal.forget(
                data_after_ms=int(settings.keep_personal_data_h * 3_600_000),
                receipt_after_ms=int(settings.keep_receipts_h * 3_600_000),
            )
            forgotten += some
            if not some:
                break
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble}) after {forgotten}"
    return f"forgot {forgotten}"


def _journal() -> Journal:
    return desk().journal


def sweeper() -> Sweeper:
    """This process's."""
    return Sweeper(
        _journal, ring, lambda kind: _drain(kind)[1], forget, load_settings().sweep_interval_s
    )


in_every_worker(app, sweeper)
