"""Every fault of PUT /_org/faults."""

import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.simulator.org.harness import LocalOrg, error, eventually

SHORT_S = 0.6


def put(org: LocalOrg, faults: Any) -> requests.Response:
    return org.http.put(f"{org.url}/_org/faults", json=faults, timeout=10)


def test_faults_in_force_are_shown_and_an_empty_object_heals(org: LocalOrg) -> None:
    org.faults(status=503, resources=["query"])
    shown = org.http.get(f"{org.url}/_org/faults", timeout=10).json()
    assert shown == {"status": 503, "resources": ["query"]}
    assert org.soql("SELECT Id FROM User").status_code == 503
    org.faults()
    assert org.soql("SELECT Id FROM User").status_code == 200


@pytest.mark.parametrize(
    ("faults", "key"),
    [
        ({"latencyms": 5}, "latencyms"),
        ({"latency_ms": "fast"}, "latency_ms"),
        ({"latency_ms": [100, 50]}, "latency_ms"),
        ({"hang": 2}, "hang"),
        ({"status": 200}, "status"),
        ({"status": 503, "body": "xml"}, "body"),
        ({"error_code": "X"}, "error_code"),
        ({"resources": ["queries"]}, "resources"),
        ({"daily_left": -1}, "daily_left"),
        ({"window": {"requests": 5}}, "window"),
        ({"concurrent": 1.5}, "concurrent"),
        ({"hide_fields": ["Case.Nonsense"]}, "hide_fields"),
        ({"deny": ["Case.explode"]}, "deny"),
        ({"expire_tokens": "yes"}, "expire_tokens"),
        ({"duplicate_rule": "maybe"}, "duplicate_rule"),
        (
            {"validation_rules": [{"object": "Case", "when": "x ==", "message": "m"}]},
            "validation_rules",
        ),
    ],
)
def test_a_fault_that_is_not_understood_is_refused_by_name(
    org: LocalOrg, faults: dict[str, Any], key: str
) -> None:
    answer = put(org, faults)
    assert answer.status_code == 400
    assert answer.json()["keys"] == [key]
    assert key in answer.json()["error"]


def test_a_refused_set_of_faults_leaves_the_old_ones_in_force(org: LocalOrg) -> None:
    org.faults(status=503)
    assert put(org, {"status": 500, "nonsense": 1}).status_code == 400
    assert org.soql("SELECT Id FROM User").status_code == 503


def test_latency_comes_before_the_work(org: LocalOrg) -> None:
    org.faults(latency_ms=300)
    started = time.monotonic()
    org.soql("SELECT Id FROM User")
    assert time.monotonic() - started >= 0.3


def test_latency_may_be_a_median_and_a_99th_percentile(org: LocalOrg) -> None:
    org.faults(latency_ms=[20, 60])
    delays = []
    for _ in range(30):
        started = time.monotonic()
        org.get("/limits")
        delays.append(time.monotonic() - started)
    assert min(delays) < max(delays)
    assert sorted(delays)[15] >= 0.01


def test_a_hanging_org_accepts_and_does_nothing(org: LocalOrg) -> None:
    org.faults(hang=True)
    with pytest.raises(requests.Timeout):
        org.patch("/sobjects/Case/Call_Key__c/h1", {"Subject": "x"}, timeout=SHORT_S)
    org.faults()
    assert org.query("SELECT Id FROM Case WHERE Call_Key__c = 'h1'") == []
    eventually(lambda: org.stats()["by_status"].get("none") == 1)
    assert org.stats()["records"]["created"] == 0


def test_a_hang_after_the_work_has_done_it(org: LocalOrg) -> None:
    org.faults(hang_after=True)
    with pytest.raises(requests.Timeout):
        org.patch("/sobjects/Case/Call_Key__c/h2", {"Subject": "x"}, timeout=SHORT_S)
    org.faults()
    assert len(org.query("SELECT Id FROM Case WHERE Call_Key__c = 'h2'")) == 1
    assert org.stats()["records"]["created"] == 1


def test_a_refused_connection_gets_no_answer_and_no_work(org: LocalOrg) -> None:
    org.faults(refuse=True)
    with pytest.raises(requests.ConnectionError):
        org.patch("/sobjects/Case/Call_Key__c/r1", {"Subject": "x"})
    assert org.stats()["by_status"] == {"none": 1}
    org.faults()
    assert org.query("SELECT Id FROM Case WHERE Call_Key__c = 'r1'") == []


