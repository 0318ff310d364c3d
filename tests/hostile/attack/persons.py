"""The persons of a dialogue, and their records, whose texts are canaries."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.attack.rights import What
from tests.hostile.attack.words import Words

STATE = "Escalated"
"""The status of every victim's case: no other case has it."""


@dataclass(eq=False)
class Company:
    name: str
    account_number: str
    phone: str
    record_id: str = ""

    def fields(self) -> dict[str, Any]:
        return {"Name": self.name, "AccountNumber": self.account_number, "Phone": self.phone}


@dataclass(eq=False)
class CaseFile:
    title: str
    text: str
    comment: str
    kind: str
    record_id: str = ""
    number: str = ""

    def fields(self) -> dict[str, Any]:
        """Of the record; the contact is added when it is known."""
        return {
            "Subject": self.title,
            "Description": self.text,
            "Type": self.kind,
            "Status": STATE,
            "Origin": "Email",
        }


@dataclass(eq=False)
class Person:
    """A customer of the org, or a stranger, who has no company and no records.

    words: an opaque word that this person puts into everything they say. others: further fields
    of the contact. later: texts that staff write into this person's cases during the dialogue.
    wants_pin: the dialogue is about their PIN. has_pin: the server knows it.
    """

    role: str
    words: str
    number: str
    first: str
    last: str
    email: str
    street: str
    city: str
    pin: str
    company: Company | None = None
    cases: list[CaseFile] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    wants_pin: bool = False
    has_pin: bool = False
    record_id: str = ""

    @property
    def is_customer(self) -> bool:
        return self.company is not None

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def case(self) -> CaseFile:
        return self.cases[0]

    def fields(self) -> dict[str, Any]:
        """Of the contact; the account is added when it is known."""
        return {
            "FirstName": self.first,
            "LastName": self.last,
            "Email": self.email,
            "Phone": national(self.number),
            "MailingStreet": self.street,
            "MailingCity": self.city,
            "MailingCountry": "United States",
        } | self.others


@dataclass(frozen=True)
class Canary:
    """A text that shows `what` of its owners. dialogue: the key of the dialogue they are of.

    in_dialogue: its owner got it only by what they did in the dialogue.
    """

    text: str
    what: What
    owners: tuple[Person, ...]
    dialogue: str
    in_dialogue: bool = False


def new_company(words: Words) -> Company:
    return Company(f"{words.name()} Works", f"ACC-{words.word().upper()}", words.number())


def new_case(words: Words, kind: str) -> CaseFile:
    return CaseFile(f"{words.name()} is broken", f"{words.word()} leaks", words.word(), kind)


def new_person(words: Words, role: str, company: Company | None = None) -> Person:
    email = f"{words.word()}@{words.word()}.example"
    return Person(
        role=role,
        words=words.word(),
        number=words.number(),
        first=words.name(),
        last=words.name(),
        email=email,
        street=f"12 {words.name()} Street",
        city=words.name(),
        pin=words.pin(),
        company=company,
    )


def national(number: str) -> str:
    """+16282201234 as people type it: (628) 220-1234."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


def texts_of(persons: list[Person]) -> Iterator[tuple[str, What, tuple[Person, ...]]]:
    """Each text that shows something of somebody: words, and phone numbers as E.164."""
    for person in persons:
        alone = (person,)
        yield person.words, What.WORDS, alone
        if not person.is_customer:
            continue
        yield person.number, What.PHONE, alone
        yield f"{person.first} {person.last}", What.NAME, alone
        yield person.email, What.EMAIL, alone
        yield f"{person.street} {person.city}", What.ADDRESS, alone
        for case_file in person.cases:
            yield f"{case_file.title} {case_file.text}", What.CASE_TEXT, alone
            yield case_file.comment, What.COMMENT, alone
        yield " ".join(person.later), What.CASE_TEXT, alone
    for company in dict.fromkeys(person.company for person in persons if person.company):
        members = tuple(person for person in persons if person.company is company)
        yield company.name, What.ACCOUNT_NAME, members
        yield company.account_number, What.ACCOUNT_NUMBER, members
        yield company.phone, What.ACCOUNT_NUMBER, members
