"""The tasks: answer a doorbell, sweep, close quiet calls, forget.

None carries data; each may run twice or never.
"""

from functools import cache

import redis

from shared.calls.calls import Calls
from shared.calls.closeout import CloseOut
from shared.calls.news import News
from shared.dispatch import CLOSE_QUIET, DELIVER, FORGET, SWEEP, Doorbell
from shared.domain.kinds import Kind
from shared.logs import log
from shared.settings import load_settings
from shared.store import StoreUnavailableError, connect
from workers.app import app
from workers.delivery.desk import Desk
from workers.delivery.engine import drain
from workers.news import news_of

WORKER_SOCKET_TIMEOUT_S = 5.0
"""Nobody is on the line here: a slow store is waited for."""


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
    try:
        drained = drain(
            desk(), Kind(kind), lambda lease, outcomes: news().tell(news_of(lease, outcomes))
        )
        Doorbell(app).ring(sorted(drained.ring))
    except StoreUnavailableError as trouble:
        log.error("store_unavailable", kind=kind, reason=str(trouble))
        return f"store unavailable ({trouble}); leases run out and the sweep rings again"
    return str(drained)


@app.task(name=SWEEP)
def sweep() -> str:
    """Ring for what became due and for leases that ran out."""
    try:
        kinds = desk().journal.sweep()
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble})"
    Doorbell(app).ring(kinds)
    return "rang for " + ", ".join(kinds) if kinds else "nothing due"


@app.task(name=CLOSE_QUIET)
def close_quiet() -> str:
    """Calls that nothing was heard of for long are closed without their report."""
    try:
        count, ring = closing().close_quiet(int(load_settings().idle_call_min * 60_000))
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble})"
    Doorbell(app).ring(sorted(ring))
    return f"closed {count}"


@app.task(name=FORGET)
def forget() -> str:
    """Retention: personal data of what was delivered or cancelled, later the receipts."""
    settings = load_settings()
    try:
        forgotten = desk().journal.forget(
            data_after_ms=int(settings.keep_personal_data_h * 3_600_000),
            receipt_after_ms=int(settings.keep_receipts_h * 3_600_000),
        )
    except StoreUnavailableError as trouble:
        return f"store unavailable ({trouble})"
    return f"forgot {forgotten}"
