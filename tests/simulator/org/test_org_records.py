"""One record at a time: create, read, update, upsert, delete, and every refusal."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.simulator.org.harness import LocalOrg, error


def test_a_create_answers_only_with_the_id(org: LocalOrg) -> None:
    answer = org.post("/sobjects/Case", {"Subject": "x"})
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "success": True, "errors": []}
    assert answer.headers["Location"].endswith(f"/sobjects/Case/{answer.json()['id']}")


def test_a_row_has_its_attributes_and_the_fields_asked_for(org: LocalOrg) -> None:
    case_id = org.create("Case", Subject="x")
    row = org.get(f"/sobjects/Case/{case_id}", params={"fields": "Subject,CaseNumber"}).json()
    url = f"/services/data/v68.0/sobjects/Case/{case_id}"
    assert row.pop("attributes") == {"type": "Case", "url": url}
    assert set(row) == {"Subject", "CaseNumber"}
    refused = org.get(f"/sobjects/Case/{case_id}", params={"fields": "Nonsense"})
    assert error(refused)[:2] == (400, "INVALID_FIELD")


def test_an_update_answers_204_and_moves_the_modification_fields(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")
    answer = org.patch(f"/sobjects/Contact/{jane['Id']}", {"Title": "CEO", "Phone": None})
    assert (answer.status_code, answer.text) == (204, "")
    after = org.row("Contact", jane["Id"])
    assert (after["Title"], after["Phone"]) == ("CEO", None)
    assert after["LastModifiedDate"] > jane["LastModifiedDate"]
    assert after["LastModifiedById"] != jane["LastModifiedById"]
    assert after["CreatedDate"] == jane["CreatedDate"]


def test_a_post_may_carry_its_method_in_the_address(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    answer = org.post(f"/sobjects/Contact/{jane}?_HttpMethod=PATCH", {"Title": "CEO"})
    assert answer.status_code == 204
    assert org.row("Contact", jane)["Title"] == "CEO"


def test_only_query_all_finds_a_deleted_record(org: LocalOrg) -> None:
    case_id = org.create("Case", Subject="x")
    assert org.delete(f"/sobjects/Case/{case_id}").status_code == 204
    gone = (404, "ENTITY_IS_DELETED", "entity is deleted")
    assert error(org.get(f"/sobjects/Case/{case_id}")) == gone
    assert error(org.patch(f"/sobjects/Case/{case_id}", {"Subject": "y"})) == gone
    assert error(org.delete(f"/sobjects/Case/{case_id}")) == gone
    where = {"q": f"SELECT Id, IsDeleted FROM Case WHERE Id = '{case_id}'"}
    assert org.get("/query", params=where).json()["totalSize"] == 0
    found = org.get("/queryAll", params=where).json()["records"]
    assert [row["IsDeleted"] for row in found] == [True]


def test_an_upsert_creates_then_updates_and_says_which(org: LocalOrg) -> None:
    created = org.patch("/sobjects/Case/Call_Key__c/k1", {"Subject": "x"})
    record_id = created.json()["id"]
    assert created.status_code == 201
    assert created.json() == {"id": record_id, "success": True, "errors": [], "created": True}
    updated = org.patch("/sobjects/Case/Call_Key__c/k1", {"Subject": "y"})
    assert updated.status_code == 200
    assert updated.json() == {"id": record_id, "success": True, "errors": [], "created": False}
    assert org.row("Case", record_id)["Subject"] == "y"


def test_an_old_version_answers_an_updating_upsert_without_a_body(org: LocalOrg) -> None:
    path = "/services/data/v45.0/sobjects/Case/Call_Key__c/k1"
    assert "created" not in org.patch(path, {"Subject": "x"}).json()
    again = org.patch(path, {"Subject": "x"})
    assert (again.status_code, again.text) == (204, "")


def test_the_key_matches_without_regard_to_case(org: LocalOrg) -> None:
    first = org.patch("/sobjects/Case/Call_Key__c/Key-Ä", {"Subject": "x"}).json()["id"]
    second = org.patch("/sobjects/Case/Call_Key__c/kEY-ä", {"Subject": "y"}).json()
    assert (second["id"], second["created"]) == (first, False)


def test_a_key_with_a_slash_can_be_percent_encoded(org: LocalOrg) -> None:
    org.patch("/sobjects/Case/Call_Key__c/a%2Fb%20c", {"Subject": "x"})
    assert [row["Call_Key__c"] for row in org.records("Case")][-1] == "a/b c"
    assert org.get("/sobjects/Case/Call_Key__c/a%2Fb%20c").json()["Subject"] == "x"


def test_a_key_that_matches_several_records_writes_nothing(org: LocalOrg) -> None:
    for name in ("One", "Two"):
        org.create("Contact", LastName=name, Email="same@acme.example")
    answer = org.patch("/sobjects/Contact/Email/same@acme.example", {"Title": "x"})
    assert answer.status_code == 300
    assert len(answer.json()) == 2
    assert all("/sobjects/Contact/003" in address for address in answer.json())
    assert org.query("SELECT Id FROM Contact WHERE Title = 'x'") == []


def test_update_only_does_not_create(org: LocalOrg) -> None:
    path = "/sobjects/Case/Call_Key__c/u1?updateOnly=true"
    assert org.patch(path, {"Subject": "x"}).status_code == 404
    org.patch("/sobjects/Case/Call_Key__c/u1", {"Subject": "x"})
    assert org.patch(path, {"Subject": "y"}).status_code == 200


def test_a_field_that_is_no_external_id_is_no_upsert_key(org: LocalOrg) -> None:
    refused = org.patch("/sobjects/Case/Subject/x", {})
    assert error(refused) == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Subject",
    )


def test_key_and_id_may_not_stand_in_the_body(org: LocalOrg) -> None:
    refused = org.patch("/sobjects/Case/Call_Key__c/k", {"Call_Key__c": "k"})
    assert error(refused) == (
        400,
        "INVALID_FIELD",
        "The Call_Key__c field should not be specified in the sobject data.",
    )
    case_id = org.create("Case", Subject="x")
    assert error(org.patch(f"/sobjects/Case/{case_id}", {"Id": case_id}))[1] == "INVALID_FIELD"
    assert (
        error(org.post("/sobjects/Case", {"Id": case_id}))[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    )


def test_an_insert_through_the_upsert_resource(org: LocalOrg) -> None:
    answer = org.post("/sobjects/Case/Id", {"Subject": "x"})
    assert (answer.status_code, answer.json()["created"]) == (201, True)


def test_a_taken_unique_value_names_the_other_record(org: LocalOrg) -> None:
    first = org.create("Case", Call_Key__c="dup")
    refused = org.post("/sobjects/Case", {"Call_Key__c": "DUP"})
    assert error(refused) == (
        400,
        "DUPLICATE_VALUE",
        f"duplicate value found: Call_Key__c duplicates value on record with id: {first}",
    )
    assert org.delete(f"/sobjects/Case/{first}").status_code == 204
    org.create("Case", Call_Key__c="dup")


REFUSALS: list[tuple[str, dict[str, Any], str, str, list[str] | None]] = [
    (
        "Case",
        {"AccountNumber": "ACC-12345"},
        "INVALID_FIELD",
        "No such column 'AccountNumber' on sobject of type Case",
        None,
    ),
    (
        "Case",
        {"AccountId": "12345"},
        "MALFORMED_ID",
        "Account ID: id value of incorrect type: 12345",
        ["AccountId"],
    ),
    (
        "Case",
        {"AccountId": "003Dn0000000001IAA"},
        "MALFORMED_ID",
        "Account ID: id value of incorrect type: 003Dn0000000001IAA",
        ["AccountId"],
    ),
    (
        "Case",
        {"AccountId": "001Dn0000000zzzAAA"},
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
        [],
    ),
    (
        "Contact",
        {"FirstName": "x"},
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [LastName]",
        ["LastName"],
    ),
    (
        "Case",
        {"Subject": "x" * 256},
        "STRING_TOO_LONG",
        f"Subject: data value too large: {'x' * 255} (max length=255)",
        ["Subject"],
    ),
    (
        "Contact",
        {"LastName": "x", "Email": "123"},
        "INVALID_EMAIL_ADDRESS",
        "Email: invalid email address: 123",
        ["Email"],
    ),
    (
        "Task",
        {"CallType": "Sideways"},
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Call Type: bad value for restricted picklist field: Sideways",
        ["CallType"],
    ),
    (
        "Task",
        {"CallDurationInSeconds": 3_000_000_000},
        "NUMBER_OUTSIDE_VALID_RANGE",
        "Call Duration: value outside of valid range on numeric field: 3000000000",
        ["CallDurationInSeconds"],
    ),
]


@pytest.mark.parametrize(("sobject", "body", "code", "message", "fields"), REFUSALS)
def test_a_bad_body_is_refused_as_salesforce_words_it(
    org: LocalOrg,
    sobject: str,
    body: dict[str, Any],
    code: str,
    message: str,
    fields: list[str] | None,
) -> None:
    refused = org.post(f"/sobjects/{sobject}", body)
    assert error(refused) == (400, code, message)
    assert refused.json()[0].get("fields") == fields


def test_read_only_fields_are_refused_by_name(org: LocalOrg) -> None:
    refused = org.post("/sobjects/Case", {"CaseNumber": "1", "IsClosed": True})
    status, code, message = error(refused)
    assert (status, code) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert message.startswith("Unable to create/update fields: CaseNumber, IsClosed. ")
    assert refused.json()[0]["fields"] == ["CaseNumber", "IsClosed"]


@pytest.mark.parametrize(
    "body",
    [
        {"Subject": 5},
        {"IsEscalated": "maybe"},
        {"Subject": ["x"]},
        [{"Subject": "x"}],
        "text",
    ],
)
def test_values_of_the_wrong_json_type_are_a_parser_error(org: LocalOrg, body: Any) -> None:
    assert error(org.post("/sobjects/Case", body))[:2] == (400, "JSON_PARSER_ERROR")


def test_dates_and_numbers_are_checked(org: LocalOrg) -> None:
    for body in ({"ActivityDate": "22.11.2026"}, {"ActivityDate": "2026-02-30"}):
        assert error(org.post("/sobjects/Task", body))[1] == "JSON_PARSER_ERROR"
    assert (
        error(org.post("/sobjects/Task", {"CallDurationInSeconds": "x"}))[1] == "JSON_PARSER_ERROR"
    )
    task = org.create("Task", ActivityDate="2026-11-22", CallDurationInSeconds=61)
    assert org.row("Task", task)["CallDurationInSeconds"] == 61


def test_a_body_that_is_no_json_or_no_json_type_is_refused(org: LocalOrg) -> None:
    options = {"data": b"{", "headers": {"Content-Type": "application/json"}}
    assert error(org.request("POST", "/sobjects/Case", **options))[1] == "JSON_PARSER_ERROR"
    form = org.request("POST", "/sobjects/Case", data={"Subject": "x"})
    assert form.status_code == 415


def test_names_of_fields_and_objects_ignore_case(org: LocalOrg) -> None:
    answer = org.post("/sobjects/case", {"subject": "x"})
    assert org.row("CASE", answer.json()["id"])["Subject"] == "x"


def test_text_is_trimmed_and_blank_text_is_null(org: LocalOrg) -> None:
    case = org.row("Case", org.create("Case", Subject="  padded  ", Description="  "))
    assert (case["Subject"], case["Description"]) == ("padded", None)


def test_an_unknown_object_or_id_is_not_found(org: LocalOrg) -> None:
    assert error(org.post("/sobjects/Nonsense__c", {}))[:2] == (404, "NOT_FOUND")
    assert error(org.get("/sobjects/Case/500Dn0000000zzzAAA"))[:2] == (404, "NOT_FOUND")
    assert error(org.get("/sobjects/Case/nonsense"))[:2] == (404, "NOT_FOUND")


def test_a_deleted_parent_is_refused(org: LocalOrg) -> None:
    contact = org.create("Contact", LastName="Gone")
    org.delete(f"/sobjects/Contact/{contact}")
    refused = org.post("/sobjects/Case", {"ContactId": contact})
    assert error(refused)[:2] == (400, "ENTITY_IS_DELETED")


def test_a_parent_may_be_named_by_its_external_id(org: LocalOrg) -> None:
    case_id = org.create("Case", Call_Key__c="parent-1")
    what = {"attributes": {"type": "Case"}, "Call_Key__c": "parent-1"}
    task = org.row("Task", org.create("Task", Subject="Call", What=what))
    assert task["WhatId"] == case_id
    child = org.row("Case", org.create("Case", Subject="x", Parent={"Call_Key__c": "parent-1"}))
    assert child["ParentId"] == case_id


def test_an_unknown_parent_is_refused_by_its_key(org: LocalOrg) -> None:
    refused = org.post("/sobjects/Case", {"Parent": {"Call_Key__c": "nope"}})
    assert error(refused) == (
        400,
        "INVALID_FIELD",
        "Foreign key external ID: nope not found for field Call_Key__c in entity Case",
    )
    assert error(org.post("/sobjects/Task", {"What": {"Call_Key__c": "x"}}))[1] == "INVALID_FIELD"


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def test_an_update_can_be_made_conditional_on_no_change_since(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    path = f"/sobjects/Contact/{jane}"
    now = datetime.now(UTC)
    old = {"If-Unmodified-Since": http_date(now - timedelta(days=500))}
    refused = org.patch(path, {"Title": "x"}, headers=old)
    assert (refused.status_code, refused.text) == (412, "")
    assert org.row("Contact", jane)["Title"] is None
    recent = {"If-Unmodified-Since": http_date(now)}
    assert org.patch(path, {"Title": "x"}, headers=recent).status_code == 204
    assert org.patch(path, {"Title": "y"}, headers={"If-Unmodified-Since": "?"}).status_code == 400


def test_a_row_answers_304_when_it_has_not_changed(org: LocalOrg) -> None:
    account = org.records("Account")[0]["Id"]
    first = org.get(f"/sobjects/Account/{account}")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert org.get(f"/sobjects/Account/{account}", headers=since).status_code == 304
    same = {"If-None-Match": first.headers["ETag"]}
    assert org.get(f"/sobjects/Account/{account}", headers=same).status_code == 304
    other = {"If-Match": '"other"'}
    assert org.get(f"/sobjects/Account/{account}", headers=other).status_code == 412


def test_an_account_can_be_updated_only_as_it_was_seen(org: LocalOrg) -> None:
    path = f"/sobjects/Account/{org.records('Account')[0]['Id']}"
    seen = {"If-Match": org.get(path).headers["ETag"]}
    assert org.patch(path, {"Site": "one"}, headers=seen).status_code == 204
    assert org.patch(path, {"Site": "two"}, headers=seen).status_code == 412
    assert org.get(path).json()["Site"] == "one"


def test_what_the_user_may_not_write_is_refused(org: LocalOrg) -> None:
    assert error(org.post("/sobjects/User", {"LastName": "x"}))[1] == (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    )
    case_id = org.records("Case")[0]["Id"]
    comment = org.create("CaseComment", ParentId=case_id, CommentBody="x")
    assert org.patch(f"/sobjects/CaseComment/{comment}", {"CommentBody": "y"}).status_code == 400
    assert org.delete(f"/sobjects/CaseComment/{comment}").status_code == 400
