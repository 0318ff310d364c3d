"""What happened in each of the last minutes, for charts and for how soon promises are kept.

The scripts of the journal count; `vs:minute:{minute}` of SCHEMA.md says what.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

LIFE_S = 2 * 3600
HOUR = 60


@dataclass(frozen=True)
class Minute:
    """at_ms: its beginning. oldest_ms: the greatest age of a write that a worker should have taken;
    None when nobody looked. refused: webhooks. promises: those delivered, by bucket."""

    at_ms: int
    accepted: int = 0
    delivered: int = 0
    parked: int = 0
    refused: int = 0
    oldest_ms: int | None = None
    promises: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Kept:
    """How long promises took from their acceptance to their record. 0 for none. Right to a tenth:
    only the bucket of each is known."""

    count: int
    median_ms: int
    p99_ms: int


class Minutes:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def last(self, count: int = HOUR) -> list[Minute]:
        """The oldest first; the last has only begun."""
        with translated():
            this = now_ms(self._store) // 60_000
            numbers = range(this - count + 1, this + 1)
            pipe = self._store.pipeline(transaction=False)
            for number in numbers:
                pipe.hgetall(self._key(number))
            rows = pipe.execute()
        return [_read(number, row) for number, row in zip(numbers, rows, strict=True)]

    def count_refused(self, count: int) -> None:
        """Webhooks that were refused, in the minute of this machine's clock."""
        key = self._key(int(time.time()) // 60)
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.hincrby(key, "refused", count)
            pipe.expire(key, LIFE_S)
            pipe.execute()

    def _key(self, minute: int) -> str:
        return f"{self._prefix}minute:{minute}"


def kept_of(minutes: list[Minute]) -> Kept:
    buckets = sum((minute.promises for minute in minutes), Counter[int]())
    return Kept(buckets.total(), _quantile(buckets, 0.5), _quantile(buckets, 0.99))


def _quantile(buckets: Counter[int], share: float) -> int:
    """The middle of the bucket in which this share of the promises is reached."""
    reached = 0
    for bucket in sorted(buckets):
        reached += buckets[bucket]
        if reached >= share * buckets.total():
            return round(2 ** ((bucket - 0.5) / 4))
    return 0


def _read(number: int, row: dict[str, str]) -> Minute:
    """What another version counted as well is left out."""
    counts = {name: int(text) for name, text in row.items() if text.isdecimal()}
    return Minute(
        at_ms=number * 60_000,
        accepted=counts.get("accepted", 0),
        delivered=counts.get("delivered", 0),
        parked=counts.get("parked", 0),
        refused=counts.get("refused", 0),
        oldest_ms=counts.get("oldest_ms"),
        promises=Counter(
            {
                int(bucket): count
                for name, count in counts.items()
                if (bucket := name.removeprefix("kept:")) != name and bucket.isdecimal()
            }
        ),
    )
