"""The webhook from the outside: what is refused, what is answered, and answered again."""

import json
import threading
import time
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.agent.tool_files import Verb
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.vapi.messages import KNOWN
from tests import calling
from tests.calling import LABELS, ask, message, only_result, post, signed, tool_message
from tests.conftest import SECRET, change_settings
from web.app import create_app
from web.service import Service
from web.tools.registry import LOOKUPS, WRITES

CASE = {"issueType": "billing", "description": "Billed twice for October"}


def test_a_body_over_the_limit_is_413_before_anything_else(settings: Any) -> None:
    app = create_app(change_settings(settings, max_body_bytes=1000))
    assert app.test_client().post("/webhook/vapi", data=b"x" * 1001).status_code == 413
    assert app.test_client().post("/webhook/vapi", data=b"x" * 1000).status_code == 401
    app.extensions["service"].close()


def test_no_or_a_wrong_signature_is_401_and_tells_nothing(client: FlaskClient) -> None:
    for headers in ({}, signed(b"{}", "another-secret"), signed(b"other body")):
        answer = client.post("/webhook/vapi", data=b"{}", headers=headers)
        assert (answer.status_code, answer.data) == (401, b"")


class Unread:
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("hmac", {}),
        ("hmac", {"x-signature": "ab" * 32}),
        ("hmac", {"x-timestamp": "0", "x-signature": "ab" * 32}),
        ("hmac", {"x-timestamp": "now", "x-signature": "ab" * 31}),
        ("hmac", {"x-timestamp": "now", "x-signature": "zz" * 32}),
        ("hmac", {"x-timestamp": "now", "x-signature": "é" * 64}),
        ("secret", {}),
        ("secret", {"X-Vapi-Secret": "another"}),
        ("bearer", {"X-Vapi-Secret": SECRET}),
        ("bearer", {"Authorization": "Bearer another"}),
    ],
)
def test_what_its_head_shows_not_to_be_vapis_is_refused_unread(
    settings: Any, auth: str, headers: dict[str, str]
) -> None:
    app = create_app(change_settings(settings, vapi_auth=auth))
    if headers.get("x-timestamp") == "now":
        headers = headers | {"x-timestamp": str(int(time.time()))}
    unread = {"wsgi.input": Unread(), "CONTENT_LENGTH": "9000000"}
    for path in ("/webhook/vapi", "/webhook"):
        answer = app.test_client().post(path, headers=headers, environ_overrides=unread)
        assert (answer.status_code, answer.data) == (401, b"")
    app.extensions["service"].close()


def test_a_body_cut_short_is_400(client: FlaskClient) -> None:
    raw = b'{"message":{}}'
    environ = {"wsgi.input": BytesIO(raw), "CONTENT_LENGTH": str(len(raw) + 1)}
    answer = client.post("/webhook/vapi", headers=signed(raw), environ_overrides=environ)
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_400(client: FlaskClient, body: bytes) -> None:
    assert post(client, body).status_code == 400


@pytest.mark.parametrize("body", [[], None, "x", {}, {"message": 1}, {"message": {"type": "new"}}])
def test_json_that_asks_for_nothing_known_is_answered_with_nothing(
    client: FlaskClient, body: Any
) -> None:
    for path in ("/webhook/vapi", "/webhook"):
        answer = post(client, body, path)
        assert (answer.status_code, answer.get_json()) == (200, {})


@pytest.mark.parametrize("kind", sorted(KNOWN - {"tool-calls", "function-call"}))
def test_every_known_type_is_answered_even_when_it_is_bare(client: FlaskClient, kind: str) -> None:
    for body in ({"message": {"type": kind}}, message(kind)):
        answer = post(client, body)
        assert answer.status_code == 200
        assert isinstance(answer.get_json(), dict)


def test_what_vapi_reads_besides_tool_calls(app: Flask, client: FlaskClient) -> None:
    assert "error" in post(client, message("assistant-request")).get_json()
    assert post(client, message("knowledge-base-request")).get_json() == {"documents": []}
    for kind in ("transfer-destination-request", "handoff-destination-request"):
        assert set(post(client, message(kind)).get_json()) == {"error"}


