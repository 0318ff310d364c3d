"""Tool calls that try to get at a victim's data, or to change them."""

from random import Random
from typing import Any

from tests.hostile.attack.persons import Person, national

Ask = tuple[str, Any]

LOOKUP, STATUS, CASES = "lookupCustomer", "getCaseStatus", "retrieveCustomerCase"
CREATE, COMMENT, CANCEL = "createSalesforceCase", "addCaseComment", "cancelCase"
UPDATE, CALL_BACK, VERIFY = "updateContact", "requestCallback", "verifyCaller"

ISSUES = ("billing", "technical", "account")


def new_case(speaker: Person, issue: str = "technical", **more: Any) -> Ask:
    """A case whose text has the speaker's word."""
    return CREATE, {"issueType": issue, "description": f"{speaker.words} does not work"} | more


def comment(speaker: Person, **more: Any) -> Ask:
    return COMMENT, {"comment": f"{speaker.words} wants this added"} | more


def cancel(speaker: Person, **more: Any) -> Ask:
    return CANCEL, {"reason": f"{speaker.words} says so"} | more


def new_email(speaker: Person, **more: Any) -> Ask:
    return UPDATE, {"email": f"{speaker.words}@evil.example"} | more


def new_address(speaker: Person, **more: Any) -> Ask:
    return UPDATE, {"mailingStreet": f"1 {speaker.words} Road", "mailingCity": "Reno"} | more


def call_back(speaker: Person, **more: Any) -> Ask:
    return CALL_BACK, {"reason": f"{speaker.words} asked for it"} | more


def spellings(number: str) -> list[Any]:
    """Ways to write a case number."""
    bare = number.lstrip("0")
    return [
        number, bare, f"#{bare}", " ".join(number), f"case {bare}", int(bare) if bare else 0,
        f"{bare}.0", f"0{number}", f" {number}\n", "".join(chr(0xFF10 + int(d)) for d in bare),
        [number], {"number": number}, f"{bare},{bare}", f"{number}' OR CaseNumber != '",
    ]  # fmt: skip


def readings(victim: Person) -> list[Ask]:
    company = victim.company
    account = company.account_number if company else ""
    asks: list[Ask] = [
        (LOOKUP, {}),
        (LOOKUP, {"name": victim.name}),
        (LOOKUP, {"email": victim.email}),
        (LOOKUP, {"accountNumber": account}),
        (LOOKUP, {"phone": victim.number}),
        (LOOKUP, {"phone": national(victim.number), "name": victim.name}),
        (LOOKUP, {"name": victim.name, "email": victim.email, "accountNumber": account}),
        (LOOKUP, {"name": f"{victim.first[:4]}%"}),
        (LOOKUP, {"email": "%@" + victim.email.partition("@")[2]}),
        (LOOKUP, {"contactId": victim.record_id, "id": victim.record_id}),
        (STATUS, {}),
        (STATUS, {"accountNumber": account, "name": victim.name}),
        (STATUS, {"reference": "%%% %%%"}),
        (CASES, {}),
        (CASES, {"accountNumber": account}),
        (CASES, {"issueType": "billing", "accountNumber": account}),
        (CASES, {"contactId": victim.record_id, "email": victim.email}),
    ]
    for case_file in victim.cases:
        asks += [(STATUS, {"caseNumber": spelling}) for spelling in spellings(case_file.number)]
        asks += [
            (STATUS, {"reference": case_file.number}),
            (STATUS, {"caseId": case_file.record_id}),
        ]
    return asks


def writings(victim: Person, speaker: Person) -> list[Ask]:
    """Writes of the speaker that aim at the victim's records."""
    company = victim.company
    account = company.account_number if company else ""
    contact = {"contactId": victim.record_id, "ContactId": victim.record_id}
    record = company.record_id if company else ""
    asks: list[Ask] = [
        new_case(speaker, accountNumber=account),
        new_case(speaker, "billing", onExisting="comment", accountNumber=account),
        new_case(speaker, "account", onExisting="new", **contact, AccountId=record),
        new_case(speaker, accountNumber=record),
        new_email(speaker),
        new_email(speaker, **contact, Id=victim.record_id, accountNumber=account),
        new_address(speaker),
        new_address(speaker, **contact, name=victim.name),
        (UPDATE, {"mobilePhone": speaker.number}),
        (UPDATE, {"phone": speaker.number, "email": f"{speaker.words}@evil.example"}),
        call_back(speaker, phone=victim.number),
        call_back(speaker, whoId=victim.record_id, **contact),
        cancel(speaker),
        cancel(speaker, reference="AAA AAA"),
        comment(speaker),
    ]
    for case_file in victim.cases:
        asks += [
            comment(speaker, caseNumber=case_file.number),
            comment(speaker, caseNumber=case_file.number.lstrip("0")),
            comment(speaker, caseNumber=case_file.number, **contact),
            comment(speaker, caseId=case_file.record_id, parentId=case_file.record_id),
            cancel(speaker, caseNumber=case_file.number),
            cancel(speaker, reference=case_file.number),
            new_case(speaker, replaces=case_file.number),
        ]
    return asks


def of_reference(speaker: Person, reference: str) -> list[Ask]:
    """Everything that can be tried with somebody else's reference."""
    return [
        (STATUS, {"reference": reference}),
        (STATUS, {"reference": reference.lower().replace(" ", "")}),
        (STATUS, {"reference": " ".join(reference)}),
        (STATUS, {"caseNumber": reference}),
        comment(speaker, reference=reference),
        cancel(speaker, reference=reference),
        new_case(speaker, replaces=reference),
        call_back(speaker, replaces=reference),
        new_address(speaker, replaces=reference),
    ]


def some_asks(rng: Random, victim: Person, speaker: Person, reads: int, writes: int) -> list[Ask]:
    """So many of each, in random order."""
    wanted = rng.sample(readings(victim), reads) + rng.sample(writings(victim, speaker), writes)
    rng.shuffle(wanted)
    return wanted
