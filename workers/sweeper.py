"""The timer of every worker: finds what became due, and sends the wake-ups.

It delivers nothing, but for one case: when no message can be sent (the store is out of memory, the
broker is away), nothing else would deliver, and only deliveries and retention free memory.
Then it does that itself, one thing at a time.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from celery import bootsteps

from shared.background import Background
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.logs import log
from shared.store import StoreUnavailableError

RETENTION_LOOK_S = 10.0
RETENTION_OVERDUE_MS = 30_000
"""Beat is down, or can't send: it asks for retention several times in this time."""

END_S = 5.0

Notify = Callable[[Iterable[Kind]], tuple[Kind, ...]]


class Sweeper:
    """Any number of them may run.

    notify: sends the wake-ups and returns the kinds that none could be sent for. deliver: delivers
    what is due of a kind, and returns the kinds that none could be sent for after that. correct:
    what else each sweep does, None for nothing.
    """

    def __init__(
        self,
        journal: Callable[[], Journal],
        notify: Notify,
        deliver: Callable[[Kind], tuple[Kind, ...]],
        purge: Callable[[], object],
        interval_s: float,
        correct: Callable[[], object] | None = None,
    ) -> None:
        self._journal = journal
        self._notify = notify
        self._deliver = deliver
        self._purge = purge
        self._interval_s = interval_s
        self._correct = correct
        self._ended = threading.Event()
        self._at_work = threading.Lock()
        self._look_at = 0.0
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(END_S)

    def sweep(self) -> None:
        """Sweep once. Raises StoreUnavailableError.

        Sends wake-ups for the due kinds, delivers the kinds that none could be sent for, and purges
        if retention is overdue.
        """
        lost = self._notify(self._journal().sweep())
        if lost:
            self._do(lambda: self._deliver_all(lost))
        if self._correct:
            self._correct()
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + RETENTION_LOOK_S
            if not 0 <= self._journal().summary().purged_ms_ago <= RETENTION_OVERDUE_MS:
                self._do(self._purge)

    def _run(self) -> None:
        while not self._ended.wait(self._interval_s * random.uniform(0.8, 1.2)):
            try:
                self.sweep()
            except StoreUnavailableError:
                continue  # other code reports it
            except Exception:
                log.exception("sweep_failed")

    def _do(self, work: Callable[[], object]) -> None:
        """On a thread of its own; nothing when the one before is still at work: a later sweep
        finds the same again."""
        if not self._at_work.acquire(blocking=False):
            return

        def finish() -> None:
            try:
                work()
            except StoreUnavailableError:
                return
            except Exception:
                log.exception("sweep_failed")
            finally:
                self._at_work.release()

        threading.Thread(target=finish, name="sweeper-work", daemon=True).start()

    def _deliver_all(self, kinds: tuple[Kind, ...]) -> None:
        """Each kind once; those that one delivery makes due follow it."""
        todo, done = list(kinds), set[Kind]()
        while todo and not self._ended.is_set():
            kind = todo.pop(0)
            done.add(kind)
            log.warning("delivered_without_wakeup", kind=kind)
            todo += [item for item in self._deliver(kind) if item not in done and item not in todo]


def in_every_worker(app: Any, make: Callable[[], Sweeper | Background]) -> None:
    """From now on a worker of this app runs it from its start to its end, whether or not it can
    reach the broker."""

    class Step(bootsteps.StartStopStep):
        name = f"workers.{make.__name__}"  # Celery has one step of a name

        def create(self, _worker: Any) -> Any:  # what is returned is started and stopped
            return make()

    app.steps["worker"].add(Step)
