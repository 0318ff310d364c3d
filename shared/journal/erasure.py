"""Erasure: what the journal and the calls have of a person is deleted before its time.

Only what is settled can be erased. What still has to reach Salesforce, or is parked, is settled
first, by the journal's own operations.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import translated

ERASED_MS = 15 * 24 * 3600 * 1000
"""How long an erased call is known as erased: longer than its idempotency keys would have lasted,
and longer than Vapi lists a call (docs/vendors.md V38), which reconciliation must not add again."""


@dataclass(frozen=True)
class Erased:
    """erased: ids of the intents that were erased with the call.

    unsettled: intents for which nothing was erased. is_unclosed: nothing was erased, because the
    call's end is not in the journal yet.
    """

    erased: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    is_unclosed: bool = False


class Erasure:
    """Every method is safe to repeat, and raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._erase = load(store, "journal", "erase")
        self._erase_texts = load(store, "journal", "erase_texts")

    def call(
        self,
        call_id: str,
        caller: str,
        *,
        intent_ids: Sequence[str] = (),
        dedup_keys: Sequence[str] = (),
        provider_ids: Sequence[str] = (),
        unclosed: bool = False,
    ) -> Erased:
        """Erase a call with its intents in one atomic step: all of it, or nothing.

        call_id: "" for intents of no call. intent_ids, dedup_keys, provider_ids: what was found to
        belong to the call; its own list of intents is added. caller: its number, E.164.
        unclosed: erase it although its end is not in the journal; then it gets no Task.

        For ERASED_MS no event and no request of the call is recorded.
        """
        want = {
            "prefix": self._prefix,
            "call": call_id,
            "caller": caller,
            "intents": list(intent_ids),
            "dedup_keys": list(dedup_keys),
            "provider_ids": list(provider_ids),
            "unclosed": unclosed,
            "erased_ms": ERASED_MS,
        }
        with translated():
            outcome, *ids = self._erase(args=[json.dumps(want)])
        match outcome:
            case "erased":
                return Erased(erased=tuple(ids))
            case "unsettled":
                return Erased(unsettled=tuple(ids))
            case _:
                return Erased(is_unclosed=True)

    def texts(self, intent_ids: Sequence[str]) -> int:
        """Purge these intents now, as retention does later. Returns how many were settled and had
        personal data."""
        if not intent_ids:
            return 0
        with translated():
            return len(self._erase_texts(args=[self._prefix, *intent_ids]))
