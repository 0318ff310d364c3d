"""The end of a call, from the webhook to its Task: reports early, late, odd, or never."""

import io
import json
import re
from typing import Any

import pytest
import redis
import structlog
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED, Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN, PREMIUM, UNKNOWN, ask, message, post
from tests.conftest import change_settings
from tests.payloads import BARE_REPORT, ODD, OTHERS, REPORT, paths, spoiled
from tests.store_time import every_call_is_quiet, everything_is_due, waits_end
from web.app import create_app
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NO_PHONE = (
    "This conversation is not a phone call, so it can't be transferred to a phone. Offer that "
    "somebody calls back, and ask for the number."
)

CASE: dict[str, Any] = {"issueType": "billing", "description": "Billed twice", "onExisting": "new"}
ENDED: dict[str, Any] = {
    "endedReason": "customer-ended-call",
    "startedAt": "2026-11-22T10:00:00.000Z",
}
SAID: dict[str, Any] = ENDED | {
    "endedAt": "2026-11-22T10:02:00.000Z",
    "analysis": {"summary": "Billed twice for October."},
    "artifact": {"transcript": "User: I was billed twice."},
}


@pytest.fixture
def service(app: Flask) -> Service:
    made: Service = app.extensions["service"]
    return made


def go_quiet(service: Service) -> None:
    """No call has sent anything for long."""
    every_call_is_quiet(service.store)
    service.end_of_call.end_quiet_calls(600_000)


def deliver_all(context: DeliveryContext, store: redis.Redis) -> None:
    """Until nothing wants work any more; what waits for another one need not wait for long."""
    for _ in range(6):
        for kind in Kind:
            drain(context, kind)
        everything_is_due(store)
    assert all(intent.state in SETTLED for intent in context.journal.newest(1000))


def logs_of(journal: Journal, call_id: str = "call-1") -> list[Intent]:
    return [intent for intent in journal.of_call(call_id) if intent.kind is Kind.CALL_LOG]


def call_task(org: Org, call_id: str = "call-1") -> dict[str, Any]:
    """The only Task of a call."""
    (found,) = (record for record in org.records("Task") if record["CallObject"] == call_id)
    return found


def callbacks(org: Org) -> list[dict[str, Any]]:
    return [record for record in org.records("Task") if record["Subject"].startswith("Call back")]


def our_case(org: Org) -> dict[str, Any]:
    (found,) = (record for record in org.records("Case") if record["Call_Key__c"])
    return found


def summaries(org: Org) -> list[str]:
    bodies = (record["CommentBody"] for record in org.records("CaseComment"))
    return [body for body in bodies if body.startswith("Call summary:")]


