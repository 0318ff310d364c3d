"""Customers as the org knows them, with their open cases, by their phone numbers.

One query finds callers together with their open cases. It reads only fields that may be said or
compared.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from shared.deadline import Deadline
from shared.logs import log
from shared.phone import as_e164
from shared.salesforce import account_lines, caller_query, composite
from shared.salesforce.account_lines import Line
from shared.salesforce.api_budget import Permit
from shared.salesforce.caller_query import CASE_FIELDS, Found
from shared.salesforce.caller_rules import DEFAULT, CallerRules
from shared.salesforce.case_numbers import CaseNumbers
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.households import Acting
from shared.salesforce.phones import (
    PHONES,
    STANDARD_NUMBERS,
    NumberFields,
    Registered,
    holders,
    registered,
    registered_statements,
)
from shared.salesforce.soql import as_text, at, columns, soql

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

_CASE_SUMMARY_FIELDS = (*CASE_FIELDS, "ContactId")

MAX_NUMBERS = 20
TRAITS_AGAIN_S = 600.0
"""How long a process asks without the traits after the org turned out to lack one."""


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
    contact, as the org writes them. acts_for: the contacts for whom this one may act. traits: what
    the transfer rules compare, as text, such as {"Account.Rating": "Hot"}; not stated where the org
    lacks the field. new_until_ms: until when the number by which they were found is new on the
    contact, and identifies nobody (epoch ms; `new_numbers.py`); 0 for one that is not.
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
    acts_for: list[str] = field(default_factory=list)
    traits: dict[str, str] = field(default_factory=dict)
    new_until_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Holders:
    """Who has a number.

    account_id: the account whose line the number is, None for no account or several. is_line: the
    number is a line that shows no person, whoever has it as well.
    """

    customers: tuple[Customer, ...] = ()
    account_id: str | None = None
    is_line: bool = False


class Customers:
    """Finds customers. Every method raises SalesforceError."""

    def __init__(
        self,
        salesforce: SalesforceClient,
        case_numbers: CaseNumbers,
        region: str,
        language_field: str | None = None,
        changeable: tuple[str, ...] = CHANGEABLE,
        rules: CallerRules = DEFAULT,
        numbers: NumberFields = STANDARD_NUMBERS,
        traits: tuple[str, ...] = (),
    ) -> None:
        """language_field: a field of Contact, for orgs that store the caller's language.

        changeable: the fields of Contact that a caller may change. rules: what makes a caller
        known. numbers: every field that makes a caller known in any agent folder. traits: fields of
        Contact, or of its account, that decide who takes a call; callers are found also where the
        org lacks them.
        """
        self._salesforce = salesforce
        self._case_numbers = case_numbers
        self._region = region
        self._language_field = language_field
        self._changeable = changeable
        self._rules = rules
        self._numbers = numbers
        self._others = (
            *changeable, *([language_field] if language_field else []), *rules.phone_fields
        )  # fmt: skip
        self._traits = traits
        self._traits_again_at = 0.0

    def by_phones(
        self, numbers: Sequence[str], deadline: Deadline, permit: Permit | None = None
    ) -> dict[str, Holders]:
        """Who has each number: no contact, one or several, or an account.

        One request for up to MAX_NUMBERS. More requests when the answer may be incomplete, or when
        Salesforce finds the queries for all numbers too complicated.
        """
        limit = caller_query.MAX_HITS_OF_A_NUMBER * len(numbers)
        try:
            rows = self._ask(numbers, deadline, permit)
        except SalesforceError as error:
            if error.failure is not FailureClass.TOO_MUCH or len(numbers) == 1:
                raise
            return self._in_halves(numbers, deadline)
        if limit in (len(rows.contacts), len(rows.accounts)):
            # Rows were cut off. They may contain the contact, unless several are found already.
            if len(numbers) > 1:
                return self._in_halves(numbers, deadline)
            if len(rows.accounts) == limit or len(self._having(rows.contacts, numbers[0])) < 2:
                raise away("TOO_MANY_HITS", ambiguous=False)
        return {number: self._holders(rows, number) for number in numbers}

    def _ask(self, numbers: Sequence[str], deadline: Deadline, permit: Permit | None) -> Found:
        """Without the traits while the org lacks one: who is calling matters more."""
        if self._traits and time.monotonic() >= self._traits_again_at:
            others = (*self._others, *self._traits)
            try:
                return caller_query.ask(
                    self._salesforce, self._rules, numbers, others, deadline, permit
                )
            except SalesforceError as error:
                if error.failure is not FailureClass.MISSING_FIELD:
                    raise
                self._traits_again_at = time.monotonic() + TRAITS_AGAIN_S
                # For an alarm: the name of the event does not change.
                log.error("trait_missing", reason=str(error))
                permit = None  # it is spent
        return caller_query.ask(
            self._salesforce, self._rules, numbers, self._others, deadline, permit
        )

    def _in_halves(self, numbers: Sequence[str], deadline: Deadline) -> dict[str, Holders]:
        half = len(numbers) // 2
        return self.by_phones(numbers[:half], deadline) | self.by_phones(numbers[half:], deadline)

    def _having(self, contacts: list[dict[str, Any]], number: str) -> list[dict[str, Any]]:
        return holders(
            contacts,
            number,
            self._region,
            self._rules.phone_fields,
            first_field_decides=self._rules.first_field_decides,
        )

    def _holders(self, rows: Found, number: str) -> Holders:
        contacts = self._having(rows.contacts, number)
        line: Line | None = None
        if self._rules.account_fields:
            line = account_lines.line_of(self._rules, rows.accounts, contacts, number, self._region)
        if line and line.contact_id:
            named = [row for row in rows.named if row["Id"] == line.contact_id]
            contacts, is_line = (named, False) if named else (contacts, True)
        else:
            is_line = line is not None
        return Holders(
            tuple(self._read(row, rows.acting) for row in contacts),
            line.account_id if line else None,
            is_line,
        )

    def _read(self, record: dict[str, Any], acting: Acting) -> Customer:
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
            phones=[record[name] for name in self._phone_fields if record.get(name)],
            acts_for=sorted(acting.get(record["Id"], ())),
            traits={path: as_text(at(record, path)) for path in self._traits},
        )

    @property
    def _phone_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*PHONES, *self._rules.phone_fields)))

    def registered(self, numbers: Sequence[str], deadline: Deadline) -> dict[str, Registered]:
        """Who has each of a few numbers, accounts too. One request."""
        queries = [
            composite.query(f"q{nth}", statement)
            for nth, statement in enumerate(registered_statements(numbers, self._numbers))
        ]
        answers = composite.post(self._salesforce, queries, deadline)
        next_page = self._salesforce.next_page(deadline)
        contacts, accounts = (composite.rows_of(answer, next_page) for answer in answers)
        return {
            number: registered(contacts, accounts, number, self._region, self._numbers)
            for number in numbers
        }

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


def by_reference_query(reference: str) -> str:
    return soql(
        f"SELECT {columns(_CASE_SUMMARY_FIELDS)} FROM Case "
        "WHERE Voice_Reference__c = {reference} LIMIT 2",
        reference=reference,
    )


def _the_one(rows: list[dict[str, Any]]) -> CaseSummary | None:
    return CaseSummary.from_record(rows[0]) if len(rows) == 1 else None
