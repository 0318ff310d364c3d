"""What happened in each of the last minutes, for charts.

The scripts of the journal count; `vs:minute:{minute}` of SCHEMA.md says what.
"""

from dataclasses import dataclass
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

LIFE_S = 2 * 3600
HOUR = 60


@dataclass(frozen=True)
class Minute:
    """at_ms: its beginning. oldest_ms: the greatest age of a write that a worker should have taken;
    None when nobody looked."""

    at_ms: int
    accepted: int = 0
    delivered: int = 0
    parked: int = 0
    oldest_ms: int | None = None


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
                pipe.hgetall(f"{self._prefix}minute:{number}")
            rows = pipe.execute()
        return [_read(number, row) for number, row in zip(numbers, rows, strict=True)]


def _read(number: int, row: dict[str, str]) -> Minute:
    """What another version counted as well is left out."""
    counts = {name: int(text) for name, text in row.items() if text.isdecimal()}
    return Minute(
        at_ms=number * 60_000,
        accepted=counts.get("accepted", 0),
        delivered=counts.get("delivered", 0),
        parked=counts.get("parked", 0),
        oldest_ms=counts.get("oldest_ms"),
    )