def test_the_end_is_noted_however_often_a_call_was_forwarded_before(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    for nth in range(20):
        to = {"type": "number", "number": f"+141555501{nth:02}"}
        forwarded = message(
            "status-update", status="forwarding", timestamp=1_000 + nth, destination=to
        )
        post(client, forwarded)
    ended: dict[str, Any] = {
        "status": "ended",
        "endedReason": "customer-ended-call",
        "timestamp": 4_000,
    }
    post(client, message("status-update", **ended))
    assert store.hlen("vs:call:call-1:updates") == 9
    go_quiet(service)
    deliver_all(context, store)
    assert call_task(org)["CallDisposition"] == "customer-ended-call"


# -- a report that comes late ----------------------------------------------------------------------


@pytest.mark.parametrize("delivered_before_report", [True, False])
def test_a_late_report_completes_the_task_of_a_call_that_went_quiet(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org,
    *, delivered_before_report: bool,
) -> None:  # fmt: skip
    post(client, message("status-update", status="in-progress"))
    go_quiet(service)
    if delivered_before_report:
        deliver_all(context, store)
        assert call_task(org)["CallDisposition"] == "no-report"
    ask(client, "createSalesforceCase", CASE)
    if delivered_before_report:
        deliver_all(context, store)
    for _ in range(3):
        assert post(client, message("end-of-call-report", **SAID)).status_code == 200
    deliver_all(context, store)
    task = call_task(org)
    assert task["CallDisposition"] == "customer-ended-call"
    assert task["CallDurationInSeconds"] == 120
    assert task["ActivityDate"] == "2026-11-22"
    assert task["WhatId"] == our_case(org)["Id"]
    for part in ("Ended: customer-ended-call", "Billed twice for October.", "I was billed twice."):
        assert part in task["Description"]
    (summary,) = summaries(org)
    assert summary.startswith("Call summary: Billed twice for October.")
    # A version that knows no amendments has to park one: it would make a second Task of it.
    assert [log.schema for log in logs_of(service.journal)] == [1, 2]


def test_a_write_after_a_quiet_end_is_linked_though_no_report_ever_comes(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("status-update", status="in-progress"))
    go_quiet(service)
    deliver_all(context, store)
    ask(client, "createSalesforceCase", CASE)
    said = message("transcript", transcriptType="final", role="user", transcript="Thanks")
    post(client, said)
    go_quiet(service)
    deliver_all(context, store)
    task = call_task(org)
    assert task["WhatId"] == our_case(org)["Id"]
    assert "Caller: Thanks" in task["Description"]
    go_quiet(service)
    assert store.zcard("vs:calls") == 0
    assert len(logs_of(service.journal)) == 2


def test_a_write_recorded_after_the_report_and_its_task_is_linked(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("end-of-call-report", **SAID))
    deliver_all(context, store)
    ask(client, "createSalesforceCase", CASE)
    deliver_all(context, store)
    task = call_task(org)
    assert task["WhatId"] == our_case(org)["Id"]
    assert task["CallDisposition"] == "customer-ended-call"
    assert "I was billed twice." in task["Description"]
    assert len(summaries(org)) == 1


def test_a_late_report_leaves_what_a_person_wrote_and_parks_what_it_could_not_say(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("status-update", status="in-progress"))
    go_quiet(service)
    deliver_all(context, store)
    (other,) = (record for record in org.records("Case") if record["CaseNumber"] == "00001001")
    edits = {"Description": "Called Jane myself.", "CallDisposition": "Left word"}
    org.edit("Task", call_task(org)["Id"], WhatId=other["Id"], **edits)
    ask(client, "createSalesforceCase", CASE)
    post(client, message("end-of-call-report", **SAID))
    deliver_all(context, store)
    task = call_task(org)
    assert (task["Description"], task["CallDisposition"]) == tuple(edits.values())
    assert task["WhatId"] == other["Id"]
    assert task["CallDurationInSeconds"] == 120
    amending = logs_of(service.journal)[-1]
    assert (amending.state, amending.reason) == (State.PARKED, "EDITED_SINCE (Description)")


def test_a_late_report_writes_once_though_its_answer_was_lost(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("status-update", status="in-progress"))
    go_quiet(service)
    deliver_all(context, store)
    post(client, message("end-of-call-report", **SAID))
    org.fault(lose_answer=1.0, resources=["composite"])
    drain(context, Kind.CALL_LOG)
    org.fault()
    waits_end(store)
    deliver_all(context, store)
    assert logs_of(service.journal)[-1].state is State.DELIVERED
    assert "I was billed twice." in call_task(org)["Description"]


def test_a_long_transcript_of_a_late_report_is_a_file_on_the_task_that_is_there(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("status-update", status="in-progress"))
    go_quiet(service)
    deliver_all(context, store)
    for _ in range(2):
        post(client, message("end-of-call-report", artifact={"transcript": "User: x\n" * 5_000}))
    deliver_all(context, store)
    (version,) = org.records("ContentVersion")
    assert version["FirstPublishLocationId"] == call_task(org)["Id"]


def test_a_report_twice_and_a_late_status_update_close_a_call_once(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("end-of-call-report", **SAID))
    post(client, message("status-update", status="ended", endedReason="customer-ended-call"))
    post(client, message("end-of-call-report", **SAID))
    go_quiet(service)
    deliver_all(context, store)
    assert len(logs_of(service.journal)) == 1
    assert call_task(org)["CallDisposition"] == "customer-ended-call"


def test_a_call_that_goes_on_after_a_quiet_end_is_updated_again(
    client: FlaskClient, service: Service
) -> None:
    body = message("status-update", status="in-progress")
    body["message"]["call"]["monitor"] = {"controlUrl": "https://x.vapi.ai/call-1/control"}
    post(client, body)
    go_quiet(service)
    assert service.calls.live_calls(["call-1"]) == {}
    ask(client, "createSalesforceCase", CASE)
    assert "call-1" in service.calls.live_calls(["call-1"])
    post(client, message("status-update", status="ended"))
    go_quiet(service)
    ask(client, "createSalesforceCase", CASE | {"issueType": "technical"})
    assert service.calls.live_calls(["call-1"]) == {}


# -- a report that never comes ---------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_without_a_report_the_task_has_what_the_last_status_update_said(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org,
    order: tuple[int, int],
) -> None:  # fmt: skip
    bodies = [
        message("status-update", status="in-progress", timestamp=1795168800000),
        message(
            "status-update",
            status="ended",
            endedReason="silence-timed-out",
            timestamp="2026-11-20T10:02:00.000Z",
        ),
    ]
    for nth in order:
        post(client, bodies[nth])
    go_quiet(service)
    deliver_all(context, store)
    task = call_task(org)
    assert (task["CallDisposition"], task["ActivityDate"]) == ("silence-timed-out", "2026-11-20")
    lines = task["Description"].splitlines()
    assert lines[:3] == [
        "Ended: silence-timed-out",
        "Started: 2026-11-20 10:00 (GMT)",
        "Ended at: 2026-11-20 10:02 (GMT)",
    ]