def test_a_configured_assistant_answers_an_assistant_request(settings: Any) -> None:
    app = create_app(change_settings(settings, vapi_assistant_id="a-1"))
    answer = post(app.test_client(), message("assistant-request", number=""))
    assert answer.get_json()["assistantId"] == "a-1"
    app.extensions["service"].close()


def test_the_same_webhook_twice_is_the_same_bytes_and_one_intent(
    client: FlaskClient, journal: Journal
) -> None:
    raw = json.dumps(tool_message(("call_1", "createSalesforceCase", CASE))).encode()
    first, second = post(client, raw), post(client, raw)
    assert first.data == second.data
    assert journal.counts()["accepted"] == 1
    assert "reference" in first.get_json()["results"][0]["result"]


def test_a_lookup_delivered_twice_is_the_same_bytes_though_the_org_changed(
    client: FlaskClient, org: Org
) -> None:
    raw = json.dumps(tool_message(("call_1", "retrieveCustomerCase", {}))).encode()
    first = post(client, raw)
    (contact,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    for record in org.records("Case"):
        if record["ContactId"] == contact["Id"]:
            org.edit("Case", record["Id"], Status="Closed")
    assert post(client, raw).data == first.data
    said = ask(client, "retrieveCustomerCase", id="call_2", call_id="another")["result"]
    assert "no open case" in said


def test_two_deliveries_at_the_same_time_get_the_same_answer(app: Flask, journal: Journal) -> None:
    raw = json.dumps(tool_message(("call_1", "createSalesforceCase", CASE))).encode()
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(post(app.test_client(), raw).data))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(bodies)) == 1
    assert len(bodies) == 8
    assert journal.counts()["accepted"] == 1


def test_a_model_that_asks_again_gets_the_first_reference(
    client: FlaskClient, journal: Journal
) -> None:
    first = ask(client, "createSalesforceCase", CASE, id="call_1")
    again = ask(client, "createSalesforceCase", CASE | {"priority": None}, id="call_2")
    assert again["result"] == first["result"]
    assert again["toolCallId"] == "call_2"
    assert journal.counts()["accepted"] == 1


def test_two_calls_in_one_message_are_two_requests(client: FlaskClient, journal: Journal) -> None:
    both = [("call_1", "createSalesforceCase", CASE), ("call_2", "createSalesforceCase", CASE)]
    results = post(client, tool_message(*both)).get_json()["results"]
    assert [result["toolCallId"] for result in results] == ["call_1", "call_2"]
    assert results[0]["result"] != results[1]["result"]
    assert journal.counts()["accepted"] == 2


def test_lookups_and_writes_of_one_message_are_answered_in_order(client: FlaskClient) -> None:
    calls = [
        ("a", "lookupCustomer", {}),
        ("b", "createSalesforceCase", CASE),
        ("c", "getCaseStatus", {}),
        ("d", "noSuchTool", {}),
    ]
    results = post(client, tool_message(*calls)).get_json()["results"]
    assert [(result["toolCallId"], result["name"]) for result in results] == [
        (a, b) for a, b, _ in calls
    ]
    assert "error" in results[3]


@pytest.mark.parametrize("arguments", [{}, {"issueType": "weather", "description": "x"}, "{", [1]])
def test_arguments_that_are_missing_or_nonsense_record_nothing(
    client: FlaskClient, journal: Journal, arguments: Any
) -> None:
    body = tool_message(("call_1", "createSalesforceCase", arguments))
    result = only_result(post(client, body))
    assert set(result) == {"toolCallId", "name", "error"}
    assert result["error"].endswith("Nothing was saved.")
    assert journal.counts()["accepted"] == 0


def test_a_legacy_function_call_is_answered_in_its_own_shape(
    client: FlaskClient, journal: Journal
) -> None:
    body = message(
        "function-call",
        functionCall={"name": "createSalesforceCase", "parameters": CASE},
        timestamp=1763800000000,
    )
    first, second = post(client, body), post(client, body)
    assert set(first.get_json()) == {"result"}
    assert "reference" in first.get_json()["result"]
    assert first.data == second.data
    assert journal.counts()["accepted"] == 1


