"""Finds who has a phone number, in an org that stores numbers as people typed them.

A query finds every contact whose phone fields contain the digits in order, whatever stands between
them. Salesforce has no index on these fields unless its support created one, so a pattern costs
Salesforce no more than a list of spellings would (docs/vendors.md S5).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.phone import as_e164, has_digits_of, patterns
from shared.salesforce.soql import soql

PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")


def condition(numbers: Iterable[str]) -> str:
    """A WHERE condition that matches every contact who may have one of the numbers (E.164)."""
    return " OR ".join(
        soql(f"{name} LIKE {{pattern}}", pattern=pattern)
        for number in numbers
        for pattern in patterns(number)
        for name in PHONES
    )


def holders(rows: Sequence[dict[str, Any]], number: str, region: str) -> list[dict[str, Any]]:
    """The contacts among rows who have the number.

    None, unless some field is exactly that number. If one is, contacts count as well whose field
    contains it with something else (a label, an extension, a second number): they share it.
    """

    def is_plain(row: dict[str, Any]) -> bool:
        return any(as_e164(written, region) == number for written in _written(row))

    if not any(is_plain(row) for row in rows):
        return []
    return [
        row
        for row in rows
        if is_plain(row)
        or any(
            as_e164(written, region) is None and has_digits_of(written, number)
            for written in _written(row)
        )
    ]


def _written(row: dict[str, Any]) -> list[str]:
    return [row[name] for name in PHONES if row.get(name)]
