"""What a load balancer and an operator ask: alive, ready, how are you; and the figures."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

from shared.alive import Alive
from shared.store import StoreUnavailableError, unfit
from web.metrics import FleetCollector
from web.service import Service

blueprint = Blueprint("health", __name__)

SWEEP_TOO_LONG_AGO_MS = 15_000
"""Sweeps come every SWEEP_INTERVAL_S; when none came for so long, beat or the workers are down."""

MOST_PARKED = 1000


@blueprint.get("/health/live")
def live() -> Response:
    return jsonify(status="live")


@blueprint.get("/health/ready")
def ready() -> tuple[Response, int]:
    problems = not_ready(_service())
    return jsonify(ready=not problems, problems=problems), 503 if problems else 200


def not_ready(service: Service) -> list[str]:
    """Why no call should be sent here, as sentences; empty when one may."""
    try:
        problems = unfit(service.store, accept_everysec=service.settings.redis_accept_everysec)
        age_ms = service.journal.last_sweep_age_ms()
    except StoreUnavailableError:
        return ["store: unreachable"]
    if age_ms is None:
        problems.append("sweep: none has run yet; are beat and a worker up?")
    elif age_ms > SWEEP_TOO_LONG_AGO_MS:
        problems.append(
            f"sweep: the last one ran {age_ms // 1000} s ago; are beat and a worker up?"
        )
    return problems


@blueprint.get("/health")
def summary() -> tuple[Response, int]:
    service = _service()
    try:
        return jsonify(_summary(service)), 200
    except StoreUnavailableError:
        return jsonify(problems=["store: unreachable"]), 503


def _summary(service: Service) -> dict[str, Any]:
    counts = service.journal.counts()
    now_ms = service.journal.now_ms()
    waits = {
        what: {"reason": wait.reason, "for_ms": wait.until_ms - now_ms, "strikes": wait.strikes}
        for what, wait in service.journal.waits().items()
        if wait.until_ms > now_ms
    }
    alive = Alive(service.store)
    age_s = service.salesforce.tokens.age_s()
    account = service.gate.figures()
    return {
        "problems": not_ready(service) + alarms(service),
        "token_age_s": round(age_s) if age_s is not None else None,
        "breaker": {
            "state": account.breaker,
            "reason": account.breaker_reason or None,
            "for_ms": account.breaker_for_ms,
        },
        "budget": {
            "window": account.window,
            "window_limit": account.window_limit,
            "in_flight": account.in_flight,
            "daily_used": account.daily_used,
            "daily_limit": account.daily_limit,
        },
        "alive": {role: len(alive.of(role)) for role in ("worker", "beat")},
        "paused": sorted(service.journal.paused()),
        "oldest_due_ms": service.journal.oldest_due_ms(),
        "last_sweep_age_ms": service.journal.last_sweep_age_ms(),
        "parked": counts["parked"],
        "broken_promises": broken_promises(service),
        "waiting": waits,
        "open": {
            name.removeprefix("open_"): count
            for name, count in counts.items()
            if name.startswith("open_")
        },
    }


def alarms(service: Service) -> list[str]:
    """The kinds that fail as a whole, each with its reason: something has to be set right."""
    return [
        f"{what}: waits because of {wait.reason}"
        for what, wait in sorted(service.journal.waits().items())
        if what != "org" and wait.strikes
    ]


def broken_promises(service: Service) -> int:
    """Parked intents that a caller was told of and whose call is over; a person settles them."""
    promised = [one for one in service.journal.parked(MOST_PARKED) if one.reference]
    over = service.calls.over(one.call_id for one in promised)
    return sum(not one.call_id or one.call_id in over for one in promised)


@blueprint.get("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(FleetCollector(_service()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _service() -> Service:
    service: Service = current_app.extensions["service"]
    return service