def test_a_lost_answer_leaves_the_work_done(org: LocalOrg) -> None:
    org.faults(lose_answer=1)
    with pytest.raises(requests.ConnectionError):
        org.patch("/sobjects/Case/Call_Key__c/l1", {"Subject": "x"})
    org.faults()
    assert len(org.query("SELECT Id FROM Case WHERE Call_Key__c = 'l1'")) == 1
    assert org.stats()["records"] == {"created": 1, "updated": 0, "rejected": 0}


def test_lose_answer_is_a_probability(org: LocalOrg) -> None:
    org.faults(lose_answer=0.5)
    lost = 0
    for _ in range(60):
        try:
            org.get("/limits")
        except requests.ConnectionError:
            lost += 1
    assert 5 < lost < 55


def test_work_goes_on_when_the_client_leaves_during_the_latency(org: LocalOrg) -> None:
    org.faults(latency_ms=SHORT_S * 1000)
    with pytest.raises(requests.Timeout):
        org.patch("/sobjects/Case/Call_Key__c/gone", {"Subject": "x"}, timeout=SHORT_S / 3)
    org.faults()
    eventually(lambda: len(org.query("SELECT Id FROM Case WHERE Call_Key__c = 'gone'")) == 1)


def test_a_status_fault_does_no_work_and_has_the_given_code(org: LocalOrg) -> None:
    org.faults(status=500, error_code="UNKNOWN_EXCEPTION")
    answer = org.post("/sobjects/Case", {"Subject": "x"})
    assert error(answer)[:2] == (500, "UNKNOWN_EXCEPTION")
    assert org.stats()["records"]["created"] == 0


def test_a_status_fault_may_have_an_html_or_an_empty_body(org: LocalOrg) -> None:
    org.faults(status=503, body="html")
    answer = org.get("/limits")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html>" in answer.text
    org.faults(status=502, body="empty")
    assert (org.get("/limits").status_code, org.get("/limits").text) == (502, "")


def test_a_status_fault_may_be_probable_only(org: LocalOrg) -> None:
    org.faults(status=503, probability=0.5)
    seen = {org.get("/limits").status_code for _ in range(60)}
    assert seen == {200, 503}


def test_a_fault_can_be_limited_to_some_resources(org: LocalOrg) -> None:
    org.faults(status=503, resources=["query", "composite"])
    assert org.soql("SELECT Id FROM User").status_code == 503
    assert org.post("/composite", {"compositeRequest": []}).status_code == 503
    assert org.get("/limits").status_code == 200
    assert org.get("/sobjects/Case/describe").status_code == 200
    assert org.patch("/composite/sobjects", {"records": []}).status_code == 200
    assert org.login().status_code == 200


def test_faults_at_the_token_endpoint_speak_oauth_unless_the_code_is_an_api_code(
    org: LocalOrg,
) -> None:
    org.faults(status=400, error_code="invalid_grant", resources=["token"])
    assert org.login().json()["error"] == "invalid_grant"
    org.faults(status=403, error_code="REQUEST_LIMIT_EXCEEDED", resources=["token"])
    assert org.login().json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_the_daily_limit_runs_out_and_the_header_shows_it(org: LocalOrg) -> None:
    org.faults(daily_left=2)
    used, limit = org.get("/limits").headers["Sforce-Limit-Info"].split("=")[1].split("/")
    assert int(limit) - int(used) == 1
    assert org.get("/limits").status_code == 200
    refused = org.get("/limits")
    assert error(refused) == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    assert "Retry-After" not in refused.headers
    assert org.login().status_code == 200
    assert org.get("/services/data").status_code == 200
    org.faults()
    assert org.get("/limits").status_code == 200


def test_a_window_limits_requests_per_seconds(org: LocalOrg) -> None:
    org.faults(window={"requests": 3, "seconds": 1})
    codes = [org.get("/limits").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 403, 403]
    assert error(org.get("/limits"))[1] == "REQUEST_LIMIT_EXCEEDED"
    eventually(lambda: org.get("/limits").status_code == 200, within_s=3)


