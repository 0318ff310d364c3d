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

COUNTRY_FIELDS = ("MailingCountry", "MailingCountryCode")
"""What decides how a contact's numbers are read, as text or as Salesforce's code of it."""

COUNTRY, ACCOUNT_COUNTRY = "MailingCountry", "BillingCountry"


@dataclass(frozen=True)
class NumberFields:
    """The fields of Contact and of Account whose numbers nobody else may take."""

    contact: tuple[str, ...] = PHONES
    account: tuple[str, ...] = ("Phone",)


STANDARD_NUMBERS = NumberFields()

_PLAIN = re.compile(
    r"[0-9+ ()./\-"
    "\u00a0\u202f"  # spaces
    "\u2010-\u2015\u2212"  # hyphens and dashes
    "\u200e\u200f\u202a-\u202e\u2066-\u2069]+"  # directions, which address books put around numbers
)


def condition(numbers: Iterable[str], fields: Sequence[str] = PHONES) -> str:
    """A WHERE condition that matches every record that may have one of the numbers (E.164) in one
    of the fields, which may be paths. Raises ValueError for anything but API names."""
    return " OR ".join(
        soql(f"{columns((name,))} LIKE {{pattern}}", pattern=pattern)
        for number in numbers
        for pattern in patterns(number)
        for name in fields
    )


def compared(fields: Sequence[str]) -> tuple[str, ...]:
    """The fields of a contact that `holders` reads when these are its phone fields."""
    return (*fields, COUNTRY)


def holders(
    rows: Sequence[dict[str, Any]],
    number: str,
    region: str,
    fields: Sequence[str] = PHONES,
    *,
    country: str = COUNTRY,
    first_field_decides: bool = False,
) -> list[dict[str, Any]]:
    """The records among rows that have the number in one of the fields. country: another field of a
    row, the country that it is in.

    None, unless some field is exactly that number. If one is, records count as well whose field
    contains it with something else (a label, an extension, a second number): they share it.
    first_field_decides: only the first field in which anybody has the number counts.
    """
    if first_field_decides:
        by_field = (holders(rows, number, region, (name,), country=country) for name in fields)
        return next(filter(None, by_field), [])
    shown = [
        [(text, plain_number(text, row.get(country), region)) for text in _written(row, fields)]
        for row in rows
    ]
    if not any(plain == number for texts in shown for _, plain in texts):
        return []
    return [
        row
        for row, texts in zip(rows, shown, strict=True)
        if any(
            plain == number or (plain is None and has_digits_of(text, number))
            for text, plain in texts
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


def registered_statements(numbers: Sequence[str], fields: NumberFields) -> tuple[str, str]:
    """The queries for contacts and for accounts whose answers `registered` reads."""
    return (
        f"SELECT {columns(('Id', *compared(fields.contact)))} FROM Contact "
        f"WHERE {condition(numbers, fields.contact)}",
        f"SELECT {columns(fields.account)} FROM Account WHERE {condition(numbers, fields.account)}",
    )


def registered(
    contacts: Sequence[dict[str, Any]],
    accounts: Sequence[dict[str, Any]],
    number: str,
    region: str,
    fields: NumberFields,
) -> Registered:
    lines = [text for row in accounts for text in _written(row, fields.account)]
    return Registered(
        frozenset(row["Id"] for row in holders(contacts, number, region, fields.contact)),
        any(as_e164(line, region) == number or has_digits_of(line, number) for line in lines),
    )


def numbers_shown(
    row: dict[str, Any], region: str, fields: Sequence[str] = PHONES, *, country: Any = None
) -> set[str]:
    """The numbers (E.164) that make a contact known. country: instead of the one of its address."""
    where = country or row.get(COUNTRY)
    shown = (plain_number(text, where, region) for text in _written(row, fields))
    return {number for number in shown if number}


def _written(row: dict[str, Any], fields: Sequence[str]) -> list[str]:
    return [row[name] for name in fields if row.get(name)]


def plain_number(written: str, country: Any, region: str) -> str | None:
    """The number that a field shows and nothing else, as E.164.

    A number without country code is one of region, unless the contact lives in another country.
    """
    if not _PLAIN.fullmatch(written):
        return None
    return as_e164(written, "ZZ" if is_another_country(country, region) else region)
