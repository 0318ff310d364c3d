"""One id from the webhook to the worker and the record, in every log line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.domain.trace import trace_of_call
from shared.journal.journal import Journal
from tests.calling import ask, message, post, reference_in, sentence, signed, tool_message
from tests.log_lines import log_lines
from tests.store_time import everything_is_due
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

CALL = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
OTHER_CALL = "0192f0c4-8f5e-7cc0-9b62-0b3f6a1d2e4f"
BOTH = {trace_of_call(CALL), trace_of_call(OTHER_CALL)}
FRONT = "0af7651916cd43dd8448eb211c80319c"
HEADER = f"00-{FRONT}-b7ad6b7169203331-01"
CASE_1001 = {"caseNumber": "1001"}
CASE = {"issueType": "billing", "description": "Billed twice", "onExisting": "new"}


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as made:
        yield made


def read(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def traces(lines: list[str], event: str) -> list[str | None]:
    return [line.get("trace_id") for line in read(lines) if line["event"] == event]


def post_from_front(
    client: FlaskClient, call_id: str, traceparent: str = HEADER, *, is_signed: bool = True
) -> int:
    body = tool_message(("call_1", "createSalesforceCase", CASE), call_id=call_id)
    raw = json.dumps(body).encode()
    headers = {"traceparent": traceparent} | (signed(raw) if is_signed else {"x-signature": "0"})
    return client.post("/webhook/vapi", data=raw, headers=headers).status_code


def only(journal: Journal, call_id: str) -> Intent:
    (intent,) = journal.of_call(call_id)
    return intent


def test_what_a_call_asks_for_has_one_trace_until_it_is_delivered(
    client: FlaskClient, context: DeliveryContext, journal: Journal
) -> None:
    trace = CALL.replace("-", "")
    with log_lines() as lines:
        ask(client, "createSalesforceCase", CASE, call_id=CALL)
        post(client, message("end-of-call-report", CALL, endedReason="customer-ended-call"))
        for kind in (Kind.CASE_CREATE, Kind.CALL_LOG):
            drain(context, kind)
    assert traces(lines, "intent_accepted") == [trace]
    assert traces(lines, "call_closed") == [trace]
    assert traces(lines, "intent_delivered") == [trace, trace]
    assert traces(lines, "delivery") == [trace, trace]
    case_, log = journal.of_call(CALL)
    assert (case_.trace, log.trace) == (trace, trace)
    delivered = [line for line in read(lines) if line["event"] == "intent_delivered"]
    assert case_.receipt
    assert [(line["intent_id"], line["call_id"]) for line in delivered] == [
        (case_.id, CALL), (log.id, CALL),
    ]  # fmt: skip
    assert delivered[0]["record_id"] == case_.receipt.record_id


def test_the_trace_of_a_calls_id_takes_no_room_in_the_store(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    ask(client, "createSalesforceCase", CASE, call_id=CALL)
    assert not store.hexists(f"vs:intent:{only(journal, CALL).id}", "trace")
    assert list(store.scan_iter("vs:trace:*")) == []


def test_the_trace_that_a_front_began_goes_on(
    client: FlaskClient, context: DeliveryContext, journal: Journal
) -> None:
    with log_lines() as lines:
        assert post_from_front(client, CALL) == 200
        drain(context, Kind.CASE_CREATE)
    assert only(journal, CALL).trace == FRONT
    assert traces(lines, "intent_accepted") == traces(lines, "intent_delivered") == [FRONT]
    accepted = next(line for line in read(lines) if line["event"] == "intent_accepted")
    assert accepted["call_id"] == CALL


@pytest.mark.parametrize("header", ["", "nonsense", HEADER.upper(), f"00-{'0' * 32}-{'1' * 16}-01"])
def test_a_header_that_is_not_well_formed_is_ignored(
    client: FlaskClient, journal: Journal, header: str
) -> None:
    assert post_from_front(client, CALL, header) == 200
    assert only(journal, CALL).trace == trace_of_call(CALL)


def test_a_stranger_puts_no_trace_into_the_log(client: FlaskClient) -> None:
    with log_lines() as lines:
        assert post_from_front(client, CALL, is_signed=False) == 401
    assert lines
    assert FRONT not in "".join(lines)


def test_a_request_without_a_call_has_a_trace_of_its_own(
    client: FlaskClient, journal: Journal
) -> None:
    found = []
    with log_lines() as lines:
        for nth in range(2):
            answer = ask(client, "createSalesforceCase", CASE, call_id="", id=f"call_{nth}")
            found.append(journal.by_reference(reference_in(sentence(answer))))
    found_traces = [intent.trace for intent in found if intent]
    assert len(set(found_traces)) == 2
    assert traces(lines, "intent_accepted") == found_traces


def test_a_batch_of_several_traces_has_a_line_for_each_and_an_id_of_its_own(
    client: FlaskClient, context: DeliveryContext
) -> None:
    for call_id in (CALL, OTHER_CALL):
        ask(client, "createSalesforceCase", CASE, call_id=call_id)
    with log_lines() as lines:
        drain(context, Kind.CASE_CREATE)
    assert set(traces(lines, "intent_delivered")) == BOTH
    assert traces(lines, "delivery") == [None]
    assert len({line["delivery_id"] for line in read(lines)}) == 1


def test_a_write_that_parks_says_so_in_its_trace(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    for call_id in (CALL, OTHER_CALL):
        ask(client, "createSalesforceCase", CASE, call_id=call_id)
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    with log_lines() as lines:
        drain(context, Kind.CASE_CREATE)
    assert set(traces(lines, "intent_parked")) == BOTH


def test_a_lookup_on_another_thread_belongs_to_the_trace_of_its_request(
    client: FlaskClient, org: Org
) -> None:
    """Two lookups of a message run side by side. Salesforce refuses both, which is logged where
    they run."""
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    lookup: tuple[str, str, Any] = ("b", "lookupCustomer", {})
    with log_lines() as lines:
        post(client, tool_message(("a", "getCaseStatus", CASE_1001), lookup, call_id=CALL))
    failed = traces(lines, "snapshot_failed")
    assert failed
    assert set(failed) == {trace_of_call(CALL)}


def test_what_follows_from_a_write_is_in_its_trace(
    client: FlaskClient, context: DeliveryContext, journal: Journal, store: redis.Redis
) -> None:
    """The link of a Task, which a delivery makes possible."""
    post(client, message("end-of-call-report", CALL, endedReason="customer-ended-call"))
    drain(context, Kind.CALL_LOG)
    assert post_from_front(client, CALL) == 200
    for _ in range(2):
        for kind in Kind:
            drain(context, kind)
        everything_is_due(store)
    links = [intent for intent in journal.of_call(CALL) if intent.kind is Kind.TASK_LINK]
    assert [link.trace for link in links] == [FRONT]
    assert {intent.id for intent in journal.by_trace(FRONT, 10)} >= {links[0].id}


def test_the_index_of_a_trace_goes_with_its_writes(
    client: FlaskClient, context: DeliveryContext, journal: Journal, store: redis.Redis
) -> None:
    assert post_from_front(client, CALL) == 200
    drain(context, Kind.CASE_CREATE)
    journal.purge(data_after_ms=-1, receipt_after_ms=3_600_000)
    (receipt,) = journal.by_trace(FRONT, 10)
    assert receipt.is_purged
    assert receipt.trace == FRONT
    journal.purge(data_after_ms=-1, receipt_after_ms=-1)
    assert list(store.scan_iter("vs:trace:*")) == []