def test_a_forwarded_call_has_the_summary_and_words_of_its_forwarding(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    ask(client, "createSalesforceCase", CASE)
    forwarding = message(
        "status-update",
        status="forwarding",
        destination={"type": "number", "number": "+14155550190"},
        summary="Wants a person.",
        transcript="User: A person, please.",
    )
    post(client, forwarding)
    ended = message("status-update", status="ended", endedReason="assistant-forwarded-call")
    post(client, ended)
    go_quiet(service)
    deliver_all(context, store)
    said = call_task(org)["Description"]
    for part in ("Transfer to +14155550190", "Summary: Wants a person.", "A person, please."):
        assert part in said
    assert len(summaries(org)) == 1
    assert callbacks(org) == []


def test_a_report_says_it_better_than_its_forwarding(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("status-update", status="forwarding", summary="x", transcript="User: y"))
    post(client, message("end-of-call-report", **SAID))
    deliver_all(context, store)
    said = call_task(org)["Description"]
    assert "Summary: Billed twice for October." in said
    assert "User: y" not in said


# -- transfers -------------------------------------------------------------------------------------


def transferred(*statuses: str, reason: str = "assistant-forwarded-call") -> dict[str, Any]:
    to = {"type": "number", "number": "+14155550190"}
    tried = [{"destination": to, "status": status} for status in statuses]
    return {"endedReason": reason, "artifact": {"transfers": tried}}


@pytest.mark.parametrize(
    ("said", "line", "is_called_back"),
    [
        (transferred("no-answer"), "Transfer to +14155550190: nobody answered", True),
        (transferred("busy"), "Transfer to +14155550190: the line was busy", True),
        (transferred("voicemail"), "a voicemail answered", True),
        (transferred("connected", "failed"), "Transfer to +14155550190: failed", True),
        (transferred("no-answer", "connected"), "Transfer to +14155550190: connected", False),
        (transferred("completed"), "Transfer to +14155550190: completed", False),
        (transferred("cancelled"), "Transfer to +14155550190: cancelled", False),
        (transferred("no-answer", reason="customer-ended-call"), "nobody answered", False),
        (transferred(reason="call.forwarding.no-answer"), "The transfer reached nobody.", True),
    ],
)
def test_a_transfer_that_reached_nobody_is_said_and_called_back(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org,
    said: dict[str, Any], line: str, *, is_called_back: bool,
) -> None:  # fmt: skip
    for _ in range(2):
        post(client, message("end-of-call-report", **said))
    deliver_all(context, store)
    assert line in call_task(org)["Description"]
    found = callbacks(org)
    assert len(found) == is_called_back
    assert all(f"Call back: {KNOWN}" in row["Description"] for row in found)
    assert all("Reference" not in row["Description"] for row in found)


def test_nobody_is_called_back_twice_without_a_number_or_where_it_costs_more(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, message("end-of-call-report", number="", **transferred("busy")))
    ask(client, "requestCallback", {"reason": "bill"}, call_id="call-2", number=UNKNOWN)
    post(client, message("end-of-call-report", "call-2", UNKNOWN, **transferred("busy")))
    ended: dict[str, Any] = {"status": "ended", "endedReason": "call.forwarding.no-answer"}
    post(client, message("status-update", "call-3", **ended))
    go_quiet(service)
    post(client, message("end-of-call-report", "call-3", **transferred("no-answer")))
    post(client, message("end-of-call-report", "call-4", PREMIUM, **transferred("no-answer")))
    deliver_all(context, store)
    assert len(callbacks(org)) == 2
    assert "nobody answered" in call_task(org, "call-3")["Description"]


@pytest.mark.parametrize("kind", ["webCall", "vapi.websocketCall"])
def test_what_is_no_phone_call_is_not_transferred_to_a_phone(settings: Settings, kind: str) -> None:
    app = create_app(change_settings(settings, fallback_phone_number="+14155550199"))
    client = app.test_client()
    body = message("transfer-destination-request", number="")
    body["message"]["call"]["type"] = kind
    assert post(client, body).get_json() == {"error": NO_PHONE}
    del body["message"]["call"]["type"]
    assert post(client, body).get_json() == {"error": NO_PHONE}
    for own in ({"chat": {"id": "c"}}, {"session": {"id": "s"}}):
        sent = {"message": {"type": "transfer-destination-request", **own}}
        assert post(client, sent).get_json() == {"error": NO_PHONE}
    phone = message("transfer-destination-request", "call-2")
    assert "destination" in post(client, phone).get_json()
    app.extensions["service"].close()


# -- how it reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "subject", "call_type", "line"),
    [
        ("inboundPhoneCall", "Voice call (inbound)", "Inbound", f"Caller: {KNOWN}"),
        ("outboundPhoneCall", "Voice call (outbound)", "Outbound", f"Callee: {KNOWN}"),
        ("webCall", "Web call", "Inbound", "Web call"),
        ("vapi.websocketCall", "Web call", "Inbound", "Web call"),
    ],
)
def test_the_task_says_what_kind_of_call_it_was(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org,
    kind: str, subject: str, call_type: str, line: str,
) -> None:  # fmt: skip
    said = message("transcript", transcriptType="final", role="user", transcript="Hello")
    for body in (said, message("end-of-call-report")):
        body["message"]["call"]["type"] = kind
        post(client, body)
    deliver_all(context, store)
    task = call_task(org)
    assert (task["Subject"], task["CallType"]) == (subject, call_type)
    assert line in task["Description"].splitlines()
    who = "Callee" if kind == "outboundPhoneCall" else "Caller"
    assert f"{who}: Hello" in task["Description"]


