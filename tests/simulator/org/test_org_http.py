"""The wire: versions, describe, addresses, methods, compression, headers."""

import gzip
import json

import pytest
import requests

from tests.simulator.org.harness import LocalOrg, error


def test_versions_need_no_token(org: LocalOrg) -> None:
    listed = requests.get(f"{org.url}/services/data", timeout=10)
    versions = listed.json()
    assert listed.status_code == 200
    assert versions[-1] == {
        "label": "Winter '27",
        "url": "/services/data/v68.0",
        "version": "68.0",
    }
    assert [item["label"] for item in versions[-4:-1]] == ["Winter '26", "Spring '26", "Summer '26"]
    assert "Sforce-Limit-Info" not in listed.headers
    listed.close()


@pytest.mark.parametrize("version", ["v31.0", "v59.0", "v68.0"])
def test_supported_versions_answer(org: LocalOrg, version: str) -> None:
    body = org.get(f"/services/data/{version}").json()
    assert body["sobjects"] == f"/services/data/{version}/sobjects"


@pytest.mark.parametrize(("version", "status"), [("v30.0", 410), ("v69.0", 404), ("v68", 404)])
def test_other_versions_do_not(org: LocalOrg, version: str, status: int) -> None:
    assert org.get(f"/services/data/{version}/sobjects").status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "//services/data/v68.0/sobjects/Case/describe",
        "/services/data/v68.0//sobjects/Case/describe/",
        "/services/data/v68.0/sobjects/Case/describe/",
    ],
)
def test_double_and_trailing_slashes_do_not_matter(org: LocalOrg, path: str) -> None:
    assert org.get(path).json()["name"] == "Case"


def test_every_answer_has_date_and_usage(org: LocalOrg) -> None:
    for answer in (org.get("/limits"), org.soql("nonsense"), org.get("/nonsense")):
        assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")
        assert answer.headers["Date"].endswith("GMT")


def test_a_wrong_method_is_refused_with_the_right_methods(org: LocalOrg) -> None:
    status, code, message = error(org.request("PUT", "/sobjects/Case", json={}))
    assert (status, code) == (405, "METHOD_NOT_ALLOWED")
    assert "GET,POST" in message


def test_a_version_lists_its_resources_and_the_users_identity(org: LocalOrg) -> None:
    body = org.get("/").json()
    assert body["sobjects"] == "/services/data/v68.0/sobjects"
    who = org.http.get(
        body["identity"], headers={"Authorization": f"Bearer {org.token}"}, timeout=10
    )
    assert who.json()["username"] == "voice.integration@local.example"
    assert org.get("/composite").json() == {
        "batch": "/services/data/v68.0/composite/batch",
        "sobjects": "/services/data/v68.0/composite/sobjects",
        "graph": "/services/data/v68.0/composite/graph",
    }


def test_an_unknown_resource_is_not_found(org: LocalOrg) -> None:
    assert error(org.get("/nonsense"))[:2] == (404, "NOT_FOUND")
    assert org.http.get(f"{org.url}/nonsense", timeout=10).status_code == 404


def test_head_answers_like_get_without_a_body(org: LocalOrg) -> None:
    case = org.records("Case")[0]["Id"]
    answer = org.request("HEAD", f"/sobjects/Case/{case}")
    assert (answer.status_code, answer.text) == (200, "")
    assert org.request("HEAD", "/sobjects/Case/500Dn0000000zzzAAA").status_code == 404


def test_bodies_may_be_compressed_both_ways(org: LocalOrg) -> None:
    packed = gzip.compress(json.dumps({"Subject": "packed"}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    made = org.request("POST", "/sobjects/Case", data=packed, headers=headers)
    assert org.row("Case", made.json()["id"])["Subject"] == "packed"
    answer = org.get("/sobjects/Case/describe")
    assert answer.headers["Content-Encoding"] == "gzip"
    plain = org.get("/sobjects/Case/describe", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == answer.json()


def test_an_address_or_headers_beyond_16_kb_are_refused(org: LocalOrg) -> None:
    assert org.soql("SELECT Id FROM Case WHERE Subject = '" + "x" * 17_000 + "'").status_code == 414
    assert org.get("/limits", headers={"X-Long": "x" * 17_000}).status_code == 431


def test_describe_says_what_a_field_is(org: LocalOrg) -> None:
    body = org.get("/sobjects/Case/describe").json()
    fields = {field["name"]: field for field in body["fields"]}
    key = fields["Call_Key__c"]
    assert all(key[flag] for flag in ("externalId", "unique", "createable", "updateable", "custom"))
    assert (key["length"], key["caseSensitive"], key["type"]) == (64, False, "string")
    assert fields["CaseNumber"]["autoNumber"] is True
    assert fields["CaseNumber"]["createable"] is False
    assert fields["Description"]["filterable"] is False
    assert fields["ContactId"]["referenceTo"] == ["Contact"]
    assert fields["OwnerId"]["polymorphicForeignKey"] is True
    values = {item["value"]: item["defaultValue"] for item in fields["Status"]["picklistValues"]}
    assert values == {"New": True, "Working": False, "Escalated": False, "Closed": False}
    children = {
        item["relationshipName"]: item["childSObject"] for item in body["childRelationships"]
    }
    assert children["CaseComments"] == "CaseComment"
    listed = org.get("/sobjects").json()["sobjects"]
    assert {"Account", "Contact", "Case", "Task", "User", "ContentVersion"} <= {
        item["name"] for item in listed
    }


def test_describe_answers_304_until_the_schema_changes(org: LocalOrg) -> None:
    first = org.get("/sobjects/Case/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert org.get("/sobjects/Case/describe", headers=since).status_code == 304
    past = {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert org.get("/sobjects/Case/describe", headers=past).status_code == 200


def test_limits_show_the_remaining_requests_of_the_day(org: LocalOrg) -> None:
    org.faults(daily_left=10)
    assert org.get("/limits").json()["DailyApiRequests"]["Remaining"] == 9
