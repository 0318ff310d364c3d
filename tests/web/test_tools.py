"""What the tools answer: 0, 1 and many honestly, and nobody else's data."""

from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.intent import Delivered, Parked
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from tests.calling import KNOWN, SHARED, UNKNOWN, ask, reference_in, say
from tests.conftest import change_settings
from tests.store_time import snapshot_expires
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

CASE = {"issueType": "billing", "description": "Billed twice for October"}


def case_of(org: Org, name: str) -> dict[str, Any]:
    (contact,) = (record for record in org.records("Contact") if record["Name"] == name)
    return next(record for record in org.records("Case") if record["ContactId"] == contact["Id"])


NO_SUCH_CASE = "I can't find a case with that number that I may discuss on this phone number."


def test_a_known_caller_is_named_with_account_and_open_cases(client: FlaskClient) -> None:
    said = say(client, "lookupCustomer")
    assert said == (
        'The caller is "Jane Miller" of "Acme Water Works", account number "ACC-12345". '
        "They have two open cases."
    )


def test_a_shared_number_is_nobody_in_particular(client: FlaskClient) -> None:
    said = say(client, "lookupCustomer", number=SHARED)
    assert said.startswith("Two customers share this phone number.")
    assert "can't tell whose" in say(client, "getCaseStatus", number=SHARED)
    assert "can't tell whose" in say(client, "retrieveCustomerCase", number=SHARED)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"accountNumber": "ACC-12345"},
        {"accountNumber": "ACC-99999"},
        {"email": "jane.miller@acme.example"},
        {"name": "Jane Miller"},
        {"phone": "415-555-0101"},
    ],
)
def test_what_a_stranger_says_searches_nobody(
    client: FlaskClient, org: Org, given: dict[str, str]
) -> None:
    say(client, "lookupCustomer", number=UNKNOWN)
    asked = org.stats()["requests"]
    said = say(client, "lookupCustomer", given, number=UNKNOWN)
    assert said == "This phone number is not on file. So I can't tell who is calling."
    assert org.stats()["requests"] == asked


def test_a_caller_without_number_learns_so(client: FlaskClient) -> None:
    assert "no phone number" in say(client, "lookupCustomer", number="")
    assert "no phone number" in say(client, "retrieveCustomerCase", number="anonymous")


def test_open_cases_are_listed_newest_first_and_by_issue_type(client: FlaskClient) -> None:
    said = say(client, "retrieveCustomerCase")
    assert said.startswith("There are two open cases.")
    assert said.index("00001002") < said.index("00001001")
    billing = say(client, "retrieveCustomerCase", {"issueType": "billing"})
    assert "one open case about billing issues" in billing
    assert "00001001" in billing
    assert "no open case" in say(client, "retrieveCustomerCase", {"issueType": "account"})
    assert "not the one" in say(client, "retrieveCustomerCase", {"accountNumber": "ACC-77777"})
    assert "not on file" in say(client, "retrieveCustomerCase", number=UNKNOWN, call_id="other")


def test_the_newest_open_case_is_found_without_arguments(client: FlaskClient) -> None:
    assert say(client, "getCaseStatus").startswith("Case 00001002")


def test_a_case_is_visible_to_its_contact_alone(client: FlaskClient) -> None:
    assert 'is "New"' in say(client, "getCaseStatus", {"caseNumber": "1001"})
    for number in (UNKNOWN, SHARED, ""):
        said = say(client, "getCaseStatus", {"caseNumber": "1001"}, number=number, call_id=number)
        assert said == NO_SUCH_CASE
    assert "I can't find a case" in say(client, "getCaseStatus", {"caseNumber": "9999"})
    assert "I can't find a case" in say(client, "getCaseStatus", {"reference": "AAA 222"})