def test_too_many_requests_at_once_get_the_other_kind_of_limit(org: LocalOrg) -> None:
    org.faults(concurrent=1, hang=True, resources=["query"])
    address = urlsplit(org.url)
    with socket.create_connection((address.hostname, address.port)) as waiting:
        request = (
            "GET /services/data/v68.0/query?q=SELECT+Id+FROM+User HTTP/1.1\r\n"
            f"Host: {address.netloc}\r\nAuthorization: Bearer {org.token}\r\n\r\n"
        )
        waiting.sendall(request.encode())
        eventually(lambda: org.get("/limits").status_code == 403)
        assert error(org.get("/limits")) == (
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        )
    eventually(lambda: org.get("/limits").status_code == 200)


def test_logins_beyond_the_rate_are_refused(org: LocalOrg) -> None:
    org.faults(login_rate=2)
    assert [org.login().status_code for _ in range(2)] == [200, 200]
    refused = org.login()
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "invalid_grant",
        "error_description": "login rate exceeded",
    }


def test_a_hidden_field_looks_as_if_it_were_missing(org: LocalOrg) -> None:
    org.faults(hide_fields=["Case.Call_Key__c"])
    code, name, message = error(org.soql("SELECT Call_Key__c FROM Case"))
    assert (code, name) == (400, "INVALID_FIELD")
    assert "No such column 'Call_Key__c' on entity 'Case'" in message
    assert error(org.post("/sobjects/Case", {"Call_Key__c": "k"})) == (
        400,
        "INVALID_FIELD",
        "No such column 'Call_Key__c' on sobject of type Case",
    )
    assert error(org.patch("/sobjects/Case/Call_Key__c/k", {}))[:2] == (404, "NOT_FOUND")
    names = [field["name"] for field in org.get("/sobjects/Case/describe").json()["fields"]]
    assert "Call_Key__c" not in names
    assert "Subject" in names
    org.faults()
    assert org.patch("/sobjects/Case/Call_Key__c/k", {}).status_code == 201


def test_a_denied_operation_is_refused_and_describe_shows_it(org: LocalOrg) -> None:
    org.faults(deny=["Case.create"])
    assert error(org.post("/sobjects/Case", {"Subject": "x"})) == (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "entity type cannot be inserted: Case",
    )
    case_id = org.records("Case")[0]["Id"]
    assert org.patch(f"/sobjects/Case/{case_id}", {"Subject": "y"}).status_code == 204
    assert org.get("/sobjects/Case/describe").json()["createable"] is False


def test_an_unreadable_object_looks_as_if_it_were_missing(org: LocalOrg) -> None:
    org.faults(deny=["Case.read"])
    assert error(org.soql("SELECT Id FROM Case"))[1] == "INVALID_TYPE"
    assert error(org.get("/sobjects/Case/describe"))[:2] == (404, "NOT_FOUND")
    assert error(org.soql("SELECT (SELECT Id FROM Cases) FROM Contact"))[1] == "INVALID_TYPE"


def test_a_written_row_stays_locked_for_a_time(org: LocalOrg) -> None:
    org.faults(lock_rows_s=0.5)
    case_id = org.create("Case", Subject="x")
    code, name, message = error(org.patch(f"/sobjects/Case/{case_id}", {"Subject": "y"}))
    assert (code, name) == (400, "UNABLE_TO_LOCK_ROW")
    assert message.startswith("unable to obtain exclusive access to this record")
    eventually(lambda: org.patch(f"/sobjects/Case/{case_id}", {"Subject": "y"}).status_code == 204)


def test_a_written_child_locks_its_account_for_other_requests_only(org: LocalOrg) -> None:
    org.faults(lock_rows_s=30)
    account = org.records("Account")[0]["Id"]
    records = [{"attributes": {"type": "Case"}, "AccountId": account} for _ in range(3)]
    first = org.post("/composite/sobjects", {"records": records}).json()
    assert [item["success"] for item in first] == [True, True, True]
    second = org.post("/composite/sobjects", {"records": records}).json()
    assert {item["errors"][0]["statusCode"] for item in second} == {"UNABLE_TO_LOCK_ROW"}


