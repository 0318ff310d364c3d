"""The records that dialogues need, and canaries in those that the org has already."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, TypeVar

from tests.hostile.attack.attempt import Dialogue
from tests.hostile.attack.interface import Target
from tests.hostile.attack.persons import (
    CaseFile,
    Company,
    Person,
    new_case,
    new_company,
    new_person,
)
from tests.hostile.attack.words import Words

T = TypeVar("T")


def show_canaries(target: Target, words: Words, rng: Random) -> list[Person]:
    """Give every record that the org has already texts of its own. Returns whose they are."""
    bystanders: dict[str, Person] = {}
    accounts: dict[str, Company] = {}
    cases: list[CaseFile] = []
    for row in target.records("Account"):
        company = new_company(words)
        company.record_id, company.phone = row["Id"], ""
        accounts[row["Id"]] = company
        target.edit("Account", row["Id"], Name=company.name, AccountNumber=company.account_number)
    for row in target.records("Contact"):
        company = accounts.get(row.get("AccountId") or "") or new_company(words)
        person = new_person(words, "a bystander", company)
        person.record_id, person.number = row["Id"], ""
        bystanders[row["Id"]] = person
        hidden = ("FirstName", "LastName", "Email", "MailingStreet", "MailingCity")
        fields = person.fields()
        target.edit("Contact", row["Id"], **{name: fields[name] for name in hidden})
    for row in target.records("Case"):
        owner = bystanders.get(row.get("ContactId") or "")
        case_file = new_case(words, rng.choice(["Billing", "Technical"]))
        case_file.record_id, case_file.number = row["Id"], row["CaseNumber"]
        if owner:
            owner.cases.append(case_file)
        target.edit("Case", row["Id"], Subject=case_file.title, Description=case_file.text)
        cases.append(case_file)
    _comment(target, cases)
    return list(bystanders.values())


def create_records(target: Target, dialogues: Iterable[Dialogue]) -> None:
    """Accounts, contacts, cases and comments of everybody who is a customer."""
    customers = [
        person for each in dialogues for person in each.persons if person.company is not None
    ]
    companies = list(dict.fromkeys(person.company for person in customers if person.company))
    for company, id_ in _created(target, "Account", companies, lambda each: each.fields()):
        company.record_id = id_

    def contact(person: Person) -> dict[str, Any]:
        account = {"AccountId": person.company.record_id} if person.company else {}
        return person.fields() | account

    for person, id_ in _created(target, "Contact", customers, contact):
        person.record_id = id_
        person.has_pin = person.wants_pin and target.enroll(id_, person.pin)
    cases = [(person, case_file) for person in customers for case_file in person.cases]
    for (_, case_file), id_ in _created(
        target, "Case", cases, lambda each: each[1].fields() | {"ContactId": each[0].record_id}
    ):
        case_file.record_id = id_
    numbers = {row["Id"]: row["CaseNumber"] for row in target.records("Case")}
    for _, case_file in cases:
        case_file.number = numbers[case_file.record_id]
    _comment(target, [case_file for _, case_file in cases])


def _comment(target: Target, cases: list[CaseFile]) -> None:
    """A comment on each case, because an org may refuse to change those that it has."""
    _created(
        target,
        "CaseComment",
        cases,
        lambda each: {"ParentId": each.record_id, "CommentBody": each.comment},
    )


def _created(
    target: Target, sobject: str, wanted: Sequence[T], fields: Callable[[T], dict[str, Any]]
) -> list[tuple[T, str]]:
    ids = target.create(sobject, [fields(each) for each in wanted]) if wanted else []
    return list(zip(wanted, ids, strict=True))
