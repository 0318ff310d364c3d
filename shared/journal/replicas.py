"""Confirmation by replicas: if a setting asks for it, a step counts only once replicas have it.

Without it, a failover may lose what only the primary has (docs/proofs.md).
"""

from collections.abc import Callable
from typing import Any, Final

import redis

from shared.scripts import run_in_pipeline
from shared.store import ALLOWED_WHEN_FULL, StoreUnavailableError, translated

CONFIRM_MS = 400
"""How long a step waits for replicas. It must be shorter than the connection's time-out."""


class NotConfirmedError(StoreUnavailableError):
    """The store has done a step, and too few of its replicas have it. reply: the step's."""

    def __init__(self, reply: Any) -> None:
        super().__init__("NOT_CONFIRMED")
        self.reply: Final = reply


class Replicas:
    def __init__(self, store: redis.Redis, prefix: str, wanted: int) -> None:
        """wanted: how many replicas have to confirm; with 0, none is asked."""
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._wanted = wanted

    def run(
        self, script: Any, args: list[Any], then: Callable[[Any], None] = lambda _: None
    ) -> list[Any]:
        """Run a step, and then the commands that `then` adds. Returns the replies in this order.

        Waits until the replicas have everything that the store has then, or raises
        NotConfirmedError. It asks over the connection of the step: after a failover another one may
        lead to the new primary, whose replicas would confirm what it never had.
        """
        with translated():
            if not self._wanted:
                return run_in_pipeline(self._store, script, args, then)

            def confirmed(pipe: Any) -> None:
                then(pipe)
                # A repeated call writes nothing, and WAIT waits for what its connection wrote.
                pipe.eval(ALLOWED_WHEN_FULL, 0, "SET", f"{self._prefix}confirmed", 1)
                pipe.execute_command("WAIT", self._wanted, CONFIRM_MS)

            *replies, written, reached = run_in_pipeline(self._store, script, args, confirmed)
            for failed in (written, reached):
                if isinstance(failed, Exception):
                    raise failed
        if int(reached) < self._wanted:
            raise NotConfirmedError(replies[0])
        return replies