def test_the_task_shows_what_the_report_found_out(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    post(client, {"message": REPORT})
    deliver_all(context, store)
    lines = call_task(org)["Description"].splitlines()
    for line in (
        "Ended: assistant-forwarded-call",
        "Started: 2026-11-22 10:00 (GMT)",
        "Transfer to +14155550190: nobody answered",
        "Recording (needs the Vapi key): https://api.vapi.ai/call/call-1/mono-recording",
        "Success evaluation: true",
        "Scorecard Support QA: 70 (70 of 100)",
        "Appointment Booked: yes",
        "CSAT: 8",
        "Details: plan: gold; parts: 1, 2",
        "mood: calm",
        "Recording consent (verbal): granted",
        "Assistant: Front desk, Billing (v3)",
        "Cost: 0.1234 USD",
        "Summary: Billed twice.",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("artifact", "line"),
    [
        ({}, None),
        ({"recordingUrl": "https://calls.acme.example/1.wav"},
         "Recording: https://calls.acme.example/1.wav"),
        ({"stereoRecordingUrl": "https://storage.vapi.ai/1.wav?token=secret"},
         "Recording (needs the Vapi key): https://api.vapi.ai/call/call-1/stereo-recording"),
    ],
)  # fmt: skip
def test_a_recording_is_linked_where_there_is_one(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org,
    artifact: dict[str, Any], line: str | None,
) -> None:  # fmt: skip
    said: dict[str, Any] = {"endedReason": "customer-did-not-answer", "artifact": artifact}
    post(client, message("end-of-call-report", **said))
    deliver_all(context, store)
    description = call_task(org)["Description"]
    found = [line for line in description.splitlines() if line.startswith("Recording")]
    assert found == ([line] if line else [])
    assert "secret" not in description


def test_facts_that_do_not_fit_are_left_out_line_by_line(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    outputs = {str(n): {"name": f"Output {n}", "result": "word " * 60} for n in range(30)}
    artifact = {"structuredOutputs": outputs, "transcript": "x" * 29_000}
    post(client, message("end-of-call-report", analysis={"summary": "s " * 400}, artifact=artifact))
    deliver_all(context, store)
    task = call_task(org)
    assert len(task["Description"]) <= 32_000
    assert "Output 0: " in task["Description"]
    assert task["Description"].endswith("x" * 1000)


# -- odd payloads ----------------------------------------------------------------------------------


def test_a_report_with_a_role_of_another_type_is_read(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    messages = [{"role": []}, {"role": "user", "message": "Hello"}]
    said = ENDED | {"messages": messages, "artifact": {"messages": messages}}
    assert post(client, message("end-of-call-report", **said)).status_code == 200
    deliver_all(context, store)
    assert "Caller: Hello" in call_task(org)["Description"]


def test_no_payload_is_a_500_and_no_report_is_lost(app: Flask, store: redis.Redis) -> None:
    """Each place with a few of the odd values, all of which tests/shared/test_report.py tries."""
    service: Service = app.extensions["service"]
    places = [(body, path) for body in (REPORT, BARE_REPORT, *OTHERS) for path in paths(body)]
    for nth, (body, path) in enumerate(places):
        for value in ODD[nth % 26 :: 26]:
            store.flushall()
            sent = spoiled(body, path, value)
            answer = post(app.test_client(), {"message": sent})
            assert (answer.status_code, answer.is_json) == (200, True), (path, value)
            call = sent.get("call")
            is_ours = isinstance(call, dict) and call.get("id") == "call-1"
            if is_ours and sent.get("type") == "end-of-call-report":
                assert len(logs_of(service.journal)) == 1, (path, value)


@pytest.mark.parametrize("depth", range(100, 1000, 100))
def test_arguments_nested_deeply_are_answered_or_no_json(client: FlaskClient, depth: int) -> None:
    nested = json.loads("[" * depth + "]" * depth)
    for body in (
        message(
            "function-call", functionCall={"name": "getCaseStatus", "parameters": {"x": nested}}
        ),
        message("end-of-call-report", f"call-{depth}", analysis={"structuredData": {"x": nested}}),
    ):
        assert post(client, body).status_code in (200, 400)


def test_a_report_that_can_not_be_read_leaves_its_call_to_the_quiet_end(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(_: Any) -> Any:
        raise KeyError("boom")

    monkeypatch.setattr("web.webhook.end_of_call", boom)
    assert post(client, message("end-of-call-report", **SAID)).status_code == 500
    assert logs_of(service.journal) == []
    go_quiet(service)
    assert len(logs_of(service.journal)) == 1


def test_a_report_without_call_id_finds_its_call_by_the_providers(
    client: FlaskClient, service: Service, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    first = message("status-update", status="in-progress")
    first["message"]["call"]["phoneCallProviderId"] = "CA1"
    post(client, first)
    for own in ({"call": {"phoneCallProviderId": "CA1"}}, {"phoneCallProviderId": "CA1"}):
        post(client, {"message": {"type": "end-of-call-report", **SAID, **own}})
    elsewhere = {"type": "end-of-call-report", "callId": "call-2", "call": {}, **SAID}
    post(client, {"message": elsewhere})
    unheard = {"type": "end-of-call-report", "phoneCallProviderId": "CA2", **SAID}
    post(client, {"message": unheard})
    deliver_all(context, store)
    for call_id in ("call-1", "call-2", "CA2"):
        assert "I was billed twice." in call_task(org, call_id)["Description"]


def test_a_report_that_belongs_to_no_call_is_named_by_its_shape(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    printer = structlog.PrintLogger(written)
    monkeypatch.setattr("web.webhook.log", structlog.wrap_logger(printer))
    post(client, {"message": {"type": "end-of-call-report", "call": {"name": "Jane"}, **SAID}})
    post(client, {"messages": [{"name": "Jane"}]})
    said = [json.loads(line) for line in written.getvalue().splitlines()]
    events = {entry["event"]: entry.get("shape", "") for entry in said}
    assert "message.call{name}" in events["report_without_call_id"]
    assert events["message_without_type"] == "{messages}"
    assert not re.search("Jane|billed", json.dumps(said))


def test_a_campaign_is_not_approved_and_learns_so(client: FlaskClient) -> None:
    body = {"message": {"type": "campaign.predial", "campaignId": "c", "contact": {}}}
    answer = post(client, body).get_json()
    assert "eligible" not in answer
    assert "does not decide" in answer["error"]