def test_a_new_case_is_known_by_its_reference_and_then_by_its_number(
    client: FlaskClient, context: DeliveryContext
) -> None:
    reference = reference_in(say(client, "createSalesforceCase", CASE))
    said = say(client, "getCaseStatus", {"reference": reference}, id="1")
    assert said.startswith("The case is being opened")
    drain(context, Kind.CASE_CREATE)
    for arguments in ({"reference": reference.lower()}, {}):
        said = say(client, "getCaseStatus", arguments, id=f"2{arguments}")
        assert said == 'Case 00001008, "Billing: Billed twice for October", is "New".'


def test_a_reference_is_visible_to_the_contact_who_got_it_and_to_nobody_else(
    client: FlaskClient, context: DeliveryContext
) -> None:
    say(client, "lookupCustomer", call_id="a")
    said = say(client, "createSalesforceCase", CASE, call_id="a")
    wanted = {"reference": reference_in(said)}
    assert "being opened" in say(client, "getCaseStatus", wanted, call_id="b")
    assert "I can't find a case" in say(
        client, "getCaseStatus", wanted, number=UNKNOWN, call_id="c"
    )
    drain(context, Kind.CASE_CREATE)
    assert 'is "New"' in say(client, "getCaseStatus", wanted, call_id="d")
    assert "I can't find a case" in say(
        client, "getCaseStatus", wanted, number=UNKNOWN, call_id="e"
    )


def test_a_reference_outlives_the_store(
    client: FlaskClient, context: DeliveryContext, journal: Journal, store: Any
) -> None:
    reference = reference_in(say(client, "createSalesforceCase", CASE))
    drain(context, Kind.CASE_CREATE)
    store.flushall()
    assert 'is "New"' in say(client, "getCaseStatus", {"reference": reference}, call_id="later")


def test_a_contact_change_remembers_what_was_seen(client: FlaskClient, journal: Journal) -> None:
    said = say(client, "updateContact", {"email": "new@example.com", "mailingCity": "Oakland"})
    assert said.startswith(
        "The new email address, spelled n e w at e x a m p l e dot c o m, and city will be on file"
    )
    (stored,) = journal.of_call("call-1")
    assert stored.payload["changes"] == {"Email": "new@example.com", "MailingCity": "Oakland"}
    assert stored.payload["seen"] == {
        "Email": ["jane.miller@acme.example"],
        "MailingCity": ["San Francisco"],
    }


@pytest.mark.parametrize("number", [UNKNOWN, SHARED, ""])
def test_only_the_one_contact_with_the_number_may_change_details(
    client: FlaskClient, journal: Journal, number: str
) -> None:
    result = ask(client, "updateContact", {"email": "new@example.com"}, number=number)
    assert "Nothing was changed" in result["error"]
    assert journal.counts()["accepted"] == 0


def test_a_contact_change_is_accepted_while_salesforce_is_away(
    client: FlaskClient, journal: Journal, org: Org
) -> None:
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    assert "result" in ask(client, "updateContact", {"email": "new@example.com"})
    org.fault()
    (stored,) = journal.of_call("call-1")
    assert stored.payload["contact_id"] is None
    assert stored.payload["seen"] is None


def test_a_comment_goes_to_the_case_of_the_call(client: FlaskClient, journal: Journal) -> None:
    assert "error" in ask(client, "addCaseComment", {"comment": "x"}, id="1")
    say(client, "createSalesforceCase", CASE)
    assert "result" in ask(client, "addCaseComment", {"comment": "x"}, id="2")
    opened, comment = journal.of_call("call-1")
    assert comment.payload["case_intent"] == opened.id
    assert comment.state is State.HELD


def test_a_comment_on_a_named_case_is_for_its_contact_alone(
    client: FlaskClient, journal: Journal
) -> None:
    wanted = {"comment": "x", "caseNumber": "1001"}
    assert "I can't find a case" in ask(client, "addCaseComment", wanted, number=UNKNOWN)["error"]
    assert (
        "I can't find a case"
        in ask(client, "addCaseComment", wanted | {"caseNumber": "9"})["error"]
    )
    assert journal.counts()["accepted"] == 0
    assert "result" in ask(client, "addCaseComment", wanted, call_id="theirs")


