"""What the org says now of a contact's phone numbers: who has them, and since when.

ContactHistory has a row for each change of a field that the org tracks, and none for the others; it
respects field-level security, and excludes person accounts (docs/vendors.md S26). A row is evidence
only together with the value that it shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.deadline import Deadline
from shared.salesforce import composite
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import SalesforceError
from shared.salesforce.org_setup import NOT_SHOWN
from shared.salesforce.phones import (
    COUNTRY,
    NumberFields,
    Registered,
    compared,
    plain_number,
    registered,
    registered_statements,
)
from shared.salesforce.soql import columns, soql

MAX_CHANGES = 100


@dataclass(frozen=True)
class Change:
    """The last change of a field that the org has recorded."""

    at: datetime
    value: str


@dataclass(frozen=True)
class NumbersOnFile:
    """written: field → the number as the org writes it. numbers: field → the same as E.164, where
    the field shows a number and nothing else. modified_at: when anything of the contact was changed
    last. changes: field → its last recorded change. holders: who has each number.
    """

    written: Mapping[str, str]
    numbers: Mapping[str, str]
    modified_at: datetime
    changes: Mapping[str, Change]
    holders: Mapping[str, Registered]


def numbers_on_file(
    salesforce: SalesforceClient,
    contact_id: str,
    expected: Sequence[str],
    region: str,
    deadline: Deadline,
    number_fields: NumberFields,
) -> NumbersOnFile | None:
    """None when the contact does not exist. One request. Raises SalesforceError.

    expected: the numbers (E.164) that the contact probably has, one at least. Only of these it says
    who has them. number_fields: those that make a caller known.
    """
    asked, phones = sorted(set(expected)), number_fields.contact
    fields = ("Id", "SystemModstamp", *compared(phones))
    statements = (
        soql(f"SELECT {columns(fields)} FROM Contact WHERE Id = {{id}}", id=contact_id),
        soql(
            "SELECT Field, NewValue, CreatedDate FROM ContactHistory WHERE ContactId = {id} "
            "AND Field IN {fields} ORDER BY CreatedDate DESC LIMIT {limit}",
            id=contact_id,
            fields=list(phones),
            limit=MAX_CHANGES,
        ),
        *registered_statements(asked, number_fields),
    )
    queries = [composite.query(f"q{nth}", text) for nth, text in enumerate(statements)]
    answers = composite.post(salesforce, queries, deadline)
    next_page = salesforce.next_page(deadline)
    found, *of_numbers = (composite.rows_of(answers[nth], next_page) for nth in (0, 2, 3))
    if not found:
        return None
    (row,) = found
    contacts, accounts = of_numbers
    read = {name: plain_number(row.get(name) or "", row.get(COUNTRY), region) for name in phones}
    return NumbersOnFile(
        written={name: row[name] for name in phones if row.get(name)},
        numbers={name: number for name, number in read.items() if number},
        modified_at=datetime.fromisoformat(row["SystemModstamp"]),
        changes=_changes(answers[1], next_page),
        holders={
            number: registered(contacts, accounts, number, region, number_fields)
            for number in asked
        },
    )


def _changes(answer: dict[str, Any], next_page: Any) -> dict[str, Change]:
    try:
        rows = composite.rows_of(answer, next_page)
    except SalesforceError as error:
        if error.failure not in NOT_SHOWN:
            raise
        return {}  # the org has no ContactHistory, or hides it from the user
    oldest_first = reversed(rows)
    return {
        row["Field"]: Change(datetime.fromisoformat(row["CreatedDate"]), row["NewValue"] or "")
        for row in oldest_first
    }
