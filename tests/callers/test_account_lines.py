"""A number that is the line of an account shows the account, and no person."""

from typing import Any

import pytest

from demo.stack import Org
from shared.domain.kinds import Kind, State
from tests.callers.conftest import Brand, MakeBrand, account, contact, requests_of
from tests.calling import KNOWN, UNKNOWN

ACME_LINE, BLUEBIRD_LINE = "+14155550100", "+14155550200"
LINES = "[account]\nphone_fields = ['Phone']\n"
NAMED = f"{LINES}contact = 'Primary_Contact__c'\n"
CASE = {"issueType": "billing", "description": "Billed twice"}
OUTAGE: dict[str, Any] = {"status": 503, "error_code": "SERVER_UNAVAILABLE"}
NOT_ONE_PERSON = "belongs to an account on file, not to one person"


def new_case(brand: Brand) -> dict[str, Any]:
    """The case that the last call opened."""
    brand.deliver()
    (intent,) = (intent for intent in brand.accepted() if intent.kind is Kind.CASE_CREATE)
    assert intent.state is State.DELIVERED
    (case,) = (case for case in brand.org.records("Case") if case["Call_Key__c"] == intent.id)
    return case


def test_a_line_makes_the_account_known_and_nobody_else(brand: MakeBrand, org: Org) -> None:
    acme = brand(LINES)
    said = acme.says(ACME_LINE, "lookupCustomer")
    assert NOT_ONE_PERSON in said
    assert "Acme" not in said
    assert NOT_ONE_PERSON in acme.says(ACME_LINE, "retrieveCustomerCase")
    for tool, arguments in (
        ("getCaseStatus", {"caseNumber": "00001001"}),
        ("addCaseComment", {"caseNumber": "00001001", "comment": "x"}),
        ("updateContact", {"mailingCity": "Reno"}),
    ):
        said = acme.says(ACME_LINE, tool, arguments)
        assert "1001 is" not in said
        assert acme.accepted() == []


def test_a_case_from_a_line_is_linked_to_its_account_and_to_no_contact(
    brand: MakeBrand, org: Org
) -> None:
    acme = brand(LINES)
    acme.says(ACME_LINE, "createSalesforceCase", CASE)
    case = new_case(acme)
    assert (case["AccountId"], case["ContactId"]) == (account(org, "Acme Water Works")["Id"], None)


def test_a_case_from_a_line_does_not_show_that_the_account_has_such_a_case(
    brand: MakeBrand,
) -> None:
    acme = brand(LINES)
    acme.says(KNOWN, "createSalesforceCase", CASE)
    said = acme.says(ACME_LINE, "createSalesforceCase", CASE)
    assert "already" not in said
    assert len(acme.accepted()) == 1


def test_without_account_lines_such_a_number_is_not_on_file(brand: MakeBrand) -> None:
    acme = brand("")
    assert "not on file" in acme.says(ACME_LINE, "lookupCustomer")
    acme.says(ACME_LINE, "createSalesforceCase", CASE)
    assert new_case(acme)["AccountId"] is None


@pytest.mark.parametrize(
    ("policy", "is_said", "is_linked"),
    [
        ('base = "open"', True, True),
        ('base = "standard"', True, True),
        ('base = "strict"', False, True),
        ('base = "open"\n[create]\naccount_line = "verified"\n', True, False),
        ('base = "open"\n[identify]\naccount_line = "recognised"\n', False, True),
    ],
)
def test_the_policy_says_what_a_line_opens(
    brand: MakeBrand, policy: str, is_said: bool, is_linked: bool
) -> None:
    acme = brand(LINES, policy)
    said = acme.says(ACME_LINE, "lookupCustomer")
    assert (NOT_ONE_PERSON in said) is is_said
    assert ("not on file" in said) is not is_said
    acme.says(ACME_LINE, "createSalesforceCase", CASE)
    assert bool(new_case(acme)["AccountId"]) is is_linked


def test_a_colleague_with_the_line_on_their_own_record_is_not_taken_for_the_caller(
    brand: MakeBrand, org: Org
) -> None:
    org.edit("Contact", contact(org, "Tom O'Brien")["Id"], Phone="415 555 0100")
    assert "Tom O'Brien" in brand("").says(ACME_LINE, "lookupCustomer")
    acme = brand(LINES)
    assert NOT_ONE_PERSON in acme.says(ACME_LINE, "lookupCustomer")
    acme.says(ACME_LINE, "createSalesforceCase", CASE)
    assert new_case(acme)["ContactId"] is None


def test_a_colleague_behind_the_line_can_prove_who_they_are(brand: MakeBrand, org: Org) -> None:
    org.edit("Contact", contact(org, "Jane Miller")["Id"], MobilePhone="415 555 0100")
    acme = brand(LINES)
    assert NOT_ONE_PERSON in acme.says(ACME_LINE, "lookupCustomer", call_id="c")
    acme.says(ACME_LINE, "verifyCaller", {"pin": "4271"}, call_id="c")
    assert "Jane Miller" in acme.says(ACME_LINE, "lookupCustomer", call_id="c")


