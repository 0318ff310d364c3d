"""The Celery application: `celery --app workers.app ...`. Each setting carries its reason."""

import sys

from celery.signals import setup_logging

from shared import logs
from shared.dispatch import END_QUIET_CALLS, MAINTENANCE_QUEUE, PURGE, celery_app
from shared.settings import SettingsError, load_settings
from workers.alive import keep_noting
from workers.pulse import keep_pulse

PURGE_EVERY_S = 10.0
"""Also beat's pulse, see workers/pulse.py."""

END_QUIET_CALLS_EVERY_S = 30.0

try:
    settings = load_settings()
except SettingsError as refused:
    sys.exit(str(refused))

app = celery_app(settings)
app.conf.update(
    include=["workers.tasks"],
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
    },
)

keep_noting(settings)
if settings.pulse_file:
    keep_pulse(settings.pulse_file)


@setup_logging.connect
def _logging(**_: object) -> None:
    logs.configure()
