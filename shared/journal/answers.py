"""Answers of tool calls, kept so that a redelivered webhook hears the very same bytes."""

import secrets
import time
from typing import Any

import redis

from shared.journal.journal import ANSWER_TTL_MS, AnswerSlot
from shared.settings import REDIS_PREFIX
from shared.store import translated

POLL_S = 0.02


class Answers:
    """One slot a tool call: first `working:{token}`, then the answer.

    Redelivery is known by call id and tool-call id together (facts/vapi.md 2.4: the id is stable
    over retries of one delivery, and a second decision of the model gets a new one).
    """

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def slot(self, call_id: str, tool_call_id: str) -> str:
        return f"{self._prefix}answer:{call_id}:{tool_call_id}"

    def claim(self, key: str, *, work_ms: int) -> str | None:
        """None: the caller is to work the answer out. Else the answer that is kept already.

        While another delivery of the same tool call is at work, waits for its answer, work_ms at
        the most; a worker that died meanwhile is replaced by this one. Raises
        StoreUnavailableError.
        """
        give_up = time.monotonic() + work_ms / 1000
        while True:
            with translated():
                kept = self._store.set(
                    key, f"working:{secrets.token_hex(8)}", nx=True, get=True, px=work_ms
                )
            if kept is None:
                return None
            if not str(kept).startswith("working:"):
                return str(kept)
            if time.monotonic() > give_up:
                return None
            time.sleep(POLL_S)

    def keep(self, slot: AnswerSlot) -> None:
        with translated():
            self._store.set(slot.key, slot.text, px=ANSWER_TTL_MS)

    def forget(self, key: str) -> None:
        """An answer that was an error because something was away is not kept."""
        with translated():
            self._store.delete(key)
