"""Confirmation by replicas: if a setting asks for it, a step counts only once replicas have it.

Without it, a failover may lose what only the primary has (docs/proofs.md).
"""

from typing import Any

import redis

from shared.store import ALLOWED_WHEN_FULL, StoreUnavailableError, translated

CONFIRM_MS = 400
"""How long a step waits for replicas. It must be shorter than the connection's time-out."""


class NotConfirmedError(StoreUnavailableError):
    """The store has what was written, and too few of its replicas have it."""


class Replicas:
    def __init__(self, store: redis.Redis, prefix: str, wanted: int) -> None:
        """wanted: how many replicas have to confirm; with 0, `confirm` does nothing."""
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._wanted = wanted

    def confirm(self) -> None:
        """Wait until the replicas have everything that the store has now.

        Raises NotConfirmedError. Writes a key of its own first, because WAIT waits only for what
        its own connection wrote.
        """
        if not self._wanted:
            return
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.eval(ALLOWED_WHEN_FULL, 0, "SET", f"{self._prefix}confirmed", 1)
            pipe.execute_command("WAIT", self._wanted, CONFIRM_MS)
            reached = int(pipe.execute()[1])
        if reached < self._wanted:
            raise NotConfirmedError("NOT_CONFIRMED")