def test_a_case_taken_back_in_time_is_never_opened(
    app: Flask, journal: Journal, context: DeliveryContext
) -> None:
    service = app.extensions["service"]
    held = change_settings(service.settings, commit_window_ms=60_000)
    object.__setattr__(service, "settings", held)
    client = app.test_client()
    say(client, "createSalesforceCase", CASE)
    assert "taken back" in say(client, "cancelCase", id="1")
    assert "taken back" in say(client, "cancelCase", id="2")
    assert drain(context, Kind.CASE_CREATE).counts == {}
    assert [intent.state for intent in journal.of_call("call-1")] == [State.CANCELLED]
    assert "error" in ask(client, "addCaseComment", {"comment": "x"})


def test_a_case_that_was_opened_already_is_closed(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "createSalesforceCase", CASE)
    drain(context, Kind.CASE_CREATE)
    assert "being closed" in say(client, "cancelCase")
    assert drain(context, Kind.CASE_CLOSE).counts == {"delivered": 1}
    (opened,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert opened["IsClosed"] is True


def test_there_is_nothing_to_take_back_in_a_call_without_case(client: FlaskClient) -> None:
    assert "none to take back" in ask(client, "cancelCase")["error"]


def test_somebody_elses_reference_takes_nothing_back(client: FlaskClient, journal: Journal) -> None:
    reference = reference_in(say(client, "createSalesforceCase", CASE, call_id="a"))
    result = ask(client, "cancelCase", {"reference": reference}, number=UNKNOWN, call_id="b")
    assert "I can't find a case" in result["error"]
    (stored,) = journal.of_call("a")
    assert stored.state is State.DUE


def test_a_call_back_goes_to_the_callers_number_unless_another_is_given(
    client: FlaskClient, journal: Journal
) -> None:
    say(client, "requestCallback", {"when": "tomorrow"}, id="1")
    say(client, "requestCallback", {"phone": "415 555 0199"}, id="2")
    assert [intent.payload["phone"] for intent in journal.of_call("call-1")] == [
        "+14155550101",
        "+14155550199",
    ]
    result = ask(client, "requestCallback", number="", call_id="hidden")
    assert "phone number to call back" in result["error"]


def test_a_parked_request_is_not_promised_again(client: FlaskClient, journal: Journal) -> None:
    say(client, "createSalesforceCase", CASE, id="1")
    lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000)

    journal.settle(lease, [Parked(lease.intents[0].id, "NO")])
    assert "needs a colleague" in say(client, "createSalesforceCase", CASE, id="2")
    assert "needs a colleague" in say(client, "getCaseStatus")


def test_a_receipt_without_number_is_said_as_it_is(client: FlaskClient, journal: Journal) -> None:
    say(client, "createSalesforceCase", CASE)
    lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000)
    journal.settle(lease, [Delivered(lease.intents[0].id, "500000000000001AAA")])
    assert "number is not known yet" in say(client, "getCaseStatus")


def test_a_callers_correction_of_their_own_change_is_made(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    """The second change meets the first one's value, which is no stranger's edit."""
    for nth, email in enumerate(("jon@example.com", "john@example.com", "jon@example.com")):
        assert "result" in ask(client, "updateContact", {"email": email}, id=f"c{nth}")
        if nth == 0:
            assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 2}
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    assert jane["Email"] == "jon@example.com"


def test_a_second_change_accepted_in_an_outage_is_made_too(
    client: FlaskClient, context: DeliveryContext, org: Org, journal: Journal
) -> None:
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    ask(client, "updateContact", {"mailingCity": "Oakland"}, id="1")
    ask(client, "updateContact", {"email": "new@example.com"}, id="2")
    org.fault()
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 2}


