"""One-time codes that calls asked for, and limits on how many are sent.

Every message costs money, and some numbers earn money by it (toll fraud). So the limits
count before anything is sent, and a code that could not be sent counts as well.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis

from shared.calls.guesses import DAY_MS, HOUR_MS
from shared.domain.reading import UnreadableError, read_json
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

PER_CALL = 2
PER_NUMBER_AND_DAY = 5
PER_CONTACT_AND_DAY = 5

VALID_S = 600
"""For how long Verify takes a code (docs/vendors.md T4)."""

REPEAT_MS = 30_000
"""A call that asks again within this time gets no second message: models repeat themselves, and so
does a redelivery whose first answer was lost. Callers wait this long for a message."""


@dataclass(frozen=True)
class Code:
    """A code that was asked for. verification: Twilio's id of it, "" while it is not known to be
    sent. digits: the last two of the number. at_ms: when it was asked for."""

    contact_id: str
    digits: str
    verification: str = ""
    at_ms: int = 0


class Codes:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, *, per_hour: int, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._per_hour = per_hour
        self._prefix = prefix
        self._count = load(store, "calls", "count")

    def begin(self, call_id: str, code: Code) -> Code | None:
        """Note that a code is about to be sent. None: go on. Otherwise, the code of a moment ago:
        send none."""
        key = self._key(call_id)
        with translated():
            at_ms = now_ms(self._store)
            text = json.dumps(asdict(replace(code, at_ms=at_ms)))
            if self._store.set(key, text, nx=True, ex=VALID_S):
                return None
            before = self._store.get(key)
            known = _read(before)
            if known and at_ms - known.at_ms < REPEAT_MS:
                return known
            # The earlier code stays valid until this one is sent.
            if known and known.contact_id == code.contact_id:
                following = replace(code, verification=known.verification, at_ms=at_ms)
                text = json.dumps(asdict(following))
            # Of two that find the same old one, the first replaces it.
            replaced = self._store.set(key, text, ex=VALID_S, get=True)
        return None if replaced == before else _read(replaced)

    def take(self, call_id: str, number: str, contact_id: str) -> bool:
        """Count one message. False when it must not be sent."""
        counters = [
            (f"{self._prefix}codes:call:{call_id}", PER_CALL, DAY_MS),
            (f"{self._prefix}codes:number:{number}", PER_NUMBER_AND_DAY, DAY_MS),
            (f"{self._prefix}codes:contact:{contact_id}", PER_CONTACT_AND_DAY, DAY_MS),
            (f"{self._prefix}codes:all", self._per_hour, HOUR_MS),
        ]
        with translated():
            return int(self._count(args=[part for counter in counters for part in counter])) >= 0

    def sent(self, call_id: str, code: Code, verification: str) -> None:
        with translated():
            sent = replace(code, verification=verification, at_ms=now_ms(self._store))
            self._store.set(self._key(call_id), json.dumps(asdict(sent)), ex=VALID_S)

    def of(self, call_id: str) -> Code | None:
        """The code of the call, while it may be valid."""
        with translated():
            return _read(self._store.get(self._key(call_id)))

    def was_right(self, call_id: str) -> None:
        """The caller said the code, and it is used up."""
        with translated():
            self._store.delete(self._key(call_id))

    def _key(self, call_id: str) -> str:
        return f"{self._prefix}call:{call_id}:code"


def _read(text: str | None) -> Code | None:
    try:
        return read_json(Code, text) if text else None
    except UnreadableError:
        return None
