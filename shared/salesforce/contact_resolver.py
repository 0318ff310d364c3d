"""Resolves caller numbers to contacts, many at once, for writes that nobody could look up before.

Workers use it for intents that were accepted without a known contact. Answers are cached for a
short while, empty answers too (a negative cache), so that a backlog of one caller asks once.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis

from shared.logs import log
from shared.salesforce.account_lines import OF_CONTACT, accounts_query, line_of
from shared.salesforce.caller_rules import DEFAULT, CallerRules
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.households import Acting, acting, queries_by_ids
from shared.salesforce.new_numbers import NewNumbers
from shared.salesforce.org_setup import NOT_SHOWN
from shared.salesforce.phones import (
    STANDARD_NUMBERS,
    NumberFields,
    Registered,
    compared,
    condition,
    holders,
    registered,
    registered_statements,
)
from shared.salesforce.records import Records
from shared.salesforce.soql import columns
from shared.store import StoreUnavailableError, now_ms, translated

REMEMBER_S = 120
QUERIES_IN_A_REQUEST = 5
NUMBERS_IN_A_QUERY = 50
"""If Salesforce finds such a query too complicated, it is asked in halves."""

REQUESTS_AT_ONCE = 4

ALONE_S = 5
"""How long a worker waits for another worker's answers. Then both ask."""

FEW = 20
"""Up to this many numbers are asked for at once, without waiting for another worker."""

T = TypeVar("T")


