"""A file that is touched as long as this process does its work: PULSE_FILE, for a health check.

A worker touches it with each heartbeat that it could send, beat with each retention that it could
ask for. So its age tells of a process that hangs, and of one that has lost Redis.
"""

from pathlib import Path

from celery.signals import after_task_publish, heartbeat_sent

from shared.wake_ups import PURGE


def keep_pulse(file: str) -> None:
    """From now on, in this process."""
    pulse = Path(file)

    def beat(**_: object) -> None:
        pulse.touch()

    # Not weak: nothing else holds on to it.
    heartbeat_sent.connect(beat, weak=False)
    after_task_publish.connect(beat, sender=PURGE, weak=False)
