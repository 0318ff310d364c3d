"""A small cache of what this process recorded of live calls a moment ago.

Most of a call's events (partial transcripts, conversation updates) repeat what an earlier event
said. Recording such an event would write nothing (PRECISION_MS), so it needs no round trip.
"""

import threading
from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

State = TypeVar("State")


class Recent(Generic[State]):
    """Remembers the newest `max_count` entries, each for `lasts_ms`. Thread-safe."""

    def __init__(self, lasts_ms: int, max_count: int = 4096) -> None:
        self._lasts_s = lasts_ms / 1000
        self._max_count = max_count
        self._lock = threading.Lock()
        self._entries: dict[Hashable, tuple[float, float, State]] = {}

    def find(self, facts: Hashable, at_ms: float) -> State | None:
        """The state that an earlier event with the same facts has left; None if there was none,
        or if that event is later than at_ms."""
        entry = self._entries.get(facts)
        if entry is None:
            return None
        noted_at, noted_ms, state = entry
        is_recent = monotonic() - noted_at < self._lasts_s
        return state if is_recent and noted_ms <= at_ms else None

    def note(self, facts: Hashable, at_ms: float, state: State) -> None:
        """Remember the state of an event. at_ms: the event's own time, epoch ms; infinity without
        one."""
        with self._lock:
            self._entries.pop(facts, None)
            self._entries[facts] = (monotonic(), at_ms, state)
            if len(self._entries) > self._max_count:
                del self._entries[next(iter(self._entries))]
