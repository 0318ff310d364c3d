"""How this org writes case numbers: learned from its newest case, and cached for a day."""

from collections.abc import Callable, Iterable
from typing import Any

import redis

from shared.domain.case_numbers import candidates, normal_form, same_number
from shared.salesforce.soql import columns, soql
from shared.store import translated

TTL_S = 24 * 3600
TTL_WITHOUT_CASES_S = 300
NEWEST = "SELECT CaseNumber FROM Case ORDER BY CreatedDate DESC LIMIT 1"

Query = Callable[[str], list[dict[str, Any]]]
"""Returns the records of a statement. Raises SalesforceError."""


class CaseNumbers:
    """Safe to share between threads. Raises StoreUnavailableError, and what the query raises.

    keys: the prefix of the cache key (namespace.keys_of).
    """

    def __init__(self, store: redis.Redis, keys: str) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._key = f"{keys}case_number"

    def find(
        self, spoken: Iterable[str], fields: tuple[str, ...], query: Query
    ) -> dict[str, list[dict[str, Any]]]:
        """The cases that each number may mean, by the number as it was said. One query for all.

        Returns every match, unless the number is spelled exactly as the org writes one of them.
        """
        numbers = sorted(set(spoken))
        example = self._example(query) if numbers else None
        written = [candidate for number in numbers for candidate in candidates(number, example)]
        if not written:
            return {number: [] for number in numbers}
        rows = query(
            soql(
                f"SELECT {columns(('CaseNumber', *fields))} FROM Case "
                "WHERE CaseNumber IN {written}",
                written=written,
            )
        )
        return {number: _meant(number, rows) for number in numbers}

    def _example(self, query: Query) -> str | None:
        with translated():
            stored = self._store.get(self._key)
        if stored is not None:
            return str(stored) or None
        rows = query(NEWEST)
        example = str(rows[0]["CaseNumber"]) if rows else ""
        with translated():
            self._store.set(self._key, example, ex=TTL_S if example else TTL_WITHOUT_CASES_S)
        return example or None


def _meant(number: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    exactly = [row for row in rows if row["CaseNumber"] == number]
    if exactly and number != normal_form(number):
        # A caller's words come in normal form: this spelling is the org's or an operator's.
        return exactly
    return [row for row in rows if same_number(number, row["CaseNumber"])]
