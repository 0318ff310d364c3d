"""The claims of an agent as they are stored during a call: ids of phrases and times, no words.

`record_event.lua` writes them. Those that a live correction waits for are listed once more.
"""

from typing import Any

import redis

from shared.calls.claims import Claim
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated


class ClaimsSaid:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def of_call(self, call_id: str) -> list[Claim]:
        """In the order of their own times; the last 64 of a call."""
        with translated():
            rows = self._store.zrange(
                f"{self._prefix}call:{call_id}:claims", 0, -1, withscores=True
            )
        return [Claim(name.partition("@")[0], int(at_ms)) for name, at_ms in rows]

    def take_due(self, limit: int) -> list[tuple[str, Claim]]:
        """The claims of live calls whose grace is over, with the id of the call. Each is taken
        once, whoever asks."""
        due = f"{self._prefix}claims:due"
        with translated():
            names = self._store.zrange(
                due, 0, now_ms(self._store), byscore=True, offset=0, num=limit
            )
            return [_of_call(name) for name in names if self._store.zrem(due, name)]

    def is_first_correction(self, call_id: str, claim: Claim) -> bool:
        """True once for each kind of claim in a call that is known."""
        key = f"{self._prefix}call:{call_id}"
        with translated():
            return bool(
                self._store.hexists(key, "id")
                and self._store.hsetnx(key, f"corrected_{claim.kind}", "1")
            )


def _of_call(name: str) -> tuple[str, Claim]:
    call_id, _, said = name.partition(" ")
    phrase, _, at_ms = said.partition("@")
    return call_id, Claim(phrase, int(at_ms) if at_ms.isdecimal() else 0)
