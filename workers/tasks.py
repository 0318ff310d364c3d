"""The tasks: answer a doorbell, and sweep. Both carry no data and may run twice or never."""

from functools import cache

from shared.dispatch import DELIVER, SWEEP, Doorbell
from shared.domain.kinds import Kind
from shared.logs import log
from shared.settings import load_settings
from shared.store import StoreUnavailableError, connect
from workers.app import app
from workers.delivery.desk import Desk
from workers.delivery.engine import drain

WORKER_SOCKET_TIMEOUT_S = 5.0
"""Nobody is on the line here: a slow store is waited for."""


@cache
def desk() -> Desk:
    settings = load_settings()
    return Desk.from_settings(
        settings, connect(settings.redis_url, socket_timeout_s=WORKER_SOCKET_TIMEOUT_S)
    )


@app.task(name=DELIVER)
def deliver(kind: str) -> str:
    """There is work of this kind. Returns what became of it, for Flower."""
    try:
        drained = drain(desk(), Kind(kind))
    except StoreUnavailableError as trouble:
        log.error("store_unavailable", kind=kind, reason=str(trouble))
        return f"store unavailable ({trouble}); leases run out and the sweep rings again"
    Doorbell(app).ring(sorted(drained.ring))
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
