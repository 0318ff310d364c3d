"""Limits on how often callers may try to answer what only a customer should know.

A number can be forged, so its owner must not suffer from somebody else's wrong answers: at a limit
of the day or the hour an answer is not compared and nothing changes. Only a call's own wrong
answers make its caller unknown, for the rest of that call.

An answer is counted before it is compared, because calls may guess at the same time. One that was
right, or could not be compared, is taken back. PINs and codes count apart from other knowledge, so
that a right answer of one sort does not clear wrong answers of the other.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
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

CALL_IS_AT_ITS_LIMIT = -1
"""What count.lua returns when its first counter is used up."""


class Sort(StrEnum):
    """What is guessed."""

    PIN = "pin"
    """A PIN or a one-time code."""
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True)
class Guess:
    """One answer of a call. left: how many more wrong ones the call may give; negative when this
    one must not be compared. counters: the keys that have counted it."""

    left: int
    counters: tuple[str, ...] = ()

    @property
    def may_be_compared(self) -> bool:
        return self.left >= 0

    @property
    def is_too_many_for_the_call(self) -> bool:
        return self.left == CALL_IS_AT_ITS_LIMIT


class Guesses:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are int
        self._prefix = prefix
        self._count = load(store, "calls", "count")
        self._uncount = load(store, "calls", "uncount")

    def take(self, call_id: str, sort: Sort, number: str, contact_ids: Collection[str]) -> Guess:
        """Count one answer. contact_ids: whose answer it may be. Without any, nothing can be
        guessed, and it counts for the call alone."""
        counters = [(f"{self._prefix}guesses:call:{call_id}", PER_CALL, DAY_MS)]
        if contact_ids:
            of_day = self._of_day(sort, number, contact_ids)
            limits = (PER_NUMBER_AND_DAY, *[PER_CONTACT_AND_DAY] * len(contact_ids))
            counters += [(key, limit, DAY_MS) for key, limit in zip(of_day, limits, strict=True)]
            counters.append((f"{self._prefix}guesses:all", PER_HOUR, HOUR_MS))
        with translated():
            left = int(self._count(args=[part for counter in counters for part in counter]))
        return Guess(left, tuple(key for key, _, _ in counters) if left >= 0 else ())

    def take_back(self, guess: Guess) -> None:
        """It was right, or was not compared."""
        if guess.counters:
            with translated():
                self._uncount(args=list(guess.counters))

    def was_right(self, sort: Sort, number: str, contact_id: str) -> None:
        """A right answer clears what earlier wrong ones of its sort have used up."""
        with translated():
            self._store.delete(*self._of_day(sort, number, [contact_id]))

    def _of_day(self, sort: Sort, number: str, contact_ids: Collection[str]) -> list[str]:
        return [
            f"{self._prefix}guesses:number:{number}:{sort}",
            *(f"{self._prefix}guesses:contact:{id_}:{sort}" for id_ in contact_ids),
        ]
