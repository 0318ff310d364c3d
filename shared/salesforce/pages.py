"""Reads a query's answer to its end: its pages, and the lists of children that continue.

Child rows count towards a page, and a page may be smaller than requested (docs/vendors.md S11).
Half an answer would decide wrongly (a second comment, an unknown caller, an account that looks like
the only one), so an answer is read whole or refused.
"""

import re
from collections.abc import Callable
from typing import Any

from shared.salesforce.failures import FailureClass, SalesforceError, away

MAX_PAGES = 50

NextPage = Callable[[str], Any]
"""Returns the body at a nextRecordsUrl. Raises SalesforceError."""

_ADDRESS = re.compile(r"/services/data/v\d+\.\d/(?:tooling/)?query(?:All)?/[A-Za-z0-9-]+")


def all_records(first: Any, next_page: NextPage) -> list[dict[str, Any]]:
    """Every record of an answer, each with all of its children.

    Raises SalesforceError: also for an answer that says neither that it is done nor where it
    continues, and for one with more than MAX_PAGES pages.
    """
    return _Reader(next_page).records(first)


class _Reader:
    """Counts the pages of one answer."""

    def __init__(self, next_page: NextPage) -> None:
        self._next_page = next_page
        self._pages_left = MAX_PAGES

    def records(self, body: Any) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        while True:
            if not _is_page(body):
                raise away("UNEXPECTED_BODY", ambiguous=False)
            for record in body["records"]:
                records.append(self._with_children(record))
            if body["done"]:
                return records
            body = self._page_after(body)

    def _with_children(self, record: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value | {"records": self.records(value), "done": True}
            if _is_page(value)
            else value
            for name, value in record.items()
        }

    def _page_after(self, body: dict[str, Any]) -> Any:
        address = body.get("nextRecordsUrl")
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            raise away("UNEXPECTED_BODY", ambiguous=False)
        if not self._pages_left:
            raise _too_many()
        self._pages_left -= 1
        return self._next_page(address)


def _is_page(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("records"), list)
        and isinstance(value.get("done"), bool)
    )


def _too_many() -> SalesforceError:
    """The failure of an answer with too many pages: a query that asks for too much."""
    return SalesforceError(FailureClass.TOO_MUCH, "TOO_MANY_PAGES", whole=True)
