"""Who a late write is for: contacts by caller number, many at once.

Used by workers for what was accepted before anybody could look it up. Answers are remembered for a
short while, so that a backlog from the same callers does not ask again and again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis

from shared.phone import as_e164, spellings
from shared.salesforce.records import Records
from shared.salesforce.soql import columns, soql
from shared.store import StoreUnavailableError, now_ms, translated

REMEMBER_S = 120
PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")

QUERIES_IN_A_REQUEST = 5
MAX_STATEMENT = 95_000
"""Characters; Salesforce takes 100,000 (docs/vendors.md S3)."""

FEW = 20
"""So many numbers are asked for without waiting for another worker that asks too."""

T = TypeVar("T")


class People:
    """Every method raises SalesforceError and StoreUnavailableError."""

    def __init__(
        self,
        records: Records,
        store: redis.Redis,
        region: str,
        keys: str,
    ) -> None:
        """keys: what the names of what is remembered begin with (namespace.keys_of)."""
        self._records = records
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._region = region
        self._keys = keys

    def resolve(self, numbers: Mapping[str, int]) -> dict[str, list[str]]:
        """Contact ids by E.164 number; an empty list for a number of nobody.

        numbers: each with the time (epoch ms) since which the org must have been asked: a number
        may have changed hands before its caller asked for something.

        As few requests as hold all that is not remembered.
        """
        wanted = {number: numbers[number] for number in sorted(numbers) if number}
        contacts, unknown = self._remembered(wanted)
        if len(unknown) <= FEW:
            return contacts | self._asked(unknown)
        # Many: another worker on the same backlog asks for the same ones at this moment.
        with self._one_asks():
            contacts, unknown = self._remembered(wanted)
            return contacts | self._asked(unknown)

    def _asked(self, numbers: list[str]) -> dict[str, list[str]]:
        if not numbers:
            return {}
        with translated():
            at_ms = now_ms(self._store)
        return self._remember(self.holders(numbers), at_ms)

    @contextmanager
    def _one_asks(self) -> Iterator[None]:
        """One worker at a time inside; a store without memory has none for the lock either."""
        lock = self._store.lock(f"{self._keys}people", timeout=60)
        try:
            taken = lock.acquire(blocking_timeout=60)
        except redis.OutOfMemoryError:
            taken = False
        except redis.RedisError as trouble:
            raise StoreUnavailableError(type(trouble).__name__) from trouble
        try:
            yield
        finally:
            if taken:
                with suppress(redis.RedisError):  # it ends by itself
                    lock.release()

    def holders(self, numbers: Sequence[str]) -> dict[str, list[str]]:
        """The same, as the org says now, whatever is remembered."""
        found: dict[str, list[str]] = {number: [] for number in numbers}
        for some in _chunks(_statements(numbers), QUERIES_IN_A_REQUEST):
            for row in (row for rows in self._records.query(*some) for row in rows):
                for number in self._numbers(row) & found.keys():
                    if row["Id"] not in found[number]:
                        found[number].append(row["Id"])
        return found

    def _numbers(self, row: dict[str, Any]) -> set[str]:
        written = (row.get(name) for name in PHONES)
        return {number for one in written if one and (number := as_e164(one, self._region))}

    def _remembered(self, wanted: Mapping[str, int]) -> tuple[dict[str, list[str]], list[str]]:
        if not wanted:
            return {}, []
        with translated():
            kept = self._store.mget([self._key(number) for number in wanted])
        known = {}
        for (number, since_ms), text in zip(wanted.items(), kept, strict=True):
            at_ms, ids = _read(text)
            if ids is not None and at_ms >= since_ms:
                known[number] = ids
        return known, [number for number in wanted if number not in known]

    def _remember(self, found: dict[str, list[str]], at_ms: int) -> dict[str, list[str]]:
        pipe = self._store.pipeline(transaction=False)
        for number, ids in found.items():
            kept = json.dumps({"at_ms": at_ms, "ids": ids})
            pipe.set(self._key(number), kept, ex=REMEMBER_S)
        with suppress(redis.RedisError):  # then it is asked for again
            pipe.execute()
        return found

    def _key(self, number: str) -> str:
        return f"{self._keys}contacts:{number}"


def _read(text: str | None) -> tuple[int, list[str] | None]:
    """When the org said so, and what; None when nothing is remembered that can be read."""
    try:
        kept = json.loads(text or "null")
        return int(kept["at_ms"]), list(kept["ids"])
    except (ValueError, TypeError, KeyError):
        return 0, None


def _chunks(items: list[T], size: int) -> list[list[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _statements(numbers: Sequence[str]) -> list[str]:
    """As few statements as hold all spellings of all numbers."""
    packed: list[list[str]] = []
    room = 0
    for number in numbers:
        written = spellings(number)
        length = len(PHONES) * sum(len(form) + len("'',") for form in written)
        if length > room:
            packed.append([])
            room = MAX_STATEMENT
        packed[-1] += written
        room -= length
    return [_contacts_with(written) for written in packed]


def _contacts_with(written: list[str]) -> str:
    conditions = " OR ".join(f"{name} IN {{written}}" for name in PHONES)
    return soql(
        f"SELECT {columns(('Id', *PHONES))} FROM Contact WHERE {conditions}", written=written
    )


def only(ids: Sequence[str] | None) -> str | None:
    """The one id, or None for none and for several: nobody guesses."""
    return ids[0] if ids and len(ids) == 1 else None
