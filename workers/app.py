"""The Celery application: `celery --app workers.app ...`. Each setting carries its reason."""

import sys
from functools import cache
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init

from shared import logs
from shared.agent.agents import agents_of
from shared.settings import Settings, SettingsError, load_settings
from shared.tracing import start_recording
from shared.wake_ups import (
    END_QUIET_CALLS,
    MAINTENANCE_QUEUE,
    MAKE_GOOD,
    PURGE,
    RECONCILE,
    celery_app,
)
from workers.alive import keep_noting
from workers.pulse import keep_pulse
from workers.resources import Resources
from workers.sweeper import in_every_worker
from workers.tasks import Tasks

PURGE_EVERY_S = 10.0
"""Also beat's pulse, see workers/pulse.py."""

END_QUIET_CALLS_EVERY_S = 30.0

MAKE_GOOD_EVERY_S = 60.0


def __getattr__(name: str) -> Any:
    """Celery looks for `app` here. It is made when it is asked for, not at import."""
    if name == "app":
        return _app_or_exit()
    raise AttributeError(f"module {__name__} has no attribute {name}")


@cache
def _app_or_exit() -> Celery:
    try:
        return create_app(load_settings())
    except SettingsError as refused:
        sys.exit(str(refused))


def create_app(settings: Settings) -> Celery:
    """For a worker, for beat and for Flower."""
    app = celery_app(settings.store)
    app.conf.update(
        # Early ack: on a connection reset, late ack runs every running task twice, and celery 5.7.0
        # exits when Redis goes away under it. A lost wake-up is sent again.
        task_acks_late=False,
        worker_prefetch_multiplier=1,  # a wake-up waits for a free thread, not behind a busy one
        broker_pool_limit=10,  # Celery's own: Flower asks several things of the workers at a time
        worker_send_task_events=True,  # Flower shows these events
        task_send_sent_event=True,
        worker_hijack_root_logger=False,  # our lines are JSON already
        worker_redirect_stdouts=False,
        beat_schedule={
            "end_quiet_calls": {
                "task": END_QUIET_CALLS,
                "schedule": END_QUIET_CALLS_EVERY_S,
                "options": {"queue": MAINTENANCE_QUEUE, "expires": END_QUIET_CALLS_EVERY_S},
            },
            "purge": {
                "task": PURGE,
                "schedule": PURGE_EVERY_S,
                # One that waited long does nothing that the next one does not do.
                "options": {"queue": MAINTENANCE_QUEUE, "expires": PURGE_EVERY_S},
            },
            "make_good": {
                "task": MAKE_GOOD,
                "schedule": MAKE_GOOD_EVERY_S,
                "options": {"queue": MAINTENANCE_QUEUE, "expires": MAKE_GOOD_EVERY_S},
            },
            **_reconciliation(settings),
        },
    )
    agents_of(settings)  # a mistake in it ends the start, not the first task
    tasks = Tasks(app, Resources(settings))
    tasks.register()
    for work in (tasks.sweeper, tasks.alarms, tasks.metrics):
        in_every_worker(app, work)
    keep_noting(settings.store)
    _record_spans(settings.ops.otlp_endpoint)
    if settings.ops.pulse_file:
        keep_pulse(settings.ops.pulse_file)
    return app


def _reconciliation(settings: Settings) -> dict[str, Any]:
    if not settings.reconciles:
        return {}
    every_s = settings.calls.reconcile_every_min * 60
    options = {"queue": MAINTENANCE_QUEUE, "expires": every_s}
    return {"reconcile": {"task": RECONCILE, "schedule": every_s, "options": options}}


def _record_spans(endpoint: str | None) -> None:
    """In a worker, not in beat and Flower."""

    def start(**_: object) -> None:
        start_recording(endpoint, "worker")

    worker_init.connect(start, weak=False)


@setup_logging.connect
def _logging(**_: object) -> None:
    logs.configure()
