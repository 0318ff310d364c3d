"""Customers as the org knows them, with their open cases, by their phone numbers.

One query finds callers together with their open cases. It reads only fields that may be said or
compared.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from shared.deadline import Deadline
from shared.phone import as_e164
from shared.salesforce import composite
from shared.salesforce.api_budget import Permit
from shared.salesforce.case_numbers import CaseNumbers
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.phones import (
    Registered,
    condition,
    holders,
    registered,
    registered_statements,
)
from shared.salesforce.soql import columns, soql

CHANGEABLE = (
    "Phone",
    "MobilePhone",
    "Email",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
)
"""The Contact fields that a caller may change with the default tools."""

_CASE_FIELDS = ("Id", "CaseNumber", "Subject", "Status", "Priority", "Type")
_CASE_SUMMARY_FIELDS = (*_CASE_FIELDS, "ContactId")
PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")

_CONTACT_FIELDS = (
    "Id", "Name", *PHONES,
    "AccountId", "Account.Name", "Account.AccountNumber",
    "Account.Owner.Name", "Account.Owner.Phone",
)  # fmt: skip

MAX_OPEN_CASES = 50
MAX_HITS_OF_A_NUMBER = 200
"""Contacts whose phone fields contain a number's digits in order."""
MAX_NUMBERS = 20
MAX_IN_URL = 5_000
"""A URL may have 16,384 bytes with all headers (docs/vendors.md S3); encoding doubles this."""


@dataclass(frozen=True)
class CaseSummary:
    """A case as it may be described to its contact. type and priority are "" when not set.

    reference: of a case that was accepted here and that the org does not show yet.
    """

    record_id: str
    number: str = ""
    subject: str = ""
    status: str = ""
    priority: str = ""
    type: str = ""
    contact_id: str | None = None
    reference: str = ""

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        return cls(
            record_id=record["Id"],
            number=record["CaseNumber"],
            subject=record.get("Subject") or "",
            status=record.get("Status") or "",
            priority=record.get("Priority") or "",
            type=record.get("Type") or "",
            contact_id=record.get("ContactId"),
        )


