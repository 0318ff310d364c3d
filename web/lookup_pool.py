"""A bounded number of threads that may wait for Salesforce; the others never do.

A socket's time-out bounds one read, not a whole lookup (name resolution, a slow body, a token
before it). So a lookup runs here and the request waits for it only as long as its deadline lasts.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from shared.salesforce.client import Deadline
from shared.salesforce.failures import SalesforceError, away

T = TypeVar("T")

THREADS = 16
MOST_WAITING = 48
"""Lookups at work and in line. gunicorn's threads have to outnumber them (web/gunicorn.py), so that
some are free for writes and events while Salesforce hangs."""

TROUBLE_S = 5.0


class LookupPool:
    """Safe to share between threads."""

    def __init__(self, threads: int = THREADS, most: int = MOST_WAITING) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="lookup")
        self._free = threading.BoundedSemaphore(most)
        self._trouble_at = -TROUBLE_S

    @property
    def in_trouble(self) -> bool:
        """A lookup failed just now: who needs none should not wait for one."""
        return time.monotonic() - self._trouble_at < TROUBLE_S

    def start(self, work: Callable[[], T]) -> "Started[T]":
        """Never waits itself: when the line is too long, what is started has failed already."""
        if not self._free.acquire(blocking=False):
            refused: Future[T] = Future()
            refused.set_exception(away("LOOKUPS_BUSY", ambiguous=False))
            return Started(refused, self._note)
        future = self._executor.submit(work)
        future.add_done_callback(lambda _: self._free.release())
        return Started(future, self._note)

    def _note(self, trouble: bool) -> None:
        self._trouble_at = time.monotonic() if trouble else -TROUBLE_S

    def close(self) -> None:
        """Waits for no lookup; those not begun are dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Started(Generic[T]):
    """A lookup on its way."""

    def __init__(self, future: Future[T], note: Callable[[bool], None]) -> None:
        self._future = future
        self._note = note

    def result(self, deadline: Deadline) -> T:
        """What it found. Raises what it raised, and SalesforceError when the deadline is over."""
        try:
            found = self._future.result(timeout=max(0.0, deadline.left_s))
        except FutureTimeoutError:
            self._note(True)
            raise away("DEADLINE", ambiguous=False) from None
        except SalesforceError:
            self._note(True)
            raise
        self._note(False)
        return found
