"""Who a late write is for: contacts by caller number and accounts by account number, many at once.

Used by workers for what was accepted before anybody could look it up. Answers are remembered for a
short while, so that a backlog from the same callers does not ask again and again.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import redis

from shared.phone import as_e164, spellings
from shared.salesforce.records import Records
from shared.salesforce.soql import soql
from shared.settings import REDIS_PREFIX
from shared.store import translated

REMEMBER_S = 120
_PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")


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

        One request for all that is not remembered. An empty list: nobody; several: several.
        """
        contacts, unknown = self._remembered("contacts", {n for n in numbers if n})
        accounts, unnamed = self._remembered("accounts", {a.lower() for a in account_numbers if a})
        statements = []
        if unknown:
            written = sorted({form for number in unknown for form in spellings(number)})
            conditions = " OR ".join(f"{name} IN {{written}}" for name in _PHONES)
            statements.append(
                soql(
                    f"SELECT Id, {', '.join(_PHONES)} FROM Contact WHERE {conditions}",
                    written=written,
                )
            )
        if unnamed:
            statements.append(
                soql(
                    "SELECT Id, AccountNumber FROM Account WHERE AccountNumber IN {numbers}",
                    numbers=sorted(unnamed),
                )
            )
        if not statements:
            return contacts, accounts
        found = self._records.query(*statements)
        if unknown:
            new: dict[str, list[str]] = {number: [] for number in unknown}
            for row in found[0]:
                for number in {as_e164(row[name] or "", self._region) for name in _PHONES}:
                    if number in new:
                        new[number].append(row["Id"])
            contacts |= self._remember("contacts", new)
        if unnamed:
            named: dict[str, list[str]] = {number: [] for number in unnamed}
            for row in found[-1]:
                named.setdefault(row["AccountNumber"].lower(), []).append(row["Id"])
            accounts |= self._remember("accounts", named)
        return contacts, accounts

    def _remembered(self, what: str, wanted: set[str]) -> tuple[dict[str, list[str]], list[str]]:
        names = sorted(wanted)
        if not names:
            return {}, []
        with translated():
            kept = self._store.mget([self._key(what, name) for name in names])
        known = {name: json.loads(text) for name, text in zip(names, kept, strict=True) if text}
        return known, [name for name in names if name not in known]

    def _remember(self, what: str, found: dict[str, list[str]]) -> dict[str, list[str]]:
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for name, ids in found.items():
                pipe.set(self._key(what, name), json.dumps(ids), ex=REMEMBER_S)
            pipe.execute()
        return found

    def _key(self, what: str, name: str) -> str:
        return f"{self._prefix}salesforce:{what}:{name}"


def only(ids: Sequence[str] | None) -> str | None:
    """The one id, or None for none and for several: nobody guesses."""
    return ids[0] if ids and len(ids) == 1 else None