@dataclass(frozen=True)
class Customer:
    """A contact, its account and its open cases, newest first. values: of the fields that a caller
    may change.

    owner_name, owner_phone: the account owner's; the phone is E.164 or "". phones: those on the
    contact, as the org writes them. new_until_ms: until when the number by which they were found is
    new on the contact, and identifies nobody (epoch ms; `new_numbers.py`); 0 for one that is not.
    """

    contact_id: str
    name: str = ""
    account_id: str | None = None
    account_name: str = ""
    account_number: str = ""
    values: dict[str, str | None] = field(default_factory=dict)
    cases: list[CaseSummary] = field(default_factory=list)
    language: str = ""
    owner_name: str = ""
    owner_phone: str = ""
    phones: list[str] = field(default_factory=list)
    new_until_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Customers:
    """Finds customers. Every method raises SalesforceError."""

    def __init__(
        self,
        salesforce: SalesforceClient,
        case_numbers: CaseNumbers,
        region: str,
        language_field: str | None = None,
        changeable: tuple[str, ...] = CHANGEABLE,
    ) -> None:
        """language_field: a field of Contact, for orgs that store the caller's language.

        changeable: the fields of Contact that a caller may change.
        """
        self._salesforce = salesforce
        self._case_numbers = case_numbers
        self._region = region
        self._language_field = language_field
        self._changeable = changeable
        self._others = (*changeable, *([language_field] if language_field else []))

    def by_phones(
        self, numbers: Sequence[str], deadline: Deadline, permit: Permit | None = None
    ) -> dict[str, list[Customer]]:
        """Every contact that has each number: none, one or several.

        One request for up to MAX_NUMBERS. More requests when the answer may be incomplete, or when
        Salesforce finds the query for all numbers too complicated.
        """
        limit = MAX_HITS_OF_A_NUMBER * len(numbers)
        statement = by_phones_query(numbers, self._others)
        try:
            records = self._query(statement, deadline, permit)
        except SalesforceError as error:
            if error.failure is not FailureClass.TOO_MUCH or len(numbers) == 1:
                raise
            return self._in_halves(numbers, deadline)
        found = {number: holders(records, number, self._region) for number in numbers}
        if len(records) == limit:
            # Rows were cut off. They may contain the contact, unless several are found already.
            if len(numbers) > 1:
                return self._in_halves(numbers, deadline)
            if len(found[numbers[0]]) < 2:
                raise away("TOO_MANY_HITS", ambiguous=False)
        return {number: [self._read(row) for row in theirs] for number, theirs in found.items()}

    def _in_halves(self, numbers: Sequence[str], deadline: Deadline) -> dict[str, list[Customer]]:
        half = len(numbers) // 2
        return self.by_phones(numbers[:half], deadline) | self.by_phones(numbers[half:], deadline)

    def _query(
        self, statement: str, deadline: Deadline, permit: Permit | None = None
    ) -> list[dict[str, Any]]:
        """A long statement goes as a Composite subrequest, a short one in the URL."""
        if len(statement) <= MAX_IN_URL:
            return self._salesforce.query(statement, deadline, permit)
        (answer,) = composite.post(
            self._salesforce, [composite.query("query", statement)], deadline, permit
        )
        return composite.rows_of(answer, self._salesforce.next_page(deadline))

    def _read(self, record: dict[str, Any]) -> Customer:
        account = record.get("Account") or {}
        owner = account.get("Owner") or {}
        cases = (record.get("Cases") or {}).get("records") or []
        return Customer(
            contact_id=record["Id"],
            name=record.get("Name") or "",
            account_id=record.get("AccountId"),
            account_name=account.get("Name") or "",
            account_number=account.get("AccountNumber") or "",
            values={name: record.get(name) for name in self._changeable},
            cases=[CaseSummary.from_record(case_) for case_ in cases],
            language=str(record.get(self._language_field or "") or ""),
            owner_name=owner.get("Name") or "",
            owner_phone=as_e164(owner.get("Phone") or "", self._region) or "",
            phones=[record[name] for name in PHONES if record.get(name)],
        )

    def registered(self, numbers: Sequence[str], deadline: Deadline) -> dict[str, Registered]:
        """Who has each of a few numbers, accounts too. One request."""
        queries = [
            composite.query(f"q{nth}", statement)
            for nth, statement in enumerate(registered_statements(numbers))
        ]
        answers = composite.post(self._salesforce, queries, deadline)
        next_page = self._salesforce.next_page(deadline)
        contacts, accounts = (composite.rows_of(answer, next_page) for answer in answers)
        return {number: registered(contacts, accounts, number, self._region) for number in numbers}

    def case_by_number(self, number: str, deadline: Deadline) -> CaseSummary | None:
        """The case that the number means, as the org writes it; None for no match or several."""
        found = self._case_numbers.find(
            [number],
            tuple(name for name in _CASE_SUMMARY_FIELDS if name != "CaseNumber"),
            lambda statement: self._salesforce.query(statement, deadline),
        )
        return _the_one(found[number])

    def case_by_reference(self, reference: str, deadline: Deadline) -> CaseSummary | None:
        """Finds the case by the reference on its record, which outlives our store."""
        return _the_one(self._salesforce.query(by_reference_query(reference), deadline))


def by_phones_query(numbers: Sequence[str], others: Sequence[str] = CHANGEABLE) -> str:
    """Reads the contacts that may have one of these numbers, with their open cases. others: the
    fields of Contact to read as well."""
    fields = tuple(dict.fromkeys((*_CONTACT_FIELDS, *others)))
    ordered = soql("ORDER BY Id LIMIT {limit}", limit=MAX_HITS_OF_A_NUMBER * len(numbers))
    return (
        f"SELECT {columns(fields)}, {_OPEN_CASES} FROM Contact WHERE {condition(numbers)} {ordered}"
    )


def by_reference_query(reference: str) -> str:
    return soql(
        f"SELECT {columns(_CASE_SUMMARY_FIELDS)} FROM Case "
        "WHERE Voice_Reference__c = {reference} LIMIT 2",
        reference=reference,
    )


def _the_one(rows: list[dict[str, Any]]) -> CaseSummary | None:
    return CaseSummary.from_record(rows[0]) if len(rows) == 1 else None


_OPEN_CASES = (
    f"(SELECT {columns(_CASE_FIELDS)} FROM Cases WHERE IsClosed = false "
    f"ORDER BY CreatedDate DESC, CaseNumber DESC LIMIT {MAX_OPEN_CASES})"
)