def test_a_person_account_has_its_number_in_both_places_and_is_recognised(
    brand: MakeBrand, org: Org
) -> None:
    """Salesforce keeps a person account as an account and a contact of one name and number."""
    (person,) = org.create("Account", [{"Name": "Ada Lovelace", "Phone": "628-555-0143"}])
    org.create(
        "Contact",
        [{"FirstName": "Ada", "LastName": "Lovelace", "AccountId": person, "Phone": "6285550143"}],
    )
    acme = brand(LINES)
    assert "Ada Lovelace" in acme.says("+16285550143", "lookupCustomer")
    acme.says("+16285550143", "createSalesforceCase", CASE)
    assert new_case(acme)["ContactId"] == contact(org, "Ada Lovelace")["Id"]


def test_a_line_of_two_accounts_shows_neither(brand: MakeBrand, org: Org) -> None:
    org.edit("Account", account(org, "Bluebird Bakery")["Id"], Phone="(415) 555-0100")
    org.edit("Contact", contact(org, "Tom O'Brien")["Id"], Phone="415 555 0100")
    acme = brand(LINES)
    assert "Tom" not in acme.says(ACME_LINE, "lookupCustomer")
    acme.says(ACME_LINE, "createSalesforceCase", CASE)
    case = new_case(acme)
    assert (case["AccountId"], case["ContactId"]) == (None, None)


def test_a_field_of_the_teams_own_holds_a_line_too(brand: MakeBrand, org: Org) -> None:
    org.edit("Account", account(org, "Acme Water Works")["Id"], Service_Line__c="628 555 0144")
    acme = brand("[account]\nphone_fields = ['Service_Line__c']\n")
    assert NOT_ONE_PERSON in acme.says("+16285550144", "lookupCustomer")
    assert "not on file" in acme.says(ACME_LINE, "lookupCustomer")


# -- the contact whom an account names -------------------------------------------------------------


def name_jane(org: Org) -> None:
    jane = contact(org, "Jane Miller")["Id"]
    org.edit("Account", account(org, "Bluebird Bakery")["Id"], Primary_Contact__c=jane)


def test_the_contact_whom_an_account_names_is_the_caller_from_its_line(
    brand: MakeBrand, org: Org
) -> None:
    name_jane(org)
    acme = brand(NAMED)
    assert "Jane Miller" in acme.says(BLUEBIRD_LINE, "lookupCustomer")
    assert "00001002" in acme.says(BLUEBIRD_LINE, "retrieveCustomerCase")
    assert NOT_ONE_PERSON in acme.says(ACME_LINE, "lookupCustomer")  # this one names nobody
    acme.says(BLUEBIRD_LINE, "createSalesforceCase", CASE | {"issueType": "account"})
    assert new_case(acme)["ContactId"] == contact(org, "Jane Miller")["Id"]


def test_the_decision_names_the_account_as_the_evidence(brand: MakeBrand, org: Org) -> None:
    name_jane(org)
    acme = brand(NAMED)
    acme.says(BLUEBIRD_LINE, "lookupCustomer", call_id="c")
    evidence = {decision.evidence for decision in acme.service.decisions.of_call("c")}
    assert evidence == {"an account has the number and names one contact for it"}


@pytest.mark.parametrize("named", [False, True])
def test_the_worker_follows_the_same_rules_for_a_call_in_an_outage(
    brand: MakeBrand, org: Org, named: bool
) -> None:
    org.edit("Contact", contact(org, "Mei Chen")["Id"], Phone="415-555-0200")
    if named:
        name_jane(org)
    acme = brand(NAMED)
    org.fault(**OUTAGE)
    acme.says(BLUEBIRD_LINE, "createSalesforceCase", CASE)
    org.fault()
    expected = contact(org, "Jane Miller")["Id"] if named else None
    assert new_case(acme)["ContactId"] == expected


def test_lines_take_no_more_requests(brand: MakeBrand, org: Org) -> None:
    name_jane(org)
    acme = brand(NAMED)
    acme.says(UNKNOWN, "lookupCustomer")  # there is a token now
    before = requests_of(org)
    acme.says(BLUEBIRD_LINE, "lookupCustomer", call_id="c")
    acme.says(BLUEBIRD_LINE, "retrieveCustomerCase", call_id="c")
    assert requests_of(org) - before == 1


def test_accounts_that_cant_be_read_make_nobody_known(brand: MakeBrand, org: Org) -> None:
    """Else a colleague would be taken for whoever calls from the line."""
    org.edit("Contact", contact(org, "Tom O'Brien")["Id"], Phone="415 555 0100")
    acme = brand(LINES)
    org.fault(hide_fields=["Account.BillingCountry"])
    assert "Tom" not in acme.says(ACME_LINE, "lookupCustomer")


def test_a_second_number_in_the_call_takes_the_account_away(brand: MakeBrand, org: Org) -> None:
    acme = brand(LINES)
    acme.says(ACME_LINE, "createSalesforceCase", CASE, call_id="c")
    acme.says(BLUEBIRD_LINE, "lookupCustomer", call_id="c")
    acme.deliver()
    (intent,) = acme.journal.of_call("c")
    (case,) = (case for case in org.records("Case") if case["Call_Key__c"] == intent.id)
    assert (case["AccountId"], case["ContactId"]) == (None, None)
