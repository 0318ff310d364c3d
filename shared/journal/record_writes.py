"""What this service wrote to a record recently, so that its own writes do not look like edits.

Each write is noted before it is sent, because its answer may be lost. Values are stored as digests,
bound to the record and the field: enough to recognise a value, too little to read it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

TTL_S = 24 * 3600
MAX_STORED = 50


@dataclass(frozen=True)
class RecordWrite:
    """One write of some fields to one record.

    asked_at: when the caller asked for it, by the store's clock; noted_at: just before it was sent,
    by Salesforce's (ISO 8601, UTC; "" until it is noted).
    before: the record's LastModifiedDate as read then. was: field → digest of its value then;
    fields: field → digest of the value written.
    """

    intent_id: str
    asked_at: str
    before: str
    was: dict[str, str]
    fields: dict[str, str]
    noted_at: str = ""


class RecordWrites:
    """Those to records of the teams' own objects. Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def of(self, record_ids: Iterable[str]) -> dict[str, list[RecordWrite]]:
        """The last MAX_STORED writes to each record, oldest first."""
        ids = list(dict.fromkeys(record_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for record_id in ids:
                pipe.lrange(self._key(record_id), 0, -1)
            rows = pipe.execute()
        return {id_: [_read(text) for text in row] for id_, row in zip(ids, rows, strict=True)}

    def note(self, writes: Mapping[str, RecordWrite], at_ms: int | None = None) -> None:
        """Note writes that are about to be sent, by record id. at_ms: Salesforce's time, None to
        note the store's."""
        with translated():
            at = datetime.fromtimestamp((at_ms or now_ms(self._store)) / 1000, UTC)
            noted_at = at.isoformat(timespec="milliseconds")
            pipe = self._store.pipeline(transaction=False)
            for record_id, write in writes.items():
                key = self._key(record_id)
                pipe.rpush(key, json.dumps(asdict(replace(write, noted_at=noted_at))))
                pipe.ltrim(key, -MAX_STORED, -1)
                pipe.expire(key, TTL_S)
            pipe.execute()

    def _key(self, record_id: str) -> str:
        return f"{self._prefix}record:{record_id}:writes"


class ContactWrites(RecordWrites):
    """Those to contacts."""

    def _key(self, record_id: str) -> str:
        return f"{self._prefix}contact:{record_id}:writes"


def digest(record_id: str, field: str, value: str) -> str:
    return hashlib.sha256(f"{record_id}:{field}:{value}".encode()).hexdigest()[:24]


def _read(text: str) -> RecordWrite:
    known = {field.name for field in fields(RecordWrite)}
    return RecordWrite(**{k: v for k, v in json.loads(text).items() if k in known})