def test_a_message_without_call_customer_and_ids_is_still_answered(
    client: FlaskClient, journal: Journal
) -> None:
    listed = [{"name": "createSalesforceCase", "arguments": CASE}, {"name": "lookupCustomer"}]
    body = {"message": {"type": "tool-calls", "toolCallList": listed}}
    first, second = post(client, body).get_json()["results"]
    assert "result" in first
    assert "no phone number" in second["result"]
    assert journal.counts()["accepted"] == 1


def test_an_unpaired_surrogate_and_a_nul_are_taken(client: FlaskClient, journal: Journal) -> None:
    raw = json.dumps(
        tool_message(("call_\ud800", "createSalesforceCase", CASE | {"description": "a\ud800\x00"}))
    ).encode()
    assert "result" in post(client, raw).get_json()["results"][0]
    assert journal.counts()["accepted"] == 1


def test_a_store_that_is_away_is_said_for_writes_and_503_for_events(settings: Any) -> None:
    app = create_app(change_settings(settings, redis_url="redis://127.0.0.1:1/0"))
    client = app.test_client()
    result = ask(client, "createSalesforceCase", CASE)
    assert "can't be sure that this was saved" in result["error"]
    assert "can't look" in ask(client, "lookupCustomer")["error"]
    for kind in ("end-of-call-report", "status-update"):
        assert post(client, message(kind)).status_code == 503
    said = message("transcript", transcriptType="final", role="user", transcript="hi")
    assert post(client, said).status_code == 503
    assert post(client, message("speech-update")).status_code == 200
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").get_json()["problems"] == ["store: unreachable"]
    app.extensions["service"].close()


def test_an_error_because_salesforce_was_away_is_not_kept(client: FlaskClient, org: Org) -> None:
    body = tool_message(("call_1", "lookupCustomer", {}))
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    assert "error" in post(client, body).get_json()["results"][0]
    org.fault()
    assert "Jane Miller" in post(client, body).get_json()["results"][0]["result"]


def test_a_hanging_salesforce_is_given_up_at_the_deadline(settings: Any, org: Org) -> None:
    app = create_app(change_settings(settings, lookup_deadline_ms=200))
    org.fault(hang=True)
    assert "can't look" in ask(app.test_client(), "lookupCustomer")["error"]
    assert "result" in ask(app.test_client(), "createSalesforceCase", CASE)
    org.fault()
    app.extensions["service"].close()


def test_a_call_is_closed_once_with_all_that_belongs_to_it(
    client: FlaskClient, journal: Journal
) -> None:
    ask(client, "createSalesforceCase", CASE)
    report = message(
        "end-of-call-report",
        endedReason="customer-ended-call",
        analysis={"summary": "Billed twice."},
        artifact={"transcript": "x" * 40_000},
    )
    for _ in range(3):
        assert post(client, report).get_json() == {}
    kinds = [intent.kind for intent in journal.of_call("call-1")]
    assert kinds == [Kind.CASE_CREATE, Kind.CALL_LOG, Kind.TRANSCRIPT_FILE, Kind.CASE_COMMENT]
    log = journal.of_call("call-1")[1]
    assert log.state is State.HELD  # it waits for the case
    assert log.payload["transcript"] == ""


def test_final_transcripts_are_kept_once_and_in_the_order_they_were_said(app: Flask) -> None:
    client = app.test_client()
    service: Service = app.extensions["service"]

    def say(role: str, text: str, at: int, kind: str = "final") -> None:
        body = message("transcript", role=role, transcript=text, timestamp=at, transcriptType=kind)
        assert post(client, body).status_code == 200

    say("assistant", "How can I help?", 2)
    say("user", "Hello", 1)
    say("user", "Hello", 1)
    say("user", "I was", 3, "partial")
    assert service.calls.transcript("call-1", LABELS) == "Caller: Hello\nAgent: How can I help?"
    post(client, message("end-of-call-report"))
    log = service.journal.of_call("call-1")[0]
    assert log.payload["transcript"] == "Caller: Hello\nAgent: How can I help?"


@pytest.mark.parametrize("body", [b'{"message":{"type":"x","call":{"id":"\xed\xa0\x80"}}}',
                                  '{"message": {}}'.encode("utf-16")])  # fmt: skip
