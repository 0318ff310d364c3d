"""What this service wrote to a contact recently, so that its own writes do not look like edits.

Each write is noted before it is sent, because its answer may be lost. Values are stored as digests,
bound to the contact and the field: enough to recognise a value, too little to read it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import translated

TTL_S = 24 * 3600
MAX_STORED = 50


@dataclass(frozen=True)
class ContactWrite:
    """One write of some fields to one contact.

    asked_at: when the caller asked for it; noted_at: just before it was sent (ISO 8601, UTC).
    before: the contact's LastModifiedDate as read then. was: field → digest of its value then;
    fields: field → digest of the value written.
    """

    intent_id: str
    asked_at: str
    noted_at: str
    before: str
    was: dict[str, str]
    fields: dict[str, str]


class ContactWrites:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def of(self, contact_ids: Iterable[str]) -> dict[str, list[ContactWrite]]:
        """The last MAX_STORED writes to each contact, oldest first."""
        ids = list(dict.fromkeys(contact_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for contact_id in ids:
                pipe.lrange(self._key(contact_id), 0, -1)
            rows = pipe.execute()
        return {id_: [_read(text) for text in row] for id_, row in zip(ids, rows, strict=True)}

    def note(self, writes: Mapping[str, ContactWrite]) -> None:
        """Note writes that are about to be sent, by contact id."""
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for contact_id, write in writes.items():
                key = self._key(contact_id)
                pipe.rpush(key, json.dumps(asdict(write)))
                pipe.ltrim(key, -MAX_STORED, -1)
                pipe.expire(key, TTL_S)
            pipe.execute()

    def _key(self, contact_id: str) -> str:
        return f"{self._prefix}contact:{contact_id}:writes"


def digest(contact_id: str, field: str, value: str) -> str:
    return hashlib.sha256(f"{contact_id}:{field}:{value}".encode()).hexdigest()[:24]


def _read(text: str) -> ContactWrite:
    known = {field.name for field in fields(ContactWrite)}
    return ContactWrite(**{k: v for k, v in json.loads(text).items() if k in known})
