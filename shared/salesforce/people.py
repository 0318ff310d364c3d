"""Who a late write is for: contacts by caller number and accounts by account number, many at once.

Used by workers for what was accepted before anybody could look it up. Answers are remembered for a
short while, so that a backlog from the same callers does not ask again and again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis

from shared.phone import as_e164, spellings
from shared.salesforce.records import Records
from shared.salesforce.soql import columns, soql
from shared.settings import REDIS_PREFIX
from shared.store import StoreUnavailableError, translated

REMEMBER_S = 120
PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")

QUERIES_IN_A_REQUEST = 5
NUMBERS_IN_A_QUERY = 125
"""Some 700 characters each; a statement may have 100,000 (docs/vendors.md S3)."""
ACCOUNTS_IN_A_QUERY = 500

T = TypeVar("T")


class People:
    """Every method raises SalesforceError and StoreUnavailableError."""

    def __init__(
        self,
        records: Records,
        store: redis.Redis,
        region: str,
        prefix: str = REDIS_PREFIX,
    ) -> None:
        self._records = records
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._region = region
        self._prefix = prefix

    def resolve(
        self, numbers: Iterable[str], account_numbers: Iterable[str]
    ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Contact ids by E.164 number and account ids by lower-case account number.

        As few requests as hold all that is not remembered. An empty list: nobody.
        """
        wanted = {n for n in numbers if n}, {a.lower() for a in account_numbers if a}
        contacts, unknown = self._remembered("contacts", wanted[0])
        accounts, unnamed = self._remembered("accounts", wanted[1])
        if len(unknown) + len(unnamed) <= NUMBERS_IN_A_QUERY:
            self._ask(contacts, unknown, accounts, unnamed)
            return contacts, accounts
        # Many: another worker on the same backlog asks for the same ones at this moment.
        with self._one_asks():
            contacts, unknown = self._remembered("contacts", wanted[0])
            accounts, unnamed = self._remembered("accounts", wanted[1])
            self._ask(contacts, unknown, accounts, unnamed)
        return contacts, accounts

    @contextmanager
    def _one_asks(self) -> Iterator[None]:
        """One worker at a time inside; a store without memory has none for the lock either."""
        lock = self._store.lock(f"{self._prefix}salesforce:people", timeout=60)
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

    def _ask(
        self,
        contacts: dict[str, list[str]],
        unknown: list[str],
        accounts: dict[str, list[str]],
        unnamed: list[str],
    ) -> None:
        """Adds what Salesforce knows of the unknown to what is known."""
        asking = [(_contacts_with, some) for some in _chunks(unknown, NUMBERS_IN_A_QUERY)]
        asking += [(_accounts_with, some) for some in _chunks(unnamed, ACCOUNTS_IN_A_QUERY)]
        found: list[dict[str, Any]] = []
        for some in _chunks(asking, QUERIES_IN_A_REQUEST):
            for rows in self._records.query(*(statement(names) for statement, names in some)):
                found += rows
        contacts |= self._remember("contacts", unknown, found, self._numbers)
        accounts |= self._remember("accounts", unnamed, found, _account_number)

    def _numbers(self, row: dict[str, Any]) -> set[str]:
        written = (row.get(name) for name in PHONES)
        return {number for one in written if one and (number := as_e164(one, self._region))}

    def _remembered(self, what: str, wanted: set[str]) -> tuple[dict[str, list[str]], list[str]]:
        names = sorted(wanted)
        if not names:
            return {}, []
        with translated():
            kept = self._store.mget([self._key(what, name) for name in names])
        known = {
            name: ids
            for name, text in zip(names, kept, strict=True)
            if (ids := _ids(text)) is not None
        }
        return known, [name for name in names if name not in known]

    def _remember(
        self,
        what: str,
        names: list[str],
        rows: list[dict[str, Any]],
        names_of: Callable[[dict[str, Any]], set[str]],
    ) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in names}
        for row in rows:
            for name in names_of(row) & found.keys():
                if row["Id"] not in found[name]:
                    found[name].append(row["Id"])
        pipe = self._store.pipeline(transaction=False)
        for name, ids in found.items():
            pipe.set(self._key(what, name), json.dumps(ids), ex=REMEMBER_S)
        with suppress(redis.RedisError):  # then it is asked for again
            pipe.execute()
        return found

    def _key(self, what: str, name: str) -> str:
        return f"{self._prefix}salesforce:{what}:{name}"


def _ids(text: str | None) -> list[str] | None:
    """None when nothing is remembered, or nothing that can be read."""
    try:
        ids = json.loads(text or "null")
    except ValueError:
        return None
    return ids if isinstance(ids, list) else None


def _chunks(items: list[T], size: int) -> list[list[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _contacts_with(numbers: list[str]) -> str:
    conditions = " OR ".join(f"{name} IN {{written}}" for name in PHONES)
    return soql(
        f"SELECT {columns(('Id', *PHONES))} FROM Contact WHERE {conditions}",
        written=[form for number in numbers for form in spellings(number)],
    )


def _accounts_with(numbers: list[str]) -> str:
    return soql(
        "SELECT Id, AccountNumber FROM Account WHERE AccountNumber IN {numbers}", numbers=numbers
    )


def _account_number(row: dict[str, Any]) -> set[str]:
    return {str(row.get("AccountNumber") or "").lower()}


def only(ids: Sequence[str] | None) -> str | None:
    """The one id, or None for none and for several: nobody guesses."""
    return ids[0] if ids and len(ids) == 1 else None
