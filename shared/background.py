"""Work that a process does again and again beside its requests or tasks, on a thread of its own."""

import random
import threading
from collections.abc import Callable

from shared.logs import log
from shared.store import StoreUnavailableError

END_S = 5.0
"""How long `stop` waits for work that has begun."""


class Background:
    """Does some work every so often, until it is stopped.

    work: may raise StoreUnavailableError, which other code reports. every_s: with some jitter, so
    that processes that started together do not go on together. at_end: done once after the last
    time.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        every_s: float,
        at_end: Callable[[], object] | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._at_end = at_end
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for what has begun, up to END_S."""
        self._ended.set()
        self._thread.join(END_S)
        if self._at_end:
            self._do(self._at_end)

    def _run(self) -> None:
        while not self._ended.wait(self._every_s * random.uniform(0.8, 1.2)):
            self._do(self._work)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreUnavailableError:
            return
        except Exception:
            log.exception("background_work_failed", reason=self._name)
