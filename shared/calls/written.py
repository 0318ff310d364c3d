"""References that callers get in writing: each is sent once in a call, and few are sent.

Twilio has no idempotency key for messages (docs/vendors.md T6). So a message is noted before it is
sent, as in doubt, and what is in doubt is not sent again: the process may have died in between, or
Twilio's answer was lost, and nobody knows whether the phone got it. Only what Twilio surely refused
may be asked for once more.

A message costs money wherever it goes, so the limits count before it is sent. They are apart from
those of alerts (`text_messages.py`): nobody can use up with references what warns a customer.
"""

import hashlib
from enum import StrEnum
from typing import Any

import redis

from shared.calls.guesses import DAY_MS, HOUR_MS
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import translated

PER_CALL = 2
PER_NUMBER_AND_DAY = 5

LIFE_S = 24 * 3600
"""Longer than a call lasts."""


class Outcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    NOT_SENT = "not sent"
    IN_DOUBT = "in doubt"


class WrittenReferences:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, *, per_hour: int, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._per_hour = per_hour
        self._prefix = prefix
        self._count = load(store, "calls", "count")

    def begin(self, call_id: str, reference: str, number: str) -> Outcome | None:
        """Note that a message is about to be sent. None: go on. Else nothing is to be sent: what
        became of the same message before, or NOT_SENT at a limit. number: E.164."""
        key, field = self._key(call_id), _digest(reference, number)
        counters = [
            (f"{self._prefix}references:call:{call_id}", PER_CALL, DAY_MS),
            (f"{self._prefix}references:number:{number}", PER_NUMBER_AND_DAY, DAY_MS),
            (f"{self._prefix}references:all", self._per_hour, HOUR_MS),
        ]
        with translated():
            if before := self._store.hget(key, field):
                return _outcome(before)
            if int(self._count(args=[part for counter in counters for part in counter])) < 0:
                return Outcome.NOT_SENT
            pipe = self._store.pipeline()
            pipe.hsetnx(key, field, Outcome.IN_DOUBT)
            pipe.expire(key, LIFE_S)
            is_first, _ = pipe.execute()
            return None if is_first else Outcome.IN_DOUBT

    def ended(self, call_id: str, reference: str, number: str, outcome: Outcome) -> None:
        """What became of the message that was begun."""
        key, field = self._key(call_id), _digest(reference, number)
        with translated():
            if outcome is Outcome.NOT_SENT:
                self._store.hdel(key, field)
            else:
                self._store.hset(key, field, outcome)

    def _key(self, call_id: str) -> str:
        return f"{self._prefix}call:{call_id}:written"


def _outcome(stored: str) -> Outcome:
    return Outcome.SENT if stored == Outcome.SENT else Outcome.IN_DOUBT


def _digest(reference: str, number: str) -> str:
    return hashlib.sha256(f"{reference} {number}".encode()).hexdigest()[:32]
