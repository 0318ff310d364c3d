"""Who has a phone number, in an org that holds numbers as people typed them.

A query finds every contact whose phone fields have the digits in order, whatever stands between
them. Salesforce has no index on these fields unless its support made one, so a pattern costs it
no more than a list of spellings would (docs/vendors.md S5).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.phone import as_e164, has_digits_of, patterns
from shared.salesforce.soql import soql

PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")


def condition(numbers: Iterable[str]) -> str:
    """The part after WHERE that is true of whoever may have one of these (E.164)."""
    return " OR ".join(
        soql(f"{name} LIKE {{pattern}}", pattern=pattern)
        for number in numbers
        for pattern in patterns(number)
        for name in PHONES
    )


def holders(rows: Sequence[dict[str, Any]], number: str, region: str) -> list[dict[str, Any]]:
    """The contacts among rows who have the number.

    Nobody has it as long as no field is plainly that number. Once somebody has, all those count
    whose field shows it with something else: a label, an extension, a second number. They share it.
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