def test_the_clock_can_be_wrong(org: LocalOrg) -> None:
    org.faults(clock_offset_s=3600)
    answer = org.get("/limits")
    ahead = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
    case = org.row("Case", org.create("Case", Subject="x"))
    assert case["CreatedDate"][:13] == f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H}"


def test_tokens_expire_once(org: LocalOrg) -> None:
    old = org.login().json()["access_token"]
    org.faults(expire_tokens=True)
    headers = {"Authorization": f"Bearer {old}"}
    assert error(org.get("/limits", headers=headers)) == (
        401,
        "INVALID_SESSION_ID",
        "Session expired or invalid",
    )
    new = org.login().json()["access_token"]
    assert org.get("/limits", headers={"Authorization": f"Bearer {new}"}).status_code == 200
    assert "expire_tokens" not in org.http.get(f"{org.url}/_org/faults", timeout=10).json()


def test_faults_combine(org: LocalOrg) -> None:
    org.faults(latency_ms=200, status=503, daily_left=10, clock_offset_s=-3600)
    started = time.monotonic()
    answer = org.get("/limits")
    assert answer.status_code == 503
    assert time.monotonic() - started >= 0.2
    assert parsedate_to_datetime(answer.headers["Date"]) < datetime.now(UTC) - timedelta(minutes=50)


def test_validation_rules_refuse_with_the_admins_words(org: LocalOrg) -> None:
    rule = {
        "object": "Case",
        "when": "Priority = 'High' AND ContactId = null",
        "message": "High priority needs a contact",
        "field": "Priority",
    }
    org.faults(validation_rules=[rule])
    refused = org.post("/sobjects/Case", {"Subject": "x", "Priority": "High"})
    assert error(refused) == (
        400,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "High priority needs a contact",
    )
    assert refused.json()[0]["fields"] == ["Priority"]
    assert len(org.records("Case")) == 7
    org.create("Case", Subject="x", Priority="Low")


def test_a_duplicate_rule_in_alert_mode_yields_to_allow_save(org: LocalOrg) -> None:
    org.faults(duplicate_rule="alert")
    again = {"LastName": "Miller", "Email": "jane.miller@acme.example"}
    refused = org.post("/sobjects/Contact", again)
    assert error(refused) == (400, "DUPLICATES_DETECTED", "Use one of these records?")
    result = refused.json()[0]["duplicateResult"]
    assert result["allowSave"] is True
    found = result["matchResults"][0]["matchRecords"][0]["record"]["Id"]
    assert found == org.contact("Jane Miller")["Id"]
    headers = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert org.post("/sobjects/Contact", again, headers=headers).status_code == 201


def test_a_duplicate_rule_in_block_mode_does_not_yield(org: LocalOrg) -> None:
    org.faults(duplicate_rule="block")
    again = {"LastName": "Miller", "Email": "jane.miller@acme.example"}
    headers = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    refused = org.post("/sobjects/Contact", again, headers=headers)
    assert error(refused)[1] == "DUPLICATES_DETECTED"
    assert refused.json()[0]["duplicateResult"]["allowSave"] is False


def test_the_assignment_rule_runs_unless_the_header_says_no(org: LocalOrg) -> None:
    org.faults(assignment_rule="Phone_Support")
    queue = next(row for row in org.records("Group") if row["DeveloperName"] == "Phone_Support")
    assert org.row("Case", org.create("Case", Subject="x"))["OwnerId"] == queue["Id"]
    answer = org.post("/sobjects/Case", {"Subject": "x"}, headers={"Sforce-Auto-Assign": "FALSE"})
    assert org.row("Case", answer.json()["id"])["OwnerId"] != queue["Id"]


def test_search_lags_behind_the_records(org: LocalOrg) -> None:
    org.faults(search_lag_s=0.5)
    contact = org.create("Contact", LastName="Newman", Phone="415-555-0199")
    find = {"q": "FIND {4155550199} IN PHONE FIELDS RETURNING Contact(Id)"}
    assert org.get("/search", params=find).json()["searchRecords"] == []
    assert len(org.query("SELECT Id FROM Contact WHERE Phone = '415-555-0199'")) == 1

    def found() -> bool:
        records = org.get("/search", params=find).json()["searchRecords"]
        return [row["Id"] for row in records] == [contact]

    eventually(found)