class ContactResolver:
    """Finds contacts by phone number.

    Every method raises SalesforceError and StoreUnavailableError.
    """

    def __init__(
        self,
        records: Records,
        store: redis.Redis,
        region: str,
        keys: str,
        new_numbers: NewNumbers,
        rules: CallerRules = DEFAULT,
        numbers: NumberFields = STANDARD_NUMBERS,
    ) -> None:
        """keys: the prefix of the cache keys (namespace.keys_of). rules: what makes a caller known.

        numbers: every field that makes a caller known in any agent folder.
        """
        self._records = records
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._region = region
        self._org_keys = keys
        self._keys = rules.keys(keys)
        self._new_numbers = new_numbers
        self._rules = rules
        self._numbers = numbers

    def by(self, rules: CallerRules) -> "ContactResolver":
        """The same by other rules."""
        if rules == self._rules:
            return self
        return ContactResolver(
            self._records,
            self._store,
            self._region,
            self._org_keys,
            self._new_numbers,
            rules,
            self._numbers,
        )

    def resolve(
        self, numbers: Mapping[str, int], wanted_next: Callable[[], Mapping[str, int]] = dict
    ) -> dict[str, list[str]]:
        """Contact ids by E.164 number; an empty list when nobody has the number, when it is
        the line of an account that names nobody for it, or when it is new on the contact and
        identifies nobody yet.

        numbers: each with the time (epoch ms) since which the org must have been asked: a number
        may have changed hands before its caller asked for something. wanted_next: returns the
        same for the next batches of a backlog; they are resolved in the same requests.

        Sends as few requests as possible for the numbers that are not cached.
        """
        wanted = {number: numbers[number] for number in sorted(numbers) if number}
        return self._new_numbers.identified_by(self._holding(wanted, wanted_next))

    def _holding(
        self, wanted: Mapping[str, int], wanted_next: Callable[[], Mapping[str, int]]
    ) -> dict[str, list[str]]:
        contacts, unknown = self._remembered(wanted)
        if len(unknown) <= FEW:
            return contacts | self._asked(unknown)
        # Many numbers: another worker on the same backlog probably asks for them right now.
        with self._single_flight():
            contacts, unknown = self._remembered(wanted)
            if len(unknown) <= FEW:
                return contacts | self._asked(unknown)
            _, later = self._remembered(
                {number: since_ms for number, since_ms in wanted_next().items() if number}
            )
            found = self._asked(sorted({*unknown, *later}))
            return contacts | {number: found[number] for number in unknown}

    def _asked(self, numbers: list[str]) -> dict[str, list[str]]:
        if not numbers:
            return {}
        with translated():
            at_ms = now_ms(self._store)
        return self._remember(self.holders(numbers), at_ms)

    @contextmanager
    def _single_flight(self) -> Iterator[None]:
        """Let one worker at a time inside. Goes on without the lock if the store is full, and after
        ALONE_S, because the other worker may have died."""
        lock = self._store.lock(f"{self._keys}contacts", timeout=ALONE_S)
        try:
            taken = lock.acquire(blocking_timeout=ALONE_S)
        except redis.OutOfMemoryError:
            taken = False
        except redis.RedisError as trouble:
            raise StoreUnavailableError(type(trouble).__name__) from trouble
        try:
            yield
        finally:
            if taken:
                with suppress(redis.RedisError):  # the lock expires by itself
                    lock.release()

    def holders(self, numbers: Sequence[str]) -> dict[str, list[str]]:
        """Who has each number, new ones too. Asks the org for each, whatever is cached."""
        queries = 2 if self._rules.account_fields else 1
        return _in_parts(self._holders, numbers, QUERIES_IN_A_REQUEST // queries)

    def _holders(self, numbers: Sequence[str]) -> dict[str, list[str]]:
        """In one request."""
        found: dict[str, list[str]] = {}
        parts = _chunks(numbers, NUMBERS_IN_A_QUERY)
        statements = [text for part in parts for text in self._statements(part)]
        answers = _chunks(self._records.query(*statements), len(statements) // len(parts))
        for part, (contacts, *of_accounts) in zip(parts, answers, strict=True):
            accounts = of_accounts[0] if of_accounts else []
            found |= {number: self._known(contacts, accounts, number) for number in part}
        return found

    def _statements(self, numbers: Sequence[str]) -> list[str]:
        rules = self._rules
        fields = (
            "Id",
            *compared(rules.phone_fields),
            *(OF_CONTACT if rules.account_fields else ()),
        )
        contacts = (
            f"SELECT {columns(fields)} FROM Contact WHERE {condition(numbers, rules.phone_fields)}"
        )
        return [contacts, accounts_query(rules, numbers)] if rules.account_fields else [contacts]

    def _known(
        self, contacts: list[dict[str, Any]], accounts: list[dict[str, Any]], number: str
    ) -> list[str]:
        rules = self._rules
        theirs = holders(
            contacts,
            number,
            self._region,
            rules.phone_fields,
            first_field_decides=rules.first_field_decides,
        )
        if rules.account_fields and (
            line := line_of(rules, accounts, theirs, number, self._region)
        ):
            return [line.contact_id] if line.contact_id else []
        return [row["Id"] for row in theirs]

    def registered(self, numbers: Sequence[str]) -> dict[str, Registered]:
        """Who has each number, accounts too. Asks the org, whatever is cached."""
        return _in_parts(self._registered, numbers, QUERIES_IN_A_REQUEST // 2)

    def _registered(self, numbers: Sequence[str]) -> dict[str, Registered]:
        """In one request."""
        parts = _chunks(numbers, NUMBERS_IN_A_QUERY)
        statements = [text for part in parts for text in registered_statements(part, self._numbers)]
        answers = _chunks(self._records.query(*statements), 2)
        return {
            number: registered(contacts, accounts, number, self._region, self._numbers)
            for part, (contacts, accounts) in zip(parts, answers, strict=True)
            for number in part
        }

    def acting(self, contact_ids: Collection[str]) -> Acting:
        """For whom each of the contacts may act, as the org says now. Asks it, whatever is cached;
        nobody acts for anybody where it does not show the fields."""
        if not contact_ids or not self._rules.has_households:
            return {}
        try:
            answers = self._records.query(*queries_by_ids(self._rules, contact_ids))
        except SalesforceError as error:
            if error.failure not in NOT_SHOWN:
                raise
            log.error("household_not_read", reason=str(error))
            return {}
        return acting(self._rules, answers, len(set(contact_ids)))

    def _remembered(self, wanted: Mapping[str, int]) -> tuple[dict[str, list[str]], list[str]]:
        if not wanted:
            return {}, []
        with translated():
            stored = self._store.mget([self._key(number) for number in wanted])
        known = {}
        for (number, since_ms), text in zip(wanted.items(), stored, strict=True):
            at_ms, ids = _read(text)
            if ids is not None and at_ms >= since_ms:
                known[number] = ids
        return known, [number for number in wanted if number not in known]

    def _remember(self, found: dict[str, list[str]], at_ms: int) -> dict[str, list[str]]:
        pipe = self._store.pipeline(transaction=False)
        for number, ids in found.items():
            stored = json.dumps({"at_ms": at_ms, "ids": ids})
            pipe.set(self._key(number), stored, ex=REMEMBER_S)
        with suppress(redis.RedisError):  # then it is asked for again
            pipe.execute()
        return found

    def _key(self, number: str) -> str:
        return f"{self._keys}contacts:{number}"


def _read(text: str | None) -> tuple[int, list[str] | None]:
    """When the org was asked, and its answer; None when no readable answer is cached."""
    try:
        stored = json.loads(text or "null")
        return int(stored["at_ms"]), list(stored["ids"])
    except (ValueError, TypeError, KeyError):
        return 0, None


def _in_parts(
    ask: Callable[[Sequence[str]], dict[str, T]], numbers: Sequence[str], queries: int
) -> dict[str, T]:
    """The answers for all numbers. Several requests of so many queries each, when needed, are sent
    at the same time: a whole backlog may wait for them."""
    parts = _chunks(numbers, queries * NUMBERS_IN_A_QUERY)
    if len(parts) < 2:
        return _or_in_halves(ask, numbers) if numbers else {}
    with ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="contacts") as executor:
        answers = executor.map(lambda part: _or_in_halves(ask, part), parts)
        return {number: answer for part in answers for number, answer in part.items()}


def _or_in_halves(
    ask: Callable[[Sequence[str]], dict[str, T]], numbers: Sequence[str]
) -> dict[str, T]:
    try:
        return ask(numbers)
    except SalesforceError as error:
        if error.failure is not FailureClass.TOO_MUCH or len(numbers) == 1:
            raise
    half = len(numbers) // 2
    return _or_in_halves(ask, numbers[:half]) | _or_in_halves(ask, numbers[half:])


def _chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def only(ids: Sequence[str] | None) -> str | None:
    """The id if there is exactly one, else None: with several, nobody can tell whose call it is."""
    return ids[0] if ids and len(ids) == 1 else None
