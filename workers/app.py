"""The Celery application: `celery --app workers.app ...`. Each setting carries its reason."""

import sys
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from celery import Celery
from celery.schedules import schedule
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

CLOCKS_DIFFER_S = 900.0
"""By how much the clocks of beat and of a worker may differ: beat dates when a message expires, and
the worker compares."""


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
        beat_schedule=beat_schedule(settings),
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


def beat_schedule(settings: Settings) -> dict[str, Any]:
    """The entries of beat's schedule, by task."""
    every_s = {
        END_QUIET_CALLS: END_QUIET_CALLS_EVERY_S,
        PURGE: PURGE_EVERY_S,
        MAKE_GOOD: MAKE_GOOD_EVERY_S,
    }
    if settings.reconciles:
        every_s[RECONCILE] = settings.calls.reconcile_every_min * 60
    return {task: _entry(task, seconds) for task, seconds in every_s.items()}


def _entry(task: str, every_s: float) -> dict[str, Any]:
    # A message that waited long does nothing that the next one does not do. While the clocks
    # differ, all messages for retention expire: the sweepers see to it, and many runs at a time
    # would keep the store busy.
    expires = every_s + (0 if task == PURGE else CLOCKS_DIFFER_S)
    return {
        "task": task,
        "schedule": schedule(every_s, nowfun=_now),
        "options": {"queue": MAINTENANCE_QUEUE, "expires": expires},
    }


def _now() -> datetime:
    """Beat's time. By the wall clock, beat would send nothing for as long as that jumps back."""
    return datetime.fromtimestamp(time.monotonic(), UTC)


def _record_spans(endpoint: str | None) -> None:
    """In a worker, not in beat and Flower."""

    def start(**_: object) -> None:
        start_recording(endpoint, "worker")

    worker_init.connect(start, weak=False)


@setup_logging.connect
def _logging(**_: object) -> None:
    logs.configure()
