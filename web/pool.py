"""Bounded threads for what may hang. The caller waits for them until a deadline.

A socket's time-out bounds one read, not a whole request (name resolution, a token before it). Two
pools keep lookups apart from everything else: the lookups at work, and the requests to Salesforce
that they wait for. So a Salesforce that hangs takes neither the threads that accept writes nor
those that answer lookups from what is known. No caller takes more than a quarter of a pool, and all
callers without a number are one caller here.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from shared.deadline import Deadline
from shared.salesforce.failures import away
from shared.tracing import in_this_context
from web.limits import limit_reached

T = TypeVar("T")

LOOKUP_THREADS = 48
"""Lookups at work in a process; one more is refused. Writes and events need none of these."""

REQUEST_THREADS = 16
"""Requests of lookups to Salesforce in flight in a process."""


SHARES = 4
"""A caller gets one of so many equal shares of a pool."""


class Pool:
    """As many threads as work at a time; nothing queues. Safe to share between threads."""

    def __init__(self, name: str, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threading.BoundedSemaphore(threads)
        self._share = max(1, threads // SHARES)
        self._at_work: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._name = name

    def start(self, work: Callable[[], T], whose: str = "") -> "Started[T]":
        """Never waits. The work belongs to the trace of the caller. Raises SalesforceError when
        every thread is taken, or the share of the caller is. whose: the caller; "" for work that
        is nobody's alone."""
        self._take(whose)
        try:
            future = self._executor.submit(in_this_context(work))
        except RuntimeError:  # the process is ending
            self._release(whose)
            raise away(f"{self._name.upper()}_ENDED", ambiguous=False) from None
        future.add_done_callback(lambda _: self._release(whose))
        return Started(future)

    def run(self, work: Callable[[], T], whose: str = "") -> T:
        """Do the work in the caller's own thread, which counts as one of the pool's. Raises
        SalesforceError as `start` does, and the work's errors."""
        self._take(whose)
        try:
            return work()
        finally:
            self._release(whose)

    def _take(self, whose: str) -> None:
        with self._counting:
            if whose and self._at_work[whose] >= self._share:
                limit_reached("threads", "")
                raise away(f"{self._name.upper()}_SHARE_TAKEN", ambiguous=False)
            if not self._free.acquire(blocking=False):
                raise away(f"{self._name.upper()}_BUSY", ambiguous=False)
            if whose:
                self._at_work[whose] += 1

    def _release(self, whose: str) -> None:
        with self._counting:
            if whose:
                self._at_work[whose] -= 1
                if not self._at_work[whose]:
                    del self._at_work[whose]
            self._free.release()

    def close(self) -> None:
        """Waits for what is at work; each ends by its deadline."""
        self._executor.shutdown()


class Started(Generic[T]):
    """Work on its way."""

    def __init__(self, future: Future[T]) -> None:
        self._future = future

    @property
    def is_done(self) -> bool:
        return self._future.done()

    def result(self, deadline: Deadline) -> T:
        """The work's result. Raises the work's errors, and SalesforceError after the deadline."""
        try:
            return self._future.result(timeout=max(0.0, deadline.left_s))
        except FutureTimeoutError:
            raise away("DEADLINE", ambiguous=False) from None
