"""Strangers, shared numbers and false numbers: nobody hears or changes what is somebody else's."""

import json
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.processes import wait_until
from demo.stack import Org
from shared.domain.identifiers import same_identifier
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import (
    KNOWN,
    SHARED,
    UNKNOWN,
    message,
    only_result,
    post,
    reference_in,
    say,
    tool_message,
)
from tests.conftest import change_settings
from tests.workers.delivering import contact
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

LUIS = "+14155550103"
TOM = "+14155550105"
"""A colleague of Jane's."""
CASE = {"issueType": "billing", "description": "A secret worth keeping", "onExisting": "new"}


def jane(org: Org) -> dict[str, Any]:
    return contact(org, "Jane Miller")


def deliver(context: DeliveryContext) -> None:
    for _ in range(3):
        for kind in Kind:
            drain(context, kind)


@pytest.mark.parametrize(
    "written",
    [
        "(415)555-0101",
        "1 415 555 0101",
        "+1.415.555.0101",
        "415/555-0101",
        "415 55 50 101",
        "001 415 555 0101",
        "415-555-0101 (home)",
        "415-555-0105 or 415-555-0101",
        "415-555-0101 x12",
    ],
)
def test_two_contacts_with_one_number_are_two_however_they_write_it(
    client: FlaskClient, org: Org, written: str
) -> None:
    org.edit("Contact", contact(org, "Luis Garcia")["Id"], HomePhone=written)
    assert "Jane" not in say(client, "lookupCustomer", number=KNOWN)
    assert say(client, "retrieveCustomerCase", number=KNOWN).count("Invoice") == 0


# -- C1, C8, C9, C10: no number, no identity -------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    ["+86282452253", "+8656696", "+10000000000", "+17378742833", "anonymous", f"x{KNOWN}", ""],
)
def test_strangers_behind_a_withheld_number_share_nothing(
    client: FlaskClient, org: Org, context: DeliveryContext, number: str
) -> None:
    made = say(client, "createSalesforceCase", CASE, number=number, call_id="a")
    reference = reference_in(made)
    deliver(context)
    assert "no phone number" in say(client, "lookupCustomer", number=number, call_id="b")
    for tool, arguments in (
        ("getCaseStatus", {"reference": reference}),
        ("getCaseStatus", {}),
        ("addCaseComment", {"reference": reference, "comment": "x"}),
        ("cancelCase", {"reference": reference}),
        ("cancelCase", {}),
    ):
        said = say(client, tool, arguments, number=number, call_id="b", id=str(arguments))
        assert "secret" not in said
        assert any(word in said for word in ("can't", "no case", "No case"))
    before = len(org.records("CaseComment"))
    deliver(context)
    assert len(org.records("CaseComment")) == before
    assert not any(record["IsClosed"] for record in org.records("Case") if record["Call_Key__c"])


@pytest.mark.parametrize(
    "call",
    [
        {"type": "webCall"}, {"type": "vapi.websocketCall"}, {"type": "smsCall"}, {},
        {"type": "inboundPhoneCall", "transport": {"provider": "vapi.sip"}},
    ],
)  # fmt: skip
def test_a_number_that_no_carrier_set_is_nobodys(client: FlaskClient, call: dict[str, Any]) -> None:
    body = tool_message(("a", "lookupCustomer", {}))
    body["message"]["call"] = {"id": "call-1", **call}
    result = only_result(post(client, body))
    assert "Jane" not in json.dumps(result)


def test_a_sip_caller_of_a_trusted_trunk_is_who_the_trunk_says(settings: Settings) -> None:
    app = create_app(change_settings(settings, sip_trunks="203.0.113.7"))
    for host, known in (("203.0.113.7", True), ("203.0.113.8", False)):
        body = tool_message(("a", "lookupCustomer", {}), call_id=host)
        body["message"]["customer"] = {"sipUri": f"sip:{KNOWN}@{host}:5060"}
        result = only_result(post(app.test_client(), body))
        assert ("Jane Miller" in json.dumps(result)) is known
    app.extensions["service"].close()


# -- C2, C5: a number without a contact, and whose case it is now ----------------------------------


