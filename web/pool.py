"""Bounded threads for what may hang. The caller waits for them until a deadline.

A socket's time-out bounds one read, not a whole request (name resolution, a token before it). Two
pools keep lookups apart from everything else: the lookups at work, and the requests to Salesforce
that they wait for. So a Salesforce that hangs takes neither the threads that accept writes nor
those that answer lookups from what is known.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from shared.deadline import Deadline
from shared.salesforce.failures import away

T = TypeVar("T")

LOOKUP_THREADS = 48
"""Lookups at work in a process; one more is refused. Writes and events need none of these."""

REQUEST_THREADS = 16
"""Requests of lookups to Salesforce in flight in a process."""


class Pool:
    """As many threads as work at a time; nothing queues. Safe to share between threads."""

    def __init__(self, name: str, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threading.BoundedSemaphore(threads)
        self._name = name

    def start(self, work: Callable[[], T]) -> "Started[T]":
        """Never waits. Raises SalesforceError when every thread is taken."""
        self._take()
        try:
            future = self._executor.submit(work)
        except RuntimeError:  # the process is ending
            self._free.release()
            raise away(f"{self._name.upper()}_ENDED", ambiguous=False) from None
        future.add_done_callback(lambda _: self._free.release())
        return Started(future)

    def run(self, work: Callable[[], T]) -> T:
        """Do the work in the caller's own thread, which counts as one of the pool's. Raises
        SalesforceError when every thread is taken, and the work's errors."""
        self._take()
        try:
            return work()
        finally:
            self._free.release()

    def _take(self) -> None:
        if not self._free.acquire(blocking=False):
            raise away(f"{self._name.upper()}_BUSY", ambiguous=False)

    def close(self) -> None:
        """Waits for what is at work; each ends by its deadline."""
        self._executor.shutdown()


class Started(Generic[T]):
    """Work on its way."""

    def __init__(self, future: Future[T]) -> None:
        self._future = future

    def result(self, deadline: Deadline) -> T:
        """The work's result. Raises the work's errors, and SalesforceError after the deadline."""
        try:
            return self._future.result(timeout=max(0.0, deadline.left_s))
        except FutureTimeoutError:
            raise away("DEADLINE", ambiguous=False) from None
