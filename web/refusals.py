"""Counts refused webhooks where operators see them, whichever process refused them.

Strangers cause these writes, so each process writes once in EVERY_S at most. What is refused in
between is written with the next refusal: the figure is "at least".
"""

import threading
import time
from contextlib import suppress

from shared.journal.minutes import Minutes
from shared.store import StoreUnavailableError

EVERY_S = 5.0


class Refusals:
    """Safe to share between threads."""

    def __init__(self, minutes: Minutes) -> None:
        self._minutes = minutes
        self._lock = threading.Lock()
        self._uncounted = 0
        self._next_at = 0.0

    def note(self) -> None:
        """A webhook was refused. Never raises."""
        with self._lock:
            self._uncounted += 1
            if time.monotonic() < self._next_at:
                return
            self._next_at = time.monotonic() + EVERY_S
            count, self._uncounted = self._uncounted, 0
        with suppress(StoreUnavailableError):
            self._minutes.count_refused(count)
