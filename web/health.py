"""What a load balancer and an operator ask: alive, ready, how are you; and the figures.

Ready means that this process can take calls. All else that is wrong is for an operator, and no
reason to take the line down.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from flask import Blueprint, Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shared.alive import Alive
from shared.calls.reconciled import Reconciled
from shared.journal.results import Summary
from shared.operators.rotation import RotationStatus
from shared.store import Fitness, StoreUnavailableError
from web.fleet_metrics import CountedCollector
from web.metrics import FleetCollector
from web.operators import Route, SignIn, by_token
from web.service import Service

T = TypeVar("T")

blueprint = Blueprint("health", __name__)

FOR_OPERATORS = "for_operators"
"""Among the extensions of an application that only operators reach (OPS_PORT)."""

SWEEP_TOO_LONG_AGO_MS = 15_000
"""Every worker sweeps every SWEEP_INTERVAL_S. If none has for this time, all of them are down."""

RETENTION_TOO_LONG_AGO_MS = 120_000
RETENTION_LAG_MS = 600_000
REPEATED_S = 1.0
"""How long an answer is repeated to those who need no token for it."""


@blueprint.get("/health/live")
def live() -> Response:
    return jsonify(status="live")


@blueprint.get("/health/ready")
def ready() -> tuple[Response, int]:
    problems = _repeated(not_ready)
    return jsonify(ready=not problems, problems=problems), 503 if problems else 200


def not_ready(service: Service) -> list[str]:
    """Why no call should be sent here, as sentences; empty when one may."""
    try:
        return list(service.fitness().problems)
    except StoreUnavailableError:
        return ["store: unreachable"]


@blueprint.get("/health")
def summary() -> tuple[Response, int] | tuple[Response, int, dict[str, str]]:
    service = _service()
    sign_in = _sign_in(service, "/health")
    if not sign_in.is_operator:
        status = _repeated(_status)
        if sign_in.retry_after_s:
            return jsonify(status=status), 429, sign_in.headers
        if "Authorization" in request.headers:
            return jsonify(status=status), 401
        return jsonify(status=status), 503 if status == "down" else 200
    try:
        return jsonify(details(service)), 200
    except StoreUnavailableError:
        return jsonify(status="down", problems=["store: unreachable"]), 503


class _Repeated(Generic[T]):
    """Anybody may ask, so it is worked out once in REPEATED_S."""

    def __init__(self, work_out: Callable[[Service], T]) -> None:
        self._work_out = work_out
        self._lock = threading.Lock()
        self._until = 0.0
        self._last: T

    def of(self, service: Service) -> T:
        with self._lock:
            if time.monotonic() >= self._until:
                self._last = self._work_out(service)
                self._until = time.monotonic() + REPEATED_S
            return self._last


def _repeated(work_out: Callable[[Service], T]) -> T:
    made = _Repeated(work_out)
    last: _Repeated[T] = current_app.extensions.setdefault(f"last {work_out.__name__}", made)
    return last.of(_service())


def _status(service: Service) -> str:
    try:
        return str(details(service)["status"])
    except StoreUnavailableError:
        return "down"


def details(service: Service) -> dict[str, Any]:
    """All that an operator sees. Raises StoreUnavailableError."""
    fit = service.fitness()
    journal = service.journal_summary()
    now_ms = service.journal.now_ms()
    waits = {
        what: {
            "reason": wait.reason,
            "for_ms": max(0, wait.until_ms - now_ms),
            "failures_in_a_row": wait.failures_in_a_row,
        }
        for what, wait in service.journal.waits().items()
        if wait.until_ms > now_ms or wait.failures_in_a_row  # until a delivery succeeds
    }
    alive = Alive(service.store)
    age_s = service.salesforce.tokens.age_s()
    account = service.api_budget.figures()
    rotation = service.rotation.status()
    unclosed = service.calls.unclosed()
    problems = [*fit.problems, *alarms(service, fit, journal, unclosed)]
    if rotation and rotation.is_overdue:
        problems.append(overdue(rotation))
    return {
        "status": "problems" if problems else "ok",
        "problems": problems,
        "store": {
            "memory_used": fit.memory.used,
            "memory_limit": fit.memory.limit or None,
            "connections": fit.connections,
            "connections_limit": fit.connections_limit or None,
        },
        "token_age_s": round(age_s) if age_s is not None else None,
        "rotation": asdict(rotation) if rotation else None,
        "breaker": {
            "state": account.breaker.state,
            "reason": account.breaker.reason or None,
            "for_ms": account.breaker.for_ms,
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
        "oldest_due_ms": _or_none(journal.oldest_due_ms),
        "last_sweep_age_ms": _or_none(journal.swept_ms_ago),
        "retention_lag_ms": journal.retention_lag_ms,
        "parked": journal.parked,
        "broken_promises": journal.broken,
        "unclosed_calls": unclosed,
        "waiting": waits,
        "open": {kind: asdict(open_) for kind, open_ in journal.kinds.items()},
    }


def _or_none(figure: int) -> int | None:
    return figure if figure >= 0 else None


def overdue(rotation: RotationStatus) -> str:
    used_s = rotation.last_used_s
    last_use = "was not used" if used_s is None else f"was last used {used_s // 60} minutes ago"
    return (
        f"rotation: VAPI_SERVER_SECRET_PREVIOUS is set for {rotation.for_s // 3600} hours; it "
        f"{last_use}"
    )


def alarms(service: Service, fit: Fitness, journal: Summary, unclosed: int) -> list[str]:
    """What an operator should look at, each with its reason."""
    found = list(fit.warnings)
    if journal.swept_ms_ago < 0:
        found.append("sweep: none has run yet; is a worker up?")
    elif journal.swept_ms_ago > SWEEP_TOO_LONG_AGO_MS:
        age_s = journal.swept_ms_ago // 1000
        found.append(f"sweep: the last one ran {age_s} s ago; is a worker up?")
    if journal.purged_ms_ago < 0:
        found.append("retention: has not run yet; is a worker up?")
    elif journal.purged_ms_ago > RETENTION_TOO_LONG_AGO_MS:
        age_s = journal.purged_ms_ago // 1000
        found.append(f"retention: last ran {age_s} s ago; is a worker up?")
    if not Alive(service.store).of("beat"):
        found.append("beat: none at work, quiet calls are not closed")
    if journal.retention_lag_ms > RETENTION_LAG_MS:
        lag_min = journal.retention_lag_ms // 60_000
        found.append(f"retention: {lag_min} minutes behind, personal data is kept too long")
    if unclosed:
        found.append(f"calls: {unclosed} could not be closed (log event call_not_closed)")
    if service.settings.reconciles and (trouble := Reconciled(service.store).read().stopped_by):
        found.append(f"reconciliation: stopped by {trouble}, calls without a report may be missing")
    return found + [
        f"{what}: waits because of {wait.reason}"
        for what, wait in sorted(service.journal.waits().items())
        if what != "org" and wait.failures_in_a_row
    ]


@blueprint.get("/metrics")
def metrics() -> Response:
    service = _service()
    sign_in = _sign_in(service, "/metrics")
    if service.settings.ops.token is None and not sign_in.is_operator:
        return Response(status=404)
    if sign_in.retry_after_s:
        return Response(status=429, headers=sign_in.headers)
    if not sign_in.is_operator:
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(FleetCollector(service))
    registry.register(CountedCollector(service))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _sign_in(service: Service, route: Route) -> SignIn:
    if current_app.extensions.get(FOR_OPERATORS):
        return SignIn(is_operator=True)
    return by_token(service, route)


def _service() -> Service:
    service: Service = current_app.extensions["service"]
    return service
