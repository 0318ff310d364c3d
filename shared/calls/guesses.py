"""Limits on how often callers may try to answer what only a customer should know.

A number can be forged, so its owner must not suffer from somebody else's wrong answers: at a limit
nobody can prove anything for a while, but a customer is still recognised by their number.
"""

from collections.abc import Iterable
from typing import Any

import redis

from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import translated

DAY_MS, HOUR_MS = 24 * 3_600_000, 3_600_000

PER_CALL = 3
PER_NUMBER_AND_DAY = 5
PER_CONTACT_AND_DAY = 5
PER_HOUR = 500
"""Of all calls together."""


class Guesses:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are int
        self._prefix = prefix
        self._count = load(store, "calls", "count")

    def take(self, call_id: str, number: str, contact_ids: Iterable[str]) -> int:
        """Count one answer of a call. Returns how many more the call may give; -1 when this one
        must not be compared any more."""
        counters = [
            (f"{self._prefix}guesses:call:{call_id}", PER_CALL, DAY_MS),
            (f"{self._prefix}guesses:number:{number}", PER_NUMBER_AND_DAY, DAY_MS),
            *(
                (f"{self._prefix}guesses:contact:{id_}", PER_CONTACT_AND_DAY, DAY_MS)
                for id_ in contact_ids
            ),
            (f"{self._prefix}guesses:all", PER_HOUR, HOUR_MS),
        ]
        with translated():
            return int(self._count(args=[part for counter in counters for part in counter]))

    def was_right(self, number: str, contact_id: str) -> None:
        """A right answer clears what earlier wrong ones have used up."""
        with translated():
            self._store.delete(
                f"{self._prefix}guesses:number:{number}",
                f"{self._prefix}guesses:contact:{contact_id}",
            )