def test_the_same_change_asked_for_twice_in_a_row_is_one_request(
    client: FlaskClient, journal: Journal
) -> None:
    first = say(client, "updateContact", {"email": "new@example.com"}, id="1")
    assert say(client, "updateContact", {"email": "new@example.com"}, id="2") == first
    assert journal.counts()["accepted"] == 1


def another(nth: int) -> dict[str, Any]:
    return CASE | {"description": f"case {nth}", "onExisting": "new"}


def test_a_comment_on_each_of_two_cases_is_two_requests(
    client: FlaskClient, journal: Journal
) -> None:
    for nth in range(2):
        say(client, "createSalesforceCase", another(nth), id=f"c{nth}")
        say(client, "addCaseComment", {"comment": "urgent"}, id=f"d{nth}")
    kinds = [intent.kind for intent in journal.of_call("call-1")]
    assert kinds.count(Kind.CASE_COMMENT) == 2


def test_taking_back_twice_takes_one_case_back(client: FlaskClient, journal: Journal) -> None:
    for nth in range(2):
        say(client, "createSalesforceCase", another(nth), id=f"c{nth}")
    for nth in range(2):
        assert "taken back" in say(client, "cancelCase", id=f"d{nth}")
    states = [intent.state for intent in journal.of_call("call-1")]
    assert states == [State.DUE, State.CANCELLED]


def test_the_reason_of_a_close_is_a_comment(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "createSalesforceCase", CASE)
    drain(context, Kind.CASE_CREATE)
    say(client, "cancelCase", {"reason": "works again"})
    drain(context, Kind.CASE_CLOSE)
    drain(context, Kind.CASE_COMMENT)
    assert any("works again" in record["CommentBody"] for record in org.records("CaseComment"))


def test_a_parked_case_that_is_taken_back_is_settled(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    say(client, "createSalesforceCase", CASE)
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    drain(context, Kind.CASE_CREATE)
    assert "taken back" in say(client, "cancelCase")
    assert [intent.state for intent in journal.of_call("call-1")] == [State.CANCELLED]
    assert journal.parked(10) == []


def test_a_number_that_only_looks_alike_is_another_persons(client: FlaskClient, org: Org) -> None:
    """2072345678 is a number of Maine when an American org writes it, and of London when we do."""
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], Phone="2072345678")
    assert "not on file" in say(client, "lookupCustomer", number="+442072345678", call_id="uk")
    assert "Jane" in say(client, "lookupCustomer", number="+12072345678", call_id="us")


def test_sharers_of_a_number_learn_nothing_of_a_case_by_its_number(
    client: FlaskClient, context: DeliveryContext
) -> None:
    say(client, "createSalesforceCase", CASE, number=SHARED, call_id="a")
    drain(context, Kind.CASE_CREATE)
    wanted = {"caseNumber": "1008"}
    assert "I can't find a case" in say(client, "getCaseStatus", wanted, number=SHARED, call_id="b")


def test_a_refusal_for_want_of_salesforce_is_not_kept(
    client: FlaskClient, org: Org, context: DeliveryContext, store: redis.Redis, keys: str
) -> None:
    reference = reference_in(say(client, "createSalesforceCase", CASE, call_id="a"))
    drain(context, Kind.CASE_CREATE)
    wanted = {"comment": "x", "reference": reference}
    snapshot_expires(store, keys, KNOWN)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    assert "error" in ask(client, "addCaseComment", wanted, call_id="b")
    org.fault()
    assert "result" in ask(client, "addCaseComment", wanted, call_id="b")


def test_a_known_caller_learns_and_changes_nothing_of_another_contacts_case(
    client: FlaskClient, journal: Journal
) -> None:
    wanted = {"caseNumber": "1005"}  # of Luis Garcia
    assert "I can't find a case" in say(client, "getCaseStatus", wanted)
    assert (
        "I can't find a case" in ask(client, "addCaseComment", wanted | {"comment": "x"})["error"]
    )
    assert journal.counts()["accepted"] == 0
