"""Finds who has a phone number, in an org that stores numbers as people typed them.

A field identifies a contact if it shows the number and nothing else: digits, "+" and separators. A
word or an extension says that the number is not theirs alone (a reception, a fax, a household).

A query finds every contact whose phone fields contain the digits in order, whatever stands between
them. Salesforce has no index on these fields unless its support created one, so a pattern costs
Salesforce no more than a list of spellings would (docs/vendors.md S5).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.phone import as_e164, has_digits_of, patterns
from shared.salesforce.countries import is_another_country
from shared.salesforce.soql import columns, soql

PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")

COMPARED = (*PHONES, "MailingCountry")
"""The fields of a row that `holders` reads."""

_PLAIN = re.compile(
    r"[0-9+ ()./\-"
    "\u00a0\u202f"  # spaces
    "\u2010-\u2015\u2212"  # hyphens and dashes
    "\u200e\u200f\u202a-\u202e\u2066-\u2069]+"  # directions, which address books put around numbers
)


def condition(numbers: Iterable[str]) -> str:
    """A WHERE condition that matches every contact who may have one of the numbers (E.164)."""
    return _contains(PHONES, numbers)


def _contains(fields: Sequence[str], numbers: Iterable[str]) -> str:
    return " OR ".join(
        soql(f"{name} LIKE {{pattern}}", pattern=pattern)
        for number in numbers
        for pattern in patterns(number)
        for name in fields
    )


def holders(rows: Sequence[dict[str, Any]], number: str, region: str) -> list[dict[str, Any]]:
    """The contacts among rows who have the number. A row has the fields COMPARED.

    None, unless some field is exactly that number. If one is, contacts count as well whose field
    contains it with something else (a label, an extension, a second number): they share it.
    """
    shown = [[(text, plain_number(text, row, region)) for text in _written(row)] for row in rows]
    if not any(plain == number for fields in shown for _, plain in fields):
        return []
    return [
        row
        for row, fields in zip(rows, shown, strict=True)
        if any(
            plain == number or (plain is None and has_digits_of(text, number))
            for text, plain in fields
        )
    ]


@dataclass(frozen=True)
class Registered:
    """Who has a number. is_main_line: it is the phone of an account, whoever calls from there."""

    contact_ids: frozenset[str]
    is_main_line: bool

    def is_open_to(self, contact_id: str | None) -> bool:
        """Whether the contact may take the number. Nobody may take one of another contact, or the
        main line of an account: callers would be taken for somebody else from then on. A contact
        who has it already (a sole trader) may use it in another field."""
        if self.contact_ids - {contact_id}:
            return False
        return not self.is_main_line or contact_id in self.contact_ids


def registered_statements(numbers: Sequence[str]) -> tuple[str, str]:
    """The queries for contacts and for accounts whose answers `registered` reads."""
    return (
        f"SELECT {columns(('Id', *COMPARED))} FROM Contact WHERE {condition(numbers)}",
        f"SELECT Phone FROM Account WHERE {_contains(('Phone',), numbers)}",
    )


def registered(
    contacts: Sequence[dict[str, Any]], accounts: Sequence[dict[str, Any]], number: str, region: str
) -> Registered:
    lines = [row["Phone"] or "" for row in accounts]
    return Registered(
        frozenset(row["Id"] for row in holders(contacts, number, region)),
        any(as_e164(line, region) == number or has_digits_of(line, number) for line in lines),
    )


def _written(row: dict[str, Any]) -> list[str]:
    return [row[name] for name in PHONES if row.get(name)]


def plain_number(written: str, row: dict[str, Any], region: str) -> str | None:
    """The number that a field shows and nothing else, as E.164.

    A number without country code is one of region, unless the contact lives in another country.
    """
    if not _PLAIN.fullmatch(written):
        return None
    return as_e164(
        written, "ZZ" if is_another_country(row.get("MailingCountry"), region) else region
    )
