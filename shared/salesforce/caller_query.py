"""What Salesforce is asked about callers: one request, however much makes them known.

It reads only fields that may be said or compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.deadline import Deadline
from shared.logs import log
from shared.salesforce import account_lines, composite, households
from shared.salesforce.api_budget import Permit
from shared.salesforce.caller_rules import CallerRules
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import SalesforceError
from shared.salesforce.phones import COUNTRY, PHONES, condition
from shared.salesforce.soql import columns, soql

CASE_FIELDS = ("Id", "CaseNumber", "Subject", "Status", "Priority", "Type")
CONTACT_FIELDS = (
    "Id", "Name", *PHONES, COUNTRY,
    "AccountId", "Account.Name", "Account.AccountNumber",
    "Account.Owner.Name", "Account.Owner.Phone",
)  # fmt: skip

MAX_OPEN_CASES = 50
MAX_HITS_OF_A_NUMBER = 200
"""Contacts, or accounts, whose phone fields contain a number's digits in order."""
MAX_IN_URL = 5_000
"""A URL may have 16,384 bytes with all headers (docs/vendors.md S3); encoding doubles this."""

_OPEN_CASES = (
    f"(SELECT {columns(CASE_FIELDS)} FROM Cases WHERE IsClosed = false "
    f"ORDER BY CreatedDate DESC, CaseNumber DESC LIMIT {MAX_OPEN_CASES})"
)


@dataclass(frozen=True)
class Found:
    """The rows of one request. named: the contacts whom accounts name for their lines."""

    contacts: list[dict[str, Any]]
    accounts: list[dict[str, Any]] = field(default_factory=list)
    named: list[dict[str, Any]] = field(default_factory=list)
    acting: households.Acting = field(default_factory=dict)


def ask(
    salesforce: SalesforceClient,
    rules: CallerRules,
    numbers: Sequence[str],
    others: Sequence[str],
    deadline: Deadline,
    permit: Permit | None,
) -> Found:
    """One request. Without account lines and households it is one query, as a rule in the URL;
    else a Composite. others: the fields of Contact to read as well.

    Raises SalesforceError, but not for households: then nobody acts for anybody.
    """
    contacts = by_phones_query(numbers, others, rules.phone_fields)
    more = []
    if rules.account_fields:
        limit = soql("LIMIT {limit}", limit=MAX_HITS_OF_A_NUMBER * len(numbers))
        more.append(f"{account_lines.accounts_query(rules, numbers)} {limit}")
    if rules.account_contact:
        named = account_lines.named_contacts(rules, numbers)
        more.append(_contacts_query(named, others, len(numbers)))
    acting = households.queries_by_phones(rules, numbers) if rules.has_households else []
    if not more and not acting and len(contacts) <= MAX_IN_URL:
        return Found(salesforce.query(contacts, deadline, permit))
    statements = [contacts, *more, *acting]
    answers = composite.post(
        salesforce,
        [composite.query(f"q{nth}", text) for nth, text in enumerate(statements)],
        deadline,
        permit,
    )
    next_page = salesforce.next_page(deadline)
    needed, optional = answers[: 1 + len(more)], answers[1 + len(more) :]
    rows = [composite.rows_of(answer, next_page) for answer in needed]
    try:
        related = [composite.rows_of(answer, next_page) for answer in optional]
    except SalesforceError as error:
        log.error("household_not_read", reason=str(error))
        related = []
    contacts_found, accounts, named_found = [*rows, [], []][:3]
    return Found(
        contacts_found,
        accounts,
        named_found,
        households.acting(rules, related, len(numbers)) if related else {},
    )


def by_phones_query(
    numbers: Sequence[str], others: Sequence[str], phone_fields: Sequence[str] = PHONES
) -> str:
    """Reads the contacts that may have one of these numbers, with their open cases. others: the
    fields of Contact to read as well. phone_fields: those that count."""
    return _contacts_query(condition(numbers, phone_fields), others, len(numbers))


def _contacts_query(where: str, others: Sequence[str], numbers: int) -> str:
    fields = tuple(dict.fromkeys((*CONTACT_FIELDS, *others)))
    ordered = soql("ORDER BY Id LIMIT {limit}", limit=MAX_HITS_OF_A_NUMBER * numbers)
    return f"SELECT {columns(fields)}, {_OPEN_CASES} FROM Contact WHERE {where} {ordered}"