def test_a_number_of_nobody_identifies_nobody_across_calls(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    first = CASE | {"accountNumber": "ACC-12345"}
    made = say(client, "createSalesforceCase", first, number=UNKNOWN, call_id="a")
    reference = reference_in(made)
    second = say(
        client, "createSalesforceCase", first | {"onExisting": "ask"}, number=UNKNOWN, call_id="b"
    )
    assert "being opened" in second
    assert reference not in second
    deliver(context)
    wanted = {"reference": reference}
    assert "I can't find a case" in say(
        client, "getCaseStatus", wanted, number=UNKNOWN, call_id="c"
    )
    comment = wanted | {"comment": "mine now"}
    assert "I can't find a case" in say(
        client, "addCaseComment", comment, number=UNKNOWN, call_id="c"
    )
    assert "I can't find a case" in say(client, "cancelCase", wanted, number=UNKNOWN, call_id="c")
    assert journal.of_call("c") == []


def test_what_the_org_says_now_decides_of_own_cases_too(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    made = say(client, "createSalesforceCase", CASE, number=UNKNOWN, call_id="a")
    wanted = {"reference": reference_in(made)}
    deliver(context)
    said = say(client, "getCaseStatus", wanted, number=UNKNOWN, call_id="a", id="1")
    assert said.endswith('is "New".')
    assert "secret" not in said  # what a case says now may be staff's words
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    org.edit("Case", case["Id"], ContactId=jane(org)["Id"], Subject="Jane's own words")
    before = len(org.records("CaseComment"))
    for nth, (tool, arguments) in enumerate(
        (
            ("getCaseStatus", wanted),
            ("getCaseStatus", {}),
            ("addCaseComment", {"comment": "mine"}),
            ("addCaseComment", wanted | {"comment": "mine"}),
            ("cancelCase", wanted),
        )
    ):
        said = say(client, tool, arguments, number=UNKNOWN, call_id="a", id=f"x{nth}")
        assert "can't" in said
        assert "Jane" not in said
    deliver(context)
    assert len(org.records("CaseComment")) == before
    assert "Jane's own words" in say(client, "getCaseStatus", wanted, call_id="j")


def test_a_comment_accepted_before_staff_gave_the_case_away_is_not_written_to_it(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    say(client, "createSalesforceCase", CASE, number=UNKNOWN, call_id="a")
    say(client, "addCaseComment", {"comment": "mine"}, number=UNKNOWN, call_id="a")
    say(client, "requestCallback", {}, number=UNKNOWN, call_id="a")
    drain(context, Kind.CASE_CREATE)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    org.edit("Case", case["Id"], ContactId=jane(org)["Id"])
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1}
    (comment,) = (intent for intent in journal.of_call("a") if intent.kind is Kind.CASE_COMMENT)
    assert comment.reason == "CASE_OF_SOMEBODY_ELSE"


def test_a_case_opened_in_an_outage_is_its_contacts_once_the_org_says_so(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", body="json")
    made = say(client, "createSalesforceCase", CASE, call_id="a")
    org.fault()
    deliver(context)
    wanted = {"reference": reference_in(made)}
    assert "secret" in say(client, "getCaseStatus", wanted, call_id="b")
    assert "I can't find a case" in say(client, "getCaseStatus", wanted, number=LUIS, call_id="c")


# -- C3: kept answers ------------------------------------------------------------------------------


def test_a_kept_answer_is_for_who_asked_it_alone(client: FlaskClient) -> None:
    def asked(number: str, call_id: str | None) -> str:
        body = tool_message(("call_0", "lookupCustomer", {}), number=number)
        body["message"]["call"] = {"type": "inboundPhoneCall"}
        if call_id:
            body["message"]["call"]["id"] = call_id
        result = only_result(post(client, body))
        return str(result["result"])

    for call_id in (None, "a"):
        assert "Jane" in asked(KNOWN, call_id)
        for number in (UNKNOWN, LUIS, ""):
            assert "Jane" not in asked(number, call_id)


@pytest.mark.parametrize("named", ["chat", "session"])
def test_chats_and_sessions_keep_answers_of_their_own(client: FlaskClient, named: str) -> None:
    def asked(id_: str, comment: str) -> str:
        arguments = {"issueType": "technical", "description": comment}
        body = tool_message(("call_0", "createSalesforceCase", arguments), call_id="", number="")
        body["message"][named] = {"id": id_}
        result = only_result(post(client, body))
        return str(result["result"])

    assert asked("one", "a") == asked("one", "a")
    assert len({asked("one", "a"), asked("two", "a"), asked("one", "b")}) == 3


def test_the_same_id_with_other_arguments_or_another_tool_is_another_question(
    client: FlaskClient,
) -> None:
    first = say(client, "getCaseStatus", {"caseNumber": "1001"}, id="call_0")
    assert say(client, "getCaseStatus", {"caseNumber": "1002"}, id="call_0") != first
    assert "Jane" in say(client, "lookupCustomer", id="call_0")


def test_without_any_id_nothing_is_kept(client: FlaskClient, store: redis.Redis) -> None:
    say(client, "lookupCustomer", id="call_0", call_id="")
    assert not list(store.scan_iter("vs:answer:*"))


# -- C4: two numbers in one call -------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(UNKNOWN, KNOWN), (KNOWN, UNKNOWN), (KNOWN, LUIS)])
def test_two_numbers_in_one_call_are_nobodys_in_whatever_order(
    client: FlaskClient, store: redis.Redis, first: str, second: str
) -> None:
    post(client, message("status-update", status="in-progress", number=first))
    post(client, message("status-update", status="in-progress", number=second))
    for nth, number in enumerate((first, second, "")):
        said = say(client, "lookupCustomer", number=number, id=f"look{nth}")
        assert "Jane" not in said
        assert "Luis" not in said
        said = say(client, "updateContact", {"mailingCity": "X"}, number=number, id=f"up{nth}")
        assert "can't tell who" in said
    assert store.get("vs:calls:two_numbers") == "1"


@pytest.mark.parametrize(
    "kind",
    ["handoff-destination-request", "knowledge-base-request", "transfer-destination-request"],
)
def test_every_message_that_shows_another_number_counts(
    client: FlaskClient, store: redis.Redis, kind: str
) -> None:
    post(client, message(kind, number=LUIS))
    said = say(client, "lookupCustomer", number=KNOWN)
    assert "Jane" not in said
    assert "Luis" not in said
    assert store.get("vs:calls:two_numbers") == "1"


def test_a_chats_number_was_typed_in_whatever_the_call_says(client: FlaskClient) -> None:
    body = tool_message(("a", "lookupCustomer", {}), number=KNOWN)
    body["message"]["chat"] = {"id": "chat-1"}
    assert "Jane" not in post(client, body).get_data(as_text=True)


def test_a_doubtful_call_learns_nothing_and_is_counted(client: FlaskClient) -> None:
    calls = client.application.extensions["service"].calls
    body = message("status-update", status="in-progress")
    body["message"]["call"]["monitor"] = {"controlUrl": "https://x.vapi.ai/call-1/control"}
    post(client, body)
    assert calls.live_calls(["call-1"])
    post(client, message("status-update", status="in-progress", number=LUIS))
    assert calls.live_calls(["call-1"]) == {}
    assert calls.count_with_two_numbers() == 1


def test_a_web_calls_other_number_makes_a_call_doubtful_too(client: FlaskClient) -> None:
    post(client, message("status-update", status="in-progress"))
    other = message("status-update", status="in-progress", number=UNKNOWN)
    other["message"]["call"]["type"] = "webCall"
    post(client, other)
    assert "Jane" not in say(client, "lookupCustomer")


def test_what_a_call_asked_for_as_somebody_is_delivered_for_nobody_once_it_is_doubtful(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    say(client, "lookupCustomer")
    say(client, "updateContact", {"mailingCity": "Evilton"})
    say(client, "createSalesforceCase", CASE)
    post(client, message("status-update", status="in-progress", number=UNKNOWN))
    deliver(context)
    assert jane(org)["MailingCity"] != "Evilton"
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert case["ContactId"] is None
    update = journal.of_call("call-1")[0]
    assert (update.state, update.reason) == (State.PARKED, "NOT_ONE_CONTACT")


def test_neither_of_two_numbers_learns_what_the_other_asked_for(
    client: FlaskClient, context: DeliveryContext
) -> None:
    made = say(client, "createSalesforceCase", CASE)
    wanted = {"reference": reference_in(made)}
    for when in ("held", "delivered"):
        for arguments in (wanted, {}):
            said = say(client, "getCaseStatus", arguments, number=UNKNOWN, id=f"{when}{arguments}")
            assert "I can't find a case" in said
        deliver(context)


def test_neither_of_two_numbers_changes_or_repeats_what_the_other_asked_for(
    client: FlaskClient, journal: Journal
) -> None:
    made = say(client, "createSalesforceCase", CASE)
    assert "none to take back" in say(client, "cancelCase", number=UNKNOWN)
    again = say(client, "createSalesforceCase", CASE, number=UNKNOWN, id="again")
    assert reference_in(made) not in again
    (case,) = journal.of_call("call-1")
    assert case.state is not State.CANCELLED


def in_conflict(client: FlaskClient) -> None:
    """From now on the call has shown Jane's number and a stranger's."""
    for number in (KNOWN, UNKNOWN):
        post(client, message("status-update", status="in-progress", number=number))


@pytest.mark.parametrize("is_delivered", [False, True])
def test_in_a_call_with_two_numbers_nobody_learns_or_changes_what_was_asked_for_since(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org, is_delivered: bool
) -> None:
    in_conflict(client)
    reference = reference_in(say(client, "createSalesforceCase", CASE, number=KNOWN))
    if is_delivered:
        deliver(context)
    for nth, (tool, arguments) in enumerate(
        (
            ("getCaseStatus", {}),
            ("getCaseStatus", {"reference": reference}),
            ("addCaseComment", {"comment": "mine"}),
            ("addCaseComment", {"comment": "mine", "reference": reference}),
            ("cancelCase", {}),
            ("cancelCase", {"reference": reference}),
            ("createSalesforceCase", CASE | {"description": "o", "replaces": reference}),
            ("createSalesforceCase", CASE | {"description": "p", "onExisting": "ask"}),
            ("createSalesforceCase", CASE | {"description": "q", "onExisting": "comment"}),
        )
    ):
        said = say(client, tool, arguments, number=UNKNOWN, id=f"b{nth}")
        assert "secret" not in said
        assert reference not in said
        assert "from this call" not in said
    deliver(context)
    case_of = {intent.reference: intent for intent in journal.of_call("call-1")}
    assert case_of[reference].state is State.DELIVERED
    receipt = case_of[reference].receipt
    assert receipt
    assert not any(row["ParentId"] == receipt.record_id for row in org.records("CaseComment"))
    assert not any(row["IsClosed"] for row in org.records("Case") if row["Id"] == receipt.record_id)


@pytest.mark.parametrize("when", ["before", "after"])
def test_in_a_call_with_two_numbers_no_words_amend_or_take_back_a_held_request(
    settings: Settings, journal: Journal, when: str
) -> None:
    app = create_app(change_settings(settings, commit_window_ms=60_000))
    client = app.test_client()

    def words(text: str) -> None:
        transcript = {"role": "user", "transcriptType": "final", "transcript": text}
        post(client, message("transcript", number=UNKNOWN, **transcript))

    if when == "after":
        in_conflict(client)
    first = {"when": "tomorrow", "phone": "+14155550190"}
    reference = reference_in(say(client, "requestCallback", first, number=KNOWN))
    words("No, that's wrong.")
    said = say(client, "requestCallback", {"when": "never", "phone": LUIS}, number=UNKNOWN, id="b")
    assert reference not in said
    words("Cancel that.")
    (stored, *_) = journal.of_call("call-1")
    assert (stored.reference, stored.state) == (reference, State.HELD)
    assert stored.payload["when"] == "tomorrow"
    app.extensions["service"].close()


def test_a_call_with_two_numbers_is_linked_to_no_case(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "createSalesforceCase", CASE, number=UNKNOWN)
    deliver(context)
    report: dict[str, Any] = {"analysis": {"summary": "Luis's words"}, "endedReason": "x"}
    post(client, message("end-of-call-report", number=LUIS, **report))
    deliver(context)
    (task,) = (row for row in org.records("Task") if row["Call_Key__c"])
    assert "Luis's words" in task["Description"]
    assert task["WhatId"] is None


def test_a_case_opened_after_a_call_with_two_numbers_was_logged_is_linked_to_nothing(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    in_conflict(client)
    post(client, message("end-of-call-report", endedReason="customer-ended-call"))
    deliver(context)
    say(client, "createSalesforceCase", CASE, number=UNKNOWN)
    deliver(context)
    (task,) = (row for row in org.records("Task") if row["Call_Key__c"])
    assert task["WhatId"] is None


def test_a_case_that_went_to_somebody_else_is_not_closed_by_who_opened_it(
    client: FlaskClient, org: Org, context: DeliveryContext
) -> None:
    say(client, "createSalesforceCase", CASE, number=UNKNOWN)
    deliver(context)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    org.edit("Case", case["Id"], ContactId=jane(org)["Id"])
    assert "being closed" not in say(client, "cancelCase", number=UNKNOWN)


def test_a_colleague_learns_that_there_is_a_case_of_their_account(
    client: FlaskClient, context: DeliveryContext
) -> None:
    say(client, "createSalesforceCase", CASE)
    deliver(context)
    say(client, "lookupCustomer", number=TOM, call_id="tom")
    said = say(
        client, "createSalesforceCase", CASE | {"onExisting": "ask"}, number=TOM, call_id="tom"
    )
    assert "a case from the past day for this account" in said


def test_a_transfer_of_a_call_with_two_numbers_names_neithers_case(
    settings: Settings, store: redis.Redis
) -> None:
    app = create_app(change_settings(settings, fallback_phone_number="+14155550190"))
    client = app.test_client()
    made = say(client, "createSalesforceCase", CASE)
    said = post(client, message("transfer-destination-request", number=LUIS)).get_data(as_text=True)
    assert "+14155550190" in said
    assert reference_in(made) not in said
    assert "Jane" not in said
    app.extensions["service"].close()


# -- the number changed hands since the last call --------------------------------------------------


def gave_her_number_to_luis(client: FlaskClient, org: Org, context: DeliveryContext) -> str:
    """Jane opened a case; then staff gave her number to Luis. The case's reference."""
    made = say(client, "createSalesforceCase", CASE, call_id="before")
    deliver(context)
    for field in ("Phone", "MobilePhone", "HomePhone", "OtherPhone"):
        org.edit("Contact", jane(org)["Id"], **{field: None})
    org.edit("Contact", contact(org, "Luis Garcia")["Id"], Phone=KNOWN)
    return reference_in(made)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("getCaseStatus", {"reference": True}),
        ("cancelCase", {"reference": True}),
        ("addCaseComment", {"reference": True, "comment": "x"}),
        ("createSalesforceCase", CASE | {"onExisting": "ask"}),
        ("createSalesforceCase", CASE | {"onExisting": "comment"}),
    ],
)
def test_the_first_request_of_a_call_is_of_who_has_the_number_now(
    client: FlaskClient, org: Org, context: DeliveryContext, tool: str, arguments: dict[str, Any]
) -> None:
    reference = gave_her_number_to_luis(client, org, context)
    if "reference" in arguments:
        arguments = arguments | {"reference": reference}
    said = say(client, tool, arguments, call_id="after")
    for private in ("secret", "already a case", "being closed", "comment is being added"):
        assert private not in said


def moved_to_nobody(org: Org) -> str:
    """Jane's number is nobody's now, and she has another one."""
    for field in ("Phone", "MobilePhone", "HomePhone", "OtherPhone"):
        org.edit("Contact", jane(org)["Id"], **{field: None})
    org.edit("Contact", jane(org)["Id"], Phone="+14155550777")
    return "+14155550777"


@pytest.mark.parametrize("owner", ["nobody", "Luis Garcia"])
def test_who_had_the_number_before_has_no_right_to_a_delivered_case(
    client: FlaskClient, org: Org, context: DeliveryContext, owner: str
) -> None:
    say(client, "lookupCustomer", call_id="before")  # the last snapshot names Jane
    hers = moved_to_nobody(org)
    if owner != "nobody":
        org.edit("Contact", contact(org, owner)["Id"], Phone=KNOWN)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", body="json")
    made = say(client, "createSalesforceCase", CASE, call_id="stranger")
    org.fault()
    deliver(context)
    wanted = {"reference": reference_in(made)}
    for nth, (tool, arguments) in enumerate(
        (
            ("getCaseStatus", wanted),
            ("addCaseComment", wanted | {"comment": "mine"}),
            ("cancelCase", wanted),
        )
    ):
        said = say(client, tool, arguments, number=hers, call_id="jane", id=f"j{nth}")
        assert "secret" not in said
        assert "can't" in said
    deliver(context)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert not case["IsClosed"]


@pytest.mark.parametrize("number", [UNKNOWN, SHARED])
def test_who_has_the_number_only_at_delivery_gets_nothing_of_a_caller_known_to_be_nobody(
    client: FlaskClient, org: Org, context: DeliveryContext, number: str
) -> None:
    say(client, "lookupCustomer", number=number)
    say(client, "createSalesforceCase", CASE, number=number)
    say(client, "requestCallback", {}, number=number)
    post(client, message("end-of-call-report", number=number, endedReason="x"))
    for name in ("Peter Novak", "Paula Novak"):
        org.edit("Contact", contact(org, name)["Id"], Phone=None, MobilePhone=None, HomePhone=None)
    org.edit("Contact", jane(org)["Id"], Phone=number)
    deliver(context)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert case["ContactId"] is None
    tasks = [row for row in org.records("Task") if row["Call_Key__c"]]
    assert [row["WhoId"] for row in tasks] == [None, None]
    assert case["Id"] in {row["WhatId"] for row in tasks}


def test_who_got_the_callers_number_since_gives_the_caller_no_right_to_their_cases(
    client: FlaskClient, journal: Journal, org: Org, context: DeliveryContext
) -> None:
    say(client, "lookupCustomer", number=LUIS)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", body="json")
    say(client, "addCaseComment", {"caseNumber": "00001001", "comment": "x"}, number=LUIS)
    luis = contact(org, "Luis Garcia")
    for field in ("Phone", "MobilePhone", "HomePhone", "OtherPhone"):
        org.edit("Contact", luis["Id"], **{field: None})
    org.edit("Contact", jane(org)["Id"], Phone=LUIS)
    org.fault()
    deliver(context)
    (comment,) = journal.of_call("call-1")
    assert (comment.state, comment.reason) == (State.PARKED, "CASE_OF_SOMEBODY_ELSE")


def test_a_number_is_asked_for_anew_once_somebody_asked_for_something(
    context: DeliveryContext, journal: Journal, org: Org, client: FlaskClient
) -> None:
    assert context.contacts.resolve({KNOWN: 0})[KNOWN] == [jane(org)["Id"]]
    for field in ("Phone", "MobilePhone", "HomePhone", "OtherPhone"):
        org.edit("Contact", jane(org)["Id"], **{field: None})
    org.edit("Contact", contact(org, "Luis Garcia")["Id"], Phone=KNOWN)
    assert context.contacts.resolve({KNOWN: 0})[KNOWN] == [jane(org)["Id"]]  # remembered
    found = context.contacts.resolve({KNOWN: journal.now_ms()})[KNOWN]
    assert found == [contact(org, "Luis Garcia")["Id"]]


def test_a_case_that_went_to_somebody_else_is_not_offered_again(
    client: FlaskClient, org: Org, context: DeliveryContext
) -> None:
    say(client, "createSalesforceCase", CASE, call_id="before")
    deliver(context)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    org.edit("Case", case["Id"], ContactId=contact(org, "Luis Garcia")["Id"])
    say(client, "lookupCustomer", call_id="after")
    said = say(client, "createSalesforceCase", CASE | {"onExisting": "comment"}, call_id="after")
    assert "I can open a new one" in said
    said = say(client, "createSalesforceCase", CASE | {"onExisting": "ask"}, call_id="after")
    assert "being opened" in said


# -- C6, C12: account numbers ----------------------------------------------------------------------


@pytest.mark.parametrize("number", [UNKNOWN, LUIS, SHARED, ""])
def test_a_spoken_account_number_links_nothing(
    client: FlaskClient, context: DeliveryContext, org: Org, number: str
) -> None:
    say(client, "createSalesforceCase", CASE | {"accountNumber": "ACC-12345"}, number=number)
    deliver(context)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    acme = jane(org)["AccountId"]
    assert case["AccountId"] != acme
    assert "given by the caller, not verified: ACC-12345" in case["Description"]


@pytest.mark.parametrize("spoken", ["ACC 12345", "acc12345", "A C C 1 2 3 4 5", "ACC dash 12345"])
def test_a_customer_may_say_their_own_account_number_in_any_grouping(
    client: FlaskClient, context: DeliveryContext, org: Org, spoken: str
) -> None:
    said = say(client, "retrieveCustomerCase", {"accountNumber": spoken})
    assert "two open cases" in said
    say(client, "createSalesforceCase", CASE | {"accountNumber": spoken})
    deliver(context)
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert case["AccountId"] == jane(org)["AccountId"]
    assert "not verified" not in case["Description"]


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("ACC-12345", "acc 12345", True), ("0012", "12", False), ("ACC-12345", "ACC-1234", False),
        ("", "", False), ("-", " ", False), ("a.b/c_1", "ABC1", True), ("AB", "A B minus", True),
    ],
)  # fmt: skip
def test_spoken_identifiers_are_compared_by_letters_and_digits(
    text: str, other: str, same: bool
) -> None:
    assert same_identifier(text, other) is same


# -- C7: another contact's number ------------------------------------------------------------------


@pytest.mark.parametrize("field", ["phone", "mobilePhone"])
def test_another_contacts_number_is_never_written_by_a_caller(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org, field: str
) -> None:
    said = say(client, "updateContact", {field: KNOWN}, number=LUIS)
    assert said.startswith("A colleague will check the new")
    (intent,) = journal.of_call("call-1")
    assert intent.kind is Kind.CALLBACK
    fresh = {field: "+14155550777"}
    assert "on file in a moment" in say(client, "updateContact", fresh, number=LUIS)


def test_the_worker_writes_no_number_of_another_contact_either(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    say(client, "lookupCustomer", number=LUIS)
    luis = contact(org, "Luis Garcia")
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", body="json")
    say(client, "updateContact", {"mobilePhone": KNOWN, "mailingCity": "Reno"}, number=LUIS)
    org.fault()
    deliver(context)
    now = next(record for record in org.records("Contact") if record["Id"] == luis["Id"])
    assert now["MobilePhone"] == luis["MobilePhone"]
    assert "Jane" in say(client, "lookupCustomer", call_id="later")


MAIN_LINE = "+14155550780"


@pytest.mark.parametrize("written", ["(415) 555-0780", "415-555-0780 (reception)", MAIN_LINE])
@pytest.mark.parametrize("whose", ["another", "own", "without contacts"])
def test_an_accounts_main_line_is_never_written_by_a_caller(
    client: FlaskClient,
    journal: Journal,
    context: DeliveryContext,
    org: Org,
    written: str,
    whose: str,
) -> None:
    """Every employee who calls from there would be taken for this caller."""
    luis = contact(org, "Luis Garcia")
    owners = {"another": jane(org)["AccountId"], "own": luis["AccountId"]}
    if whose == "without contacts":
        org.create("Account", [{"Name": "Shell", "Phone": written}])
    else:
        org.edit("Account", owners[whose], Phone=written)
    wanted = {"mobilePhone": MAIN_LINE, "mailingCity": "Reno"}
    said = say(client, "updateContact", wanted, number=LUIS)
    assert said.endswith("A colleague will check the new mobile number first.")
    (changed, checked) = journal.of_call("call-1")
    assert (changed.payload["changes"], checked.payload["changes"]) == (
        {"MailingCity": "Reno"}, {"MobilePhone": MAIN_LINE},
    )  # fmt: skip
    deliver(context)

    org.fault(status=503, error_code="SERVER_UNAVAILABLE", body="json")
    say(client, "updateContact", wanted, number=LUIS, id="unseen", call_id="unseen")
    org.fault()

    def is_delivered() -> bool:
        deliver(context)
        return bool(contact(org, "Luis Garcia")["MailingCity"] == "Reno")

    wait_until(is_delivered, for_s=10, what="the rest of the change")
    assert contact(org, "Luis Garcia")["MobilePhone"] == luis["MobilePhone"]
    refused = [intent for intent in journal.of_call("unseen") if intent.state is State.PARKED]
    assert [intent.reason for intent in refused] == ["NUMBER_OF_ANOTHER_CONTACT (MobilePhone)"]


def test_a_sole_trader_may_use_their_own_number_again(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    luis = contact(org, "Luis Garcia")
    org.edit("Contact", luis["Id"], HomePhone="415-555-0780")
    org.edit("Account", luis["AccountId"], Phone="415-555-0780")
    wanted = {"mobilePhone": MAIN_LINE}
    assert "on file in a moment" in say(client, "updateContact", wanted, number=LUIS)
    deliver(context)
    assert contact(org, "Luis Garcia")["MobilePhone"] == MAIN_LINE


def test_a_change_of_two_numbers_takes_one_request_to_see_whose_they_are(
    client: FlaskClient, org: Org
) -> None:
    say(client, "lookupCustomer", number=LUIS)
    before = org.stats()["requests"]
    wanted = {"phone": "+14155550781", "mobilePhone": "+14155550782"}
    assert "on file in a moment" in say(client, "updateContact", wanted, number=LUIS)
    assert org.stats()["requests"] == before + 1


# -- C11 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoken", ["555-1234", "000 000 0000", "1234567", "111 111 1111"])
def test_a_number_that_nobody_can_have_is_asked_for_again(
    client: FlaskClient, journal: Journal, spoken: str
) -> None:
    for tool, field in (
        ("updateContact", "phone"), ("updateContact", "mobilePhone"), ("requestCallback", "phone"),
    ):  # fmt: skip
        assert "not a complete phone number" in say(client, tool, {field: spoken}, id=tool + field)
    assert journal.of_call("call-1") == []


# -- F3: how much may be asked for -----------------------------------------------------------------


def test_a_message_a_call_and_a_number_may_ask_for_so_much(
    settings: Settings, journal: Journal
) -> None:
    limits = {
        "max_tool_calls_per_message": 5,
        "max_writes_per_call": 8,
        "max_writes_per_number_and_day": 12,
    }
    app = create_app(change_settings(settings, **limits))
    client = app.test_client()

    def listed(call_id: str, first: int, count: int) -> list[str]:
        calls = [
            (f"{call_id}-{nth}", "createSalesforceCase", CASE | {"description": f"{call_id}{nth}"})
            for nth in range(first, first + count)
        ]
        results = post(client, tool_message(*calls, call_id=call_id)).get_json()["results"]
        assert [result["toolCallId"] for result in results] == [call[0] for call in calls]
        return [str(result.get("result") or result["error"]) for result in results]

    many = listed("a", 0, 400)
    assert sum("being opened" in said for said in many) == 5
    assert "too much at once" in many[-1]
    more = listed("a", 400, 5)
    assert len(journal.of_call("a")) == 8
    assert "as much as I can note down" in more[-1]
    assert "being opened" in listed("a", 400, 1)[0]  # a redelivery is no new request
    last = listed("b", 0, 5)
    assert len(journal.of_call("b")) == 4  # the number's day is over
    assert "Nothing more was saved" in last[-1]
    assert "being opened" in say(client, "createSalesforceCase", CASE, number=LUIS, call_id="c")
    app.extensions["service"].close()


def test_a_message_reads_its_calls_requests_once_however_many_it_lists(
    client: FlaskClient, store: redis.Redis
) -> None:
    say(client, "createSalesforceCase", CASE)

    def reads_of(first: int) -> int:
        """For twenty comments on the call's case."""
        calls = [
            (f"c{nth}", "addCaseComment", {"comment": f"{nth}"}) for nth in range(first, first + 20)
        ]
        before = store.info("commandstats")["cmdstat_hgetall"]["calls"]
        results = post(client, tool_message(*calls)).get_json()["results"]
        assert all("being added" in entry["result"] for entry in results)
        return int(store.info("commandstats")["cmdstat_hgetall"]["calls"] - before)

    first, second = reads_of(0), reads_of(20)
    # The twenty of the first message once more, as the call's and as the caller's.
    assert second - first <= 2 * 20
