"""One round trip to Redis for all the scripts that concurrent requests run (group commit).

Under load most of an event's cost is its own round trip: two system calls here, two in Redis, and
the client's work around them.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import NoScriptError

MAX_BATCH = 64
"""Runs in one batch. Redis serves nobody else while it works off what arrived together."""

FULL = 32
"""So many that wait are sent before the batch ahead of them has returned, so that Redis works while
more requests are read."""

MAX_AT_ONCE = 4
"""Batches on their way."""


class _Run:
    """One caller's run of a script.

    reply: what the script returned, or the error. leads: its caller sends the next batch.
    """

    def __init__(self, script: Any, args: Sequence[str | int]) -> None:
        self.script = script
        self.args = args
        self.reply: Any = None
        self.leads = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Batches:
    """Scripts that run atomically for each caller, many of them in one round trip.

    The first caller sends its run at once. Callers that come while a batch is on its way wait, and
    one of them sends the next batch for all: when the batch ahead has returned, or when FULL wait.
    When a batch fails as a whole, those who wait get the same error, instead of one time-out after
    the other.
    """

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting: deque[_Run] = deque()
        self._sending = 0
        """How many batches are on their way, or about to be sent by one who waits."""
        self._next: _Run | None = None
        """The first of those who wait, once it was told to send them."""

    def run(self, script: Any, args: Sequence[str | int]) -> Any:
        """The script's reply. script: as `shared.scripts.load` returns it. Raises
        redis.RedisError."""
        run = _Run(script, args)
        with self._lock:
            self._waiting.append(run)
            run.leads = self._sends_at_once()
            self._sending += run.leads
        if not run.leads:
            try:
                run.turn.acquire()
            except BaseException:  # gevent kills a greenlet where it waits
                self._withdraw(run)
                raise
        if run.leads:
            self._send()
        if isinstance(run.reply, Exception):
            raise run.reply
        return run.reply

    def _sends_at_once(self) -> bool:
        """Whether the run that came last is sent with all that wait. Needs the lock."""
        if not self._sending:
            return True
        is_full = FULL <= len(self._waiting) <= MAX_BATCH
        return is_full and self._sending < MAX_AT_ONCE and self._next is None

    def _send(self) -> None:
        with self._lock:
            self._next = None
            batch = self._take(MAX_BATCH)
        failure: Exception = redis.ConnectionError("the request that sent the batch was stopped")
        replies: list[Any] = []
        try:
            replies = self._run_all(batch)
        except redis.RedisError as trouble:
            failure = trouble
        finally:
            with self._lock:
                if not replies:
                    batch += self._take_all_but_next()
                    replies = [failure] * len(batch)
                self._appoint()
            for run, reply in zip(batch, replies, strict=True):
                run.reply = reply
                run.turn.release()

    def _withdraw(self, run: _Run) -> None:
        """The caller was stopped: its run is not made, unless it was sent, and others go on."""
        with self._lock:
            if run not in self._waiting:
                return
            self._waiting.remove(run)
            if run.leads:
                self._next = None
                self._appoint()

    def _appoint(self) -> None:
        """The first of those who wait sends the next batch, unless one is about to. Needs the
        lock."""
        if self._waiting and self._next is None:
            self._next = self._waiting[0]
            self._next.leads = True
            self._next.turn.release()
        else:
            self._sending -= 1

    def _take(self, count: int) -> list[_Run]:
        return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def _take_all_but_next(self) -> list[_Run]:
        """The next one has its turn already, and finds out for itself."""
        taken = [run for run in self._waiting if run is not self._next]
        self._waiting = deque([self._next] if self._next else [])
        return taken

    def _run_all(self, batch: list[_Run]) -> list[Any]:
        """A reply or an error for each. Raises when none can be known."""
        replies = self._evaluate(batch)
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:  # Redis was restarted
            for text in {batch[i].script.script for i in unknown}:
                self._store.script_load(text)
            again = self._evaluate([batch[i] for i in unknown])
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        return replies

    def _evaluate(self, batch: list[_Run]) -> list[Any]:
        pipe = self._store.pipeline(transaction=False)
        for run in batch:
            pipe.evalsha(run.script.sha, 0, *run.args)
        return pipe.execute(raise_on_error=False)