def test_what_is_not_utf_8_is_400(client: FlaskClient, body: bytes) -> None:
    assert post(client, body).status_code == 400


def test_a_call_without_id_in_three_lists_is_one_case(
    client: FlaskClient, journal: Journal
) -> None:
    call = {"id": 7, "function": {"name": "createSalesforceCase", "arguments": CASE}}
    body = {
        "toolCallList": [call],
        "toolCalls": [call],
        "toolWithToolCallList": [{"toolCall": call}],
    }
    results = post(client, {"message": {"type": "tool-calls", **body}}).get_json()["results"]
    assert len(results) == 1
    assert journal.counts()["accepted"] == 1


@pytest.mark.parametrize("of", [{"chat": {"id": "chat-1"}}, {"call": {"id": "call-1"}}])
def test_calls_without_ids_that_are_delivered_again_get_the_same_answers(
    client: FlaskClient, journal: Journal, of: dict[str, Any]
) -> None:
    calls = [
        {"function": {"name": "createSalesforceCase", "arguments": CASE | {"onExisting": "new"}}}
        for _ in range(2)
    ]
    body = {"message": {"type": "tool-calls", "timestamp": 1_000, "toolCallList": calls, **of}}
    first, *again = [post(client, body).get_data() for _ in range(3)]
    assert again == [first, first]
    assert journal.counts()["accepted"] == 2
    body["message"]["timestamp"] = 2_000
    body["message"]["toolCallList"] = [{"function": {"name": "requestCallback", "arguments": {
        "phone": calling.KNOWN}}}]  # fmt: skip
    post(client, body)
    assert journal.counts()["accepted"] == 3


def test_ids_that_hold_separators_do_not_run_together(client: FlaskClient) -> None:
    first = ask(client, "lookupCustomer", call_id="A", id="b:c")
    second = ask(client, "lookupCustomer", call_id="A:b", id="c", number=calling.UNKNOWN)
    assert "Jane" in first["result"]
    assert second["toolCallId"] == "c"
    assert "Jane" not in second["result"]


@pytest.mark.parametrize("length", [29_000, 31_918, 32_001])
def test_a_transcript_that_does_not_fit_beside_the_facts_becomes_a_file(
    client: FlaskClient, journal: Journal, length: int
) -> None:
    post(client, message("end-of-call-report", artifact={"transcript": "x" * length}))
    log = journal.of_call("call-1")[0]
    assert log.payload["transcript_in_file"] is (length > 30_000)


def test_defects_of_ours_are_answered_and_not_kept(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: Any) -> Any:
        raise KeyError("boom")

    monkeypatch.setitem(LOOKUPS, Verb.IDENTIFY, boom)
    monkeypatch.setitem(WRITES, Verb.CALL_BACK, boom)
    assert "can't look" in ask(client, "lookupCustomer")["error"]
    assert "can't be sure that this was saved" in ask(client, "requestCallback")["error"]


def test_writes_of_a_caller_ask_a_salesforce_that_does_not_answer_once(
    client: FlaskClient, org: Org
) -> None:
    ask(client, "getCaseStatus", {"caseNumber": "1"}, number="")  # there is a token now
    before = org.stats()["requests"]
    org.fault(hang=True)
    for nth in range(5):
        assert "result" in ask(client, "createSalesforceCase", CASE, call_id=f"{nth}")
    assert org.stats()["requests"] - before == 1
    org.fault()


@pytest.mark.parametrize(("lines", "in_file"), [(2_600, False), (3_200, True)])
def test_a_transcript_of_many_lines_goes_into_a_file_before_it_outgrows_its_task(
    client: FlaskClient, journal: Journal, lines: int, in_file: bool
) -> None:
    """Salesforce may count a line break as two characters: 3,200 lines are 32,000, not 28,800."""
    transcript = "AI: Yes?\n" * lines
    report = message("end-of-call-report", endedReason="customer-ended-call", transcript=transcript)
    assert post(client, report).status_code == 200
    kinds = {intent.kind for intent in journal.of_call("call-1")}
    assert (Kind.TRANSCRIPT_FILE in kinds) is in_file
