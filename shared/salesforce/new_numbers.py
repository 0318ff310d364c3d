"""Phone numbers that this service has put on contacts lately, at their callers' request.

Such a number identifies nobody for a while, or whoever talks an agent into a change would be taken
for the customer from then on. It is noted before the write is sent, because its answer may be lost.
A number that was on the contact before, and comes back within that time, is not new.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import redis

from shared.domain.reading import UnreadableError, read_json
from shared.store import now_ms, translated


@dataclass(frozen=True)
class NewNumber:
    """at_ms: when the contact got the number; 0 for one that was on it before."""

    contact_id: str
    at_ms: int


class NewNumbers:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, keys: str, age_h: float) -> None:
        """keys: the prefix of the keys (namespace.keys_of). age_h: for how long a number is new."""
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._keys = keys
        self._age_ms = int(age_h * 3_600_000)

    def note(self, contact_id: str, *, added: Iterable[str], removed: Iterable[str]) -> None:
        """The contact is about to get the numbers in added (E.164), and to lose those in removed.

        A number that is noted for the contact already stays as new, or as old, as it was.
        """
        with translated():
            at_ms = now_ms(self._store)
        times = dict.fromkeys(removed, 0) | dict.fromkeys(added, at_ms)
        known = self._noted(times)
        pipe = self._store.pipeline(transaction=False)
        for number, noted_ms in times.items():
            before = known.get(number)
            if before is None or before.contact_id != contact_id:
                text = json.dumps(asdict(NewNumber(contact_id, noted_ms)))
                pipe.set(self._key(number), text, px=self._age_ms)
        with translated():
            pipe.execute()

    def until_ms(self, numbers: Iterable[str]) -> dict[str, dict[str, int]]:
        """Number → contact → until when it is new there (epoch ms); only numbers that are new."""
        found = {}
        for number, noted in self._noted(numbers).items():
            until_ms = noted.at_ms + self._age_ms
            if noted.at_ms and until_ms > time.time() * 1000:
                found[number] = {noted.contact_id: until_ms}
        return found

    def identified_by(self, contacts: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Contact ids by number, without those on whom the number is new."""
        new = self.until_ms(contacts)
        return {
            number: [id_ for id_ in ids if id_ not in new.get(number, {})]
            for number, ids in contacts.items()
        }

    def _noted(self, numbers: Iterable[str]) -> dict[str, NewNumber]:
        asked = list(dict.fromkeys(numbers))
        if not asked:
            return {}
        with translated():
            stored = self._store.mget([self._key(number) for number in asked])
        read = {number: _read(text) for number, text in zip(asked, stored, strict=True)}
        return {number: noted for number, noted in read.items() if noted}

    def _key(self, number: str) -> str:
        return f"{self._keys}new-number:{number}"


def _read(text: str | None) -> NewNumber | None:
    try:
        return read_json(NewNumber, text) if text else None
    except UnreadableError:
        return None
