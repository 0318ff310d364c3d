"""How far reconciliation has come, and how the last run ended. It survives a restart.

One hash, `vs:reconciliation`. Two runs at once may write it: what is behind is read again.
"""

from dataclasses import dataclass
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

MORE_TO_READ = "more_to_read"
"""The code of a run that read as much as it may. The next one goes on."""


@dataclass(frozen=True)
class Progress:
    """until_ms: every call that was created before it is settled; 0 before the first run. ran_ms:
    when a run last read to the end; 0 for never. trouble: a code, why the last run did not."""

    until_ms: int = 0
    ran_ms: int = 0
    trouble: str = ""

    @property
    def stopped_by(self) -> str:
        """The trouble that a person should look at; "" for a run that only had too much to read."""
        return "" if self.trouble == MORE_TO_READ else self.trouble


class Reconciled:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def read(self) -> Progress:
        with translated():
            stored = self._store.hgetall(f"{self._prefix}reconciliation")
        numbers = {name: text for name, text in stored.items() if text.isdecimal()}
        return Progress(
            until_ms=int(numbers.get("until", 0)),
            ran_ms=int(numbers.get("ran", 0)),
            trouble=stored.get("trouble", ""),
        )

    def advance(self, until_ms: int) -> None:
        """Every call that was created before is settled."""
        self._write(until=str(until_ms))

    def ended(self, trouble: str = "") -> None:
        """A run read to the end, or stopped because of this trouble (a code)."""
        with translated():
            at_ms = now_ms(self._store)
        self._write(trouble=trouble, **({} if trouble else {"ran": str(at_ms)}))

    def now_ms(self) -> int:
        """The store's clock; epoch ms."""
        with translated():
            return now_ms(self._store)

    def _write(self, **fields: str) -> None:
        with translated():
            self._store.hset(f"{self._prefix}reconciliation", mapping=fields)
