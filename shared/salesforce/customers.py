"""Who has this number: customers as the org knows them, with their open cases.

Only what may be said or compared is read. One query finds a caller by the usual spellings of their
number together with their open cases; the search index (which lags behind, facts/salesforce.md 0)
finds the unusual spellings.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from shared.phone import as_e164, search_digits, spellings
from shared.salesforce.client import Deadline, SalesforceClient
from shared.salesforce.people import PHONES
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
"""The Contact fields that a caller may change."""

_CASE_FIELDS = ("Id", "CaseNumber", "Subject", "Status", "Priority", "Type", "IsClosed")
_CONTACT_FIELDS = (
    "Id", "Name", "HomePhone", "OtherPhone", *CHANGEABLE,
    "AccountId", "Account.Name", "Account.AccountNumber",
)  # fmt: skip

MOST_SHARERS = 20
MOST_OPEN_CASES = 50


@dataclass(frozen=True)
class CaseSummary:
    """A case as it may be spoken of to its contact. type and priority are "" when not set."""

    record_id: str
    number: str
    subject: str
    status: str
    priority: str
    type: str
    is_closed: bool
    contact_id: str | None = None

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        return cls(
            record_id=record["Id"],
            number=record["CaseNumber"],
            subject=record.get("Subject") or "",
            status=record.get("Status") or "",
            priority=record.get("Priority") or "",
            type=record.get("Type") or "",
            is_closed=bool(record.get("IsClosed")),
            contact_id=record.get("ContactId"),
        )


@dataclass(frozen=True)
class Customer:
    """A contact, its account and its open cases, newest first. values: CHANGEABLE → value."""

    contact_id: str
    name: str
    account_id: str | None
    account_name: str
    account_number: str
    values: dict[str, str | None]
    cases: list[CaseSummary] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        return cls(**kept | {"cases": [CaseSummary(**item) for item in kept["cases"]]})


class Customers:
    """Finds customers. Every method raises SalesforceError."""

    def __init__(self, salesforce: SalesforceClient, region: str) -> None:
        self._salesforce = salesforce
        self._region = region

    def by_phone(self, e164: str, deadline: Deadline) -> list[Customer]:
        """Everybody who has this number: none, one or several. At most three requests."""
        written = spellings(e164)
        records = self._salesforce.query(
            soql(
                f"SELECT {columns(_CONTACT_FIELDS)}, {_OPEN_CASES} FROM Contact "
                "WHERE Phone IN {written} OR MobilePhone IN {written} "
                "OR HomePhone IN {written} OR OtherPhone IN {written} "
                "ORDER BY Id LIMIT {most}",
                written=written,
                most=MOST_SHARERS,
            ),
            deadline,
        )
        # "2071234567" is a number of London or of New York: only the whole number tells.
        theirs = [one for one in records if self._has(one, e164)]
        return [_customer(one) for one in theirs or self._searched(e164, deadline)]

    def _has(self, record: dict[str, Any], e164: str) -> bool:
        return any(as_e164(record.get(name) or "", self._region) == e164 for name in PHONES)

    def _searched(self, e164: str, deadline: Deadline) -> list[dict[str, Any]]:
        """Contacts with another spelling of the number; each hit is compared digit by digit."""
        answer = self._salesforce.post(
            "parameterizedSearch",
            {
                "q": search_digits(e164),
                "in": "PHONE",
                "sobjects": [{"name": "Contact", "fields": ["Id", *PHONES], "limit": MOST_SHARERS}],
            },
            deadline,
        )
        ids = [hit["Id"] for hit in answer.get("searchRecords", []) if self._has(hit, e164)]
        if not ids:
            return []
        return self._salesforce.query(
            soql(
                f"SELECT {columns(_CONTACT_FIELDS)}, {_OPEN_CASES} FROM Contact "
                "WHERE Id IN {ids}",
                ids=ids,
            ),
            deadline,
        )

    def is_known(
        self, deadline: Deadline, *, account_number: str | None, email: str | None, name: str | None
    ) -> bool:
        """Whether any customer has all of what is given. No more than that is found out."""
        conditions = []
        if account_number:
            conditions.append("Account.AccountNumber = {account_number}")
        if email:
            conditions.append("Email = {email}")
        if name:
            conditions.append("Name = {name}")
        return bool(
            self._salesforce.query(
                soql(
                    f"SELECT Id FROM Contact WHERE {' AND '.join(conditions)} LIMIT 1",
                    account_number=account_number,
                    email=email,
                    name=name,
                ),
                deadline,
            )
        )

    def case_by_number(self, number: str, deadline: Deadline) -> CaseSummary | None:
        return self._one_case("CaseNumber = {value}", number, deadline)

    def case_by_reference(self, reference: str, deadline: Deadline) -> CaseSummary | None:
        """Finds the case by the reference on the record itself, which outlives our store."""
        return self._one_case("Voice_Reference__c = {value}", reference, deadline)

    def _one_case(self, condition: str, value: str, deadline: Deadline) -> CaseSummary | None:
        found = self._salesforce.query(
            soql(
                f"SELECT {columns(_CASE_FIELDS)}, ContactId FROM Case WHERE {condition} LIMIT 2",
                value=value,
            ),
            deadline,
        )
        return CaseSummary.from_record(found[0]) if len(found) == 1 else None


_OPEN_CASES = (
    f"(SELECT {columns(_CASE_FIELDS)} FROM Cases WHERE IsClosed = false "
    f"ORDER BY CreatedDate DESC, CaseNumber DESC LIMIT {MOST_OPEN_CASES})"
)


def _customer(record: dict[str, Any]) -> Customer:
    account = record.get("Account") or {}
    cases = (record.get("Cases") or {}).get("records") or []
    return Customer(
        contact_id=record["Id"],
        name=record.get("Name") or "",
        account_id=record.get("AccountId"),
        account_name=account.get("Name") or "",
        account_number=account.get("AccountNumber") or "",
        values={name: record.get(name) for name in CHANGEABLE},
        cases=[CaseSummary.from_record(case_) for case_ in cases],
    )
