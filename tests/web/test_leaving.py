"""What is delivered leaves the store soon: texts at once, the rest when the call was reported."""

from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from shared.calls.calls import REPORTED_LIFE_S
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.calling import LABELS, ask, message, post
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

SAID = "my invoice of last month is wrong by a cent and a half"


def talk(client: FlaskClient, lines: int) -> None:
    for nth in range(lines):
        said: dict[str, Any] = {
            "transcript": f"{SAID} {nth}",
            "transcriptType": "final",
            "timestamp": nth + 1,
        }
        assert post(client, message("transcript", role="user", **said)).status_code == 200


def memory(store: redis.Redis, intent_id: str) -> int:
    """Bytes."""
    return int(store.memory_usage(f"vs:intent:{intent_id}") or 0)


def deliver_all(context: DeliveryContext) -> None:
    for kind in Kind:
        drain(context, kind)


@pytest.mark.parametrize("lines", [3, 700])
def test_a_delivered_transcript_is_nowhere_in_the_store(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, lines: int
) -> None:
    """Short enough for its Task, and long enough for a file."""
    talk(client, lines)
    ask(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice"})
    ask(client, "addCaseComment", {"comment": SAID})
    post(client, message("end-of-call-report", analysis={"summary": SAID}))
    assert not store.exists("vs:call:call-1:transcript", "vs:call:call-1:speech")
    deliver_all(context)
    for key in store.scan_iter("vs:intent:*"):
        assert store.hget(key, "state") == "delivered"
        assert SAID not in str(store.hget(key, "payload"))


def test_what_a_later_question_needs_is_still_known(
    client: FlaskClient, context: DeliveryContext, journal: Journal
) -> None:
    ask(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice"})
    ask(client, "updateContact", {"mailingCity": "Oakland"})
    deliver_all(context)
    case, change = journal.of_call("call-1")
    assert case.payload["description"] == "Billed twice"
    assert change.payload["changes"] == {"MailingCity": "Oakland"}
    assert "Billing" in ask(client, "getCaseStatus")["result"]


def test_a_reported_call_is_purged_in_an_hour_whatever_arrives_late(
    client: FlaskClient, store: redis.Redis
) -> None:
    talk(client, 2)
    post(client, message("end-of-call-report"))
    late: list[dict[str, Any]] = [
        message("status-update", status="ended"),
        message("transcript", role="user", transcript="bye", transcriptType="final"),
        message("speech-update", role="user", status="started"),
    ]
    for event in late:
        post(client, event)
    assert 0 < store.ttl("vs:call:call-1") <= REPORTED_LIFE_S
    assert not store.exists("vs:call:call-1:transcript", "vs:call:call-1:speech")


def test_a_quiet_call_keeps_what_was_said_for_a_report_that_comes_late(
    app: Flask, client: FlaskClient
) -> None:
    service = app.extensions["service"]
    talk(client, 1)
    service.end_of_call.end_quiet_calls(0)
    assert SAID in service.calls.transcript("call-1", LABELS)


def test_what_is_purged_takes_a_fraction_of_the_memory(
    client: FlaskClient, context: DeliveryContext, journal: Journal, store: redis.Redis
) -> None:
    ask(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice"})
    (case,) = journal.of_call("call-1")
    deliver_all(context)
    before = memory(store, case.id)
    assert journal.purge(data_after_ms=-1000, receipt_after_ms=10**12) == 1
    assert memory(store, case.id) < before / 2
    left = journal.get(case.id)
    assert left
    assert left.is_purged
    assert left.receipt
    assert left.receipt.number
